//! A fresh, migrated database for each test: always on SQLite; on PostgreSQL too where `ANTEROOM_TEST_POSTGRES` names a
//! server on which databases may be created, such as `postgres://anteroom@127.0.0.1:5432/postgres`.

use anteroom_storage::{StoreOptions, migrate};
use futures_util::FutureExt as _;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use secrecy::SecretString;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes, for each `async fn(Backend)` named, one test on either database.
#[macro_export]
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::on_sqlite(super::$test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::on_postgres(super::$test).await;
            }
        }
    )+};
}

/// The database of one test. Providers that share it are nodes of one installation.
#[derive(Clone, Debug)]
pub struct Backend {
    pub(crate) url: String,
}

impl Backend {
    /// Past Anteroom, as whoever may write to the database can.
    pub async fn execute(&self, sql: &str) {
        let connection = Database::connect(&self.url).await.unwrap();
        execute(&connection, sql).await;
        connection.close().await.unwrap();
    }
}

pub async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Backend) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.db");
    migrate(&StoreOptions::sqlite(&path)).await.unwrap();
    test(Backend { url: format!("sqlite:{}", path.display()) }).await;
}

/// Passes without a word where there is no server.
pub async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Backend) -> F) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("ANTEROOM_TEST_POSTGRES") else { return };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("anteroom_testkit_{}_{number}", std::process::id());
    let admin = Database::connect(&server).await.unwrap();
    execute(&admin, &format!("CREATE DATABASE {name}")).await;
    let (head, _) = server.rsplit_once('/').unwrap();
    let url = format!("{head}/{name}");
    migrate(&StoreOptions::from_url(&SecretString::from(url.as_str())).unwrap()).await.unwrap();
    let outcome = AssertUnwindSafe(test(Backend { url })).catch_unwind().await;
    execute(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

async fn execute(admin: &DatabaseConnection, sql: &str) {
    admin.execute_unprepared(sql).await.unwrap();
}
