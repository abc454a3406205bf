//! The binary: commands and their output. What they run lives in the crates below.

pub mod cli;
pub mod commands;
#[cfg(feature = "demo")]
pub mod demo;
pub mod run;
