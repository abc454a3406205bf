//! Converts columns to values of the domain, and back.

use crate::engine::inline_reads::Cells;
use crate::error::StoreError;
use anteroom_crypto::KeyedDigest;
use anteroom_oidc::AmrSet;
use jiff::Timestamp;
use rusqlite::types::Value as Cell;
use sea_orm::{QueryResult, TryGetable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;
use uuid::Uuid;

/// The row that is being read, to be named when a value in it cannot be understood.
pub(crate) struct RowRef<'a> {
    pub(crate) table: &'static str,
    pub(crate) id: &'a dyn Display,
}

impl RowRef<'_> {
    pub(crate) fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, id: self.id.to_string() }
    }

    pub(crate) fn time(&self, column: &'static str, millis: i64) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(millis).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn optional_time(
        &self,
        column: &'static str,
        millis: Option<i64>,
    ) -> Result<Option<Timestamp>, StoreError> {
        millis.map(|millis| self.time(column, millis)).transpose()
    }

    pub(crate) fn number<N: TryInto<M>, M>(&self, column: &'static str, number: N) -> Result<M, StoreError> {
        number.try_into().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn parsed<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn maybe_parsed<T: FromStr>(
        &self,
        column: &'static str,
        text: Option<&str>,
    ) -> Result<Option<T>, StoreError> {
        text.map(|text| self.parsed(column, text)).transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        column: &'static str,
        text: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn amr(&self, column: &'static str, text: &str) -> Result<AmrSet, StoreError> {
        text.split(' ')
            .filter(|method| !method.is_empty())
            .map(|method| self.parsed(column, method))
            .collect()
    }

    pub(crate) fn digest(&self, column: &'static str, bytes: &[u8]) -> Result<KeyedDigest, StoreError> {
        KeyedDigest::from_slice(bytes).ok_or_else(|| self.corrupt(column))
    }
}

pub(crate) fn amr_text(amr: AmrSet) -> String {
    amr.iter().map(anteroom_oidc::Amr::as_str).collect::<Vec<_>>().join(" ")
}

pub(crate) fn json_text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Statement("a value has no JSON".to_owned()))
}

/// The largest column of counts is an `integer`.
pub(crate) fn count_column(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The columns of a constant statement, in the order it names them: read by index, which costs a quarter of reading by name.
pub(crate) struct ColumnCursor<'r> {
    row: RowSource<'r>,
    next: usize,
}

enum RowSource<'r> {
    Result(&'r QueryResult),
    /// Read with [`crate::engine::inline_reads`].
    Cells(Cells),
}

/// A row of one of the frequent queries.
pub(crate) enum FrequentRow {
    Result(QueryResult),
    Cells(Cells),
}

impl<'r> ColumnCursor<'r> {
    pub(crate) const fn of(row: &'r QueryResult) -> Self {
        Self { row: RowSource::Result(row), next: 0 }
    }

    pub(crate) fn of_frequent(row: &'r mut FrequentRow) -> Self {
        let row = match row {
            FrequentRow::Result(row) => RowSource::Result(row),
            FrequentRow::Cells(cells) => RowSource::Cells(std::mem::take(cells)),
        };
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: Column>(&mut self) -> Result<T, StoreError> {
        let place = self.next;
        self.next += 1;
        match &mut self.row {
            RowSource::Result(row) => Ok(row.try_get_by_index(place)?),
            RowSource::Cells(cells) => {
                let cell = cells.get_mut(place).map(|cell| std::mem::replace(cell, Cell::Null));
                cell.and_then(T::from_cell)
                    .ok_or_else(|| StoreError::Statement(format!("column {place} is of another type")))
            }
        }
    }

    /// Skips the columns of an outer join that found no row.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }
}

/// A type that a column has. SQLite stores them as sqlx does.
pub(crate) trait Column: TryGetable {
    /// `None`: the cell has another type.
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl<T: Column> Column for Option<T> {
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

macro_rules! columns {
    ($($type:ty: $cell:pat => $value:expr),+ $(,)?) => {
        $(impl Column for $type {
            fn from_cell(cell: Cell) -> Option<Self> {
                match cell {
                    $cell => $value,
                    _ => None,
                }
            }
        })+
    };
}

columns! {
    i64: Cell::Integer(number) => Some(number),
    i32: Cell::Integer(number) => number.try_into().ok(),
    bool: Cell::Integer(number) => Some(number != 0),
    String: Cell::Text(text) => Some(text),
    Vec<u8>: Cell::Blob(bytes) => Some(bytes),
    Uuid: Cell::Blob(bytes) => Uuid::from_slice(&bytes).ok(),
}
