//! The keys at rest: those sealed under the master key, and the ones that tokens are signed with.
//!
//! Whatever changes them raises `instance.keys_version`, by which every node notices within a second.

use crate::StoreError;
use crate::engine::Conn;
use crate::entity::{instance, sealed_keys, signing_keys};
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_crypto::{KeyPurpose, SealedKey};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
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

/// Counts the changes of keys, anew in each epoch of the instance: a database that went back may have come to the same number
/// by other changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeysVersion {
    pub epoch: i64,
    pub version: i64,
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
    pub async fn sealed_keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        sealed_keys(&self.conn).await
    }

    /// Oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let rows = signing_keys::Entity::find()
            .order_by_asc(signing_keys::Column::SignsFrom)
            .order_by_asc(signing_keys::Column::Kid)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(signing_key).collect()
    }

    /// Another one than before: read the keys again.
    pub async fn keys_version(&self) -> Result<KeysVersion, StoreError> {
        let row = instance::Entity::find().one(&self.conn).await?;
        Ok(row.map_or_else(KeysVersion::default, |row| KeysVersion {
            epoch: row.epoch,
            version: row.keys_version,
        }))
    }
}

impl Tx {
    /// Keys that are there already stay as they are, so that two nodes that start at once end with the same ones: read
    /// them again afterwards.
    pub async fn insert_sealed_keys(&self, keys: &[SealedKey]) -> Result<(), StoreError> {
        insert_sealed_keys(&self.conn, keys).await
    }

    /// The same keys under another master key.
    pub async fn replace_sealed_keys(&self, keys: &[SealedKey]) -> Result<(), StoreError> {
        for key in keys {
            sealed_keys::Entity::update_many()
                .col_expr(sealed_keys::Column::Sealed, Expr::value(key.sealed.clone()))
                .filter(sealed_keys::Column::Purpose.eq(key.purpose.as_str()))
                .filter(sealed_keys::Column::Version.eq(i64::from(key.version)))
                .exec(&self.conn)
                .await?;
        }
        raise_keys_version(&self.conn).await
    }

    /// Before a change of keys: until the transaction ends no other changes them, so that what is read in it holds.
    pub async fn begin_change_of_keys(&self) -> Result<(), StoreError> {
        raise_keys_version(&self.conn).await
    }

    pub async fn insert_signing_key(&self, key: &SigningKeyRow) -> Result<(), StoreError> {
        let row = signing_keys::ActiveModel {
            kid: Set(key.kid.clone()),
            algorithm: Set(key.algorithm.clone()),
            public_jwk: Set(key.public_jwk.clone()),
            private_sealed: Set(key.private_sealed.clone()),
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

pub(crate) async fn sealed_keys(conn: &Conn) -> Result<Vec<SealedKey>, StoreError> {
    let rows = sealed_keys::Entity::find()
        .order_by_asc(sealed_keys::Column::Purpose)
        .order_by_asc(sealed_keys::Column::Version)
        .all(conn)
        .await?;
    rows.into_iter().map(sealed_key).collect()
}

pub(crate) async fn insert_sealed_keys(conn: &Conn, keys: &[SealedKey]) -> Result<(), StoreError> {
    for key in keys {
        let row = sealed_keys::ActiveModel {
            purpose: Set(key.purpose.as_str().to_owned()),
            version: Set(
                i32::try_from(key.version).map_err(|_| StoreError::Statement("a key version".to_owned()))?
            ),
            sealed: Set(key.sealed.clone()),
            created_at: Set(key.created_at_ms),
        };
        sealed_keys::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(conn).await?;
    }
    raise_keys_version(conn).await
}

pub(crate) async fn raise_keys_version(conn: &Conn) -> Result<(), StoreError> {
    instance::Entity::update_many()
        .col_expr(instance::Column::KeysVersion, Expr::col(instance::Column::KeysVersion).add(1_i64))
        .exec(conn)
        .await?;
    Ok(())
}

fn sealed_key(row: sealed_keys::Model) -> Result<SealedKey, StoreError> {
    let place = RowRef { table: "sealed_keys", id: &row.purpose };
    Ok(SealedKey {
        purpose: KeyPurpose::parse(&row.purpose).ok_or_else(|| place.corrupt("purpose"))?,
        version: place.number("version", row.version)?,
        sealed: row.sealed,
        created_at_ms: row.created_at,
    })
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
