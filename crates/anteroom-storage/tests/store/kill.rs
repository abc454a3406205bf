//! What was acknowledged is there after the process was killed.
//!
//! The test runs itself again as a child that writes and says what was acknowledged, kills it in the middle of writing,
//! and opens what it left.

use crate::fixtures::*;
use anteroom_storage::{Store, StoreOptions};
use secrecy::SecretString;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const CHILD: &str = "ANTEROOM_TEST_KILLED_CHILD";
const ACKNOWLEDGED_BEFORE_KILL: usize = 500;
const WRITERS: u32 = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigkill_during_grouped_writes_loses_nothing_acknowledged() {
    if let Ok(path) = std::env::var(CHILD) {
        let options = StoreOptions::from_url(&SecretString::from(format!("sqlite:{path}"))).unwrap();
        write_for_ever(store(&options).await).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.db");
    anteroom_storage::migrate(&StoreOptions::sqlite(&path)).await.unwrap();
    let acknowledged = write_until_killed(&path);
    let store = store(&StoreOptions::sqlite(&path)).await;
    assert!(acknowledged.len() >= ACKNOWLEDGED_BEFORE_KILL);
    for jti in &acknowledged {
        assert!(store.is_revoked(jti).await.unwrap(), "{jti} was acknowledged and is lost");
    }
}

async fn write_for_ever(store: Store) {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0_u64.. {
                    let jti = format!("{writer}-{number}");
                    let line = format!("acknowledged {jti}\n");
                    let revoked = write_with(&store, jti, |tx, jti| Box::pin(tx.revoke_jti(jti, at(0))));
                    assert!(revoked.await.unwrap());
                    // Past the test harness, which captures what is printed.
                    std::io::stderr().lock().write_all(line.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn write_until_killed(path: &std::path::Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::sigkill_during_grouped_writes_loses_nothing_acknowledged", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        acknowledged.extend(line.strip_prefix("acknowledged ").map(str::to_owned));
        if acknowledged.len() == ACKNOWLEDGED_BEFORE_KILL {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}
