//! The binary's rooms: wiring, nothing else. Everything that decides lives in the crates below.

pub mod background;
pub mod checkpoints;
pub mod cli;
pub mod commands;
pub mod connections;
#[cfg(feature = "demo")]
pub mod demo;
pub mod handshakes;
pub mod housekeeping;
pub mod lingering;
pub mod logging;
pub mod reload;
pub mod sending;
pub mod serve;
pub mod tls;
pub mod wiring;
