//! The steps that are cargo's.

use crate::failure::{Failure, Result};
use crate::programs::{cargo, run};
use crate::test::postgres::Postgres;

/// Names the server that tests make their databases on. Without it they use SQLite alone.
const TEST_POSTGRES: &str = "ANTEROOM_TEST_POSTGRES";

pub(super) fn format() -> Result {
    run(cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn lints() -> Result {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub(super) fn tests_on_sqlite() -> Result {
    run(cargo().args(["test", "--workspace", "--no-fail-fast"]).env_remove(TEST_POSTGRES))
}

/// The whole workspace once more, since naming packages would make cargo choose other features and compile them again.
/// The pure tests that run twice cost less than that, and no list of packages can be forgotten.
pub(super) fn tests_on_postgres() -> Result {
    let mut postgres = Postgres::start()?;
    run(cargo()
        .args(["test", "--workspace", "--no-fail-fast", "--tests"])
        .env(TEST_POSTGRES, postgres.url()))?;
    if postgres.was_used() {
        Ok(())
    } else {
        Err(Failure::new("no test made a table on PostgreSQL: does any still read its address?"))
    }
}
