//! A fresh, migrated database for each test: always on SQLite; on PostgreSQL too where `ANTEROOM_TEST_POSTGRES` names a
//! server on which databases may be created, such as `postgres://anteroom@127.0.0.1:5432/postgres`.

use crate::first_keys::FirstKeys;
use anteroom_crypto::Random;
use anteroom_storage::{StoreOptions, migrate, test_databases};
use sea_orm::{
    ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, DbBackend, QueryResult,
    Statement, TransactionTrait as _,
};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

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

/// The same, and once more on PostgreSQL with two nodes that are asked in turn, where
/// [`TestProvider::replace_a_node`](crate::TestProvider::replace_a_node) does something.
#[macro_export]
macro_rules! on_one_node_and_on_two {
    ($($test:ident),+ $(,)?) => {
        $crate::on_both_databases!($($test),+);
        mod on_two_nodes {$(
            mod $test {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    $crate::on_two_nodes(super::super::$test).await;
                }
            }
        )+}
    };
}

/// The database of one test, and how many nodes begin on it. Providers that share it are nodes of one installation.
#[derive(Clone, Debug)]
pub struct Backend {
    pub(crate) url: String,
    pub(crate) nodes: Nodes,
    /// Of all nodes. Their clock stands still in a test, and identifiers of one millisecond sort in the order of one source alone.
    pub(crate) random: Random,
    pub(crate) keys: Arc<FirstKeys>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nodes {
    One,
    TwoInTurn,
}

impl Backend {
    fn of_one_node(url: String) -> Self {
        Self { url, nodes: Nodes::One, random: Random::system(), keys: Arc::default() }
    }

    /// The same database, with random values that are the same in every run.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { random: Random::seeded(seed), ..self }
    }

    /// As the configuration names it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Of the database, on a server.
    pub fn name(&self) -> &str {
        self.url.rsplit_once('/').unwrap().1
    }

    /// Ends all sessions of a server's database, as its restart would.
    pub async fn end_sessions(&self) {
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }

    /// Holds what this statement locks until the transaction goes.
    pub async fn hold(&self, sql: &str) -> DatabaseTransaction {
        let transaction = Database::connect(&self.url).await.unwrap().begin().await.unwrap();
        transaction.execute_unprepared(sql).await.unwrap();
        transaction
    }

    /// Executes SQL directly, as an attacker with write access to the database would.
    pub async fn execute(&self, sql: &str) {
        let connection = Database::connect(&self.url).await.unwrap();
        execute(&connection, sql).await;
        connection.close().await.unwrap();
    }

    /// The number that a statement asks for, as `count`.
    pub async fn count(&self, sql: &str) -> i64 {
        let connection = Database::connect(&self.url).await.unwrap();
        let count = query(&connection, sql).await[0].try_get("", "count").unwrap();
        connection.close().await.unwrap();
        count
    }

    /// How many rows each table has.
    pub async fn rows(&self) -> BTreeMap<String, i64> {
        let connection = Database::connect(&self.url).await.unwrap();
        let tables = match connection.get_database_backend() {
            DbBackend::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table'",
            _ => "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'",
        };
        let mut rows = BTreeMap::new();
        for table in query(&connection, tables).await {
            let table: String = table.try_get("", "name").unwrap();
            let count = query(&connection, &format!("SELECT COUNT(*) AS count FROM {table}")).await;
            rows.insert(table, count[0].try_get("", "count").unwrap());
        }
        connection.close().await.unwrap();
        rows
    }
}

pub async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Backend) -> F) {
    test_databases::on_sqlite_url(|url| Box::pin(test(Backend::of_one_node(url)))).await;
}

/// On SQLite, with a database of an earlier release that is migrated first.
pub async fn on_copy_of<F: Future<Output = ()>>(database: &[u8], test: impl FnOnce(Backend) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.db");
    std::fs::write(&path, database).unwrap();
    migrate(&StoreOptions::sqlite(&path)).await.unwrap();
    Box::pin(test(Backend::of_one_node(format!("sqlite:{}", path.display())))).await;
}

/// Passes without a word where there is no server.
pub async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Backend) -> F) {
    test_databases::on_postgres_url(|url| test(Backend::of_one_node(url))).await;
}

/// The same, with two nodes on the database.
pub async fn on_two_nodes<F: Future<Output = ()>>(test: impl FnOnce(Backend) -> F) {
    on_postgres(|backend| test(Backend { nodes: Nodes::TwoInTurn, ..backend })).await;
}

async fn query(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap()
}

async fn execute(admin: &DatabaseConnection, sql: &str) {
    admin.execute_unprepared(sql).await.unwrap();
}
