//! Clients that registered themselves (RFC 7591). Each change takes a number that is greater than all before it, under the lock
//! of the one row that counts. So a node that reads all rows above the last number it has seen misses no change.

use crate::entity::{instance, registered_clients};
use crate::error::StoreError;
use crate::row::{RowRef, json_text};
use crate::store::{Queries, Tx};
use anteroom_crypto::KeyedDigest;
use anteroom_oidc::{ClientId, ClientMetadataInput};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set};

/// The client as it is stored: of its secrets there are only digests.
#[derive(Clone, Debug)]
pub struct RegisteredClient {
    pub client_id: ClientId,
    pub metadata: ClientMetadataInput,
    pub secret: Option<KeyedDigest>,
    /// `None` once it is deleted.
    pub registration_token: Option<KeyedDigest>,
    /// The operator gave it an initial access token, and so knows whose it is.
    pub with_initial_token: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    /// The number of its last change; the store gives it.
    pub revision: i64,
}

/// Counts the changes of registered clients, anew in each epoch of the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientsRevision {
    pub epoch: i64,
    pub revision: i64,
}

impl Queries {
    pub async fn clients_revision(&self) -> Result<ClientsRevision, StoreError> {
        let row = instance::Entity::find().one(&self.conn).await?;
        Ok(row.map_or_else(ClientsRevision::default, |row| ClientsRevision {
            epoch: row.epoch,
            revision: row.clients_revision,
        }))
    }

    /// Unless it is deleted.
    pub async fn registered_client(&self, id: &ClientId) -> Result<Option<RegisteredClient>, StoreError> {
        let row = registered_clients::Entity::find_by_id(id.as_str())
            .filter(registered_clients::Column::DeletedAt.is_null())
            .one(&self.conn)
            .await?;
        row.map(client).transpose()
    }

    /// What has changed beyond `revision`, in the order in which it did; deleted ones as well.
    pub async fn registered_clients_since(&self, revision: i64) -> Result<Vec<RegisteredClient>, StoreError> {
        let rows = registered_clients::Entity::find()
            .filter(registered_clients::Column::Revision.gt(revision))
            .order_by_asc(registered_clients::Column::Revision)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(client).collect()
    }

    /// The clients that registered with an initial access token, without the deleted ones.
    pub async fn clients_with_initial_token(&self) -> Result<Vec<RegisteredClient>, StoreError> {
        let rows = registered_clients::Entity::find()
            .filter(registered_clients::Column::WithInitialToken.eq(true))
            .filter(registered_clients::Column::DeletedAt.is_null())
            .all(&self.conn)
            .await?;
        rows.into_iter().map(client).collect()
    }

    pub async fn count_registered_clients(&self) -> Result<u64, StoreError> {
        let alive =
            registered_clients::Entity::find().filter(registered_clients::Column::DeletedAt.is_null());
        Ok(alive.count(&self.conn).await?)
    }
}

impl Tx {
    /// Comes first in a unit that changes one of them: it makes such units wait for one another.
    pub async fn next_clients_revision(&self) -> Result<i64, StoreError> {
        let raised = Expr::col(instance::Column::ClientsRevision).add(1_i64);
        instance::Entity::update_many()
            .col_expr(instance::Column::ClientsRevision, raised)
            .exec(&self.conn)
            .await?;
        let row = instance::Entity::find().one(&self.conn).await?;
        let missing = || StoreError::Statement("instance has no row".to_owned());
        row.map(|row| row.clients_revision).ok_or_else(missing)
    }

    pub async fn insert_registered_client(
        &self,
        client: &RegisteredClient,
        revision: i64,
    ) -> Result<(), StoreError> {
        let row = registered_clients::ActiveModel {
            client_id: Set(client.client_id.as_str().to_owned()),
            revision: Set(revision),
            metadata: Set(json_text(&client.metadata)?),
            secret_digest: Set(bytes(client.secret)),
            registration_token_digest: Set(bytes(client.registration_token)),
            created_at: Set(client.created_at.as_millisecond()),
            updated_at: Set(client.updated_at.as_millisecond()),
            deleted_at: Set(None),
            with_initial_token: Set(Some(client.with_initial_token)),
        };
        registered_clients::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// The number of its last change, locked until the unit ends: a change of the registration comes before the unit or after it.
    /// `None`: there is no such client, or none any more. Lock order: the client's row before a consent row, as in a change of
    /// the registration.
    pub async fn lock_revision_of_client(&self, id: &ClientId) -> Result<Option<i64>, StoreError> {
        let row = registered_clients::Entity::find_by_id(id.as_str())
            .filter(registered_clients::Column::DeletedAt.is_null())
            .lock_shared()
            .one(&self.conn)
            .await?;
        Ok(row.map(|row| row.revision))
    }

    /// Metadata and secret, where it is still what it was at `client.revision`. `false`: it has changed meanwhile.
    pub async fn update_registered_client(
        &self,
        client: &RegisteredClient,
        revision: i64,
    ) -> Result<bool, StoreError> {
        let updated = registered_clients::Entity::update_many()
            .col_expr(registered_clients::Column::Revision, Expr::value(revision))
            .col_expr(registered_clients::Column::Metadata, Expr::value(json_text(&client.metadata)?))
            .col_expr(registered_clients::Column::SecretDigest, Expr::value(bytes(client.secret)))
            .col_expr(registered_clients::Column::UpdatedAt, Expr::value(client.updated_at.as_millisecond()))
            .filter(registered_clients::Column::ClientId.eq(client.client_id.as_str()))
            .filter(registered_clients::Column::Revision.eq(client.revision))
            .filter(registered_clients::Column::DeletedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(updated.rows_affected == 1)
    }

    /// The row stays with only its identifier, so that no other client gets the identifier while tokens of this one may still
    /// be valid. `false`: it was deleted before.
    pub async fn delete_registered_client(
        &self,
        id: &ClientId,
        revision: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let nothing = json_text(&ClientMetadataInput::default())?;
        let deleted = registered_clients::Entity::update_many()
            .col_expr(registered_clients::Column::Revision, Expr::value(revision))
            .col_expr(registered_clients::Column::Metadata, Expr::value(nothing))
            .col_expr(registered_clients::Column::SecretDigest, Expr::value(bytes(None)))
            .col_expr(registered_clients::Column::RegistrationTokenDigest, Expr::value(bytes(None)))
            .col_expr(registered_clients::Column::DeletedAt, Expr::value(now.as_millisecond()))
            .filter(registered_clients::Column::ClientId.eq(id.as_str()))
            .filter(registered_clients::Column::DeletedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(deleted.rows_affected == 1)
    }
}

fn bytes(digest: Option<KeyedDigest>) -> Option<Vec<u8>> {
    digest.map(|digest| digest.as_bytes().to_vec())
}

fn client(row: registered_clients::Model) -> Result<RegisteredClient, StoreError> {
    let place = RowRef { table: "registered_clients", id: &row.client_id };
    let digest = |column, bytes: Option<Vec<u8>>| bytes.map(|bytes| place.digest(column, &bytes)).transpose();
    Ok(RegisteredClient {
        client_id: place.parsed("client_id", &row.client_id)?,
        revision: row.revision,
        metadata: place.json("metadata", &row.metadata)?,
        secret: digest("secret_digest", row.secret_digest)?,
        registration_token: digest("registration_token_digest", row.registration_token_digest)?,
        // Release 0.1.0 did not note it; then it was not.
        with_initial_token: row.with_initial_token.unwrap_or(false),
        created_at: place.time("created_at", row.created_at)?,
        updated_at: place.time("updated_at", row.updated_at)?,
        deleted_at: place.optional_time("deleted_at", row.deleted_at)?,
    })
}
