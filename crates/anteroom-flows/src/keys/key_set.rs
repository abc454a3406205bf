//! The signing and decryption keys of one moment, in memory. Every key is parsed once, when the set is built, and never when it
//! is used.

use anteroom_crypto::{KeyPurpose, Keyring};
use anteroom_oidc::SigningAlgorithm;
use anteroom_oidc::jwe::DecryptionKey;
use anteroom_oidc::keys::{Jwks, PublicKey, SigningKey};
use anteroom_storage::{SigningKeyRow, Store};
use jiff::Timestamp;

use crate::error::FlowError;
use crate::keys::encryption_keys;

/// The keys of one moment: for each algorithm the key that signs, all keys that decrypt, and all that are published. Immutable;
/// a rotation makes a new set.
#[derive(Debug)]
pub struct KeySet {
    signing: Vec<SigningKey>,
    decrypting: Vec<DecryptionKey>,
    jwks: Jwks,
    /// When a key next begins or stops to sign, to be published or to decrypt.
    changes_at: Option<Timestamp>,
}

impl KeySet {
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Result<&SigningKey, FlowError> {
        let found = self.signing.iter().find(|key| key.algorithm() == algorithm);
        found.ok_or(FlowError::Inconsistent("no signing key for an algorithm that a client uses"))
    }

    /// All keys that decrypt, also those that are not published yet, or not any more.
    pub fn decrypting(&self) -> &[DecryptionKey] {
        &self.decrypting
    }

    /// Whether one of the keys has begun or stopped since the set was built.
    pub fn is_outdated(&self, now: Timestamp) -> bool {
        self.changes_at.is_some_and(|at| at <= now)
    }

    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }
}

/// Reads the keys of the moment `now`.
pub async fn load(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<KeySet, FlowError> {
    let mut rows = store.signing_keys().await?;
    rows.retain(|row| row.published_until.is_none_or(|until| now < until));
    rows.sort_by_key(|row| std::cmp::Reverse(row.signs_from));
    let mut times: Vec<Timestamp> = Vec::new();
    let (mut signing, mut published): (Vec<SigningKey>, Vec<PublicKey>) = (Vec::new(), Vec::new());
    for row in &rows {
        let key = open(keyring, row)?;
        published.push(key.public().clone());
        times.push(row.signs_from);
        times.extend([row.signs_until, row.published_until].into_iter().flatten());
        let signs = row.signs_from <= now && row.signs_until.is_none_or(|until| now < until);
        if signs && signing.iter().all(|newer| newer.algorithm() != key.algorithm()) {
            signing.push(key);
        }
    }
    let mut rows = store.encryption_keys().await?;
    rows.retain(|row| row.decrypts_until.is_none_or(|until| now < until));
    for row in &rows {
        times.push(row.published_from);
        times.extend([row.published_until, row.decrypts_until].into_iter().flatten());
    }
    let decrypting: Vec<_> =
        rows.iter().map(|row| encryption_keys::open(keyring, row)).collect::<Result<_, _>>()?;
    let is_published = rows
        .iter()
        .map(|row| row.published_from <= now && row.published_until.is_none_or(|until| now < until));
    let encryption = decrypting.iter().zip(is_published).filter(|(_, is_published)| *is_published);
    let encryption: Vec<_> = encryption.map(|(key, _)| key.public_jwk()).collect();
    let jwks = Jwks::with_encryption(published, &encryption);
    let jwks = jwks.map_err(|_| FlowError::Inconsistent("two published keys with one id"))?;
    let changes_at = times.into_iter().filter(|at| *at > now).min();
    Ok(KeySet { signing, decrypting, jwks, changes_at })
}

fn open(keyring: &Keyring, row: &SigningKeyRow) -> Result<SigningKey, FlowError> {
    let private =
        keyring.sealer(KeyPurpose::SigningSeal).open(&associated_data(&row.kid), &row.private_sealed);
    let private = private
        .map_err(|_| FlowError::Inconsistent("a signing key that does not open under this master key"))?;
    let algorithm = row
        .algorithm
        .parse()
        .map_err(|_| FlowError::Inconsistent("a signing key of an unknown algorithm"))?;
    SigningKey::from_pkcs8(algorithm, &private)
        .map_err(|_| FlowError::Inconsistent("a signing key that does not parse"))
}

/// The associated data of a sealed private key.
pub(crate) fn associated_data(kid: &str) -> Vec<u8> {
    format!("signing_keys\nprivate_sealed\n{kid}").into_bytes()
}
