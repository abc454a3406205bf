//! The files of an SQLite database under a writer that fails, and under hands that move them.

use super::{insert, read};
use crate::engine::Engine;
use crate::engine::options::Location;
use crate::{StoreError, StoreOptions, support};
use sea_orm::ConnectionTrait;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether this process has a lock on the file, as the kernel knows them. The table is read a page at a time, and a line can
/// move past the place of reading when another process unlocks, so it is read again: a lock that is gone stays gone.
#[cfg(target_os = "linux")]
fn is_locked(path: &Path) -> bool {
    const READS: u32 = 20;
    let (process, inode) =
        (std::process::id().to_string(), std::fs::metadata(path).unwrap().ino().to_string());
    let is_ours = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.contains(&process.as_str())
            && fields.iter().any(|field| field.rsplit(':').next() == Some(inode.as_str()))
    };
    (0..READS).any(|_| std::fs::read_to_string("/proc/locks").unwrap().lines().any(is_ours))
}

fn database(options: &StoreOptions) -> &Path {
    let Location::Sqlite(path) = &options.location else { unreachable!() };
    path
}

async fn write(engine: &Engine, subject: &'static str) -> Result<(), StoreError> {
    engine.write(move |conn| async move { insert(&conn, subject).await }).await
}

/// What SQLite does by itself after an I/O error: the transaction is gone, and the writer replaces its connection.
async fn break_the_writer(engine: &Engine) {
    let broken: Result<(), StoreError> = engine
        .write(|conn| async move {
            conn.execute_unprepared("ROLLBACK").await?;
            insert(&conn, "broken").await
        })
        .await;
    assert!(broken.is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_replaced_leaves_the_locks_of_the_process_in_place() {
    support::on_sqlite(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        write(&engine, "first").await.unwrap();
        for _ in 0..3 {
            break_the_writer(&engine).await;
            assert!(is_locked(database(&options)), "another process would take the database for closed");
        }
        write(&engine, "second").await.unwrap();
        assert!(is_locked(database(&options)));
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_opens_a_database_leaves_the_locks_of_another_in_place() {
    support::on_sqlite(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        write(&engine, "first").await.unwrap();
        crate::schema_state(&options).await.unwrap();
        let second = Engine::start(&options).await.unwrap();
        write(&second, "second").await.unwrap();
        second.close().await;
        assert!(is_locked(database(&options)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_once_a_file_was_removed_or_replaced() {
    for suffix in ["", "-wal", "-shm"] {
        support::on_sqlite(async |options| {
            let engine = Engine::start(&options).await.unwrap();
            write(&engine, "first").await.unwrap();
            assert_eq!(engine.check_files(), Ok(()));
            let file = format!("{}{suffix}", database(&options).display());
            std::fs::rename(&file, format!("{file}.moved")).unwrap();
            assert_eq!(write(&engine, "gone").await, Err(StoreError::FilesReplaced), "{suffix:?}");
            std::fs::write(&file, "").unwrap();
            assert_eq!(write(&engine, "replaced").await, Err(StoreError::FilesReplaced), "{suffix:?}");
            // What was written meanwhile cannot be told from what was not: only a new start looks again.
            std::fs::rename(format!("{file}.moved"), &file).unwrap();
            assert_eq!(engine.check_files(), Err(StoreError::FilesReplaced), "{suffix:?}");
            engine.close().await;
            let engine = Engine::start(&options).await.unwrap();
            assert_eq!(read(&engine.reader(), "first").await, Some(1));
            write(&engine, "after").await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_removed_is_not_made_anew_under_a_running_process() {
    support::on_sqlite(async |options| {
        let engine = Engine::start(&options).await.unwrap();
        std::fs::remove_file(database(&options)).unwrap();
        break_the_writer(&engine).await;
        assert!(write(&engine, "late").await.is_err());
        assert!(!database(&options).exists());
    })
    .await;
}
