//! Locks that stand for no row: what one node does at a time, such as sweeping.

use crate::error::StoreError;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Holds until the end of the transaction. `false`: another transaction has the lock. An embedded database has one writer, so
/// that the lock is always free.
pub(crate) async fn try_lock(conn: &impl ConnectionTrait, lock: i64) -> Result<bool, StoreError> {
    if conn.get_database_backend() != DbBackend::Postgres {
        return Ok(true);
    }
    let sql = "SELECT pg_try_advisory_xact_lock($1)";
    let row =
        conn.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [lock.into()])).await?;
    Ok(row.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)))
}
