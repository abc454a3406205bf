//! The steps that run cargo.

use crate::failure::{Failure, Result};
use crate::programs::{cargo, run};
use crate::test::clippy;
use crate::test::pgbouncer::PgBouncer;
use crate::test::postgres::Postgres;

/// Names the server on which tests make their databases. Without it the tests for PostgreSQL do nothing.
const TEST_POSTGRES: &str = "ANTEROOM_TEST_POSTGRES";

/// Names a PgBouncer in front of it, without a database. Without it the tests for PgBouncer do nothing.
const TEST_PGBOUNCER: &str = "ANTEROOM_TEST_PGBOUNCER";

pub(super) fn format() -> Result {
    run(cargo().args(["fmt", "--all", "--check"]))
}

/// Compiles everything, tests included, with clippy as the compiler. `cargo clippy` would read all sources once more, and all
/// dependencies, for results that the later steps cannot use.
pub(super) fn lints() -> Result {
    clippy::refuses_a_warning()?;
    run(clippy::cargo().args(["test", "--workspace", "--no-run", "--quiet"]))
}

pub(super) fn tests_on_sqlite() -> Result {
    run(clippy::cargo().args(["test", "--workspace", "--no-fail-fast"]).env_remove(TEST_POSTGRES))
}

/// Runs the tests with `postgres` in their path, as `on_both_databases` names them: the others have run already. It
/// runs them for the whole workspace, since naming packages makes cargo choose other features and compile again.
pub(super) fn tests_on_postgres() -> Result {
    let mut postgres = Postgres::start()?;
    let mut tests = clippy::cargo();
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

/// Runs the store's tests once more with the pooler in place of the server, so that session state is tested behind it
/// too.
fn through(pooler: &PgBouncer) -> Result {
    let mut tests = clippy::cargo();
    tests.args(["test", "--workspace", "--no-fail-fast", "--test", "store", "postgres"]);
    run(tests.env(TEST_POSTGRES, format!("{}/postgres", pooler.url())))
}
