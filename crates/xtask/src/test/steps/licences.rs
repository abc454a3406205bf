//! Checks the dependencies' licenses and sources with cargo-deny, by `deny.toml`.
//!
//! Advisories are excluded: they come over the network and change while the code does not, which a test must not.
//! `cargo deny check advisories` checks them.

use crate::failure::Result;
use crate::programs::{cargo, root, run, succeeds};
use std::path::PathBuf;
use std::process::Command;

const VERSION: &str = "0.20.2";

pub(super) fn check() -> Result {
    let installed = cache().join("bin/cargo-deny");
    let mut deny = if succeeds(Command::new("cargo-deny").arg("--version")) {
        Command::new("cargo-deny")
    } else {
        if !installed.is_file() {
            install()?;
        }
        Command::new(installed)
    };
    // The many warnings about duplicate versions would hide what fails.
    run(deny.args(["--log-level", "error", "--locked", "check", "licenses", "bans", "sources"]))
}

/// Its release profile optimizes for minutes, for a tool that runs for a second.
fn install() -> Result {
    println!("Installing cargo-deny {VERSION} to {}; this takes minutes, once.", cache().display());
    run(cargo()
        .args(["install", "--quiet", "--locked", "cargo-deny", "--version", VERSION, "--root"])
        .arg(cache())
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"))
}

/// Outside the checkout, so that `cargo clean` or a second checkout need not build it again.
fn cache() -> PathBuf {
    let home = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cache")))
        .unwrap_or_else(|| root().join("target"));
    home.join(format!("anteroom-xtask/cargo-deny-{VERSION}"))
}
