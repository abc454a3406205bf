//! How transactions run. Writing is a *unit of work*: a closure over an open transaction that can run again, does
//! nothing but database work, and whose answer is given only once it is committed for good.
//!
//! - SQLite: one writer takes units from a queue and commits them in groups ([`sqlite`]).
//! - PostgreSQL: each unit is a transaction of its own, run again when it collides ([`postgres`]).
//!
//! On both a unit runs apart from its caller, so a caller that goes away leaves nothing half-done; a unit that fails
//! or panics is rolled back alone; and a unit in which any statement failed is never committed, even when the closure
//! made nothing of it (PostgreSQL would answer such a COMMIT by rolling back in silence).

pub(crate) mod advisory_lock;
mod connect;
mod connection_health;
mod files;
pub(crate) mod inline_reads;
pub(crate) mod options;
mod pooling;
mod postgres;
#[cfg(feature = "test-util")]
mod rerun;
mod run;
mod server;
pub(crate) mod server_facts;
mod sqlite;
mod statement_log;
mod unit;

#[cfg(test)]
mod tests;

pub(crate) use connect::open_sqlite;
pub use options::StoreOptions;
pub use server_facts::{ServerFacts, WriteMode};
#[cfg(feature = "test-util")]
pub use statement_log::RecordedStatement;
pub(crate) use statement_log::StatementLog;
pub(crate) use unit::Conn;

use crate::engine::files::DatabaseFiles;
use crate::engine::inline_reads::InlineReads;
use crate::engine::options::{Location, PostgresTimeouts};
use crate::engine::sqlite::Writer;
use crate::error::StoreError;
use sea_orm::DatabaseConnection;
use server::{Server, SessionMode};
use std::future::Future;

#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite {
        writer: Writer,
        readers: DatabaseConnection,
        inline: InlineReads,
        anchor: DatabaseConnection,
        files: DatabaseFiles,
    },
    Postgres(Box<Server>),
}

impl Engine {
    pub(crate) async fn start(options: &StoreOptions) -> Result<Self, StoreError> {
        match &options.location {
            Location::Sqlite(path) => {
                files::create_if_absent(path)?;
                let first = connect::sqlite_writer(path).await?;
                let anchor = connect::sqlite_anchor(path).await?;
                let files = DatabaseFiles::opened(path)?;
                let writer = Writer::start(path, first, files.clone());
                let readers = connect::sqlite_readers(path, options.max_connections).await?;
                let inline = InlineReads::of(path.clone());
                Ok(Self::Sqlite { writer, readers, inline, anchor, files })
            }
            Location::Postgres(url) => {
                let limits = PostgresTimeouts::within(options.request_timeout);
                let server = Server::open(url, options.max_connections, limits, SessionMode::Serving).await?;
                Ok(Self::Postgres(Box::new(server)))
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
            Self::Postgres(server) => postgres::run(server, work).await,
        }
    }

    /// For reading outside of any unit.
    pub(crate) fn reader(&self) -> Conn {
        match self {
            Self::Sqlite { readers, inline, .. } => {
                Conn::of_pool(readers.clone(), None).with_inline_reads(inline.clone())
            }
            Self::Postgres(server) => Conn::of_pool(server.pool.clone(), Some(server.supervision.clone())),
        }
    }

    /// What the server says of itself; an embedded database has none.
    pub(crate) fn server(&self) -> Option<&ServerFacts> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres(server) => Some(&server.facts),
        }
    }

    /// How many connections to a server this may make.
    pub(crate) fn max_connections(&self) -> u32 {
        match self {
            Self::Sqlite { .. } => 0,
            Self::Postgres(server) => server.max_connections,
        }
    }

    /// How many connections to a server broke so far.
    pub(crate) fn connection_failures(&self) -> u64 {
        match self {
            Self::Sqlite { .. } => 0,
            Self::Postgres(server) => server.supervision.connection_failures(),
        }
    }

    /// Waits for the next failure of the server or of a connection to it. Never returns on SQLite.
    pub(crate) async fn wait_for_failure(&self) {
        match self {
            Self::Sqlite { .. } => std::future::pending().await,
            Self::Postgres(server) => server.supervision.wait_for_failure().await,
        }
    }

    /// Makes connections anew from here on: a session of PostgreSQL keeps the settings and the role that it was opened with, so
    /// that one that refuses writes may be outdated.
    pub(crate) fn retire_connections(&self) {
        if let Self::Postgres(server) = self {
            server.supervision.retire_connections();
        }
    }

    /// Why no new connection is to be had, if that is so.
    pub(crate) async fn connect_failure(&self) -> Option<StoreError> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres(server) => server.connect_failure().await,
        }
    }

    /// An error where what is committed from now on would be lost.
    pub(crate) fn check_files(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { files, .. } => files.check(),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Finishes what was begun, then lets go of the database.
    pub(crate) async fn close(&self) {
        let pools = match self {
            Self::Sqlite { writer, readers, inline, anchor, .. } => {
                writer.close().await;
                inline.close();
                vec![readers, anchor]
            }
            Self::Postgres(server) => vec![&server.pool],
        };
        for pool in pools {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(error = %StoreError::from(error), "the database was not closed cleanly");
            }
        }
    }
}

/// One connection to work alone with, for migrations, and what its server says of itself.
pub(crate) async fn open_single(
    options: &StoreOptions,
) -> Result<(DatabaseConnection, Option<ServerFacts>), StoreError> {
    match &options.location {
        Location::Sqlite(path) => {
            files::create_if_absent(path)?;
            Ok((connect::sqlite_writer(path).await?, None))
        }
        Location::Postgres(url) => {
            let limits = PostgresTimeouts::within(options.request_timeout);
            let server = Server::open(url, 1, limits, SessionMode::Migrating).await?;
            Ok((server.pool, Some(server.facts)))
        }
    }
}
