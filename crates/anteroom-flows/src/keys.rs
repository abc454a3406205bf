//! Signing keys: made at first start, sealed at rest, rotated on schedule, and the keys that others encrypt to with them.
//!
//! Invariants: a new key is published before it signs; an old one stays published until nothing that it signed can be
//! alive.

use anteroom_crypto::{KeyPurpose, Keyring, Random};
use anteroom_domain::audit::{Actor, Event};
use anteroom_oidc::SigningAlgorithm;
use anteroom_oidc::keys::{Jwks, SigningKey};
use anteroom_storage::{SigningKeyRow, Store};
use jiff::{SignedDuration, Timestamp};

use crate::encryption_keys;
use crate::error::FlowError;
use crate::key_set::associated_data;
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

/// What rotation has to do: pure, so that it can be tested over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Nobody signs yet: sign at once.
    First,
    /// Publish a successor now, let it sign at `from`, and let the old key stop then.
    Succeed {
        from: Timestamp,
    },
    Rest,
}

/// For one algorithm, from the start times of its keys.
pub fn rotation(signs_from: &[Timestamp], schedule: &KeySchedule, now: Timestamp) -> Rotation {
    match signs_from.iter().max() {
        None => Rotation::First,
        Some(newest) if now.duration_since(*newest) >= schedule.rotate_every - schedule.overlap => {
            Rotation::Succeed { from: now.checked_add(schedule.overlap).unwrap_or(Timestamp::MAX) }
        }
        Some(_) => Rotation::Rest,
    }
}

/// Makes what is missing or due, for every algorithm and every kind that is encrypted to. Two nodes at once make one key too many at worst, never one too few.
pub async fn rotate(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    schedule: &KeySchedule,
    now: Timestamp,
) -> Result<bool, FlowError> {
    let rows = store.signing_keys().await?;
    let mut changed = false;
    for algorithm in &schedule.algorithms {
        let same = || rows.iter().filter(|row| row.algorithm == algorithm.as_str());
        let starts: Vec<_> = same().map(|row| row.signs_from).collect();
        let from = match rotation(&starts, schedule, now) {
            Rotation::Rest => continue,
            Rotation::First => now,
            Rotation::Succeed { from } => from,
        };
        let retiring = same().filter(|row| row.signs_until.is_none()).map(|row| row.kid.clone()).collect();
        let succession = Succession {
            algorithm: *algorithm,
            from,
            retiring,
            overlap: schedule.overlap,
            actor: Actor::System,
        };
        succeed(store, keyring, random, succession, now).await?;
        changed = true;
    }
    Ok(encryption_keys::rotate(store, keyring, random, schedule, now).await? || changed)
}

/// Why an operator wants other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Ahead of the schedule: the new keys are published at once and sign after [`LEAD`], so that no application meets a
    /// signature whose key it could not know.
    Planned,
    /// The old ones may be in wrong hands: the new keys sign at once, and the old are published no more. Nothing that they
    /// signed is believed from now on, however young.
    Compromised,
}

/// What it does about one algorithm's keys: pure, like [`rotation`].
struct Replacement {
    from: Timestamp,
    /// The keys that stop then.
    retiring: Vec<String>,
    overlap: SignedDuration,
}

fn replacement(
    keys: &[&SigningKeyRow],
    reason: Reason,
    schedule: &KeySchedule,
    now: Timestamp,
) -> Replacement {
    let named = |stops: &dyn Fn(&SigningKeyRow) -> bool| {
        keys.iter().filter(|row| stops(row)).map(|row| row.kid.clone()).collect()
    };
    match reason {
        Reason::Planned => {
            // Where none signs, nobody can be surprised, and somebody may be waiting.
            let signs = |row: &&&SigningKeyRow| {
                row.signs_from <= now && row.signs_until.is_none_or(|until| now < until)
            };
            let lead = if keys.iter().any(|row| signs(&row)) { LEAD } else { SignedDuration::ZERO };
            let from = now.checked_add(lead).unwrap_or(Timestamp::MAX);
            // What stops earlier anyway keeps its time.
            let retiring = named(&|row| row.signs_until.is_none_or(|until| until > from));
            Replacement { from, retiring, overlap: schedule.overlap }
        }
        Reason::Compromised => {
            let retiring = named(&|row| row.published_until.is_none_or(|until| until > now));
            Replacement { from: now, retiring, overlap: SignedDuration::ZERO }
        }
    }
}

/// A new key for every algorithm, ahead of the schedule.
pub async fn rotate_now(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    schedule: &KeySchedule,
    (now, reason): (Timestamp, Reason),
) -> Result<(), FlowError> {
    let rows = store.signing_keys().await?;
    for algorithm in &schedule.algorithms {
        let same: Vec<_> = rows.iter().filter(|row| row.algorithm == algorithm.as_str()).collect();
        let Replacement { from, retiring, overlap } = replacement(&same, reason, schedule, now);
        let succession =
            Succession { algorithm: *algorithm, from, retiring, overlap, actor: Actor::Operator };
        succeed(store, keyring, random, succession, now).await?;
    }
    encryption_keys::rotate_now(store, keyring, random, schedule, (now, reason)).await
}

#[derive(Clone)]
struct Succession {
    algorithm: SigningAlgorithm,
    from: Timestamp,
    retiring: Vec<String>,
    overlap: SignedDuration,
    actor: Actor,
}

async fn succeed(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    succession: Succession,
    now: Timestamp,
) -> Result<(), FlowError> {
    // Finding primes takes a while: not on a thread that serves requests.
    let algorithm = succession.algorithm;
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
        algorithm: succession.algorithm.as_str().to_owned(),
        kid,
        created_at: now,
        signs_from: succession.from,
        signs_until: None,
        published_until: None,
    };
    let origin = Origin::local(now, random);
    let write = store.write(move |tx| {
        let (row, succession, origin) = (row.clone(), succession.clone(), origin.clone());
        async move {
            tx.insert_signing_key(&row).await?;
            let created = Event::SigningKeyCreated { kid: row.kid.clone(), algorithm: row.algorithm.clone() };
            tx.append(&origin.entry(succession.actor, created)).await?;
            let gone = succession.from.checked_add(succession.overlap).unwrap_or(Timestamp::MAX);
            for kid in &succession.retiring {
                tx.retire_signing_key(kid, succession.from, gone).await?;
                let retired = Event::SigningKeyRetired { kid: kid.clone() };
                tx.append(&origin.entry(succession.actor, retired)).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn key(kid: &str, signs: (i64, Option<i64>), published_until: Option<i64>) -> SigningKeyRow {
        SigningKeyRow {
            kid: kid.to_owned(),
            algorithm: "RS256".to_owned(),
            public_jwk: String::new(),
            private_sealed: Vec::new(),
            created_at: at(0),
            signs_from: at(signs.0),
            signs_until: signs.1.map(at),
            published_until: published_until.map(at),
        }
    }

    #[test]
    fn a_planned_key_waits_for_old_lists_and_one_after_a_leak_does_not() {
        let day = 24 * 60;
        let schedule = KeySchedule {
            algorithms: vec![SigningAlgorithm::Rs256],
            rotate_every: SignedDuration::from_hours(24 * 90),
            overlap: SignedDuration::from_hours(24 * 7),
        };
        let now = 1_000 * day;
        let (signing, next) = (key("signing", (0, None), None), key("next", (now + day, None), None));
        let leaving = key("leaving", (0, Some(now + day)), Some(now + 8 * day));
        let nearly_done = key("nearly-done", (0, Some(now + 3)), Some(now + 7 * day));
        let done = key("done", (0, Some(now - day)), Some(now + 6 * day));
        let gone = key("gone", (0, Some(now - 9 * day)), Some(now - 2 * day));
        for (keys, reason, from, retiring) in [
            (vec![&signing], Reason::Planned, now + 6, vec!["signing"]),
            (vec![&signing, &done, &gone], Reason::Planned, now + 6, vec!["signing"]),
            // In the middle of a succession that the schedule began.
            (vec![&leaving, &next], Reason::Planned, now + 6, vec!["leaving", "next"]),
            (vec![&nearly_done, &next], Reason::Planned, now + 6, vec!["next"]),
            // Nobody is there to be waited for.
            (vec![], Reason::Planned, now, vec![]),
            (vec![&gone], Reason::Planned, now, vec![]),
            (vec![&leaving, &next, &done, &gone], Reason::Compromised, now, vec!["leaving", "next", "done"]),
        ] {
            let replacement = replacement(&keys, reason, &schedule, at(now));
            assert_eq!(replacement.from, at(from), "{keys:?}");
            assert_eq!(replacement.retiring, retiring, "{keys:?}");
            let overlap = if reason == Reason::Planned { schedule.overlap } else { SignedDuration::ZERO };
            assert_eq!(replacement.overlap, overlap);
        }
    }
}
