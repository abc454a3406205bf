//! `cargo xtask timing`: measures on a built binary whether the time of answers tells which addresses are known. It takes a
//! quiet machine and some minutes, and its verdict is one of statistics, so it is no step of `cargo xtask test`.

use crate::failure::{Failure, Result};
use crate::metadata::Workspace;
use crate::programs::{cargo, on_path, root, run};
use std::path::PathBuf;
use std::process::Command;

const BINARY: &str = "--binary";

/// Everything but `--binary PATH` is for the script.
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
