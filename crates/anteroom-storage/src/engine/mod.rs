//! How transactions run. Writing is a *unit of work*: a closure over an open transaction that can run again, does
//! nothing but database work, and whose answer is given only once it is committed for good.
//!
//! - SQLite: one writer takes units from a queue and commits them in groups ([`sqlite`]).
//! - PostgreSQL: each unit is a transaction of its own, run again when it collides ([`postgres`]).
//!
//! On both a unit runs apart from its caller, so a caller that goes away leaves nothing half-done; a unit that fails
//! or panics is rolled back alone; and a unit in which any statement failed is never committed, even when the closure
//! made nothing of it (PostgreSQL would answer such a COMMIT by rolling back in silence).

mod connect;
mod postgres;
mod sqlite;
mod unit;

#[cfg(test)]
mod tests;

pub(crate) use connect::open_single;
pub(crate) use unit::Conn;

use crate::options::{Location, StoreOptions};
use crate::{StoreError, engine::sqlite::Writer};
use sea_orm::DatabaseConnection;
use std::future::Future;

#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite { writer: Writer, readers: DatabaseConnection },
    Postgres { pool: DatabaseConnection },
}

impl Engine {
    pub(crate) async fn start(options: &StoreOptions) -> Result<Self, StoreError> {
        match &options.location {
            Location::Sqlite(path) => {
                let writer = Writer::start(path).await?;
                let readers = connect::sqlite_readers(path, options.max_connections).await?;
                Ok(Self::Sqlite { writer, readers })
            }
            Location::Postgres(url) => {
                Ok(Self::Postgres { pool: connect::postgres_pool(url, options.max_connections).await? })
            }
        }
    }

    pub(crate) async fn write<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: Fn(Conn) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite { writer, .. } => writer.run(work).await,
            Self::Postgres { pool } => postgres::run(pool.clone(), work).await,
        }
    }

    /// For reading outside of any unit.
    pub(crate) fn reader(&self) -> Conn {
        match self {
            Self::Sqlite { readers, .. } => Conn::of_pool(readers.clone()),
            Self::Postgres { pool } => Conn::of_pool(pool.clone()),
        }
    }

    /// Finishes what was begun, then lets go of the database.
    pub(crate) async fn close(&self) {
        let pool = match self {
            Self::Sqlite { writer, readers } => {
                writer.close().await;
                readers
            }
            Self::Postgres { pool } => pool,
        };
        if let Err(error) = pool.close_by_ref().await {
            tracing::warn!(error = %StoreError::from(error), "the database was not closed cleanly");
        }
    }
}
