//! The binary: commands and their output. The use cases are in the crates below.

pub mod cli;
pub mod commands;
#[cfg(feature = "demo")]
pub mod demo;
pub mod run;
