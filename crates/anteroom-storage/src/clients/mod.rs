//! Clients: those that registered themselves, those of the configuration, what people have agreed to, and requests that were
//! pushed (RFC 9126).
//!
//! A change of a registered client locks `instance` first, whose counter gives the change its number, and then the client's
//! row. A consent locks the row of the client with a shared lock, and then its own. A pushed request is one row, and
//! the statement that takes it has the condition that it was not taken yet.

mod configured_clients;
mod consents;
mod pushed_requests;
mod registered_clients;

pub use configured_clients::ConfiguredClient;
pub use registered_clients::{ClientsRevision, RegisteredClient};
