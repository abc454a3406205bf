//! The schema's steps: applying them, and judging a database by them.

mod migration_retry;
#[cfg(test)]
mod tests;

use self::migration_retry::{MigrationFailure, MigrationRetry, holders, lock_tables};
use crate::engine::StoreOptions;
use crate::engine::open_single;
use crate::engine::server_facts::ServerFacts;
use crate::error::StoreError;
use crate::schema_state::SchemaState;
use anteroom_migrations::{APPLIED_STEPS, Dialect, STEPS, Step};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use std::collections::BTreeSet;

/// The connection that holds this lock on a PostgreSQL server may change the schema.
const MIGRATION_LOCK: i64 = 0x616e_7465_726f_6f6d;

/// Applies what is pending, all or nothing, and one process at a time. Says how many steps that were.
pub async fn migrate(options: &StoreOptions) -> Result<usize, StoreError> {
    migrate_with(options, &MigrationRetry::default()).await
}

async fn migrate_with(options: &StoreOptions, retry: &MigrationRetry) -> Result<usize, StoreError> {
    let (connection, server) = open_single(options).await?;
    let applied = attempts(&connection, server.as_ref(), retry).await;
    connection.close_by_ref().await?;
    applied
}

/// What [`migrate`] would find. Changes nothing, but for making the file of an SQLite database that is not there.
pub async fn schema_state(options: &StoreOptions) -> Result<SchemaState, StoreError> {
    let (connection, _) = open_single(options).await?;
    let state = state_on(&connection).await;
    connection.close_by_ref().await?;
    state
}

/// Tries again as long as transactions of nodes, or of a backup, are in the way.
async fn attempts(
    connection: &DatabaseConnection,
    server: Option<&ServerFacts>,
    retry: &MigrationRetry,
) -> Result<usize, StoreError> {
    for attempt in 1.. {
        let error = match migrate_on(connection, server).await {
            Ok(applied) => return Ok(applied),
            Err(MigrationFailure::Otherwise(error)) => return Err(error),
            Err(MigrationFailure::Blocked(error)) => error,
        };
        let holders = holders(connection).await.unwrap_or_default();
        if attempt >= retry.attempts {
            return Err(StoreError::TablesInUse { holders });
        }
        tracing::warn!(
            attempt,
            of = retry.attempts,
            holders,
            "the schema is changed once other transactions let go of its tables: {error}"
        );
        retry.rest().await;
    }
    Err(StoreError::Collided)
}

async fn migrate_on(
    connection: &DatabaseConnection,
    server: Option<&ServerFacts>,
) -> Result<usize, MigrationFailure> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    lock(&transaction).await?;
    match state_on(&transaction).await? {
        SchemaState::Pending(steps) => {
            server.map_or(Ok(()), ServerFacts::check_changeable).map_err(StoreError::from)?;
            lock_tables(&transaction).await?;
            apply(&transaction, &STEPS).await?;
            transaction.commit().await?;
            Ok(steps)
        }
        state if state.is_usable() => Ok(0),
        state => Err(StoreError::Schema(state).into()),
    }
}

/// Those of the steps that the database has not.
async fn apply(connection: &impl ConnectionTrait, steps: &[Step]) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let (dialect, record) = match backend {
        DbBackend::Sqlite => (Dialect::Sqlite, "INSERT INTO seaql_migrations VALUES ($1, unixepoch())"),
        _ => {
            (Dialect::Postgres, "INSERT INTO seaql_migrations VALUES ($1, extract(epoch FROM now())::bigint)")
        }
    };
    connection.execute_unprepared(APPLIED_STEPS).await?;
    let applied = applied_on(connection).await?;
    for step in steps.iter().filter(|step| !applied.contains(step.name)) {
        for statements in step.statements(dialect) {
            connection.execute_unprepared(&statements).await?;
        }
        let record = Statement::from_sql_and_values(backend, record, [step.name.into()]);
        connection.execute_raw(record).await?;
        tracing::info!(step = step.name, "applied a step of the schema");
    }
    Ok(())
}

async fn lock(transaction: &DatabaseTransaction) -> Result<(), StoreError> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT pg_advisory_xact_lock($1)";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [MIGRATION_LOCK.into()]);
        transaction.execute_raw(statement).await?;
    }
    Ok(())
}

pub(crate) async fn state_on(connection: &impl ConnectionTrait) -> Result<SchemaState, StoreError> {
    let backend = connection.get_database_backend();
    let installed = match backend {
        DbBackend::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'seaql_migrations'",
        _ => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
    };
    if connection.query_one_raw(Statement::from_string(backend, installed)).await?.is_none() {
        return Ok(SchemaState::of(&BTreeSet::new()));
    }
    Ok(SchemaState::of(&applied_on(connection).await?))
}

/// The names of the steps that the database has, which has the table for them.
async fn applied_on(connection: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let names = "SELECT version FROM seaql_migrations";
    let rows =
        connection.query_all_raw(Statement::from_string(connection.get_database_backend(), names)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
