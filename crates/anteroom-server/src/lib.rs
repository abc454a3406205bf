//! The running server: the listener, TLS and its handshakes, connections, the tasks beside the requests, housekeeping,
//! the log, and the wiring that makes a provider from a configuration. It decides nothing: the use cases are in the
//! crates below, and the commands that start the server in the crate above.

pub mod applied_configuration;
pub mod background;
pub mod checkpoints;
pub mod connections;
pub mod graceful_close;
pub mod handshakes;
pub mod housekeeping;
pub mod logging;
pub mod reload;
pub mod sending;
pub mod serve;
pub mod tls;
pub mod wiring;
