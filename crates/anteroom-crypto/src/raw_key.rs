//! An opened key of one purpose. Sealing, hashing and signing must not use the same bytes, so each use derives its own.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// 256 random bits, from which the keys of each use are derived.
pub(crate) struct RawKey(Zeroizing<[u8; 32]>);

impl RawKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA256 of the use's name, under this key.
    pub(crate) fn subkey(&self, usage: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac_sha256(&*self.0, usage.as_bytes()))
    }
}

/// HMAC-SHA256 of data that needs no framing.
pub(crate) fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    let mut bytes = [0; 32];
    for (out, byte) in bytes.iter_mut().zip(tag.as_ref()) {
        *out = *byte;
    }
    bytes
}
