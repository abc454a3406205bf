//! A fresh, migrated database for each test: on SQLite always; on PostgreSQL where `ANTEROOM_TEST_POSTGRES` names a server on
//! which databases may be created, such as `postgres://anteroom@127.0.0.1:5432/postgres`.
//!
//! Making the schema takes longer than most tests do. It is made once, and each test gets a copy: of a file's bytes, once for
//! each process; on a server, of a template that stays there (`anteroom_schema_…`, named by the steps that made it).

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that gets no database has failed"
)]

use crate::{StoreOptions, migrate};
use anteroom_migrations::{Dialect, STEPS};
use futures_util::FutureExt as _;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr, ExecResult};
use secrecy::SecretString;
use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

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

/// The same for a test that takes the database's URL.
pub async fn on_postgres_url<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let Ok(server) = std::env::var("ANTEROOM_TEST_POSTGRES") else { return };
    let admin = connect(&server).await;
    let template = TEMPLATE.get_or_init(|| template(&admin, &server)).await;
    let name = format!("anteroom_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    execute(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
    let outcome = AssertUnwindSafe(test(url_of(&server, &name))).catch_unwind().await;
    execute(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    admin.close().await.unwrap();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

async fn migrated_file() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.db");
    migrate(&StoreOptions::sqlite(&path)).await.unwrap();
    assert!(!folder.path().join("anteroom.db-wal").exists(), "the file does not have all of the schema");
    std::fs::read(&path).unwrap()
}

/// Made under another name and renamed when it is whole, so that another process never copies half of it.
async fn template(admin: &DatabaseConnection, server: &str) -> String {
    let name = format!("anteroom_schema_{:016x}", hash_of_steps());
    if exists(admin, &name).await {
        return name;
    }
    let new = format!("{name}_{}", std::process::id());
    execute(admin, &format!("CREATE DATABASE {new}")).await.unwrap();
    migrate(&options(&url_of(server, &new))).await.unwrap();
    // A pooler keeps its session with the server, and a database with a session cannot be renamed.
    let sessions = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{new}'");
    execute(admin, &sessions).await.unwrap();
    let renamed = execute(admin, &format!("ALTER DATABASE {new} RENAME TO {name}")).await;
    if renamed.is_err() {
        assert!(exists(admin, &name).await, "{renamed:?}");
        execute(admin, &format!("DROP DATABASE {new} WITH (FORCE)")).await.unwrap();
    }
    name
}

fn hash_of_steps() -> u64 {
    let mut hasher = DefaultHasher::new();
    for step in &STEPS {
        step.name.hash(&mut hasher);
        step.statements(Dialect::Postgres).for_each(|statement| statement.hash(&mut hasher));
    }
    hasher.finish()
}

async fn exists(admin: &DatabaseConnection, name: &str) -> bool {
    execute(admin, &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"))
        .await
        .unwrap()
        .rows_affected()
        == 1
}

/// Without what PgBouncer, which may be what the variable names, refuses in a connection.
async fn connect(server: &str) -> DatabaseConnection {
    let options = ConnectOptions::new(server)
        .max_connections(1)
        .map_sqlx_postgres_opts(|options| options.extra_float_digits(None))
        .to_owned();
    Database::connect(options).await.unwrap()
}

fn url_of(server: &str, database: &str) -> String {
    let (head, _) = server.rsplit_once('/').unwrap();
    format!("{head}/{database}")
}

fn options(url: &str) -> StoreOptions {
    StoreOptions::from_url(&SecretString::from(url)).unwrap()
}

async fn execute(admin: &DatabaseConnection, sql: &str) -> Result<ExecResult, DbErr> {
    admin.execute_unprepared(sql).await
}
