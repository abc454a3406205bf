//! The journeys of `tests/browser`, through the product as it is shipped.
//!
//! `ANTEROOM_URL` is a demo that is up already; a test file that needs one of its own (so that the accounts it locks are
//! nobody else's) starts it from `ANTEROOM_BIN`.

use crate::failure::Result;
use crate::metadata::Workspace;
use crate::programs::{cargo, root, run};
use crate::service::{Service, Start, Stop, free_port};
use crate::test::needs;
use std::fs;
use std::path::Path;
use std::process::Command;

pub(super) fn walk() -> Result {
    // The workspace's features and profile are those of the tests before: little is left to compile.
    run(cargo().args(["build", "--workspace", "--bin", "anteroom"]))?;
    let program = Workspace::read()?.target_directory.join("debug/anteroom");
    let folder = root().join("tests/browser");
    install(&folder)?;
    let (_demo, url) = demo(&program)?;
    println!("the demo is at {url}");
    let mut tests = Command::new("node");
    tests.args(["--test", "--test-reporter=spec"]).current_dir(&folder);
    if let Some(chromium) = needs::chromium() {
        tests.env("CHROMIUM", chromium);
    }
    run(tests.env("ANTEROOM_URL", url).env("ANTEROOM_BIN", program))
}

fn demo(program: &Path) -> Result<(Service, String)> {
    let port = free_port()?;
    let arguments = vec!["demo".to_owned(), "--port".to_owned(), port.to_string()];
    let mut demo =
        Service::start(&Start { name: "the demo", program, arguments, user: None, stop: Stop::Terminate })?;
    let url = demo.wait_for(|line| line.strip_prefix("Ready: ").map(|url| url.trim().to_owned()))?;
    Ok((demo, url))
}

/// Unless what is there is already what the lock file says.
fn install(folder: &Path) -> Result {
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|file| file.modified()).ok();
    if changed("node_modules/.package-lock.json") >= changed("package-lock.json") {
        return Ok(());
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
}
