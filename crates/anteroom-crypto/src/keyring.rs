//! The keys, sealed as stored and opened in memory.
//!
//! At rest each key is a [`SealedKey`]: 256 random bits sealed under the master key, the associated data naming the
//! table, the purpose and the version, so that no key can be put in another's place. At work a [`Keyring`] holds all
//! of them opened. A purpose may both seal and hash, so each use has a subkey of its own (one step of HMAC-SHA256).

use std::fmt;

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::{
    mac::Mac,
    master_key::MasterKey,
    purpose::{ByPurpose, KeyPurpose},
    random::Random,
    raw_key::RawKey,
    seal::{Parts, SealError, Sealer, seal_with},
    signer::{Signer, SigningFailed},
    versions::Versions,
};

/// The master key has no versions of its own: it is replaced, and everything under it sealed again.
const MASTER_VERSION: u32 = 0;

/// One key as the database keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    pub purpose: KeyPurpose,
    /// Counts from one within its purpose.
    pub version: u32,
    pub sealed: Vec<u8>,
    pub created_at_ms: i64,
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedKey")
            .field("purpose", &self.purpose)
            .field("version", &self.version)
            .field("created_at_ms", &self.created_at_ms)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    #[error("no key for {}", .0.as_str())]
    Missing(KeyPurpose),
    #[error("two keys for {} have the version {version}", .purpose.as_str())]
    Duplicate { purpose: KeyPurpose, version: u32 },
    #[error(
        "version {version} of the key for {} does not open: another master key, or an altered row",
        .purpose.as_str()
    )]
    Unopened { purpose: KeyPurpose, version: u32, source: SealError },
}

/// Every key, opened.
pub struct Keyring(ByPurpose<PurposeKeys>);

struct PurposeKeys {
    keys: Versions<RawKey>,
    sealer: Sealer,
    mac: Mac,
}

impl Keyring {
    /// Every purpose needs a key, and every key given must open.
    pub fn open(master: &MasterKey, sealed: &[SealedKey]) -> Result<Self, KeyringError> {
        let cipher = cipher_of(master);
        ByPurpose::try_build(|purpose| {
            let mut keys: Vec<(u32, RawKey)> = Vec::new();
            for key in sealed.iter().filter(|key| key.purpose == purpose) {
                if keys.iter().any(|(version, _)| *version == key.version) {
                    return Err(KeyringError::Duplicate { purpose, version: key.version });
                }
                keys.push((key.version, open_key(&cipher, key)?));
            }
            let keys = Versions::new(keys).ok_or(KeyringError::Missing(purpose))?;
            Ok(PurposeKeys { sealer: Sealer::new(&keys), mac: Mac::new(&keys), keys })
        })
        .map(Self)
    }

    /// A first key for every purpose that has none yet.
    pub fn generate_missing(
        master: &MasterKey,
        existing: &[SealedKey],
        random: &Random,
        now_ms: i64,
    ) -> Vec<SealedKey> {
        KeyPurpose::ALL
            .iter()
            .filter(|purpose| existing.iter().all(|key| key.purpose != **purpose))
            .map(|purpose| Self::rotate(master, *purpose, existing, random, now_ms))
            .collect()
    }

    /// The next version of one key, to be stored beside the older ones.
    pub fn rotate(
        master: &MasterKey,
        purpose: KeyPurpose,
        existing: &[SealedKey],
        random: &Random,
        now_ms: i64,
    ) -> SealedKey {
        let newest = existing.iter().filter(|key| key.purpose == purpose).map(|key| key.version).max();
        let version = newest.unwrap_or(0).saturating_add(1);
        let key = Zeroizing::new(random.bytes::<32>());
        let sealed = seal_key(&cipher_of(master), purpose, version, random, &*key);
        SealedKey { purpose, version, sealed, created_at_ms: now_ms }
    }

    /// The same keys under another master key.
    pub fn reseal(
        old: &MasterKey,
        new: &MasterKey,
        sealed: &[SealedKey],
        random: &Random,
    ) -> Result<Vec<SealedKey>, KeyringError> {
        let (old, new) = (cipher_of(old), cipher_of(new));
        sealed
            .iter()
            .map(|key| {
                let raw = open_key(&old, key)?;
                let sealed = seal_key(&new, key.purpose, key.version, random, raw.as_bytes());
                Ok(SealedKey { sealed, ..key.clone() })
            })
            .collect()
    }

    pub fn sealer(&self, purpose: KeyPurpose) -> &Sealer {
        &self.0.get(purpose).sealer
    }

    pub fn mac(&self, purpose: KeyPurpose) -> &Mac {
        &self.0.get(purpose).mac
    }

    /// Made anew each time: signing is rare.
    pub fn signer(&self, purpose: KeyPurpose) -> Result<Signer, SigningFailed> {
        Signer::new(&self.0.get(purpose).keys)
    }

    /// What password hashes are keyed with, by the version that they record.
    pub(crate) fn peppers(&self) -> Versions<Zeroizing<[u8; 32]>> {
        self.0.get(KeyPurpose::Pepper).keys.map(|key| key.subkey("pepper"))
    }

    /// A key of version one for every purpose, the same for the same seed.
    ///
    /// # Panics
    /// Never: what was just sealed opens.
    #[cfg(any(test, feature = "test-util"))]
    #[expect(clippy::expect_used, reason = "what was just sealed opens")]
    pub fn for_tests(seed: u64) -> Self {
        let random = Random::seeded(seed);
        let master = MasterKey::generate(&random);
        let sealed = Self::generate_missing(&master, &[], &random, 0);
        Self::open(&master, &sealed).expect("fresh keys under their own master key")
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring([redacted])")
    }
}

fn cipher_of(master: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(master.as_bytes().into())
}

fn seal_key(
    cipher: &XChaCha20Poly1305,
    purpose: KeyPurpose,
    version: u32,
    random: &Random,
    key: &[u8],
) -> Vec<u8> {
    let aad = key_aad(purpose, version);
    seal_with(cipher, MASTER_VERSION, random, aad.as_bytes(), key)
}

fn open_key(cipher: &XChaCha20Poly1305, key: &SealedKey) -> Result<RawKey, KeyringError> {
    let unopened = |source| KeyringError::Unopened { purpose: key.purpose, version: key.version, source };
    let parts = Parts::split(&key.sealed).map_err(unopened)?;
    if parts.version != MASTER_VERSION {
        return Err(unopened(SealError::UnknownVersion(parts.version)));
    }
    let plain = parts.open_with(cipher, key_aad(key.purpose, key.version).as_bytes()).map_err(unopened)?;
    let key = plain.as_slice().try_into().map_err(|_| unopened(SealError::Malformed))?;
    Ok(RawKey::new(key))
}

/// Table, column, row. No purpose's name contains a slash, so two rows never share it.
fn key_aad(purpose: KeyPurpose, version: u32) -> String {
    format!("sealed_keys/sealed/{}/{version}", purpose.as_str())
}

#[cfg(test)]
mod tests;
