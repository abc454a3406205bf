//! The keys that the database of a test begins with. To make them takes longer than most tests do, so all databases of a process
//! begin with the same.

use anteroom_flows::keys::signing_keys::{KeyMaker, NewKeys};
use anteroom_oidc::SigningAlgorithm;
use anteroom_oidc::jwe::{DecryptionKey, EncryptionKeyType};
use anteroom_oidc::keys::SigningKey;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

type Private = Zeroizing<Vec<u8>>;

static SIGNING_KEYS: Mutex<Vec<(SigningAlgorithm, Private)>> = Mutex::new(Vec::new());
static DECRYPTION_KEYS: Mutex<Vec<(EncryptionKeyType, Private)>> = Mutex::new(Vec::new());

/// Of one database: the second key of an algorithm, or of a kind, is a new one.
#[derive(Debug, Default)]
pub(crate) struct FirstKeys {
    algorithms: Mutex<Vec<SigningAlgorithm>>,
    kinds: Mutex<Vec<EncryptionKeyType>>,
}

impl KeyMaker for FirstKeys {
    fn signing_key(&self, algorithm: SigningAlgorithm) -> Option<(SigningKey, Private)> {
        if !is_first(&self.algorithms, algorithm) {
            return NewKeys.signing_key(algorithm);
        }
        let private = made_once(&SIGNING_KEYS, algorithm, || Some(NewKeys.signing_key(algorithm)?.1))?;
        Some((SigningKey::from_pkcs8(algorithm, &private).ok()?, private))
    }

    fn decryption_key(&self, kind: EncryptionKeyType) -> Option<(DecryptionKey, Private)> {
        if !is_first(&self.kinds, kind) {
            return NewKeys.decryption_key(kind);
        }
        let private = made_once(&DECRYPTION_KEYS, kind, || Some(NewKeys.decryption_key(kind)?.1))?;
        Some((DecryptionKey::from_der(kind, &private).ok()?, private))
    }
}

fn is_first<T: PartialEq>(asked_for: &Mutex<Vec<T>>, one: T) -> bool {
    let mut asked_for = asked_for.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = !asked_for.contains(&one);
    asked_for.push(one);
    is_first
}

fn made_once<T: PartialEq>(
    keys: &Mutex<Vec<(T, Private)>>,
    of: T,
    make: impl FnOnce() -> Option<Private>,
) -> Option<Private> {
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, key)) = keys.iter().find(|(other, _)| *other == of) {
        return Some(key.clone());
    }
    let key = make()?;
    keys.push((of, key.clone()));
    Some(key)
}
