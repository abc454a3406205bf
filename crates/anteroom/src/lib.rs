//! The binary's rooms: wiring, nothing else. Everything that decides lives in the crates below.

pub mod background;
pub mod cli;
pub mod commands;
#[cfg(feature = "demo")]
pub mod demo;
pub mod logging;
pub mod sending;
pub mod serve;
pub mod wiring;
