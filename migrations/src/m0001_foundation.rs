//! Accounts and everything that hangs off them, sessions and requests, grants and keys, messages and the audit trail.

use crate::dialect;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

const PARTS: [&str; 4] = [
    include_str!("../sql/0001/accounts.sql"),
    include_str!("../sql/0001/sessions.sql"),
    include_str!("../sql/0001/protocol.sql"),
    include_str!("../sql/0001/operation.sql"),
];

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "0001_foundation"
    }
}

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait spells it so, and a named lifetime would not match")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for part in PARTS {
            manager.get_connection().execute_unprepared(&dialect::translate(part, backend)).await?;
        }
        Ok(())
    }
}
