//! A PgBouncer in front of a test run's PostgreSQL, on a free port, with its default settings unless the tests need
//! others.

use super::postgres::{Postgres, SERVICE_USER, hand_over};
use crate::failure::{Failure, Result};
use crate::programs::on_path;
use crate::service::{Service, Start, Stop, free_port};
use rustix::process::geteuid;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Debian's path, which only root has on the search path.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

/// Fields are dropped in this order: the pooler first, then its files.
pub(super) struct PgBouncer {
    _server: Service,
    port: u16,
    _folder: TempDir,
}

impl PgBouncer {
    pub(super) fn start(postgres: &Postgres) -> Result<Self> {
        let program = program().ok_or_else(|| Failure::new("PgBouncer is not installed"))?;
        let user = geteuid().is_root().then_some(SERVICE_USER);
        let folder = tempfile::Builder::new()
            .prefix("anteroom-pgbouncer-")
            .tempdir()
            .map_err(Failure::during("making a folder for PgBouncer"))?;
        hand_over(folder.path(), user)?;
        let port = free_port()?;
        let settings = folder.path().join("pgbouncer.ini");
        write(&settings, &ini(folder.path(), port, postgres.port()))?;
        write(&folder.path().join("users"), "\"postgres\" \"\"\n")?;
        let mut server = Service::start(&Start {
            name: "PgBouncer",
            program: &program,
            arguments: vec![settings.display().to_string()],
            user,
            stop: Stop::Terminate,
            environment: Vec::new(),
        })?;
        server.wait_for(|line| line.contains("process up").then_some(()))?;
        println!("PgBouncer listens on port {port}");
        Ok(Self { _server: server, port, _folder: folder })
    }

    /// The address without a database.
    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }
}

pub(super) fn program() -> Option<PathBuf> {
    let debian = Path::new(DEBIAN);
    debian.is_file().then(|| debian.to_owned()).or_else(|| on_path("pgbouncer"))
}

/// Each database under its name in session mode, and `transaction`, which is `postgres` in transaction mode.
fn ini(folder: &Path, port: u16, server: u16) -> String {
    format!(
        "[databases]\n\
         transaction = host=127.0.0.1 port={server} dbname=postgres pool_mode=transaction\n\
         * = host=127.0.0.1 port={server}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = trust\n\
         auth_file = {}\n\
         pool_mode = session\n\
         max_client_conn = 400\n\
         default_pool_size = 100\n",
        folder.join("users").display()
    )
}

fn write(file: &Path, text: &str) -> Result {
    fs::write(file, text).map_err(Failure::during("writing the settings of PgBouncer"))
}
