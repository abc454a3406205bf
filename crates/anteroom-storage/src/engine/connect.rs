//! Opening connections to SQLite.

use crate::engine::options::{ACQUIRE_TIMEOUT, STATEMENT_CACHE};
use crate::error::{self, StoreError};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions, Sqlite, pool::PoolOptions};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, RuntimeErr, SqlxError};
use std::path::Path;
use tracing::log::LevelFilter;

/// This much of the write-ahead log stays on disk after a checkpoint; what a burst needed beyond it is given back.
const WAL_KEPT_BYTES: &str = "67108864";

/// The one connection that writes. WAL lets readers go on meanwhile; `synchronous=FULL` makes a commit survive a loss
/// of power. The file must be there: one that was removed is not made anew, empty, in the place of the real one.
pub(super) async fn sqlite_writer(path: &Path) -> Result<DatabaseConnection, StoreError> {
    let options = sqlite_options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", WAL_KEPT_BYTES);
    open(path, options, 1).await
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
    open(path, sqlite_options(path), 1).await
}

/// The many that read, and cannot write.
pub(super) async fn sqlite_readers(path: &Path, max: u32) -> Result<DatabaseConnection, StoreError> {
    let options = sqlite_options(path).pragma("query_only", "ON");
    open(path, options, max.max(1)).await
}

async fn open(
    path: &Path,
    options: SqliteConnectOptions,
    max: u32,
) -> Result<DatabaseConnection, StoreError> {
    let pool = sqlite_pool(max).connect_with(options).await;
    pool.map(DatabaseConnection::from).map_err(|error| sqlite_error(path, error))
}

/// SQLite says what it cannot do, and not with which file. Result codes 14 (cannot open) and 8 (read-only) are a matter of
/// permissions, those of the folder included.
fn sqlite_error(path: &Path, error: SqlxError) -> StoreError {
    let code = match &error {
        SqlxError::Database(error) => error.code().and_then(|code| code.parse::<i32>().ok()),
        _ => None,
    };
    match connect_error(error) {
        StoreError::Unavailable(what) => {
            let is_permission = code.is_some_and(|code| matches!(code & 0xff, 8 | 14));
            let help = if is_permission { permission_help(path) } else { String::new() };
            StoreError::Unavailable(format!("{}: {what}{help}", absolute_path(path)))
        }
        error => error,
    }
}

/// The path as an operator finds it: a relative one depends on where the process was started.
pub(super) fn absolute_path(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

pub(super) fn permission_help(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(&path).display();
    format!(
        ". The user that this runs as must be able to write the file and its folder, in which SQLite keeps two more: see `id`, and \
         `ls -ld {folder} {}*`",
        path.display()
    )
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
