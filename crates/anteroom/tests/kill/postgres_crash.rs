//! A PostgreSQL server that crashes under people's hands: what was answered for is there afterwards.
//!
//! The server is one of the test's own, since it is stopped as a loss of power stops it. `ANTEROOM_TEST_POSTGRES_BINARIES`
//! names the folder of its programs, which `cargo xtask test --only torture` sets; without it the test does nothing.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

use crate::post::Post;
use crate::server::{Installation, quiet_port};
use crate::world::World;
use crate::{Load, note, seed};

const CRASHES: u32 = 5;
/// Answers between two crashes.
const RECOVERED: u32 = 30;
/// How often it is asked whether the server is there.
const LOOK: Duration = Duration::from_millis(50);
/// PostgreSQL refuses to run as root.
const SERVICE_USER: &str = "postgres";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_for_outlives_crashes_of_postgresql() {
    let Ok(binaries) = std::env::var("ANTEROOM_TEST_POSTGRES_BINARIES") else { return };
    let mut cluster = Cluster::create(PathBuf::from(binaries));
    cluster.start().await;
    cluster
        .run("createdb", &["-h", "127.0.0.1", "-p", &cluster.port.to_string(), "-U", "postgres", "anteroom"]);
    let post = Post::open().await;
    let installation = Installation::new(tempfile::tempdir().unwrap(), &cluster.url(), &post);
    let world = World::with_failing_database(&installation, post);
    let mut load = Load::begin(installation, world, seed()).await;
    let world = Arc::clone(&load.world);
    for life in 1..=CRASHES {
        load.answers(RECOVERED).await;
        note(&format!("crash {life}"));
        cluster.crash();
        load.until(world.refusals(1)).await;
        cluster.start().await;
        world.live_again(life);
    }
    load.answers(RECOVERED).await;
    load.end().await;
}

/// A PostgreSQL server with its settings as they come: what it has said is committed is on the disk.
struct Cluster {
    binaries: PathBuf,
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    fn create(binaries: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            let id = Command::new("id").args(["-u", SERVICE_USER]).output().unwrap();
            let id = String::from_utf8(id.stdout).unwrap().trim().parse().unwrap();
            chown(folder.path(), Some(id), None).unwrap();
        }
        let cluster = Self { binaries, folder, port: quiet_port(), server: None };
        let data = cluster.data();
        cluster.run(
            "initdb",
            &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions", "-D", &data],
        );
        cluster
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/anteroom", self.port)
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

    /// Until it takes connections, which is after it has recovered.
    async fn start(&mut self) {
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

    /// All of its processes end at once and nothing is written any more, as at a loss of power of the process.
    fn crash(&mut self) {
        let mut server = self.server.take().unwrap();
        let id = rustix::process::Pid::from_child(&server);
        rustix::process::kill_process(id, rustix::process::Signal::QUIT).unwrap();
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
