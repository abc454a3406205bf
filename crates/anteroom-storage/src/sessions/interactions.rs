//! Interactions that are rows; until the first form, an interaction is only a sealed value in the page.

use crate::entity::interactions;
use crate::error::StoreError;
use crate::row::{RowRef, json_text};
use crate::store::{Queries, Tx};
use anteroom_crypto::KeyedDigest;
use anteroom_domain::ids::InteractionId;
use anteroom_domain::interaction::Interaction;
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, TryInsertResult};

impl Queries {
    /// By any of its handle's digests: one for each version of the hashing key.
    pub async fn interaction(&self, handle: &[KeyedDigest]) -> Result<Option<Interaction>, StoreError> {
        let handles = handle.iter().map(|digest| digest.as_bytes().to_vec());
        let row = interactions::Entity::find()
            .filter(interactions::Column::HandleDigest.is_in(handles))
            .one(&self.conn)
            .await?;
        row.as_ref().map(interaction).transpose()
    }
}

impl Queries {
    pub async fn interaction_by_id(&self, id: InteractionId) -> Result<Option<Interaction>, StoreError> {
        let row = interactions::Entity::find_by_id(id.0).one(&self.conn).await?;
        row.as_ref().map(interaction).transpose()
    }
}

impl Tx {
    /// `false`: there is one with this handle, and it stays as it is.
    pub async fn insert_interaction(
        &self,
        interaction: &Interaction,
        handle: &KeyedDigest,
    ) -> Result<bool, StoreError> {
        let row = interactions::ActiveModel {
            id: Set(interaction.id.0),
            handle_digest: Set(handle.as_bytes().to_vec()),
            journey: Set(json_text(&interaction.state)?),
            proof: Set(interaction.proof.as_ref().map(json_text).transpose()?),
            created_at: Set(interaction.created_at.as_millisecond()),
            expires_at: Set(interaction.expires_at.as_millisecond()),
            finished_at: Set(interaction.finished_at.map(Timestamp::as_millisecond)),
            answer: Set(interaction.authorization_response.clone()),
        };
        let inserted = interactions::Entity::insert(row)
            .on_conflict_do_nothing_on([interactions::Column::HandleDigest])
            .exec_without_returning(&self.conn)
            .await?;
        Ok(matches!(inserted, TryInsertResult::Inserted(1)))
    }

    /// Changes the state, the proof and the expiry; nothing else about an interaction changes, and nothing at all once it is
    /// finished.
    pub async fn save_interaction(&self, interaction: &Interaction) -> Result<(), StoreError> {
        let proof = interaction.proof.as_ref().map(json_text).transpose()?;
        interactions::Entity::update_many()
            .col_expr(interactions::Column::Journey, Expr::value(json_text(&interaction.state)?))
            .col_expr(interactions::Column::Proof, Expr::value(proof))
            .col_expr(interactions::Column::ExpiresAt, Expr::value(interaction.expires_at.as_millisecond()))
            .filter(interactions::Column::Id.eq(interaction.id.0))
            .filter(interactions::Column::FinishedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// `false`: it was finished before.
    pub async fn finish_interaction(&self, id: InteractionId, now: Timestamp) -> Result<bool, StoreError> {
        let finished = interactions::Entity::update_many()
            .col_expr(interactions::Column::FinishedAt, Expr::value(now.as_millisecond()))
            .filter(interactions::Column::Id.eq(id.0))
            .filter(interactions::Column::FinishedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(finished.rows_affected == 1)
    }
}

fn interaction(row: &interactions::Model) -> Result<Interaction, StoreError> {
    let place = RowRef { table: "interactions", id: &row.id };
    Ok(Interaction {
        id: InteractionId(row.id),
        state: place.json("journey", &row.journey)?,
        proof: row.proof.as_ref().map(|proof| place.json("proof", proof)).transpose()?,
        created_at: place.time("created_at", row.created_at)?,
        expires_at: place.time("expires_at", row.expires_at)?,
        finished_at: place.optional_time("finished_at", row.finished_at)?,
        authorization_response: row.answer.clone(),
    })
}
