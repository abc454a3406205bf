//! Changing the schema of a PostgreSQL server while nodes serve from it.
//!
//! A change locks tables against reading, and a transaction that waits for such a lock holds up all that come after. So one
//! statement at the beginning takes all locks, and waits for a short time only, and in the order in which units of work lock
//! rows, so that the two do not wait for each other. What does not get them lets go of all and tries again.

use crate::error::StoreError;
use crate::error::is_wait_for_locks;
use anteroom_crypto::Random;
use anteroom_migrations::CHANGED_TABLES;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement};
use std::time::Duration;

/// Nodes wait for a lock for longer than this, so they go on after it.
const EACH_LOCK: &str = "SET LOCAL lock_timeout = '2s'";
const ALL_LOCKS: &str = "SET LOCAL statement_timeout = '3s'";
const AS_LONG_AS_IT_TAKES: &str = "SET LOCAL statement_timeout = 0";

/// Named in one line of the log.
const MOST_NAMED: u8 = 3;

/// How often it is tried, and how long it rests between two attempts.
pub(super) struct MigrationRetry {
    pub(super) attempts: u32,
    pub(super) pause: Duration,
    /// Up to so much longer, so that two that try do not meet again.
    pub(super) spread: Duration,
    pub(super) random: Random,
}

impl Default for MigrationRetry {
    fn default() -> Self {
        let (pause, spread) = (Duration::from_secs(1), Duration::from_secs(2));
        Self { attempts: 30, pause, spread, random: Random::system() }
    }
}

impl MigrationRetry {
    pub(super) async fn rest(&self) {
        let spread = u32::try_from(self.spread.as_millis()).unwrap_or(u32::MAX);
        let more = self.random.below(spread.saturating_add(1));
        tokio::time::sleep(self.pause + Duration::from_millis(u64::from(more))).await;
    }
}

/// Why an attempt has changed nothing.
#[derive(Debug)]
pub(super) enum MigrationFailure {
    /// Other transactions hold what it needs.
    Blocked(StoreError),
    Otherwise(StoreError),
}

impl From<DbErr> for MigrationFailure {
    fn from(error: DbErr) -> Self {
        let blocked = is_wait_for_locks(&error);
        let error = StoreError::from(error);
        if blocked { Self::Blocked(error) } else { Self::Otherwise(error) }
    }
}

impl From<StoreError> for MigrationFailure {
    fn from(error: StoreError) -> Self {
        Self::Otherwise(error)
    }
}

/// Locks the tables that steps change, those that there are.
pub(super) async fn lock_tables(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let mut there = Vec::new();
    for table in CHANGED_TABLES {
        let sql = "SELECT 1 WHERE to_regclass($1) IS NOT NULL";
        let asked = Statement::from_sql_and_values(DbBackend::Postgres, sql, [table.into()]);
        if transaction.query_one_raw(asked).await?.is_some() {
            there.push(table);
        }
    }
    transaction.execute_unprepared(EACH_LOCK).await?;
    if !there.is_empty() {
        transaction.execute_unprepared(ALL_LOCKS).await?;
        let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", there.join(", "));
        transaction.execute_unprepared(&lock).await?;
        transaction.execute_unprepared(AS_LONG_AS_IT_TAKES).await?;
    }
    Ok(())
}

/// The transactions that are open on these tables, the oldest first, as an operator finds them in `pg_stat_activity`.
pub(super) async fn holders(connection: &DatabaseConnection) -> Result<String, DbErr> {
    let tables: Vec<String> = CHANGED_TABLES.iter().map(|table| format!("'{table}'")).collect();
    let sql = format!(
        "SELECT 'process ' || a.pid || ' (' || coalesce(nullif(a.application_name, ''), a.usename, 'unknown') || ', ' || \
         string_agg(DISTINCT CAST(c.relname AS text), ' ') || ')' \
         FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.granted AND a.datname = current_database() AND a.pid <> pg_backend_pid() AND c.relname IN ({}) \
         GROUP BY a.pid, a.application_name, a.usename, a.xact_start ORDER BY a.xact_start LIMIT {MOST_NAMED}",
        tables.join(", ")
    );
    let rows = connection.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let named: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    let named = named?;
    Ok(if named.is_empty() { "they are over now".to_owned() } else { named.join(", ") })
}
