//! What a use case runs in. [`provider`] is what all requests of a node share; [`call`] is one request, or one round of
//! background work, with one time and one configuration at a time; `Visit` adds the browser. Limits and outgoing
//! requests are here because every use case is bound by them.
//!
//! ```text
//!   wiring ─► Provider ─► Call (a client, an operator, a background round)
//!                           └─► Visit = Call + Browser (a person)
//! ```

pub mod absent_clients;
pub mod active_session;
pub mod authenticated_client;
pub mod browser;
pub mod call;
pub mod client_jwks;
pub mod confirmations;
pub mod database_history;
pub mod limits;
pub(crate) mod memory_counters;
pub mod outgoing;
pub mod provider;
pub mod refusals;
pub mod registered_client_cache;
pub mod registered_clients;
