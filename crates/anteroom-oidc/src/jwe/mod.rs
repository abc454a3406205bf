//! Encrypted JWTs: JSON Web Encryption in its compact form (RFC 7516), for one recipient.
//!
//! A composition of AWS-LC's parts: RSA-OAEP, whose decryption is constant-time there (the `rsa` crate's is not:
//! RUSTSEC-2023-0071), ECDH, the single-step KDF, AES-GCM, AES-CBC with HMAC. Only key wrap is RustCrypto's, for all three
//! lengths of key: AWS-LC's Rust interface has no wrap with 192 bits.
//!
//! Invariants:
//!
//! - The client's registration fixes the algorithms; without one, any offered algorithm of the header is accepted.
//! - Whatever is wrong once a key has been touched is one error, [`JweError::Undecipherable`]. A content key that cannot be
//!   recovered is replaced by a random one, and decryption goes on with that (RFC 7516 §11.5).
//! - No extension that must be understood (`crit`), no compression (`zip`), and nothing longer than [`Jwe::MAX_BYTES`].
//! - Keys of contents and vectors are drawn by the caller ([`Entropy`]); ephemeral keys by AWS-LC, like all private keys.

mod agreement;
mod compact;
mod content;
mod encrypt;
mod keys;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use compact::{Jwe, JweError};
pub use encrypt::{EncryptionFailed, Payload, encrypt};
pub use keys::{DecryptionKey, DecryptionKeyError, EncryptionKey, EncryptionKeyType};

use zeroize::Zeroizing;

use crate::protocol_values::ContentEncryption;

/// Random bytes for one message: the key of its content and its initialization vector, or what stands in for a key that
/// cannot be had. Used once, so it is not `Clone`.
pub struct Entropy(Zeroizing<[u8; Self::BYTES]>);

impl Entropy {
    pub const BYTES: usize = LONGEST_KEY + LONGEST_IV;

    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn key(&self, enc: ContentEncryption) -> &[u8] {
        self.0.get(..enc.key_bytes()).unwrap_or_default()
    }

    fn iv(&self, enc: ContentEncryption) -> &[u8] {
        self.0.get(LONGEST_KEY..LONGEST_KEY + enc.iv_bytes()).unwrap_or_default()
    }
}

const LONGEST_KEY: usize = 64;
const LONGEST_IV: usize = 16;
