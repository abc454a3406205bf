//! A backup of an SQLite database: whole, under its own name only when it is, and never over another file.

use crate::fixtures::*;
use crate::support::{on_postgres, on_sqlite};
use anteroom_storage::{BackupError, Store, StoreOptions, backup};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn revoke(store: &Store, jti: String) {
    write_with(store, jti, |tx, jti| Box::pin(tx.revoke_jti(jti, at(0)))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_everything_acknowledged_before_it() {
    on_sqlite(async |options| {
        let store = store(&options).await;
        let folder = tempfile::tempdir().unwrap();
        for number in 0..50 {
            revoke(&store, format!("before {number}")).await;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (writing, stopping) = (store.clone(), Arc::clone(&stop));
        let writer = tokio::spawn(async move {
            let mut written = 0_u32;
            while !stopping.load(Ordering::SeqCst) {
                revoke(&writing, format!("meanwhile {written}")).await;
                written += 1;
            }
        });
        let target = folder.path().join("anteroom's.db");
        let size = backup(&options, &target).await.unwrap();
        stop.store(true, Ordering::SeqCst);
        writer.await.unwrap();
        let file = std::fs::metadata(&target).unwrap();
        assert_eq!((file.len(), file.permissions().mode() & 0o777), (size, 0o600));
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(names, ["anteroom's.db"]);
        let copy = crate::fixtures::store(&StoreOptions::sqlite(&target)).await;
        for number in 0..50 {
            assert!(copy.is_revoked(&format!("before {number}")).await.unwrap());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_overwrites_nothing_and_leaves_nothing_behind_that_is_not_whole() {
    on_sqlite(async |options| {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("backup.db");
        std::fs::write(&target, "of yesterday").unwrap();
        assert!(matches!(backup(&options, &target).await, Err(BackupError::Exists(_))));
        assert_eq!(std::fs::read(&target).unwrap(), b"of yesterday");
        std::fs::remove_file(&target).unwrap();
        let partial = folder.path().join("backup.db.partial");
        std::fs::write(&partial, "").unwrap();
        assert!(matches!(backup(&options, &target).await, Err(BackupError::UnderWay(_))));
        std::fs::remove_file(&partial).unwrap();
        let missing = StoreOptions::sqlite(folder.path().join("missing.db"));
        assert!(matches!(backup(&missing, &target).await, Err(BackupError::Store(_))));
        let damaged = folder.path().join("damaged.db");
        std::fs::write(&damaged, "no database".repeat(1000)).unwrap();
        assert!(backup(&StoreOptions::sqlite(&damaged), &target).await.is_err());
        std::fs::remove_file(damaged).unwrap();
        let empty = folder.path().join("empty.db");
        std::fs::write(&empty, "").unwrap();
        assert!(matches!(backup(&StoreOptions::sqlite(&empty), &target).await, Err(BackupError::Empty(_))));
        for file in std::fs::read_dir(folder.path()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        let opened = anteroom_storage::Store::connect(&StoreOptions::sqlite(&empty)).await.map(drop);
        assert!(matches!(opened, Err(anteroom_storage::StoreError::Missing(_))), "{opened:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgresql_names_the_command_that_makes_one() {
    on_postgres(async |options| {
        let folder = tempfile::tempdir().unwrap();
        let refused = backup(&options, &folder.path().join("backup.db")).await.unwrap_err();
        assert!(refused.to_string().contains("pg_dump"), "{refused}");
    })
    .await;
}
