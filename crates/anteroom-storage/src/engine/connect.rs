//! Opening connections to SQLite.

use crate::options::{ACQUIRE_TIMEOUT, STATEMENT_CACHE};
use crate::{StoreError, error};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions, Sqlite, pool::PoolOptions};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, RuntimeErr, SqlxError};
use std::path::Path;
use tracing::log::LevelFilter;

/// Enough of the write-ahead log to keep on disk after a checkpoint; a burst's worth beyond it is given back.
const WAL_KEPT_BYTES: &str = "67108864";

/// The one connection that writes. WAL lets readers go on meanwhile; `synchronous=FULL` makes a commit survive a loss
/// of power. The file must be there: one that was removed is not made anew, empty, in the place of the real one.
pub(super) async fn sqlite_writer(path: &Path) -> Result<DatabaseConnection, StoreError> {
    let options = sqlite_options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", WAL_KEPT_BYTES);
    sqlite_pool(1).connect_with(options).await.map(DatabaseConnection::from).map_err(connect_error)
}

/// A connection that has read, and is not used afterwards. In WAL mode it holds a shared lock on the database until it is
/// closed, so no other process that closes the database takes itself for the last one and deletes the log, not even while
/// the writer is being replaced.
pub(super) async fn sqlite_anchor(path: &Path) -> Result<DatabaseConnection, StoreError> {
    let anchor = sqlite_readers(path, 1).await?;
    anchor.execute_unprepared("SELECT count(*) FROM sqlite_schema").await?;
    Ok(anchor)
}

/// One connection to a database as it is, for a copy of it.
pub(crate) async fn open_sqlite(path: &Path) -> Result<DatabaseConnection, StoreError> {
    let pool = sqlite_pool(1).connect_with(sqlite_options(path)).await;
    pool.map(DatabaseConnection::from).map_err(connect_error)
}

/// The many that read, and cannot write.
pub(super) async fn sqlite_readers(path: &Path, max: u32) -> Result<DatabaseConnection, StoreError> {
    let options = sqlite_options(path).pragma("query_only", "ON");
    sqlite_pool(max.max(1)).connect_with(options).await.map(DatabaseConnection::from).map_err(connect_error)
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(ACQUIRE_TIMEOUT)
        .statement_cache_capacity(STATEMENT_CACHE)
        .pragma("temp_store", "MEMORY")
        .log_statements(LevelFilter::Off)
}

fn sqlite_pool(max: u32) -> PoolOptions<Sqlite> {
    SqlitePoolOptions::new()
        .max_connections(max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

pub(super) fn connect_error(error: SqlxError) -> StoreError {
    match error::classify(&DbErr::Conn(RuntimeErr::SqlxError(error.into()))) {
        (_, StoreError::Statement(what)) => StoreError::Unavailable(what),
        (_, error) => error,
    }
}
