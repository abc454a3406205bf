//! What can go wrong with the store. An error names tables, columns, constraints and error codes, never a value: rows
//! hold personal data, and statements carry secrets as parameters.

use crate::schema::SchemaState;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Worth another try later: not reachable, too busy, disk full.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Other transactions kept getting in the way, however often it was tried.
    #[error("the transaction kept colliding with others")]
    Collided,
    #[error("{0} refuses a second row of the same")]
    Duplicate(String),
    #[error("{table}.{column} of {id} cannot be read")]
    Corrupt { table: &'static str, column: &'static str, id: String },
    #[error("the database refused a statement: {0}")]
    Statement(String),
    #[error("a unit of work panicked")]
    Panicked,
    /// A bug: a unit of work let its transaction escape, or used it after its end.
    #[error("a unit of work did not keep to its transaction")]
    Escaped,
    /// SQLite: another file, or none, is where the open database was.
    #[error("the files of the database were removed or replaced while it is open")]
    FilesReplaced,
    #[error("the store is closed")]
    Closed,
    #[error("{0} cannot be used as a database")]
    Location(String),
    #[error("the schema of the database {0}")]
    Schema(SchemaState),
}

/// What a failure means for the transaction it happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This statement was refused; connection and transaction are sound.
    Statement,
    /// Rolled back in favour of another transaction: run again.
    Collision,
    /// The connection, or the whole transaction on it, is gone.
    Broken,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        classify(&error).1
    }
}

pub(crate) fn classify(error: &DbErr) -> (Fault, StoreError) {
    let statement = |what: &str| (Fault::Statement, StoreError::Statement(what.to_owned()));
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => {
            (Fault::Statement, StoreError::Unavailable("no connection came free in time".to_owned()))
        }
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => (Fault::Statement, StoreError::Closed),
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => of_sqlx(error),
        DbErr::RecordNotInserted => statement("no row was inserted"),
        DbErr::RecordNotUpdated => statement("no row was updated"),
        DbErr::Migration(what) => statement(what),
        // The others quote what they could not convert.
        _ => statement("a row has not the expected shape"),
    }
}

fn of_sqlx(error: &SqlxError) -> (Fault, StoreError) {
    match error {
        SqlxError::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => of_postgres(error),
            None => of_sqlite(error.as_ref()),
        },
        SqlxError::Io(error) => (Fault::Broken, StoreError::Unavailable(error.kind().to_string())),
        SqlxError::Tls(_) => (Fault::Broken, StoreError::Unavailable("TLS failed".to_owned())),
        SqlxError::PoolTimedOut => {
            (Fault::Statement, StoreError::Unavailable("no connection came free in time".to_owned()))
        }
        SqlxError::PoolClosed => (Fault::Statement, StoreError::Closed),
        SqlxError::WorkerCrashed | SqlxError::BeginFailed | SqlxError::Protocol(_) => {
            (Fault::Broken, StoreError::Unavailable("the connection broke".to_owned()))
        }
        SqlxError::ColumnDecode { index, .. } => {
            (Fault::Statement, StoreError::Statement(format!("column {index} cannot be decoded")))
        }
        _ => (Fault::Statement, StoreError::Statement("a row has not the expected shape".to_owned())),
    }
}

/// SQLSTATE: PostgreSQL documentation, appendix A.
fn of_postgres(error: &PgDatabaseError) -> (Fault, StoreError) {
    let code = error.code();
    match code {
        "40001" | "40P01" => (Fault::Collision, StoreError::Collided),
        "23505" => {
            let constraint = error.constraint().unwrap_or("a unique constraint").to_owned();
            (Fault::Statement, StoreError::Duplicate(constraint))
        }
        // Connection exceptions, resources, an operator's shutdown.
        _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
            (Fault::Broken, StoreError::Unavailable(format!("{} ({code})", error.message())))
        }
        // 55P03 and 57014: a lock or a statement took longer than it may.
        "55P03" | "57014" => {
            (Fault::Statement, StoreError::Unavailable(format!("{} ({code})", error.message())))
        }
        // Class 22 quotes the value that it does not like.
        _ if code.starts_with("22") => {
            (Fault::Statement, StoreError::Statement(format!("data exception ({code})")))
        }
        _ => (Fault::Statement, StoreError::Statement(format!("{} ({code})", error.message()))),
    }
}

/// Result codes: <https://sqlite.org/rescode.html>. SQLite's messages name tables and columns only.
fn of_sqlite(error: &dyn DatabaseError) -> (Fault, StoreError) {
    let code: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
    let told = format!("{} ({code})", error.message());
    match code & 0xff {
        // SQLite may have rolled the whole transaction back after these (lang_transaction.html §3).
        5 | 7 | 8 | 9 | 10 | 11 | 13 | 14 | 26 => (Fault::Broken, StoreError::Unavailable(told)),
        19 if matches!(code, 1555 | 2067 | 2579) => {
            let columns = error.message().rsplit(": ").next().unwrap_or("a unique constraint").to_owned();
            (Fault::Statement, StoreError::Duplicate(columns))
        }
        _ => (Fault::Statement, StoreError::Statement(told)),
    }
}
