//! What people and applications rely on, over real HTTP, on both databases. A test that holds a rule of a specification is
//! named after its section.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod authorize;
mod bad_input;
mod claims;
mod earlier_release;
mod example;
mod history;
mod limits;
mod logout;
mod nodes;
mod openidconnect_crate;
mod people;
mod readiness;
mod registration;
mod resources;
mod retention;
mod sign_in;
mod slow_bodies;
mod token;
mod upkeep;
mod waits;

pub(crate) const ALICE: &str = "alice@practice.example";
pub(crate) const BOB: &str = "bob@practice.example";
