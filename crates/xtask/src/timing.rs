//! `cargo xtask timing`: measures with a built binary whether response times reveal which addresses are known. It needs
//! a quiet machine and some minutes, and its result is statistical, so it is not a step of `cargo xtask test`.

use crate::failure::{Failure, Result};
use crate::metadata::Workspace;
use crate::programs::{cargo, on_path, root, run};
use std::path::PathBuf;
use std::process::Command;

const BINARY: &str = "--binary";

/// All arguments except `--binary PATH` are passed to the script.
pub(crate) fn run_with(arguments: &[String]) -> Result {
    let python = on_path("python3").ok_or_else(|| Failure::new("python3 is not installed"))?;
    let mut measure = Command::new(python);
    measure.arg(root().join("tests/timing/timing.py")).args(arguments);
    if !arguments.iter().any(|argument| argument == BINARY) {
        measure.arg(BINARY).arg(built()?);
    }
    run(&mut measure)
}

fn built() -> Result<PathBuf> {
    run(cargo().args(["build", "--release", "--package", "anteroom"]))?;
    Ok(Workspace::read()?.target_directory.join("release/anteroom"))
}
