//! A fresh, migrated database for each test: on SQLite always; on PostgreSQL where `ANTEROOM_TEST_POSTGRES` names a server on
//! which databases may be created, such as `postgres://anteroom@127.0.0.1:5432/postgres`.
//!
//! Making the schema takes longer than most tests do. It is made once: on SQLite for each process, and each test gets a copy of
//! the file's bytes; on a server, see `postgres`.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that gets no database has failed"
)]

use crate::{StoreOptions, migrate};
use secrecy::SecretString;
use std::future::Future;
use tokio::sync::OnceCell;

mod postgres;

/// Makes, for each `async fn(StoreOptions)` named, one test on either database.
#[macro_export]
macro_rules! stores_on_both_databases {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::test_databases::on_sqlite(super::$test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::test_databases::on_postgres(super::$test).await;
            }
        }
    )+};
}

pub async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(StoreOptions) -> F) {
    on_sqlite_url(|url| test(options(&url))).await;
}

/// Passes without a word where there is no server.
pub async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(StoreOptions) -> F) {
    on_postgres_url(|url| test(options(&url))).await;
}

/// The same for a test that takes the database's URL.
pub async fn on_sqlite_url<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    static MIGRATED: OnceCell<Vec<u8>> = OnceCell::const_new();
    let bytes = MIGRATED.get_or_init(migrated_file).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.db");
    std::fs::write(&path, bytes).unwrap();
    test(format!("sqlite:{}", path.display())).await;
}

pub use postgres::on_postgres_url;

async fn migrated_file() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.db");
    migrate(&StoreOptions::sqlite(&path)).await.unwrap();
    assert!(!folder.path().join("anteroom.db-wal").exists(), "the file does not have all of the schema");
    std::fs::read(&path).unwrap()
}

fn options(url: &str) -> StoreOptions {
    StoreOptions::from_url(&SecretString::from(url)).unwrap()
}
