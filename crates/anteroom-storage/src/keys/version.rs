//! A number that every change of a key raises, by which every node notices the change within a second.

use crate::engine::Conn;
use crate::entity::instance;
use crate::error::StoreError;
use crate::store::{Queries, Tx};
use sea_orm::EntityTrait;
use sea_orm::sea_query::{Expr, ExprTrait};

/// Counts the changes of keys, anew in each epoch of the instance: a database that went back may have come to the same number
/// by other changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeysVersion {
    pub epoch: i64,
    pub version: i64,
}

impl Queries {
    /// If it differs from the one seen before, the keys must be read again.
    pub async fn keys_version(&self) -> Result<KeysVersion, StoreError> {
        let row = instance::Entity::find().one(&self.conn).await?;
        Ok(row.map_or_else(KeysVersion::default, |row| KeysVersion {
            epoch: row.epoch,
            version: row.keys_version,
        }))
    }
}

impl Tx {
    /// Before a change of keys: until the transaction ends no other changes them, so that what is read in it holds.
    pub async fn begin_change_of_keys(&self) -> Result<(), StoreError> {
        raise_keys_version(&self.conn).await
    }
}

pub(crate) async fn raise_keys_version(conn: &Conn) -> Result<(), StoreError> {
    instance::Entity::update_many()
        .col_expr(instance::Column::KeysVersion, Expr::col(instance::Column::KeysVersion).add(1_i64))
        .exec(conn)
        .await?;
    Ok(())
}
