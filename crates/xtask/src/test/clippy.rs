//! Clippy as the compiler of this workspace's crates.
//!
//! `clippy-driver` is rustc with more lints. cargo calls it in place of rustc for the crates of the workspace
//! (`RUSTC_WORKSPACE_WRAPPER`), and clippy reads further arguments from `CLIPPY_ARGS`, as `cargo clippy` passes them. So one
//! compilation serves the lints and all tests. All steps must call cargo in this way: with another compiler cargo would compile
//! the workspace again.

use crate::failure::{Failure, Result};
use crate::programs;
use std::io::Write as _;
use std::process::{Command, Stdio};

const DRIVER: &str = "clippy-driver";

/// Makes cargo compile with clippy, and clippy refuse warnings.
pub(super) const ENVIRONMENT: [(&str, &str); 2] =
    [("RUSTC_WORKSPACE_WRAPPER", DRIVER), ("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__")];

pub(super) fn cargo() -> Command {
    let mut cargo = programs::cargo();
    cargo.envs(ENVIRONMENT);
    cargo
}

/// How clippy is called here is not documented, and another release of it could ignore it. So it must refuse a source that has a
/// warning.
pub(super) fn refuses_a_warning() -> Result {
    let out = std::env::temp_dir();
    let mut driver = Command::new(DRIVER);
    driver.args(["--crate-type=lib", "--emit=metadata", "--crate-name=has_a_warning", "--out-dir"]).arg(out);
    driver.arg("-").envs(ENVIRONMENT).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = driver.spawn().map_err(Failure::during(DRIVER))?;
    if let Some(mut source) = child.stdin.take() {
        source
            .write_all(b"pub fn f(list: &[u8]) -> bool { list.len() == 0 }\n")
            .map_err(Failure::during(DRIVER))?;
    }
    let output = child.wait_with_output().map_err(Failure::during(DRIVER))?;
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("clippy::len_zero") {
        Ok(())
    } else {
        Err(Failure::new(
            "clippy-driver accepts a source that has a warning: is it called in another way now?",
        ))
    }
}
