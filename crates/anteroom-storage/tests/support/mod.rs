//! A fresh, migrated database for each test: always on SQLite; on PostgreSQL too where `ANTEROOM_TEST_POSTGRES` names a
//! server on which databases may be created, such as `postgres://anteroom@127.0.0.1:5432/postgres`.

use anteroom_storage::{StoreOptions, migrate};
use futures_util::FutureExt as _;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use secrecy::SecretString;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes, for each `async fn(StoreOptions)` named, one test on either database.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::support::on_sqlite(super::$test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::support::on_postgres(super::$test).await;
            }
        }
    )+};
}
pub(crate) use on_both_databases;

pub(crate) async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(StoreOptions) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::sqlite(folder.path().join("anteroom.db"));
    migrate(&options).await.unwrap();
    test(options).await;
}

pub(crate) async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(StoreOptions) -> F) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("ANTEROOM_TEST_POSTGRES") else { return };
    let name = format!("anteroom_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    // PgBouncer, which may be what the variable names, refuses a connection that asks for it.
    let admin = ConnectOptions::new(server.as_str())
        .map_sqlx_postgres_opts(|options| options.extra_float_digits(None))
        .to_owned();
    let admin = Database::connect(admin).await.unwrap();
    execute(&admin, &format!("CREATE DATABASE {name}")).await;
    let (head, _) = server.rsplit_once('/').unwrap();
    let options = StoreOptions::from_url(&SecretString::from(format!("{head}/{name}"))).unwrap();
    migrate(&options).await.unwrap();
    let outcome = AssertUnwindSafe(test(options)).catch_unwind().await;
    execute(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

async fn execute(admin: &DatabaseConnection, sql: &str) {
    admin.execute_unprepared(sql).await.unwrap();
}
