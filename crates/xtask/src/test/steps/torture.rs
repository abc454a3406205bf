//! A server whose database fails in every way. SQLite's is on a small file system that can be filled up, mounted in a
//! mount namespace of the step's own, so that no other process sees it and it disappears with the step. PostgreSQL
//! crashes and is replaced by a standby; a node's clock stops.

use crate::failure::{Failure, Result};
use crate::programs::{cargo, run};
use crate::test::clippy;
use crate::test::{needs, postgres};
use std::process::Command;

/// Names the file system. Without it the test on SQLite does nothing.
const FOLDER: &str = "ANTEROOM_TEST_TORTURE";
/// Names the folder of PostgreSQL's programs. Without it the test on PostgreSQL does nothing.
const POSTGRES: &str = "ANTEROOM_TEST_POSTGRES_BINARIES";
/// Names the library that sets a node's clock. Without it the test of a node's clock does nothing.
const CLOCK: &str = "ANTEROOM_TEST_FAKETIME";
/// The modules of the tests.
const NAMES: [&str; 5] = ["--", "torture", "postgres_crash", "postgres_standby", "node_clock"];
/// Enough room for the database, its log and a copy, and small enough to be filled quickly.
const MOUNT: &str = r#"mount -t tmpfs -o size=64m,mode=700 anteroom "$ANTEROOM_TEST_TORTURE" && exec "$@""#;
const TEST: [&str; 5] = ["test", "--workspace", "--no-fail-fast", "--test", "kill"];

pub(super) fn fail_the_database() -> Result {
    let folder = tempfile::Builder::new()
        .prefix("anteroom-torture-")
        .tempdir()
        .map_err(Failure::during("making a folder for the file system"))?;
    // Compiled outside the small file system.
    run(clippy::cargo().args(TEST).arg("--no-run"))?;
    let mut test = Command::new("unshare");
    test.args(["--mount", "--propagation", "private", "sh", "-c", MOUNT, "sh"]);
    test.arg(cargo().get_program()).args(TEST).args(NAMES).envs(clippy::ENVIRONMENT);
    let binaries = postgres::binaries().ok_or_else(|| Failure::new("PostgreSQL is not installed"))?;
    let clock = needs::faketime().ok_or_else(|| Failure::new("libfaketime is not installed"))?;
    run(test.env(FOLDER, folder.path()).env(POSTGRES, binaries).env(CLOCK, clock))
}
