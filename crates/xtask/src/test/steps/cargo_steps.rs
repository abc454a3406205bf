//! The steps that are cargo's.

use crate::failure::{Failure, Result};
use crate::programs::{cargo, run};
use crate::test::pgbouncer::PgBouncer;
use crate::test::postgres::Postgres;

/// Names the server that tests make their databases on. Without it those for PostgreSQL do nothing.
const TEST_POSTGRES: &str = "ANTEROOM_TEST_POSTGRES";

/// Names a PgBouncer in front of it, without a database. Without it those for PgBouncer do nothing.
const TEST_PGBOUNCER: &str = "ANTEROOM_TEST_PGBOUNCER";

pub(super) fn format() -> Result {
    run(cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn lints() -> Result {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub(super) fn tests_on_sqlite() -> Result {
    run(cargo().args(["test", "--workspace", "--no-fail-fast"]).env_remove(TEST_POSTGRES))
}

/// The tests with `postgres` in their path, which is how `on_both_databases` names them: the others have run already. For
/// the whole workspace all the same, since naming packages makes cargo choose other features and compile them again.
pub(super) fn tests_on_postgres() -> Result {
    let mut postgres = Postgres::start()?;
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast", "--tests", "postgres"]);
    let pooler = PgBouncer::start(&postgres)?;
    run(tests.env(TEST_POSTGRES, postgres.url()).env(TEST_PGBOUNCER, pooler.url()))?;
    through(&pooler)?;
    if postgres.was_used() {
        Ok(())
    } else {
        Err(Failure::new(format!("no test made a table on PostgreSQL: does any still read {TEST_POSTGRES}?")))
    }
}

/// The store's tests once more, as if the pooler were the server: whatever a session keeps, it keeps behind it too.
fn through(pooler: &PgBouncer) -> Result {
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast", "--test", "store", "postgres"]);
    run(tests.env(TEST_POSTGRES, format!("{}/postgres", pooler.url())))
}
