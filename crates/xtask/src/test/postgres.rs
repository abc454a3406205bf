//! A PostgreSQL server for the duration of a test run: its files are in a temporary folder, it shares nothing with a
//! server that the machine may have, and it does not sync its data, which makes it fast.

use crate::failure::{Failure, Result};
use crate::programs::{on_path, run};
use crate::service::{Service, Start, Stop, free_port};
use rustix::process::geteuid;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where Debian installs the servers of each version, outside the search path.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user as whom PostgreSQL runs if we are root: it refuses to run as root.
pub(super) const SERVICE_USER: &str = "postgres";
/// Another program may take the port before the server listens on it.
const ATTEMPTS: u32 = 3;

const SETTINGS: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    // Nothing is replicated, and a test's database does not exist long enough to be vacuumed.
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    // Every test has its own database, with its own pools.
    "max_connections=500",
    // Shows whether the tests made tables here at all.
    "log_statement=ddl",
];

/// Fields are dropped in this order: the server first, then its files.
pub(super) struct Postgres {
    server: Service,
    port: u16,
    _folder: TempDir,
}

impl Postgres {
    pub(super) fn start() -> Result<Self> {
        let binaries = binaries().ok_or_else(|| Failure::new("PostgreSQL is not installed"))?;
        let user = geteuid().is_root().then_some(SERVICE_USER);
        let folder = tempfile::Builder::new()
            .prefix("anteroom-postgres-")
            .tempdir()
            .map_err(Failure::during("making a folder for PostgreSQL"))?;
        hand_over(folder.path(), user)?;
        initialize(&binaries, folder.path(), user)?;
        let (server, port) = serve(&binaries, folder.path(), user)?;
        println!("PostgreSQL listens on port {port}, its files are in {}", folder.path().display());
        Ok(Self { server, port, _folder: folder })
    }

    /// The address of a database with which others may be made.
    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn was_used(&mut self) -> bool {
        self.server.has_said("create table")
    }
}

/// The folder of the newest installed server.
pub(super) fn binaries() -> Option<PathBuf> {
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.join("bin/postgres").is_file())
        .max_by_key(version)
        .map(|folder| folder.join("bin"));
    newest.or_else(|| Some(on_path("postgres")?.parent()?.to_owned()))
}

pub(super) fn hand_over(folder: &Path, user: Option<&str>) -> Result {
    let Some(user) = user else { return Ok(()) };
    let asking = "asking for the user PostgreSQL runs as";
    let output = Command::new("id").args(["-u", user]).output().map_err(Failure::during(asking))?;
    let id = String::from_utf8_lossy(&output.stdout).trim().parse().map_err(Failure::during(asking))?;
    chown(folder, Some(id), None).map_err(Failure::during("handing PostgreSQL its folder"))
}

fn initialize(binaries: &Path, folder: &Path, user: Option<&str>) -> Result {
    let program = binaries.join("initdb");
    let mut command = match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--regid", user, "--init-groups", "--"]).arg(program);
            command
        }
    };
    command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
    command.args(["--no-sync", "--no-instructions", "--pgdata=data"]).current_dir(folder);
    run(command.stdout(std::process::Stdio::null()))
}

fn serve(binaries: &Path, folder: &Path, user: Option<&str>) -> Result<(Service, u16)> {
    let mut attempt = 1;
    loop {
        let port = free_port()?;
        let mut server = Service::start(&Start {
            name: "PostgreSQL",
            program: &binaries.join("postgres"),
            arguments: arguments(folder, port),
            user,
            // Stops quickly: open sessions are closed.
            stop: Stop::Interrupt,
            environment: Vec::new(),
        })?;
        match server.wait_for(|line| line.contains("ready to accept connections").then_some(())) {
            Ok(()) => return Ok((server, port)),
            Err(failure) if attempt == ATTEMPTS => return Err(failure),
            Err(_) => attempt += 1,
        }
    }
}

fn arguments(folder: &Path, port: u16) -> Vec<String> {
    let mut arguments = vec!["-D".to_owned(), folder.join("data").display().to_string()];
    arguments.extend(["-k".to_owned(), folder.display().to_string()]);
    arguments.extend(["-h", "127.0.0.1", "-p"].map(str::to_owned));
    arguments.push(port.to_string());
    arguments.extend(SETTINGS.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]));
    arguments
}
