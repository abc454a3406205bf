//! The released binary, and tests on Node.js that use it from outside.

use crate::failure::Result;
use crate::metadata::Workspace;
use crate::programs::run;
use crate::test::clippy;
use crate::test::needs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the binary and returns its path. Features and profile are those of the tests before, so little is left to
/// compile.
pub(super) fn build() -> Result<PathBuf> {
    run(clippy::cargo().args(["build", "--workspace", "--bin", "anteroom"]))?;
    Ok(Workspace::read()?.target_directory.join("debug/anteroom"))
}

/// Does nothing if the installed packages already match the lock file.
pub(super) fn install_packages(folder: &Path) -> Result {
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|file| file.modified()).ok();
    if changed("node_modules/.package-lock.json") >= changed("package-lock.json") {
        return Ok(());
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
}

/// All tests of a folder. They wait more than they compute, and Node.js would use only one of two cores.
pub(super) fn node_tests(folder: &Path) -> Command {
    let at_once = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let mut tests = Command::new("node");
    tests
        .args(["--test", "--test-reporter=spec"])
        .arg(format!("--test-concurrency={at_once}"))
        .current_dir(folder);
    if let Some(chromium) = needs::chromium() {
        tests.env("CHROMIUM", chromium);
    }
    if let Some(shell) = needs::headless_shell() {
        tests.env("CHROMIUM_HEADLESS_SHELL", shell);
    }
    tests
}
