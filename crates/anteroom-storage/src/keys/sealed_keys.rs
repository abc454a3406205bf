//! The keys that rows and cookies are sealed and authenticated with, themselves sealed under the master key.

use crate::engine::Conn;
use crate::entity::sealed_keys;
use crate::error::StoreError;
use crate::keys::version::raise_keys_version;
use crate::row::RowRef;
use crate::store::{Queries, StoreWithoutKeys, Tx};
use anteroom_crypto::{KeyPurpose, SealedKey};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

impl StoreWithoutKeys {
    pub async fn sealed_keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        sealed_keys(&self.engine.reader()).await
    }

    /// See [`Tx::insert_sealed_keys`]. Returns the keys that are used from now on.
    pub async fn insert_sealed_keys(&self, keys: &[SealedKey]) -> Result<Vec<SealedKey>, StoreError> {
        let keys = keys.to_vec();
        self.engine
            .write(move |conn| {
                let keys = keys.clone();
                async move {
                    insert_sealed_keys(&conn, &keys).await?;
                    sealed_keys(&conn).await
                }
            })
            .await
    }
}

impl Queries {
    pub async fn sealed_keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        sealed_keys(&self.conn).await
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
}

async fn sealed_keys(conn: &Conn) -> Result<Vec<SealedKey>, StoreError> {
    let rows = sealed_keys::Entity::find()
        .order_by_asc(sealed_keys::Column::Purpose)
        .order_by_asc(sealed_keys::Column::Version)
        .all(conn)
        .await?;
    rows.into_iter().map(sealed_key).collect()
}

async fn insert_sealed_keys(conn: &Conn, keys: &[SealedKey]) -> Result<(), StoreError> {
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

fn sealed_key(row: sealed_keys::Model) -> Result<SealedKey, StoreError> {
    let place = RowRef { table: "sealed_keys", id: &row.purpose };
    Ok(SealedKey {
        purpose: KeyPurpose::parse(&row.purpose).ok_or_else(|| place.corrupt("purpose"))?,
        version: place.number("version", row.version)?,
        sealed: row.sealed,
        created_at_ms: row.created_at,
    })
}
