//! The lowest crate of the workspace: random values, keys at rest, sealing, keyed hashes and the hashing of passwords.
//!
//! Invariants that the crates above rely on:
//!
//! - Randomness has one source, [`Random`], handed in where the program is wired.
//! - Every key but the [`MasterKey`] is random, versioned, made for one [`KeyPurpose`] and kept sealed under the
//!   master key. A [`Keyring`] holds them opened; new work uses the newest version, old work is still understood.
//! - A [`Sealer`] (XChaCha20-Poly1305) authenticates every byte it puts out, and the associated data with it.
//! - A [`Mac`] (HMAC-SHA256, RFC 2104) is compared in constant time.
//! - A [`Signer`] (Ed25519, RFC 8032) is for what must be checked without the master key.
//! - Secrets do not print, and keys are wiped when dropped.
//! - Passwords are hashed with Argon2id (RFC 9106) by a [`HashPool`] whose memory and queue are bounded.

mod keyring;
mod mac;
mod master_key;
mod passwords;
mod pool;
mod purpose;
mod random;
mod raw_key;
mod seal;
mod signer;
mod token;
mod versions;

pub use keyring::{Keyring, KeyringError, SealedKey};
pub use mac::{KeyedDigest, Mac, sha256};
pub use master_key::{MasterKey, MasterKeyError};
pub use passwords::{
    HashError, HashParams, HashParamsError, PasswordHash, PasswordHashError, PasswordHasher,
    PasswordVerification,
};
pub use pool::{HashPool, PoolError, PoolFull, PoolSize, QueueKey};
pub use purpose::KeyPurpose;
pub use random::Random;
pub use seal::{SealError, Sealer};
pub use signer::{Signer, SigningFailed, VerifyingKey};
pub use token::OpaqueToken;
