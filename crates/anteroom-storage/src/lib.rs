//! The database: SQLite in a file, or PostgreSQL.
//!
//! - [`Store`] reads; [`Store::write`] runs a unit of work, inside which a [`Tx`] reads and writes. A unit does nothing
//!   but database work, may run more than once, and is answered only when it is committed for good.
//! - Entities and SQL stay in here. What comes in and goes out are the domain's own types; a row that cannot be turned
//!   into one is [`StoreError::Corrupt`] with its table, column and id.
//! - The reads on the path of every sign-in and token are constant SQL, all in one module (`frequent_queries`), each held against
//!   the entities by a test.
//! - Rows are locked in one order, so that transactions do not deadlock: counters, accounts, devices, sessions, grants.

mod accounts;
mod audit;
mod clients;
mod database;
mod engine;
mod entity;
mod error;
mod frequent_queries;
mod grants;
mod keys;
mod messages;
mod row;
mod schema;
mod schema_state;
mod sessions;
mod store;
mod unit;
mod unusable_database;

pub use accounts::{
    AgeingPassword, BackfilledUsernames, CodeAttempts, Credential, FirstCode, InsertAccountError,
    LockedAccount, MailRequestResult, MailRequestRow, NewAccount, NewAddress, NewPhone, NormalizedDomains,
    OldPassword, PendingMailRequest,
};
pub use anteroom_domain::audit_trail::record::AuditRecord;
pub use audit::{LinkingResult, WaitingEntries};
pub use clients::{ClientsRevision, ConfiguredClient, RegisteredClient};
pub use database::{
    AcceptResult, BackupError, CountedForm, Instance, InstanceKind, Node, RELEASE, RateLimitResult, Sweeps,
    Swept, backup,
};
#[cfg(feature = "test-util")]
pub use engine::RecordedStatement;
pub use engine::{ServerFacts, StoreOptions, WriteMode};
pub use error::StoreError;
pub use frequent_queries::{FoundSession, SignInView};
pub use grants::{CodeRecord, GrantRecord, InsertGrantResult};
pub use keys::{EncryptionKeyRow, KeysVersion, SigningKeyRow};
pub use messages::{
    DeliveryResult, LeasedMessage, LogoutClients, LogoutDelivery, LogoutLease, MessageResult, MessageState,
    MessageStatus,
};
pub use schema::{migrate, schema_state};
pub use schema_state::SchemaState;
pub use sessions::{FormWindow, SessionBySecret, SessionClient, SessionSecret};
pub use store::{DatabaseState, Queries, Store, StoreWithoutKeys, Tx};
pub use unit::Unit;
pub use unusable_database::UnusableDatabase;

#[cfg(any(test, feature = "test-util"))]
pub mod test_databases;

#[cfg(test)]
extern crate self as anteroom_storage;
#[cfg(test)]
#[path = "../tests/support/fixtures.rs"]
mod fixtures;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
#[cfg(test)]
mod tests;
