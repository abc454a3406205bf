//! The clients of the configuration, as the nodes last ran with them. The configuration itself is in files: here is what
//! must be known of it after it has changed.

use crate::entity::{configured_clients, grants};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::ClientId;
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredClient {
    pub client: ClientId,
    /// The kind of `sub` that it got when a node last wrote the row; `None`: no node has written it.
    pub subjects: Option<SubjectNamespace>,
    /// When a node last ran with it.
    pub seen_at: Timestamp,
}

impl Queries {
    pub async fn configured_clients(&self) -> Result<Vec<ConfiguredClient>, StoreError> {
        let rows = configured_clients::Entity::find().all(&self.conn).await?;
        rows.iter().map(configured_client).collect()
    }
}

impl Tx {
    /// Records that a node runs with this client.
    pub async fn note_configured_client(&self, noted: &ConfiguredClient) -> Result<(), StoreError> {
        let row = configured_clients::ActiveModel {
            client_id: Set(noted.client.as_str().to_owned()),
            subject_sector: Set(noted.subjects.as_ref().map(|subjects| subjects.as_str().to_owned())),
            seen_at: Set(noted.seen_at.as_millisecond()),
        };
        let known = OnConflict::column(configured_clients::Column::ClientId)
            .update_columns([configured_clients::Column::SubjectSector, configured_clients::Column::SeenAt])
            .to_owned();
        configured_clients::Entity::insert(row).on_conflict(known).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// Records that a node still runs with these. Rows that were written after `before` stay as they are.
    pub async fn touch_configured_clients(
        &self,
        clients: &[ClientId],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ids = clients.iter().map(ClientId::as_str);
        configured_clients::Entity::update_many()
            .col_expr(configured_clients::Column::SeenAt, Expr::value(now.as_millisecond()))
            .filter(configured_clients::Column::ClientId.is_in(ids))
            .filter(configured_clients::Column::SeenAt.lte(before.as_millisecond()))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// `false`: a node ran with it after `seen_before`, or its row is gone already.
    pub async fn delete_configured_client(
        &self,
        client: &ClientId,
        seen_before: Timestamp,
    ) -> Result<bool, StoreError> {
        let forgotten = configured_clients::Entity::delete_many()
            .filter(configured_clients::Column::ClientId.eq(client.as_str()))
            .filter(configured_clients::Column::SeenAt.lte(seen_before.as_millisecond()))
            .exec(&self.conn)
            .await?;
        Ok(forgotten.rows_affected == 1)
    }

    /// Ends the grants that were not given under one of these kinds of `sub`, or of which that is not known. Returns how many.
    pub async fn revoke_grants_of_other_subjects(
        &self,
        client: &ClientId,
        subjects: &SubjectNamespace,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let others = Condition::any()
            .add(grants::Column::SubjectSector.is_null())
            .add(grants::Column::SubjectSector.ne(subjects.as_str()));
        let ended = grants::Entity::update_many()
            .col_expr(grants::Column::RevokedAt, Expr::value(now.as_millisecond()))
            .col_expr(grants::Column::RevokeReason, Expr::value(GrantEnd::SubjectsChanged.as_str()))
            .filter(grants::Column::ClientId.eq(client.as_str()))
            .filter(grants::Column::RevokedAt.is_null())
            .filter(others)
            .exec(&self.conn)
            .await?;
        Ok(ended.rows_affected)
    }
}

fn configured_client(row: &configured_clients::Model) -> Result<ConfiguredClient, StoreError> {
    let place = RowRef { table: "configured_clients", id: &row.client_id };
    Ok(ConfiguredClient {
        client: place.parsed("client_id", &row.client_id)?,
        subjects: row.subject_sector.as_deref().map(SubjectNamespace::from_text),
        seen_at: place.time("seen_at", row.seen_at)?,
    })
}
