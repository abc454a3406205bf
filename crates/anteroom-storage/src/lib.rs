//! Where everything that lasts is kept: SQLite in a file, or PostgreSQL.
//!
//! - [`Store`] reads; [`Store::write`] runs a unit of work, inside which a [`Tx`] reads and writes. A unit does nothing
//!   but database work, may run more than once, and is answered only when it is committed for good.
//! - Entities and SQL stay in here. What comes in and goes out are the domain's own types; a row that cannot be turned
//!   into one is [`StoreError::Corrupt`] with its table, column and id.
//! - The reads on the path of every sign-in and token are constant SQL, all in one module (`hot`), each held against
//!   the entities by a test.
//! - Rows are locked in one order, so that transactions do not deadlock: counters, accounts, devices, sessions, grants.

mod accounts;
mod addresses;
mod advisory_lock;
mod audit;
mod audit_chain;
mod audit_head;
mod audit_pruning;
mod authenticators;
mod backup;
mod configured_clients;
mod consents;
mod devices;
mod encryption_keys;
mod engine;
mod entity;
mod error;
mod grants;
mod history;
mod hot;
mod instance;
mod interactions;
mod keys;
mod keys_version;
mod links;
mod mail_requests;
mod message_ends;
mod new_account;
mod one_time_codes;
mod options;
mod outbox;
mod passwords;
mod phones;
mod pushed_requests;
mod rate;
mod registered_clients;
mod repeats;
mod row;
mod schema;
mod sealed_keys;
mod sending;
mod server_facts;
mod sessions;
mod store;
mod sweep;
mod tokens;
mod totp;
mod unit;
mod usernames;

pub use accounts::{Credential, LockedAccount};
pub use addresses::RenewedDomains;
pub use anteroom_domain::audit_trail::record::AuditRecord;
pub use audit_chain::{Linking, UnlinkedEntries};
pub use backup::{BackupError, backup};
pub use configured_clients::ConfiguredClient;
pub use encryption_keys::EncryptionKeyRow;
#[cfg(feature = "test-util")]
pub use engine::RecordedStatement;
pub use error::StoreError;
pub use grants::{CodeRecord, GrantRecord, InsertGrantResult};
pub use history::EndedByAccept;
pub use hot::{FoundSession, SignInView};
pub use instance::{Instance, InstanceKind, Node};
pub use keys::SigningKeyRow;
pub use keys_version::KeysVersion;
pub use mail_requests::{MailRequestResult, PendingMailRequest, RequestedLink};
pub use message_ends::MessageResult;
pub use new_account::{InsertAccountError, NewAccount, NewAddress, NewPhone};
pub use one_time_codes::CodeAttempts;
pub use options::StoreOptions;
pub use outbox::{DeliveryResult, LogoutClients, LogoutDelivery, LogoutLease};
pub use passwords::{AgeingPassword, OldPassword};
pub use rate::RateLimitResult;
pub use registered_clients::{ClientsRevision, RegisteredClient};
pub use repeats::{FormWindow, SessionBySecret};
pub use schema::{SchemaState, migrate, schema_state};
pub use sending::{LeasedMessage, MessageState, MessageStatus};
pub use server_facts::{ServerFacts, UnusableDatabase, Writes};
pub use sessions::{SessionClient, SessionSecret};
pub use store::{DatabaseState, Queries, Store, StoreWithoutKeys, Tx};
pub use sweep::{Sweeps, Swept};
pub use totp::FirstCode;
pub use unit::Unit;
pub use usernames::EnteredUsernames;

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
