//! What can go wrong with the store. An error names tables, columns, constraints and error codes, never a value: rows
//! hold personal data, and statements carry secrets as parameters.

use crate::schema_state::SchemaState;
use crate::unusable_database::UnusableDatabase;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::{PgDatabaseError, PgSeverity};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};
use std::io;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Worth another try later: not reachable, too busy, disk full.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Other transactions kept getting in the way, however often it was tried.
    #[error("the transaction kept colliding with others")]
    Collided,
    #[error("{0}: the value already exists")]
    Duplicate(String),
    #[error("{table}.{column} of {id} cannot be read")]
    Corrupt { table: &'static str, column: &'static str, id: String },
    #[error("the database refused a statement: {0}")]
    Statement(String),
    #[error("a unit of work panicked")]
    Panicked,
    /// A bug: a unit of work let its transaction escape, or used it after its end.
    #[error("a unit of work did not keep to its transaction")]
    TransactionEscaped,
    /// SQLite: another file, or none, is where the open database was.
    #[error("the files of the database were removed or replaced while it is open")]
    FilesReplaced,
    #[error("the store is closed")]
    Closed,
    #[error("{0} cannot be used as a database")]
    Location(String),
    /// PostgreSQL: the schema could not be changed beside transactions that go on.
    #[error(
        "the schema was not changed: other transactions did not let go of its tables ({holders}). `pg_stat_activity` says what \
         they are; once they are over, run `anteroom migrate` again"
    )]
    TablesInUse { holders: String },
    #[error("there is no database at {0}: `anteroom migrate` makes it")]
    Missing(String),
    #[error("the schema of the database {0}")]
    Schema(SchemaState),
    #[error("this database cannot be used: {0}")]
    Unsuitable(#[from] UnusableDatabase),
}

/// What a failure means for the transaction it happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// This statement was refused; connection and transaction are sound.
    Statement,
    /// Rolled back in favour of another transaction: run again.
    Collision,
    /// The connection, or the whole transaction on it, is lost. Another connection may do.
    Broken,
    /// The server cannot do it now: it takes no writes, has no space left, or does not answer. Another try at once would
    /// meet the same, and the connections made until now are not trusted any more.
    ServerUnavailable,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        classify(&error).1
    }
}

pub(crate) fn classify(error: &DbErr) -> (FailureKind, StoreError) {
    let statement = |what: &str| (FailureKind::Statement, StoreError::Statement(what.to_owned()));
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => {
            (FailureKind::Statement, StoreError::Unavailable("no connection came free in time".to_owned()))
        }
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => {
            (FailureKind::Statement, StoreError::Closed)
        }
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

fn of_sqlx(error: &SqlxError) -> (FailureKind, StoreError) {
    match error {
        SqlxError::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => of_postgres(error),
            None => of_sqlite(error.as_ref()),
        },
        SqlxError::Io(error) if is_no_answer(error) => (
            FailureKind::ServerUnavailable,
            StoreError::Unavailable("the server did not answer in time".to_owned()),
        ),
        SqlxError::Io(error) => (FailureKind::Broken, StoreError::Unavailable(error.kind().to_string())),
        SqlxError::Tls(_) => (FailureKind::Broken, StoreError::Unavailable("TLS failed".to_owned())),
        SqlxError::PoolTimedOut => {
            (FailureKind::Statement, StoreError::Unavailable("no connection came free in time".to_owned()))
        }
        SqlxError::PoolClosed => (FailureKind::Statement, StoreError::Closed),
        SqlxError::WorkerCrashed | SqlxError::BeginFailed | SqlxError::Protocol(_) => {
            (FailureKind::Broken, StoreError::Unavailable("the connection broke".to_owned()))
        }
        SqlxError::ColumnDecode { index, .. } => {
            (FailureKind::Statement, StoreError::Statement(format!("column {index} cannot be decoded")))
        }
        _ => (FailureKind::Statement, StoreError::Statement("a row has not the expected shape".to_owned())),
    }
}

/// 55P03 and 57014: waiting for one lock, or for all, took longer than its timeout. 40P01: deadlock.
pub(crate) fn is_wait_for_locks(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| matches!(code.as_ref(), "55P03" | "57014" | "40P01"))
}

/// The error of a statement, or of an attempt to connect, that had no answer within our own timeout.
pub(crate) fn no_answer() -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(SqlxError::Io(io::ErrorKind::TimedOut.into()).into()))
}

/// Told from a time-out of the operating system, which has a number and means one connection.
fn is_no_answer(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

/// SQLSTATE: PostgreSQL documentation, appendix A. What concerns the connection or the server's state is never taken for
/// a fault of the statement that met it.
fn of_postgres(error: &PgDatabaseError) -> (FailureKind, StoreError) {
    let is_fatal = matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic);
    let (code, message) = (error.code(), error.message());
    match code {
        "40001" | "40P01" => (FailureKind::Collision, StoreError::Collided),
        "23505" => {
            let constraint = error.constraint().unwrap_or("a unique constraint").to_owned();
            (FailureKind::Statement, StoreError::Duplicate(constraint))
        }
        "53300" => (
            FailureKind::ServerUnavailable,
            StoreError::Unavailable(format!("{message} ({code}); {TOO_MANY}")),
        ),
        "26000" | "42P05" => (
            FailureKind::ServerUnavailable,
            StoreError::Unavailable(format!("{message} ({code}); {SHARED_SESSION}")),
        ),
        _ if is_server_unavailable(code) => {
            (FailureKind::ServerUnavailable, StoreError::Unavailable(format!("{message} ({code})")))
        }
        _ if is_fatal || is_broken(code) => {
            (FailureKind::Broken, StoreError::Unavailable(format!("{message} ({code})")))
        }
        // 55P03 and 57014: a lock or a statement took longer than it may.
        "55P03" | "57014" => (FailureKind::Statement, StoreError::Unavailable(format!("{message} ({code})"))),
        // Class 22 quotes the value that it does not like.
        _ if code.starts_with("22") => {
            (FailureKind::Statement, StoreError::Statement(format!("data exception ({code})")))
        }
        _ => (FailureKind::Statement, StoreError::Statement(format!("{message} ({code})"))),
    }
}

const TOO_MANY: &str = "PostgreSQL has no connection left: database.max_connections of all nodes together, and a few \
                        for commands, must fit into its max_connections";

/// Statements are prepared by each connection for itself, so one that is missing or there already is of another connection.
const SHARED_SESSION: &str = "a pooler seems to give the sessions of one connection to others: PgBouncer needs pool_mode = session \
                              for this database";

/// Codes and classes of a server that cannot do what is asked: 25006 it takes no writes, 53 no memory, space or connection, 57P03
/// starting or stopping, 57P04 the database was dropped, 58 and XX001 a disk that fails, F0 and XX a server that is not well.
fn is_server_unavailable(code: &str) -> bool {
    matches!(code, "25006" | "57P03" | "57P04")
        || ["53", "58", "F0", "XX"].iter().any(|class| code.starts_with(class))
}

/// Codes and classes of a connection that has ended: 08 it broke, 57P an operator or a crash ended it, 25P03 and 25P04 a
/// transaction stood still for too long.
fn is_broken(code: &str) -> bool {
    matches!(code, "25P03" | "25P04") || ["08", "57P"].iter().any(|class| code.starts_with(class))
}

/// Result codes: <https://sqlite.org/rescode.html>. SQLite's messages name tables and columns only.
fn of_sqlite(error: &dyn DatabaseError) -> (FailureKind, StoreError) {
    let code: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
    let told = format!("{} ({code})", error.message());
    match code & 0xff {
        // SQLite may have rolled the whole transaction back after these (lang_transaction.html §3).
        5 | 7 | 8 | 9 | 10 | 11 | 13 | 14 | 26 => (FailureKind::Broken, StoreError::Unavailable(told)),
        19 if matches!(code, 1555 | 2067 | 2579) => {
            let columns = error.message().rsplit(": ").next().unwrap_or("a unique constraint").to_owned();
            (FailureKind::Statement, StoreError::Duplicate(columns))
        }
        _ => (FailureKind::Statement, StoreError::Statement(told)),
    }
}
