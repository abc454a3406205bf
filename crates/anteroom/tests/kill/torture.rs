//! An SQLite database whose writer is kept from writing in every way that a machine knows, while people use the server.
//!
//! Needs root and a small file system of its own in a mount namespace of its own, which `cargo xtask test --only torture`
//! makes; `ANTEROOM_TEST_TORTURE` names where it is mounted, and without it the test does nothing. The other process is
//! Debian's `sqlite3`, as operators use it: before version 3.51 SQLite deletes the log of a process that has lost its locks.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::post::Post;
use crate::scenario::Scenario;
use crate::server::Installation;
use crate::{AT_ONCE, Load, note, seed};

const ROUNDS: u32 = 2;
/// Answers after which the server has recovered from what was done to it.
const RECOVERED: u32 = 30;
/// Nothing of less is left to fill.
const BLOCK: usize = 4096;

#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Another process holds the write lock for longer than the writer waits, and closes the database when it is replaced.
    Lock,
    /// The disk is full.
    FullDisk,
    /// The disk is full, and the folder is read-only by the time the writer opens the database anew.
    ReadOnlyFolder,
    /// Another process opens the database, reads, and closes it.
    OpenAndClose,
    /// The book's backup, under load.
    Backup,
    Kill,
}

const TROUBLES: [Trouble; 11] = [
    Trouble::Lock,
    Trouble::OpenAndClose,
    Trouble::Kill,
    Trouble::FullDisk,
    Trouble::OpenAndClose,
    Trouble::Backup,
    Trouble::Kill,
    Trouble::ReadOnlyFolder,
    Trouble::Lock,
    Trouble::OpenAndClose,
    Trouble::Kill,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_for_outlives_a_database_that_fails_in_every_way() {
    let Ok(mount) = std::env::var("ANTEROOM_TEST_TORTURE") else { return };
    let mount = PathBuf::from(mount);
    let post = Post::open().await;
    let folder = tempfile::tempdir_in(&mount).unwrap();
    let database = folder.path().join("anteroom.db");
    let installation = Installation::new(folder, &format!("sqlite:{}", database.display()), &post);
    let scenario = Scenario::with_failing_database(&installation, post);
    let mut load = Load::begin(installation, scenario, seed()).await;
    let mut life = 0;
    for trouble in std::iter::repeat_n(TROUBLES, ROUNDS as usize).flatten() {
        note(&format!("{trouble:?}"));
        make(trouble, &mut load, Place { mount: &mount, database: &database }).await;
        life += 1;
        load.scenario.live_again(life);
        load.answers(RECOVERED).await;
    }
    let _folder = load.end().await;
    assert_eq!(sqlite3(&database, "PRAGMA integrity_check"), "ok");
}

#[derive(Clone, Copy)]
struct Place<'a> {
    mount: &'a Path,
    database: &'a Path,
}

async fn make(trouble: Trouble, load: &mut Load, place: Place<'_>) {
    let scenario = std::sync::Arc::clone(&load.scenario);
    match trouble {
        Trouble::Lock => {
            let lock = Lock::take(place.database);
            // One person more than there are has been refused twice: the connection was replaced in between.
            load.until(scenario.refusals(u32::try_from(AT_ONCE).unwrap() + 1)).await;
            lock.release();
        }
        Trouble::FullDisk => {
            let filler = place.mount.join("filler");
            fill(&filler);
            load.until(scenario.refusals(1)).await;
            std::fs::remove_file(filler).unwrap();
        }
        Trouble::ReadOnlyFolder => {
            let name = place.mount.join("filler");
            // What is open already can still be written.
            let mut filler = File::create(&name).unwrap();
            mount(&["--bind"], place.mount);
            mount(&["-o", "remount,bind,ro"], place.mount);
            fill_with(&mut filler);
            load.until(scenario.refusals(2)).await;
            filler.set_len(0).unwrap();
            load.until(scenario.refusals(2)).await;
            run(Command::new("umount").arg("--lazy").arg(place.mount));
            std::fs::remove_file(name).unwrap();
        }
        Trouble::OpenAndClose => assert_ne!(sqlite3(place.database, "SELECT count(*) FROM accounts"), "0"),
        Trouble::Backup => {
            load.installation.run(&["backup", "backup.db"]);
            let copy = load.installation.path("backup.db");
            assert_eq!(sqlite3(&copy, "PRAGMA integrity_check"), "ok");
            std::fs::remove_file(copy).unwrap();
        }
        Trouble::Kill => load.kill_and_start_again().await,
    }
}

/// Held by a process of its own, which opens and closes the database as any other does.
struct Lock(std::process::Child);

impl Lock {
    fn take(database: &Path) -> Self {
        let mut command = Command::new("sqlite3");
        let child = command.arg("-bail").arg(database).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let begin = b".timeout 60000\nBEGIN IMMEDIATE;\nSELECT 'held';\n";
        child.stdin.as_mut().unwrap().write_all(begin).unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said.trim(), "held");
        Self(child)
    }

    fn release(mut self) {
        let mut input = self.0.stdin.take().unwrap();
        input.write_all(b"ROLLBACK;\n").unwrap();
        drop(input);
        assert!(self.0.wait().unwrap().success());
    }
}

fn sqlite3(database: &Path, sql: &str) -> String {
    let output =
        Command::new("sqlite3").args(["-cmd", ".timeout 60000"]).arg(database).arg(sql).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn fill(path: &Path) {
    fill_with(&mut File::create(path).unwrap());
}

/// To the last block.
fn fill_with(file: &mut File) {
    while file.write_all(&[0; BLOCK]).is_ok() {}
}

fn mount(arguments: &[&str], folder: &Path) {
    let mut command = Command::new("mount");
    command.args(arguments).arg(folder);
    if arguments == ["--bind"] {
        command.arg(folder);
    }
    run(&mut command);
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
