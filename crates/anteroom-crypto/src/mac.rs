//! Keyed hashes: HMAC-SHA256 (RFC 2104, FIPS 180-4).

mod pseudonym;

use std::fmt;

use aws_lc_rs::{digest, hmac};
use subtle::{Choice, ConstantTimeEq as _};

use crate::raw_key::RawKey;
use crate::versions::Versions;

/// HMAC-SHA256 output. Without the key it reveals nothing about its input, so it may be stored and logged. Only
/// [`sha256`] makes one without a key, of input that is not secret.
#[derive(Clone, Copy)]
pub struct KeyedDigest([u8; 32]);

impl KeyedDigest {
    /// In bytes.
    pub const LEN: usize = 32;

    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// `None` unless there are exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Constant time.
impl PartialEq for KeyedDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyedDigest {}

impl fmt::Debug for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// The keyed hash of one purpose, under all versions of its key.
pub struct Mac(Versions<hmac::Key>);

impl Mac {
    pub(crate) fn new(keys: &Versions<RawKey>) -> Self {
        Self(keys.map(|key| hmac::Key::new(hmac::HMAC_SHA256, &*key.subkey("mac"))))
    }

    /// Under the newest key. `context` names what is hashed, so that one purpose can serve several kinds of things.
    pub fn digest(&self, context: &str, data: &[u8]) -> KeyedDigest {
        digest_with(self.0.newest().1, context, data)
    }

    /// Under the oldest key, so that rotation leaves it what it is: for what must be the same for ever.
    pub fn first_key_digest(&self, context: &str, data: &[u8]) -> KeyedDigest {
        digest_with(self.0.oldest(), context, data)
    }

    /// Whether any version of the key made this digest. Takes the same time whatever the answer.
    pub fn verify(&self, context: &str, data: &[u8], digest: &KeyedDigest) -> bool {
        self.0
            .iter()
            .map(|(_, key)| digest_with(key, context, data).0.ct_eq(&digest.0))
            .fold(Choice::from(0), |any, this| any | this)
            .into()
    }

    /// Under every version, newest first: what a look-up of a stored hash must try while keys overlap.
    pub fn digests(&self, context: &str, data: &[u8]) -> Vec<KeyedDigest> {
        self.0.iter().map(|(_, key)| digest_with(key, context, data)).collect()
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac([redacted])")
    }
}

/// The context's length goes first, so that no part of the data can pass for context.
fn digest_with(key: &hmac::Key, context: &str, data: &[u8]) -> KeyedDigest {
    let mut hmac = hmac::Context::with_key(key);
    hmac.update(&(context.len() as u64).to_be_bytes());
    hmac.update(context.as_bytes());
    hmac.update(data);
    KeyedDigest(fixed(hmac.sign().as_ref()))
}

/// A hash without a key, for what anybody should be able to compute again (FIPS 180-4). Framed like the keyed ones.
pub fn sha256(context: &str, data: &[u8]) -> KeyedDigest {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&(context.len() as u64).to_be_bytes());
    hash.update(context.as_bytes());
    hash.update(data);
    KeyedDigest(fixed(hash.finish().as_ref()))
}

fn fixed(hash: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (out, byte) in bytes.iter_mut().zip(hash) {
        *out = *byte;
    }
    bytes
}

#[cfg(test)]
mod tests;
