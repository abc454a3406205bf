//! What was acknowledged is there after the disk, the lock and other processes got in the way of the writer, and the process
//! was killed at the end.
//!
//! The test runs itself again as a child that writes and says what was acknowledged and what was refused. Meanwhile it holds
//! the write lock for longer than the child waits, takes away the room that the files may grow into and the descriptors, opens
//! and closes the database as a command does, checkpoints it and copies it.

use crate::fixtures::*;
use anteroom_crypto::Random;
use anteroom_storage::{Store, StoreOptions};
use rustix::process::{Flock, FlockOffsetType, FlockType, Pid, Resource, Rlimit, fcntl_getlk, prlimit};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use secrecy::SecretString;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const CHILD: &str = "ANTEROOM_TEST_IO_FAILURES_CHILD";
const NAME: &str = "io_failures::failing_writes_locks_and_other_processes_lose_nothing_acknowledged";
const WRITERS: u32 = 8;
/// Between a refusal and the next try: as a client's pause, so that refusals do not crowd out everything else.
const PAUSE: Duration = Duration::from_millis(5);
/// Acknowledged again before the next thing gets in the way.
const RECOVERED: usize = 50;
/// Far longer than anything takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Another process holds the write lock until a write was refused for it.
    Lock,
    /// No file may grow, as on a full disk.
    Room,
    /// Neither may a file grow nor another one be opened.
    RoomAndDescriptors,
    /// Another process opens the database, reads, and closes it.
    OpenAndClose,
    Checkpoint,
    Copy,
}

/// By life of the child. A lock costs five seconds, so there is one; after each of the first three kinds the writer has another
/// connection.
const TROUBLES: [&[Trouble]; 2] = [
    &[Trouble::OpenAndClose, Trouble::Lock, Trouble::OpenAndClose],
    &[
        Trouble::Room,
        Trouble::OpenAndClose,
        Trouble::Checkpoint,
        Trouble::RoomAndDescriptors,
        Trouble::OpenAndClose,
        Trouble::Copy,
        Trouble::Room,
        Trouble::Checkpoint,
        Trouble::OpenAndClose,
    ],
];

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_writes_locks_and_other_processes_lose_nothing_acknowledged() {
    if let Ok(path) = std::env::var(CHILD) {
        let options = StoreOptions::from_url(&SecretString::from(format!("sqlite:{path}"))).unwrap();
        write_until_killed(store(&options).await).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.db");
    anteroom_storage::migrate(&StoreOptions::sqlite(&path)).await.unwrap();
    let random = Random::seeded(1);
    let mut acknowledged = HashSet::new();
    for (life, troubles) in TROUBLES.iter().enumerate() {
        let (mut child, said) = spawn(&path, life);
        drop(said.wait(|said| said.acknowledged.len() >= RECOVERED));
        for &trouble in *troubles {
            make(trouble, &path, &child, &said).await;
            let so_far = said.0.lock().unwrap().acknowledged.len();
            drop(said.wait(|said| said.acknowledged.len() >= so_far + RECOVERED));
            // An SQLite before 3.51 that closes the database deletes the log of a process without locks.
            assert!(holds_its_lock(&path, child.id()), "after {trouble:?} the writing process has no lock");
        }
        let so_far = said.0.lock().unwrap().acknowledged.len();
        let more = random.below(200) as usize;
        drop(said.wait(|said| said.acknowledged.len() >= so_far + more));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(said.wait(|said| said.ended).acknowledged.drain(..));
        let database = open(&path).await;
        let found: HashSet<String> =
            texts(&database, "SELECT jti FROM revoked_jti").await.into_iter().collect();
        let lost: Vec<&String> = acknowledged.difference(&found).take(5).collect();
        assert!(lost.is_empty(), "acknowledged in life {life} or before, and lost: {lost:?} …");
        assert_eq!(texts(&database, "PRAGMA integrity_check").await, ["ok"]);
        database.close().await.unwrap();
    }
}

async fn make(trouble: Trouble, path: &Path, child: &Child, said: &Said) {
    let refused = said.0.lock().unwrap().refused;
    let until_refused = || drop(said.wait(|said| said.refused > refused));
    match trouble {
        Trouble::Lock => {
            let other = open(path).await;
            other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
            until_refused();
            other.execute_unprepared("ROLLBACK").await.unwrap();
            other.close().await.unwrap();
        }
        Trouble::Room => {
            limit(child, Resource::Fsize, Some(4096));
            until_refused();
            limit(child, Resource::Fsize, None);
        }
        Trouble::RoomAndDescriptors => {
            limit(child, Resource::Nofile, Some(3));
            limit(child, Resource::Fsize, Some(4096));
            until_refused();
            limit(child, Resource::Fsize, None);
            limit(child, Resource::Nofile, None);
        }
        Trouble::OpenAndClose => {
            let other = open(path).await;
            assert_eq!(
                texts(&other, "SELECT name FROM sqlite_schema WHERE name = 'revoked_jti'").await.len(),
                1
            );
            other.close().await.unwrap();
        }
        Trouble::Checkpoint => {
            let other = open(path).await;
            other.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
            other.close().await.unwrap();
        }
        Trouble::Copy => {
            let copy = path.with_extension("copy");
            let other = open(path).await;
            other.execute_unprepared(&format!("VACUUM INTO '{}'", copy.display())).await.unwrap();
            other.close().await.unwrap();
            std::fs::remove_file(copy).unwrap();
        }
    }
}

/// Whether SQLite in that process has its lock on the database, which every connection in WAL mode holds for as long as it is
/// open. The kernel is asked for what stands in the way of a write lock on SQLite's shared range; this process must have no
/// connection of its own open, because closing a file drops them.
fn holds_its_lock(path: &Path, process: u32) -> bool {
    let shared = Flock {
        start: 0x4000_0002,
        length: 510,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    let holder = fcntl_getlk(std::fs::File::open(path).unwrap(), &shared).unwrap().and_then(|held| held.pid);
    holder == Pid::from_raw(i32::try_from(process).unwrap())
}

/// The soft limit alone, which comes back.
fn limit(child: &Child, resource: Resource, to: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let maximum = rustix::process::getrlimit(resource).maximum;
    prlimit(pid, resource, Rlimit { current: to.or(maximum), maximum }).unwrap();
}

async fn open(path: &Path) -> DatabaseConnection {
    let url = format!("sqlite://{}?mode=rw", path.display());
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1);
    Database::connect(options).await.unwrap()
}

async fn texts(database: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// Until it is killed.
async fn write_until_killed(store: Store) {
    let life = std::env::var("ANTEROOM_TEST_IO_FAILURES_LIFE").unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let (store, life) = (store.clone(), life.clone());
        tokio::spawn(async move {
            for number in 0_u64.. {
                let jti = format!("{life}-{writer}-{number}");
                let revoked = write_with(&store, jti.clone(), |tx, jti| Box::pin(tx.revoke_jti(jti, at(0))));
                let answer = revoked.await;
                let line = match &answer {
                    Ok(_) => format!("acknowledged {jti}\n"),
                    Err(error) => format!("refused {error}\n"),
                };
                // Past the test harness, which captures what is printed.
                std::io::stderr().lock().write_all(line.as_bytes()).unwrap();
                if answer.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

/// What the child has said so far.
#[derive(Default)]
struct Lines {
    acknowledged: Vec<String>,
    refused: usize,
    last_refusal: String,
    ended: bool,
}

#[derive(Clone)]
struct Said(Arc<Mutex<Lines>>, Arc<Condvar>);

impl Said {
    fn wait(&self, until: impl Fn(&Lines) -> bool) -> std::sync::MutexGuard<'_, Lines> {
        let (lines, waited) =
            self.1.wait_timeout_while(self.0.lock().unwrap(), PATIENCE, |lines| !until(lines)).unwrap();
        assert!(!waited.timed_out(), "the child says nothing more; its last refusal: {}", lines.last_refusal);
        lines
    }

    fn listen(&self, stderr: ChildStderr) {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut lines = self.0.lock().unwrap();
            match line.split_once(' ') {
                Some(("acknowledged", jti)) => lines.acknowledged.push(jti.to_owned()),
                Some(("refused", error)) => {
                    lines.refused += 1;
                    error.clone_into(&mut lines.last_refusal);
                }
                _ => {}
            }
            self.1.notify_all();
        }
        self.0.lock().unwrap().ended = true;
        self.1.notify_all();
    }
}

/// A process that is not killed by the signal with which the kernel announces that a file may not grow.
fn spawn(path: &Path, life: usize) -> (Child, Said) {
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, path)
        .env("ANTEROOM_TEST_IO_FAILURES_LIFE", life.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = Said(Arc::default(), Arc::default());
    let (listener, stderr) = (said.clone(), child.stderr.take().unwrap());
    std::thread::spawn(move || listener.listen(stderr));
    (child, said)
}
