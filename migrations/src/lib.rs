//! The schema of the database and the steps that lead to it.
//!
//! A released step is never edited; a change of the schema is a new step at the end of [`STEPS`]. After a step the
//! earlier release must still run (nodes are upgraded one after another), so what a release stops using is removed in
//! the release after it. `anteroom_storage::migrate` runs all steps in one transaction under a lock, so that two nodes
//! that start at the same time cannot both apply them.

mod dialect;
mod m0001_foundation;
mod m0002_encryption_keys;
mod m0003_release_0_2;

pub use dialect::Dialect;
pub use m0003_release_0_2::CHANGED_TABLES;

/// All steps, oldest first.
pub const STEPS: [Step; 3] = [m0001_foundation::STEP, m0002_encryption_keys::STEP, m0003_release_0_2::STEP];

/// The table of the applied steps, as release 0.1.0 makes and reads it. `applied_at` is in seconds since 1970.
pub const APPLIED_STEPS: &str = "CREATE TABLE IF NOT EXISTS seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)";

/// One change of the schema.
pub struct Step {
    pub name: &'static str,
    parts: &'static [&'static str],
}

impl Step {
    /// The step's statements; each text has several.
    pub fn statements(&self, dialect: Dialect) -> impl Iterator<Item = String> {
        self.parts.iter().map(move |part| dialect.translate(part))
    }
}
