//! The application as a browser meets it, against a provider of the tests' own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking, and so do their helpers"
)]

mod sign_in;
mod sign_out;
mod support;
