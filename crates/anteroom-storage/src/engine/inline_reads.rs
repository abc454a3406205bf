//! Reads of an SQLite database on the thread that asks for them.
//!
//! A connection of sqlx has a thread of its own: a statement is handed to it, and each row back, which costs several times what
//! finding a row by an index costs. So the statements of [`crate::frequent_queries`] run where they are asked for, on connections of
//! rusqlite, which uses the same SQLite library.
//!
//! - The statement blocks its thread, so it must find a few rows by an index.
//! - One read uses a connection at a time, so there are at most as many connections as threads that read.
//! - A read that fails is given to the pool of sqlx, whose error is the one that callers get, and its connection is closed.

use rusqlite::types::{ToSqlOutput, Value as Cell, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use sea_orm::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::options::STATEMENT_CACHE;

/// A commit of the writer does not block a reader, and a checkpoint does so for a moment at most.
const BUSY_TIMEOUT: Duration = Duration::from_millis(100);

/// The columns of a row.
pub(crate) type Cells = Vec<Cell>;

#[derive(Clone)]
pub(crate) struct InlineReads(Arc<Shared>);

struct Shared {
    path: PathBuf,
    /// The connections that no read uses. `None`: closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl InlineReads {
    pub(super) fn of(path: PathBuf) -> Self {
        Self(Arc::new(Shared { path, idle: Mutex::new(Some(Vec::new())) }))
    }

    /// All rows. `None`: the read failed, or the store is closed.
    pub(super) fn read(&self, sql: &str, values: &[Value]) -> Option<Vec<Cells>> {
        let idle = self.idle().as_mut()?.pop();
        let connection = idle.map_or_else(|| self.open().ok(), Some)?;
        let rows = rows(&connection, sql, values).ok()?;
        if let Some(idle) = self.idle().as_mut() {
            idle.push(connection);
        }
        Some(rows)
    }

    pub(super) fn close(&self) {
        self.idle().take();
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.0.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rows(connection: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<Cells>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    for place in 1..=statement.parameter_count() {
        let value = numbered(statement.parameter_name(place), values).ok_or(rusqlite::Error::InvalidQuery)?;
        statement.raw_bind_parameter(place, Parameter(value))?;
    }
    let mut found = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push((0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

/// The value of `$n`. SQLite gives parameters their places in the order in which they first stand in the statement.
fn numbered<'v>(name: Option<&str>, values: &'v [Value]) -> Option<&'v Value> {
    let number: usize = name?.strip_prefix('$')?.parse().ok()?;
    values.get(number.checked_sub(1)?)
}

/// A value as sqlx binds it.
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self.0 {
            Value::Uuid(value) => value.as_ref().map(|id| ValueRef::Blob(id.as_bytes())),
            Value::String(value) => value.as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Value::Bytes(value) => value.as_ref().map(|bytes| ValueRef::Blob(bytes)),
            Value::BigInt(value) => value.map(ValueRef::Integer),
            _ => {
                let error = "no frequent query has a parameter of this type";
                return Err(rusqlite::Error::ToSqlConversionFailure(error.into()));
            }
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}
