//! The store through its public face, on both databases.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/fixtures.rs"]
mod fixtures;
#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod audit;
mod backup;
mod chain;
mod codes;
mod configured;
mod grants;
mod io_failures;
mod journeys;
mod keys;
mod kill;
mod links;
mod operation;
mod passwords;
mod pushed;
mod registered;
mod sending;
mod sessions;
