//! Passwords: Argon2id (RFC 9106) keyed with a pepper.
//!
//! The pepper is Argon2's own secret input, so a thief of the database alone cannot guess. A stored hash records which
//! version of the pepper and which parameters made it; when either has moved on, a right password reports itself as
//! outdated and the caller stores a new hash.

mod argon2id;
mod error;
mod hasher;
mod params;
mod stored;

pub(crate) use argon2id::Argon2Memory;
pub use error::HashError;
pub use hasher::{PasswordHasher, PasswordVerification};
pub use params::{HashParams, HashParamsError};
pub use stored::{PasswordHash, PasswordHashError};

#[cfg(test)]
mod tests;
