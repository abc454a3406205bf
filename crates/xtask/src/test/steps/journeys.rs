//! The journeys of `tests/browser`, through the product as it is shipped.
//!
//! `ANTEROOM_URL` is a demo that is up already; a test file that needs one of its own (so that the accounts it locks are
//! its alone) starts it from `ANTEROOM_BIN`.

use super::product::{self, node_tests};
use crate::failure::Result;
use crate::programs::{root, run};
use crate::service::{Service, Start, Stop, free_port};
use std::path::Path;

pub(super) fn walk() -> Result {
    let program = product::build()?;
    let folder = root().join("tests/browser");
    product::install_packages(&folder)?;
    let (_demo, url) = demo(&program)?;
    println!("the demo is at {url}");
    run(node_tests(&folder).env("ANTEROOM_URL", url).env("ANTEROOM_BIN", program))
}

fn demo(program: &Path) -> Result<(Service, String)> {
    let port = free_port()?;
    let arguments = vec!["demo".to_owned(), "--port".to_owned(), port.to_string()];
    let mut demo = Service::start(&Start {
        name: "the demo",
        program,
        arguments,
        user: None,
        stop: Stop::Terminate,
        environment: Vec::new(),
    })?;
    let url = demo.wait_for(|line| line.strip_prefix("Ready: ").map(|url| url.trim().to_owned()))?;
    Ok((demo, url))
}
