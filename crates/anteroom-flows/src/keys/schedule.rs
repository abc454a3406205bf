//! When keys are made and used, and what makes them.

use anteroom_oidc::SigningAlgorithm;
use anteroom_oidc::jwe::{DecryptionKey, EncryptionKeyType};
use anteroom_oidc::keys::{Jwks, SigningKey};
use jiff::SignedDuration;
use std::fmt::Debug;
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::keys::rotation::RotationSchedule;

/// How long a key that an operator asks for is published before it signs: clients may cache the JWKS for its `max-age`, and one
/// minute is added for nodes and networks.
pub const OPERATOR_LEAD_TIME: SignedDuration = Jwks::MAX_AGE.saturating_add(SignedDuration::from_mins(1));

/// Makes private keys, each with its DER form, which must be sealed before it is stored. Finding primes takes a while, so
/// callers use a thread that serves no requests.
pub trait KeyMaker: Debug + Send + Sync {
    fn signing_key(&self, algorithm: SigningAlgorithm) -> Option<(SigningKey, Zeroizing<Vec<u8>>)>;
    fn decryption_key(&self, kind: EncryptionKeyType) -> Option<(DecryptionKey, Zeroizing<Vec<u8>>)>;
}

/// Makes a new key each time.
#[derive(Clone, Copy, Debug)]
pub struct NewKeys;

impl KeyMaker for NewKeys {
    fn signing_key(&self, algorithm: SigningAlgorithm) -> Option<(SigningKey, Zeroizing<Vec<u8>>)> {
        SigningKey::generate(algorithm).ok()
    }

    fn decryption_key(&self, kind: EncryptionKeyType) -> Option<(DecryptionKey, Zeroizing<Vec<u8>>)> {
        DecryptionKey::generate(kind).ok()
    }
}

/// When keys are replaced, and what makes them.
#[derive(Clone, Debug)]
pub struct KeySchedule {
    pub maker: Arc<dyn KeyMaker>,
    pub algorithms: Vec<SigningAlgorithm>,
    pub rotate_every: SignedDuration,
    /// How long a new key is published before it signs, and an old one after it has stopped: at least as long as clients
    /// cache the JWKS, and longer than the lifetime of any token.
    pub overlap: SignedDuration,
}

impl KeySchedule {
    pub(crate) fn of_signing_keys(&self) -> RotationSchedule {
        RotationSchedule {
            every: self.rotate_every,
            lead_of_schedule: self.overlap,
            lead_of_operator: OPERATOR_LEAD_TIME,
            overlap: self.overlap,
            // Signatures of leaked keys are not accepted any more.
            overlap_after_leak: SignedDuration::ZERO,
        }
    }
}
