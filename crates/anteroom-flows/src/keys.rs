//! Signing keys: made at first start, sealed at rest, rotated on schedule, and the keys that others encrypt to with them.
//!
//! Invariants: a new key is published before it signs; an old one stays published until nothing that it signed can be
//! alive.

use anteroom_crypto::{KeyPurpose, Keyring, Random};
use anteroom_domain::audit::Event;
use anteroom_oidc::SigningAlgorithm;
use anteroom_oidc::keys::{Jwks, SigningKey};
use anteroom_storage::{SigningKeyRow, Store};
use jiff::{SignedDuration, Timestamp};

use crate::encryption_keys;
use crate::error::FlowError;
use crate::key_set::associated_data;
pub use crate::succession::{Occasion, Reason};
use crate::succession::{Pace, Succession, Term};
use crate::trail::Origin;

/// How long a key that an operator asks for is published before it signs: a list of keys may be as old as the JWKS says, and
/// nodes and networks take their moments too.
pub const LEAD: SignedDuration = Jwks::MAX_AGE.saturating_add(SignedDuration::from_mins(1));

/// When keys follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchedule {
    pub algorithms: Vec<SigningAlgorithm>,
    pub rotate_every: SignedDuration,
    /// How long a new key is published before it signs, and an old one after it has stopped: at least what clients
    /// cache the JWKS for, and longer than any token lives.
    pub overlap: SignedDuration,
}

impl KeySchedule {
    fn pace(&self) -> Pace {
        Pace {
            every: self.rotate_every,
            lead_of_schedule: self.overlap,
            lead_of_operator: LEAD,
            overlap: self.overlap,
            // Whatever they signed is believed no more.
            overlap_after_leak: SignedDuration::ZERO,
        }
    }
}

/// Makes what is missing or due, for every algorithm and every kind that is encrypted to, and says whether there was
/// anything.
pub async fn rotate(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    schedule: &KeySchedule,
    when: (Timestamp, Occasion),
) -> Result<bool, FlowError> {
    let rows = store.signing_keys().await?;
    let mut changed = false;
    for algorithm in &schedule.algorithms {
        if succession(&rows, *algorithm, schedule.pace(), when).is_some() {
            changed |= succeed(store, keyring, random, (*algorithm, schedule.pace()), when).await?;
        }
    }
    Ok(encryption_keys::rotate(store, keyring, random, schedule, when).await? || changed)
}

fn succession(
    rows: &[SigningKeyRow],
    algorithm: SigningAlgorithm,
    pace: Pace,
    (now, occasion): (Timestamp, Occasion),
) -> Option<Succession> {
    let same = rows.iter().filter(|row| row.algorithm == algorithm.as_str());
    pace.succession(&same.map(term).collect::<Vec<_>>(), occasion, now)
}

fn term(row: &SigningKeyRow) -> Term<'_> {
    Term { kid: &row.kid, from: row.signs_from, until: row.signs_until, kept_until: row.published_until }
}

/// `false`: when the key was made, nothing was due any more.
async fn succeed(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    (algorithm, pace): (SigningAlgorithm, Pace),
    when: (Timestamp, Occasion),
) -> Result<bool, FlowError> {
    let (now, occasion) = when;
    // Finding primes takes a while: not on a thread that serves requests.
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    let made = made.map_err(|_| FlowError::Broken("a signing key could not be made"))?;
    let (key, private) = made.map_err(|_| FlowError::Broken("a signing key could not be made"))?;
    let kid = key.kid().as_str().to_owned();
    let row = SigningKeyRow {
        private_sealed: keyring.sealer(KeyPurpose::SigningSeal).seal(
            random,
            &associated_data(&kid),
            &private,
        ),
        public_jwk: serde_json::to_string(key.public().jwk()).map_err(|_| FlowError::Broken("jwk"))?,
        algorithm: algorithm.as_str().to_owned(),
        kid,
        created_at: now,
        signs_from: now,
        signs_until: None,
        published_until: None,
    };
    let origin = Origin::local(now, random);
    let write = store.write(move |tx| {
        let (mut row, origin) = (row.clone(), origin.clone());
        async move {
            // Another node, or an operator after a leak, may have been faster while the key was made.
            tx.begin_change_of_keys().await?;
            let rows = tx.signing_keys().await?;
            let Some(succession) = succession(&rows, algorithm, pace, when) else { return Ok(false) };
            row.signs_from = succession.from;
            tx.insert_signing_key(&row).await?;
            let created = Event::SigningKeyCreated { kid: row.kid, algorithm: row.algorithm };
            tx.append(&origin.entry(occasion.actor(), created)).await?;
            for kid in succession.retiring {
                tx.retire_signing_key(&kid, succession.from, succession.kept_until).await?;
                tx.append(&origin.entry(occasion.actor(), Event::SigningKeyRetired { kid })).await?;
            }
            Ok::<_, FlowError>(true)
        }
    });
    write.await
}
