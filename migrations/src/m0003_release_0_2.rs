//! What release 0.2.0 adds. Release 0.1.0 runs on this schema too, so every new column is nullable or has a default, and
//! nothing is renamed, moved or dropped.

use crate::dialect;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

const PARTS: [&str; 12] = [
    include_str!("../sql/0003/asked_links.sql"),
    include_str!("../sql/0003/audit_waiting.sql"),
    include_str!("../sql/0003/grants.sql"),
    include_str!("../sql/0003/history.sql"),
    include_str!("../sql/0003/interactions.sql"),
    include_str!("../sql/0003/known_devices.sql"),
    include_str!("../sql/0003/messages.sql"),
    include_str!("../sql/0003/password_forms.sql"),
    include_str!("../sql/0003/refresh.sql"),
    include_str!("../sql/0003/registration.sql"),
    include_str!("../sql/0003/sessions.sql"),
    include_str!("../sql/0003/usernames.sql"),
];

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "0003_release_0_2"
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
