//! A running provider for tests: real HTTP, a clock that stands still until it is moved, accounts, applications, and what
//! was written down. A test is a function of a database; naming it in [`on_both_databases!`] makes it run on SQLite, and on
//! PostgreSQL where `ANTEROOM_TEST_POSTGRES` names a server. [`on_one_node_and_on_two!`] also has two nodes serve it in turn.
//!
//! ```ignore
#![doc = include_str!("../tests/it/example.rs")]
//! ```
//!
//! - [`TestProvider::on`] settles what is unusual: settings by dotted key, more clients, real hashing, a second node.
//! - [`TestProvider::person`] adds an account; Alice and Bob are there already.
//! - [`Browser`] reads pages, fills in their forms by name and follows redirects one by one; [`Answer`] is what came back.
//! - [`RelyingParty`] is an application: it asks, redeems, refreshes, and verifies ID tokens with a library of its own.
//!
//! Tests of use cases need no HTTP: `Builder::provider` is a node that listens nowhere.
//!
//! Nothing runs by itself: tests call what the background would do, such as [`TestProvider::deliver_logouts`].

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a step that fails is a test that fails"
)]
#![expect(
    clippy::missing_panics_doc,
    reason = "everything here panics when something is not as the test says"
)]

mod answer;
mod app_encryption;
mod app_key;
mod backend;
mod browser;
mod documents;
mod first_keys;
mod html;
mod listener;
mod node;
mod node_client;
mod paused;
mod person;
mod provider;
mod relying_party;
mod routes;
mod settings;
mod telephony;
mod tokens;
mod without_http;

pub use answer::TestResponse;
pub use app_encryption::{AppDecryptionKey, encrypted_to};
pub use app_key::AppKey;
pub use backend::{Backend, on_copy_of, on_postgres, on_sqlite, on_two_nodes};
pub use browser::Browser;
pub use documents::Documents;
pub use html::{Button, Form, Link};
pub use listener::LogoutReceiver;
pub use paused::PausedRequest;
pub use person::{AccountBuilder, PASSWORD};
pub use provider::{Builder, MORNING, TestProvider};
pub use relying_party::{CHALLENGE, ClientAuthentication, NONCE, RelyingParty, STATE, Tokens, VERIFIER};
pub use settings::{CLIENT_SECRET, CLIENTS, INITIAL_ACCESS_TOKEN};
pub use telephony::{Telephony, signature};
pub use tokens::{VerifiedToken, claims, header, left_half_hash};
