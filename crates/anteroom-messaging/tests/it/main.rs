//! The ways out, against servers of our own that speak SMTP and HTTP, over loopback.

#![cfg(test)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod callbacks;
mod doubles;
mod office;
mod sending;
mod worker;
