//! Client libraries of other projects, `tests/interop`: once with a provider on SQLite, once with one on PostgreSQL.
//!
//! `provider.mjs` sets up the provider as an operator would, and the tests find it by `ANTEROOM_URL`. If a client fails
//! on one database, the other is still tried, and so are the tests in other languages.

use super::product::{self, node_tests};
use crate::failure::{Failure, Result};
use crate::metadata::Workspace;
use crate::programs::{root, run, succeeds};
use crate::service::{Service, Start, Stop};
use crate::test::needs;
use crate::test::postgres::Postgres;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Maven's plugin for copying jars into a folder.
const COPY_JARS: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

pub(super) fn sign_in() -> Result {
    let program = product::build()?;
    let folder = root().join("tests/interop");
    // The tests in a browser use the harness of the browser suite.
    product::install_packages(&root().join("tests/browser"))?;
    product::install_packages(&folder)?;
    install_jars(&folder.join("java"))?;
    let clients = Clients { python: python(&folder)?, folder, program };
    let on_sqlite = clients.sign_in(None);
    let mut postgres = Postgres::start()?;
    let on_postgres = clients.sign_in(Some(postgres.url()));
    on_sqlite.and(on_postgres)?;
    if postgres.was_used() { Ok(()) } else { Err(Failure::new("nobody made a table on PostgreSQL")) }
}

struct Clients {
    program: PathBuf,
    folder: PathBuf,
    python: PathBuf,
}

impl Clients {
    fn sign_in(&self, database: Option<String>) -> Result {
        let (_provider, url) = self.provider(database)?;
        println!("the provider is at {url}");
        let node = run(node_tests(&self.folder).env("ANTEROOM_URL", &url));
        let mut tests = Command::new(&self.python);
        tests.args(["-m", "unittest", "discover", "--verbose", "--start-directory", "python"]);
        let python = run(tests.current_dir(&self.folder).env("ANTEROOM_URL", &url));
        node.and(python)
    }

    fn provider(&self, database: Option<String>) -> Result<(Service, String)> {
        let script = self.folder.join("provider.mjs");
        let arguments = [script.display().to_string()].into_iter().chain(database).collect();
        let mut provider = Service::start(&Start {
            name: "the provider",
            program: Path::new("node"),
            arguments,
            user: None,
            stop: Stop::Terminate,
            environment: vec![("ANTEROOM_BIN", self.program.clone())],
        })?;
        let url = provider.wait_for(|line| line.strip_prefix("Ready: ").map(|url| url.trim().to_owned()))?;
        Ok((provider, url))
    }
}

/// Installs the jars of `pom.xml`, and compares them with the hashes in `jars.sha256`.
fn install_jars(folder: &Path) -> Result {
    let check = || {
        let mut check = Command::new("sha256sum");
        check.args(["--check", "--strict", "--quiet", "../jars.sha256"]).current_dir(folder.join("jars"));
        check
    };
    if succeeds(&mut check()) {
        return Ok(());
    }
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", COPY_JARS, "-DoutputDirectory=jars"]);
    run(maven.current_dir(folder))?;
    run(&mut check())
}

/// The Python of a virtual environment that has exactly the packages of `requirements.txt`.
fn python(folder: &Path) -> Result<PathBuf> {
    let environment = Workspace::read()?.target_directory.join("interop-python");
    let python = environment.join("bin/python");
    let wanted = folder.join("python/requirements.txt");
    // A copy of the requirements, written after the installation.
    let installed = environment.join("requirements.txt");
    let reading = "reading requirements.txt";
    let text = fs::read(&wanted).map_err(Failure::during(reading))?;
    if fs::read(&installed).is_ok_and(|known| known == text) {
        return Ok(python);
    }
    let system = needs::python().ok_or_else(|| Failure::new("Python is not installed"))?;
    run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--require-hashes"]);
    run(pip.arg("--requirement").arg(wanted))?;
    fs::write(installed, text).map_err(Failure::during(reading))?;
    Ok(python)
}
