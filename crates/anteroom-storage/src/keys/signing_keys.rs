//! The keys that tokens are signed with.

use crate::entity::signing_keys;
use crate::error::StoreError;
use crate::keys::version::raise_keys_version;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use std::fmt;

/// A signing key; its private part is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeyRow {
    pub kid: String,
    pub algorithm: String,
    pub public_jwk: String,
    pub private_sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub signs_from: Timestamp,
    pub signs_until: Option<Timestamp>,
    pub published_until: Option<Timestamp>,
}

impl fmt::Debug for SigningKeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyRow")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Queries {
    /// Oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let rows = signing_keys::Entity::find()
            .order_by_asc(signing_keys::Column::SignsFrom)
            .order_by_asc(signing_keys::Column::Kid)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(signing_key).collect()
    }
}

impl Tx {
    pub async fn insert_signing_key(&self, key: SigningKeyRow) -> Result<(), StoreError> {
        let row = signing_keys::ActiveModel {
            kid: Set(key.kid),
            algorithm: Set(key.algorithm),
            public_jwk: Set(key.public_jwk),
            private_sealed: Set(key.private_sealed),
            created_at: Set(key.created_at.as_millisecond()),
            signs_from: Set(key.signs_from.as_millisecond()),
            signs_until: Set(key.signs_until.map(Timestamp::as_millisecond)),
            published_until: Set(key.published_until.map(Timestamp::as_millisecond)),
        };
        signing_keys::Entity::insert(row).exec_without_returning(&self.conn).await?;
        raise_keys_version(&self.conn).await
    }

    /// A key that does not sign yet signs from then on.
    pub async fn bring_forward_signing_key(&self, kid: &str, from: Timestamp) -> Result<(), StoreError> {
        signing_keys::Entity::update_many()
            .col_expr(signing_keys::Column::SignsFrom, Expr::value(from.as_millisecond()))
            .filter(signing_keys::Column::Kid.eq(kid))
            .exec(&self.conn)
            .await?;
        raise_keys_version(&self.conn).await
    }

    pub async fn retire_signing_key(
        &self,
        kid: &str,
        signs_until: Timestamp,
        published_until: Timestamp,
    ) -> Result<(), StoreError> {
        signing_keys::Entity::update_many()
            .col_expr(signing_keys::Column::SignsUntil, Expr::value(signs_until.as_millisecond()))
            .col_expr(signing_keys::Column::PublishedUntil, Expr::value(published_until.as_millisecond()))
            .filter(signing_keys::Column::Kid.eq(kid))
            .exec(&self.conn)
            .await?;
        raise_keys_version(&self.conn).await
    }
}

fn signing_key(row: signing_keys::Model) -> Result<SigningKeyRow, StoreError> {
    let place = RowRef { table: "signing_keys", id: &row.kid };
    Ok(SigningKeyRow {
        created_at: place.time("created_at", row.created_at)?,
        signs_from: place.time("signs_from", row.signs_from)?,
        signs_until: place.optional_time("signs_until", row.signs_until)?,
        published_until: place.optional_time("published_until", row.published_until)?,
        algorithm: row.algorithm,
        public_jwk: row.public_jwk,
        private_sealed: row.private_sealed,
        kid: row.kid,
    })
}
