//! The steps that are cargo's.

use crate::failure::{Failure, Result};
use crate::programs::{cargo, run};
use crate::test::needs;
use crate::test::postgres::Postgres;

/// Names the server that tests make their databases on. Without it those for PostgreSQL do nothing.
const TEST_POSTGRES: &str = "ANTEROOM_TEST_POSTGRES";

/// Names a Python with aiosmtpd. Without it the tests that talk to a real mail server do nothing.
const TEST_MAIL_SERVER: &str = "ANTEROOM_TEST_MAIL_SERVER";

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
    run(tests.env(TEST_POSTGRES, postgres.url()))?;
    if postgres.was_used() {
        Ok(())
    } else {
        Err(Failure::new(format!("no test made a table on PostgreSQL: does any still read {TEST_POSTGRES}?")))
    }
}

/// The tests with `mail_server` in their path, for the whole workspace as above.
pub(super) fn tests_with_a_mail_server() -> Result {
    let python = needs::mail_server().ok_or_else(|| Failure::new("aiosmtpd is not installed"))?;
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast", "--tests", "mail_server"]);
    run(tests.env(TEST_MAIL_SERVER, python))
}
