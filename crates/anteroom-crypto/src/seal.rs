//! Sealing with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, RFC 8439).
//!
//! ```text
//! sealed = format (1 byte, 1) | key version (4, big endian) | nonce (24, random) | ciphertext and tag (n + 16)
//! ```
//!
//! Format and version are authenticated too, ahead of the caller's associated data. 192 random bits of nonce never
//! repeat in practice, so nothing is counted and any node may seal.

use std::fmt;

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::Zeroizing;

use crate::{random::Random, raw_key::RawKey, versions::Versions};

const FORMAT: u8 = 1;
const NONCE: usize = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("this is no sealed value")]
    Malformed,
    #[error("sealed under version {0} of the key, which is not known here")]
    UnknownVersion(u32),
    #[error("the sealed value was altered, or sealed for something else")]
    Refused,
}

/// The seal of one purpose, under all versions of its key.
pub struct Sealer(Versions<XChaCha20Poly1305>);

impl Sealer {
    pub(crate) fn new(keys: &Versions<RawKey>) -> Self {
        Self(keys.map(|key| XChaCha20Poly1305::new((&*key.subkey("seal")).into())))
    }

    /// Under the newest key. `aad` says what and whose the value is (purpose, table, row, column), and must be said
    /// again to open it.
    pub fn seal(&self, random: &Random, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let (version, cipher) = self.0.newest();
        seal_with(cipher, version, random, aad, plaintext)
    }

    /// Under whichever known key sealed it.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let parts = Parts::split(sealed)?;
        let cipher = self.0.get(parts.version).ok_or(SealError::UnknownVersion(parts.version))?;
        parts.open_with(cipher, aad)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

#[expect(clippy::panic, reason = "only a plaintext of 256 GiB is refused, which no caller can hold")]
pub(crate) fn seal_with(
    cipher: &XChaCha20Poly1305,
    version: u32,
    random: &Random,
    aad: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    let nonce: [u8; NONCE] = random.bytes();
    let aad = framed(version, aad);
    let Ok(ciphertext) = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: &aad }) else {
        panic!("a plaintext too large to seal");
    };
    [&header(version)[..], &nonce, &ciphertext].concat()
}

/// A sealed value taken apart.
pub(crate) struct Parts<'a> {
    pub(crate) version: u32,
    nonce: [u8; NONCE],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) fn split(sealed: &'a [u8]) -> Result<Self, SealError> {
        let Some((&[FORMAT, a, b, c, d], rest)) = sealed.split_first_chunk() else {
            return Err(SealError::Malformed);
        };
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(SealError::Malformed)?;
        Ok(Self { version: u32::from_be_bytes([a, b, c, d]), nonce: *nonce, ciphertext })
    }

    pub(crate) fn open_with(
        &self,
        cipher: &XChaCha20Poly1305,
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let aad = framed(self.version, aad);
        cipher
            .decrypt(&XNonce::from(self.nonce), Payload { msg: self.ciphertext, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| SealError::Refused)
    }
}

fn header(version: u32) -> [u8; 5] {
    let [a, b, c, d] = version.to_be_bytes();
    [FORMAT, a, b, c, d]
}

fn framed(version: u32, aad: &[u8]) -> Vec<u8> {
    [&header(version)[..], aad].concat()
}

#[cfg(test)]
mod tests;
