//! A copy of an SQLite database that is in use: one that is whole, or none.
//!
//! `VACUUM INTO` copies what one read transaction sees, so writers neither wait for it nor make it begin again, as they do
//! with SQLite's page-by-page backup. The copy is made under another name, synced and checked, and only then gets its own
//! (<https://sqlite.org/lang_vacuum.html> §2).

use crate::engine::open_sqlite;
use crate::engine::options::{Location, StoreOptions};
use crate::error::StoreError;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Problems that `PRAGMA integrity_check` is asked for at most.
const PROBLEMS: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the database is PostgreSQL's: use pg_dump --format=custom")]
    NotSqlite,
    #[error("{} exists already; it is not overwritten", .0.display())]
    Exists(PathBuf),
    #[error("{} exists: another backup to the same file is under way, or was broken off; then remove it", .0.display())]
    UnderWay(PathBuf),
    #[error("{} has no tables of Anteroom: is it the right file?", .0.display())]
    Empty(PathBuf),
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, Error),
    #[error("the copy is damaged, and so may the database be: {0}")]
    Damaged(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies the database into a new file that only its owner can read. Returns its size in bytes.
pub async fn backup(options: &StoreOptions, target: &Path) -> Result<u64, BackupError> {
    let Location::Sqlite(database) = &options.location else { return Err(BackupError::NotSqlite) };
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    create(&partial)?;
    let copied = copy(database, &partial, target).await;
    if copied.is_err() {
        // The first error is returned.
        let _ = std::fs::remove_file(&partial);
    }
    copied
}

async fn is_migrated(source: &DatabaseConnection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'seaql_migrations'";
    Ok(source.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?.is_some())
}

async fn copy(database: &Path, partial: &Path, target: &Path) -> Result<u64, BackupError> {
    let during = |error| BackupError::File(partial.to_owned(), error);
    let source = open_sqlite(database).await?;
    if !is_migrated(&source).await? {
        return Err(BackupError::Empty(database.to_owned()));
    }
    let name = partial.to_str().ok_or_else(|| during(Error::from(ErrorKind::InvalidFilename)))?;
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO $1", [name.into()]);
    let made = source.execute_raw(statement).await.map_err(StoreError::from);
    source.close_by_ref().await.map_err(StoreError::from)?;
    made?;
    check(partial).await?;
    let file = File::open(partial).map_err(during)?;
    file.sync_all().map_err(during)?;
    let size = file.metadata().map_err(during)?.len();
    std::fs::rename(partial, target).map_err(during)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(during)?;
    Ok(size)
}

async fn check(copy: &Path) -> Result<(), BackupError> {
    let connection = open_sqlite(copy).await?;
    let problems = problems(&connection).await;
    connection.close_by_ref().await.map_err(StoreError::from)?;
    let problems = problems?;
    if problems == ["ok"] { Ok(()) } else { Err(BackupError::Damaged(problems.join("; "))) }
}

async fn problems(connection: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    let sql = format!("PRAGMA integrity_check({PROBLEMS})");
    let rows = connection.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

fn create(partial: &Path) -> Result<(), BackupError> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(partial);
    created.map(drop).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => BackupError::UnderWay(partial.to_owned()),
        _ => BackupError::File(partial.to_owned(), error),
    })
}
