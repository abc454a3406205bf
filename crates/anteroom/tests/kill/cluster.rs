//! PostgreSQL servers of a test's own, since they are stopped as a loss of power stops them.
//!
//! `ANTEROOM_TEST_POSTGRES_BINARIES` names the folder of PostgreSQL's programs, which `cargo xtask test --only torture` sets;
//! without it a test has no server and does nothing.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

use crate::server::quiet_port;

const BINARIES: &str = "ANTEROOM_TEST_POSTGRES_BINARIES";
const DATABASE: &str = "anteroom";
/// How often it is asked whether the server is there.
const LOOK: Duration = Duration::from_millis(50);
/// PostgreSQL refuses to run as root.
const SERVICE_USER: &str = "postgres";

/// A PostgreSQL server with its settings as they come: what it has said is committed is on the disk.
pub(crate) struct Cluster {
    binaries: PathBuf,
    folder: TempDir,
    pub(crate) port: u16,
    server: Option<Child>,
}

impl Cluster {
    /// None where no programs are named.
    pub(crate) fn create() -> Option<Self> {
        let cluster = Self::empty(PathBuf::from(std::env::var(BINARIES).ok()?));
        let data = cluster.data();
        let settings = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"];
        cluster.run("initdb", &[&settings[..], &["-D", &data]].concat());
        Some(cluster)
    }

    /// A copy of this server that follows it, not started yet.
    pub(crate) fn standby(&self) -> Self {
        let standby = Self::empty(self.binaries.clone());
        let (port, data) = (self.port.to_string(), standby.data());
        let copy = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-password"];
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-D", &data];
        standby.run("pg_basebackup", &[&copy[..], &from].concat());
        standby
    }

    fn empty(binaries: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            let id = Command::new("id").args(["-u", SERVICE_USER]).output().unwrap();
            let id = String::from_utf8(id.stdout).unwrap().trim().parse().unwrap();
            chown(folder.path(), Some(id), None).unwrap();
        }
        Self { binaries, folder, port: quiet_port(), server: None }
    }

    pub(crate) fn create_database(&self) {
        let port = self.port.to_string();
        self.run("createdb", &["-h", "127.0.0.1", "-p", &port, "-U", "postgres", DATABASE]);
    }

    pub(crate) fn url(&self) -> String {
        url_at(self.port)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn command(&self, program: &str) -> Command {
        let program = self.binaries.join(program);
        if !rustix::process::geteuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", SERVICE_USER, "--regid", SERVICE_USER, "--init-groups", "--"]).arg(program);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.command(program);
        command.args(arguments).current_dir(Path::new("/")).stdout(Stdio::null());
        assert!(command.status().unwrap().success(), "{program} {arguments:?}");
    }

    /// The only value that a query has.
    pub(crate) fn ask(&self, sql: &str) -> String {
        let mut command = self.command("psql");
        let port = self.port.to_string();
        command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-At", "-c", sql, DATABASE]);
        let output = command.current_dir(Path::new("/")).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Until it takes connections, which is after it has recovered.
    pub(crate) async fn start(&mut self) {
        let mut command = self.command("postgres");
        command.args(["-D", &self.data(), "-h", "127.0.0.1", "-p", &self.port.to_string(), "-k", ""]);
        let server = command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.server = Some(server.unwrap());
        let port = self.port.to_string();
        let is_there = || {
            let mut ask = Command::new(self.binaries.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port]).status().unwrap().success()
        };
        while !is_there() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A standby becomes the server, with what it has.
    pub(crate) fn promote(&self) {
        self.run("pg_ctl", &["promote", "--wait", "-D", &self.data()]);
    }

    pub(crate) fn stop(&mut self) {
        self.end(rustix::process::Signal::INT);
    }

    /// All of its processes end at once and nothing is written any more, as at a loss of power of the process.
    pub(crate) fn crash(&mut self) {
        self.end(rustix::process::Signal::QUIT);
    }

    fn end(&mut self, signal: rustix::process::Signal) {
        let mut server = self.server.take().unwrap();
        let id = rustix::process::Pid::from_child(&server);
        rustix::process::kill_process(id, signal).unwrap();
        server.wait().unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.crash();
        }
    }
}

pub(crate) fn url_at(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{DATABASE}")
}
