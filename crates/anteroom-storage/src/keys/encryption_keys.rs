//! The keys that others encrypt to. Like the signing keys, they raise `instance.keys_version` when they change.

use crate::entity::encryption_keys;
use crate::error::StoreError;
use crate::keys::version::raise_keys_version;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use std::fmt;

/// A key that others encrypt to; its private part is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionKeyRow {
    pub kid: String,
    pub kind: String,
    pub private_sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub published_from: Timestamp,
    pub published_until: Option<Timestamp>,
    pub decrypts_until: Option<Timestamp>,
}

impl fmt::Debug for EncryptionKeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKeyRow")
            .field("kid", &self.kid)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Queries {
    /// Oldest first.
    pub async fn encryption_keys(&self) -> Result<Vec<EncryptionKeyRow>, StoreError> {
        let rows = encryption_keys::Entity::find()
            .order_by_asc(encryption_keys::Column::PublishedFrom)
            .order_by_asc(encryption_keys::Column::Kid)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(encryption_key).collect()
    }
}

impl Tx {
    pub async fn insert_encryption_key(&self, key: EncryptionKeyRow) -> Result<(), StoreError> {
        let row = encryption_keys::ActiveModel {
            kid: Set(key.kid),
            kind: Set(key.kind),
            private_sealed: Set(key.private_sealed),
            created_at: Set(key.created_at.as_millisecond()),
            published_from: Set(key.published_from.as_millisecond()),
            published_until: Set(key.published_until.map(Timestamp::as_millisecond)),
            decrypts_until: Set(key.decrypts_until.map(Timestamp::as_millisecond)),
        };
        encryption_keys::Entity::insert(row).exec_without_returning(&self.conn).await?;
        raise_keys_version(&self.conn).await
    }

    pub async fn retire_encryption_key(
        &self,
        kid: &str,
        published_until: Timestamp,
        decrypts_until: Timestamp,
    ) -> Result<(), StoreError> {
        let published_until = Expr::value(published_until.as_millisecond());
        encryption_keys::Entity::update_many()
            .col_expr(encryption_keys::Column::PublishedUntil, published_until)
            .col_expr(encryption_keys::Column::DecryptsUntil, Expr::value(decrypts_until.as_millisecond()))
            .filter(encryption_keys::Column::Kid.eq(kid))
            .exec(&self.conn)
            .await?;
        raise_keys_version(&self.conn).await
    }
}

fn encryption_key(row: encryption_keys::Model) -> Result<EncryptionKeyRow, StoreError> {
    let place = RowRef { table: "encryption_keys", id: &row.kid };
    Ok(EncryptionKeyRow {
        created_at: place.time("created_at", row.created_at)?,
        published_from: place.time("published_from", row.published_from)?,
        published_until: place.optional_time("published_until", row.published_until)?,
        decrypts_until: place.optional_time("decrypts_until", row.decrypts_until)?,
        kind: row.kind,
        private_sealed: row.private_sealed,
        kid: row.kid,
    })
}
