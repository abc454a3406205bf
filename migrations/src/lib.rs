//! The schema of the database and every step that led to it.
//!
//! A step, once released, is never edited; a change of the schema is a new step at the end of [`Migrator`]'s list. A
//! step must leave the schema so that the release before it still runs (nodes are upgraded one after another), so what
//! a release stops using goes away in the release after it. The steps are run by `anteroom_storage::migrate`, all of
//! them in one transaction under a lock, so that two nodes starting at once cannot both apply them.

mod dialect;
mod m0001_foundation;
mod m0002_encryption_keys;
mod m0003_release_0_2;

pub use m0003_release_0_2::CHANGED_TABLES;
use sea_orm_migration::MigrationTrait;
pub use sea_orm_migration::MigratorTrait;

pub struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_foundation::Migration),
            Box::new(m0002_encryption_keys::Migration),
            Box::new(m0003_release_0_2::Migration),
        ]
    }
}

/// The names of all steps, oldest first.
pub fn steps() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}
