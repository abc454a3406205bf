//! The keys that tokens are signed with, and how all keys are published (RFC 7517, RFC 7518, RFC 8037). Those that
//! decrypt are in [`crate::jwe`].
//!
//! AWS-LC makes the keys as well as using them: its key generation is that of its validated module and takes a tenth of the time,
//! and the `rsa` crate, whose private-key operations are not constant-time (RUSTSEC-2023-0071), stays out of the build
//! altogether. Its randomness is its own, as it is for every ECDSA and PSS signature; key generation therefore takes no random
//! source as a parameter, not even in tests.
//!
//! A private key is parsed once and signs until it is retired. Its `kid` is its thumbprint, so that no two keys
//! share one, whichever node made them.

mod client;
mod error;
mod jwk;
mod jwks;
mod signing;

pub use client::{ClientJwks, ClientJwksError};
pub use error::KeyError;
pub(crate) use jwk::EcCurve;
pub use jwk::{EncryptionJwk, Jwk, JwkMaterial, PublicKey};
pub use jwks::{DuplicateKeyId, Jwks};
pub use signing::SigningKey;

use crate::wire::wire_text;

#[cfg(test)]
pub(crate) use signing::library_randomness;

wire_text! {
    /// RFC 7517 §4.5 `kid`.
    pub struct KeyId("a key id (1 to 255 characters of printable ASCII)", max 255 bytes, |c| matches!(c, ' '..='~'))
}
