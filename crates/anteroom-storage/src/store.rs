//! The entry points of this crate: [`StoreWithoutKeys`] before the keys are loaded, then [`Store`], and [`Tx`] inside a unit of
//! work.

use crate::engine::StoreOptions;
use crate::engine::options::Location;
use crate::engine::server_facts::{ServerFacts, WriteMode};
use crate::engine::{Conn, Engine, StatementLog};
use crate::error::StoreError;
use crate::schema::state_on;
use crate::schema_state::SchemaState;
use anteroom_crypto::{Keyring, Random};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use tracing::Instrument as _;

/// An open database whose own keys have still to be read, opened under the master key and handed in.
pub struct StoreWithoutKeys {
    pub(crate) engine: Engine,
}

/// The database. Cloning shares it.
pub struct Store {
    engine: Engine,
    reads: Queries,
    work: StatementLog,
}

impl Clone for Store {
    fn clone(&self) -> Self {
        let Queries { conn, keys } = &self.reads;
        let reads = Queries { conn: conn.clone(), keys: Arc::clone(keys) };
        Self { engine: self.engine.clone(), reads, work: self.work.clone() }
    }
}

/// An open transaction: every read of [`Queries`], and the writes.
pub struct Tx {
    reads: Queries,
}

/// The reads, the same inside a transaction and outside.
///
/// Not `Clone`: what is lent to a unit must not outlive it.
pub struct Queries {
    pub(crate) conn: Conn,
    pub(crate) keys: Arc<StoreKeys>,
}

/// What rows are sealed and authenticated with.
pub(crate) struct StoreKeys {
    pub(crate) keyring: ArcSwap<Keyring>,
    pub(crate) random: Random,
}

/// The time and the writability of a database at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseState {
    /// Of the clock that all nodes share; an embedded database has none of its own.
    pub time: Option<Timestamp>,
    pub writes: WriteMode,
}

const SERVER_STATE: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint), \
                            pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'";

impl StoreWithoutKeys {
    pub async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        state_on(&self.engine.reader()).await
    }

    pub fn with_keys(self, keyring: Arc<Keyring>, random: Random) -> Store {
        let keys = Arc::new(StoreKeys { keyring: ArcSwap::new(keyring), random });
        let work = StatementLog::default();
        let reads = Queries { conn: self.engine.reader().recorded_in(&work), keys };
        Store { engine: self.engine, reads, work }
    }

    pub async fn close(&self) {
        self.engine.close().await;
    }
}

impl Store {
    /// Opens a database whose schema this release can run on.
    pub async fn connect(options: &StoreOptions) -> Result<StoreWithoutKeys, StoreError> {
        // Only a migration makes a database: a mistyped path must not leave an empty one behind. A folder that does not exist
        // is reported when the file is opened.
        if let Location::Sqlite(path) = &options.location
            && !path.exists()
            && path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.exists())
        {
            return Err(StoreError::Missing(path.display().to_string()));
        }
        let store = StoreWithoutKeys { engine: Engine::start(options).await? };
        match store.schema_state().await? {
            state if state.is_usable() => Ok(store),
            state => {
                store.close().await;
                Err(StoreError::Schema(state))
            }
        }
    }

    /// Runs a unit of work and commits what it did, unless it fails. The closure may run more than once and must do
    /// nothing but database work: no hashing, no sending, no waiting. Identifiers and secrets are drawn beforehand.
    pub async fn write<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_in(tracing::info_span!("unit_of_work"), work).await
    }

    /// A unit runs on a task of the engine. Its statements belong to the caller's request all the same, so that it runs in the
    /// caller's span.
    pub(crate) async fn write_in<T, E, F, Fut>(&self, span: tracing::Span, work: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (keys, record) = (Arc::clone(&self.reads.keys), self.work.clone());
        let reads = move |conn: Conn| Queries { conn: conn.recorded_in(&record), keys: Arc::clone(&keys) };
        self.engine.write(move |conn| work(Tx { reads: reads(conn) }).instrument(span.clone())).await
    }

    /// The statements since the last call; the first call begins the recording.
    #[cfg(feature = "test-util")]
    pub fn take_statements(&self) -> Vec<crate::engine::RecordedStatement> {
        self.work.take()
    }

    /// Uses these keys from now on, after a rotation.
    pub fn replace_keys(&self, keyring: Arc<Keyring>) {
        self.reads.keys.keyring.store(keyring);
    }

    /// An error where commits can no longer be trusted, which a restart alone ends ([`StoreError::FilesReplaced`]).
    pub fn check_files(&self) -> Result<(), StoreError> {
        self.engine.check_files()
    }

    /// The time of the database's clock, and whether it takes writes.
    pub async fn state(&self) -> Result<DatabaseState, StoreError> {
        let conn = &self.reads.conn;
        let is_server = conn.get_database_backend() == DbBackend::Postgres;
        let sql = if is_server { SERVER_STATE } else { "SELECT 1" };
        let statement = Statement::from_string(conn.get_database_backend(), sql);
        let row = conn.query_one_raw(statement).await?.ok_or(StoreError::Closed)?;
        if !is_server {
            return Ok(DatabaseState { time: None, writes: WriteMode::Writable });
        }
        let time = Timestamp::from_millisecond(row.try_get_by_index(0)?)
            .map_err(|_| StoreError::Statement("the time of the server is out of range".to_owned()))?;
        let writes = WriteMode::of(row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        if writes != WriteMode::Writable {
            self.engine.retire_connections();
        }
        Ok(DatabaseState { time: Some(time), writes })
    }

    /// What the server said of itself when it was first connected to; an embedded database has none.
    pub fn server(&self) -> Option<&ServerFacts> {
        self.engine.server()
    }

    /// How many connections to a server this may make.
    pub fn max_connections(&self) -> u32 {
        self.engine.max_connections()
    }

    /// How many connections to a server broke so far. What is answered after one may come from another server, or from the same
    /// one with an earlier state of the database.
    pub fn connection_breaks(&self) -> u64 {
        self.engine.connection_failures()
    }

    /// Waits for the next failure of the server, or of a connection to it. An embedded database has none.
    pub async fn trouble(&self) {
        self.engine.wait_for_failure().await;
    }

    /// The error of a new connection to the server, if it cannot be made.
    pub async fn refusal(&self) -> Option<StoreError> {
        self.engine.connect_failure().await
    }

    /// Finishes the units that wait and lets go of the database.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

impl Deref for Store {
    type Target = Queries;
    fn deref(&self) -> &Queries {
        &self.reads
    }
}

impl Deref for Tx {
    type Target = Queries;
    fn deref(&self) -> &Queries {
        &self.reads
    }
}
