//! The doors: [`UnkeyedStore`] before the keys are known, then [`Store`], and [`Tx`] inside a unit of work.

use crate::engine::{Conn, Engine};
use crate::schema::state_on;
use crate::{SchemaState, StoreError, StoreOptions};
use anteroom_crypto::{Keyring, Random, SealedKey};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

/// An open database whose own keys have still to be read, opened under the master key and handed in.
pub struct UnkeyedStore {
    pub(crate) engine: Engine,
}

/// The database. Cloning shares it.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    reads: Reads,
}

/// An open transaction: every read of [`Reads`], and the writes.
pub struct Tx {
    reads: Reads,
}

/// The reads, the same inside a transaction and outside.
#[derive(Clone)]
pub struct Reads {
    pub(crate) conn: Conn,
    pub(crate) keys: Arc<StoreKeys>,
}

/// What rows are sealed and authenticated with.
pub(crate) struct StoreKeys {
    pub(crate) ring: ArcSwap<Keyring>,
    pub(crate) random: Random,
}

impl UnkeyedStore {
    pub async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        state_on(&self.engine.reader()).await
    }

    pub async fn sealed_keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        crate::keys::sealed_keys(&self.engine.reader()).await
    }

    /// See [`Tx::insert_sealed_keys`]. Gives back the keys that hold from now on.
    pub async fn insert_sealed_keys(&self, keys: &[SealedKey]) -> Result<Vec<SealedKey>, StoreError> {
        let keys = keys.to_vec();
        self.engine
            .write(move |conn| {
                let keys = keys.clone();
                async move {
                    crate::keys::insert_sealed_keys(&conn, &keys).await?;
                    crate::keys::sealed_keys(&conn).await
                }
            })
            .await
    }

    pub fn unlock(self, keyring: Arc<Keyring>, random: Random) -> Store {
        let keys = Arc::new(StoreKeys { ring: ArcSwap::new(keyring), random });
        let reads = Reads { conn: self.engine.reader(), keys };
        Store { engine: self.engine, reads }
    }

    pub async fn close(&self) {
        self.engine.close().await;
    }
}

impl Store {
    /// Opens a database whose schema this release can run on.
    pub async fn connect(options: &StoreOptions) -> Result<UnkeyedStore, StoreError> {
        let store = UnkeyedStore { engine: Engine::start(options).await? };
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
        let keys = Arc::clone(&self.reads.keys);
        self.engine.write(move |conn| work(Tx { reads: Reads { conn, keys: Arc::clone(&keys) } })).await
    }

    /// Takes up keys that were rotated.
    pub fn replace_keys(&self, keyring: Arc<Keyring>) {
        self.reads.keys.ring.store(keyring);
    }

    /// An error where commits can no longer be trusted, which a restart alone ends ([`StoreError::FilesReplaced`]).
    pub fn check_files(&self) -> Result<(), StoreError> {
        self.engine.check_files()
    }

    pub async fn ping(&self) -> Result<(), StoreError> {
        self.reads.conn.ping().await
    }

    /// How far `now` is ahead of the database's clock. An embedded database has none of its own.
    pub async fn clock_skew(&self, now: Timestamp) -> Result<SignedDuration, StoreError> {
        let conn = &self.reads.conn;
        if conn.get_database_backend() != DbBackend::Postgres {
            return Ok(SignedDuration::ZERO);
        }
        let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";
        let row = conn.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let theirs: i64 = row.ok_or(StoreError::Closed)?.try_get_by_index(0)?;
        Ok(SignedDuration::from_millis(now.as_millisecond().saturating_sub(theirs)))
    }

    /// Finishes the units that wait and lets go of the database.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

impl Deref for Store {
    type Target = Reads;
    fn deref(&self) -> &Reads {
        &self.reads
    }
}

impl Deref for Tx {
    type Target = Reads;
    fn deref(&self) -> &Reads {
        &self.reads
    }
}
