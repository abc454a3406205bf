//! Keys that clients encrypt to: a table of their own, so that the release before, which would not know what to do with them
//! among the signing keys, does not meet them.

use crate::dialect;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

const TABLE: &str = include_str!("../sql/0002/encryption_keys.sql");

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "0002_encryption_keys"
    }
}

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait spells it so, and a named lifetime would not match")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = dialect::translate(TABLE, manager.get_database_backend());
        manager.get_connection().execute_unprepared(&text).await?;
        Ok(())
    }
}
