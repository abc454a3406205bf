//! The keys that clients encrypt to, one of each kind: made at first start, sealed at rest, rotated with the signing keys.
//!
//! Invariants: a key is published once every node can decrypt with it; of each kind one is published at a time; one that is
//! published no more decrypts until nobody can have it in an old list.

use anteroom_crypto::{KeyPurpose, Keyring, Random};
use anteroom_domain::audit::{Actor, Event};
use anteroom_oidc::jwe::{DecryptionKey, DecryptionKeyKind};
use anteroom_storage::{EncryptionKeyRow, Store};
use jiff::{SignedDuration, Timestamp};

use crate::error::FlowError;
use crate::keys::{KeySchedule, LEAD, Reason};
use crate::trail::Origin;

/// Nodes take new keys up within a second, and read all of them again each minute.
const UNTIL_EVERY_NODE_HAS_IT: SignedDuration = SignedDuration::from_mins(1);

/// What is to happen to the keys of one kind: pure, so that it can be tested over time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Succession {
    /// When the new key is published, and the others are not any more.
    from: Timestamp,
    retiring: Vec<String>,
    /// How long those decrypt after that.
    overlap: SignedDuration,
}

impl Succession {
    /// `None`: nothing is due.
    fn due(keys: &[&EncryptionKeyRow], schedule: &KeySchedule, now: Timestamp) -> Option<Self> {
        let newest = keys.iter().map(|row| row.published_from).max();
        if newest.is_some_and(|newest| now.duration_since(newest) < schedule.rotate_every) {
            return None;
        }
        Some(Self::planned(keys, schedule, now))
    }

    fn planned(keys: &[&EncryptionKeyRow], schedule: &KeySchedule, now: Timestamp) -> Self {
        // Where none is published, nobody could have used another.
        let is_published = |row: &&&EncryptionKeyRow| {
            row.published_from <= now && row.published_until.is_none_or(|until| now < until)
        };
        let wait = if keys.iter().any(|row| is_published(&row)) {
            UNTIL_EVERY_NODE_HAS_IT
        } else {
            SignedDuration::ZERO
        };
        let from = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        let stays = |row: &&&EncryptionKeyRow| row.published_until.is_none_or(|until| until > from);
        let retiring = keys.iter().filter(stays).map(|row| row.kid.clone()).collect();
        Self { from, retiring, overlap: schedule.overlap }
    }

    /// Whoever reads along with the old keys reads what was encrypted to them, decrypted here or not. So they are published no
    /// more, and serve those who have an old list until it is none.
    fn after_leak(keys: &[&EncryptionKeyRow], now: Timestamp) -> Self {
        let decrypts = |row: &&&EncryptionKeyRow| row.decrypts_until.is_none_or(|until| until > now);
        let retiring = keys.iter().filter(decrypts).map(|row| row.kid.clone()).collect();
        Self { from: now, retiring, overlap: LEAD }
    }
}

/// Makes what is missing or due. Two nodes at once make one key too many at worst, never one too few.
pub(crate) async fn rotate(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    schedule: &KeySchedule,
    now: Timestamp,
) -> Result<bool, FlowError> {
    let rows = store.encryption_keys().await?;
    let mut changed = false;
    for kind in DecryptionKeyKind::ALL {
        if let Some(succession) = Succession::due(&of_kind(&rows, *kind), schedule, now) {
            succeed(store, keyring, random, (*kind, succession, Actor::System), now).await?;
            changed = true;
        }
    }
    Ok(changed)
}

pub(crate) async fn rotate_now(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    schedule: &KeySchedule,
    (now, reason): (Timestamp, Reason),
) -> Result<(), FlowError> {
    let rows = store.encryption_keys().await?;
    for kind in DecryptionKeyKind::ALL {
        let keys = of_kind(&rows, *kind);
        let succession = match reason {
            Reason::Planned => Succession::planned(&keys, schedule, now),
            Reason::Compromised => Succession::after_leak(&keys, now),
        };
        succeed(store, keyring, random, (*kind, succession, Actor::Operator), now).await?;
    }
    Ok(())
}

fn of_kind(rows: &[EncryptionKeyRow], kind: DecryptionKeyKind) -> Vec<&EncryptionKeyRow> {
    rows.iter().filter(|row| row.kind == kind.as_str()).collect()
}

async fn succeed(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    (kind, succession, actor): (DecryptionKeyKind, Succession, Actor),
    now: Timestamp,
) -> Result<(), FlowError> {
    const NOT_MADE: FlowError = FlowError::Broken("an encryption key could not be made");
    // Finding primes takes a while: not on a thread that serves requests.
    let made = tokio::task::spawn_blocking(move || DecryptionKey::generate(kind)).await;
    let (key, private) = made.map_err(|_| NOT_MADE)?.map_err(|_| NOT_MADE)?;
    let kid = key.kid().as_str().to_owned();
    let sealer = keyring.sealer(KeyPurpose::SigningSeal);
    let row = EncryptionKeyRow {
        private_sealed: sealer.seal(random, &associated_data(&kid), &private),
        kind: kind.as_str().to_owned(),
        kid,
        created_at: now,
        published_from: succession.from,
        published_until: None,
        decrypts_until: None,
    };
    let origin = Origin::local(now, random);
    let write = store.write(move |tx| {
        let (row, succession, origin) = (row.clone(), succession.clone(), origin.clone());
        async move {
            tx.insert_encryption_key(&row).await?;
            let created = Event::EncryptionKeyCreated { kid: row.kid, key: row.kind };
            tx.append(&origin.entry(actor, created)).await?;
            let gone = succession.from.checked_add(succession.overlap).unwrap_or(Timestamp::MAX);
            for kid in succession.retiring {
                tx.retire_encryption_key(&kid, succession.from, gone).await?;
                tx.append(&origin.entry(actor, Event::EncryptionKeyRetired { kid })).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await
}

/// The private half, for the set of keys in memory.
pub(crate) fn open(keyring: &Keyring, row: &EncryptionKeyRow) -> Result<DecryptionKey, FlowError> {
    let sealer = keyring.sealer(KeyPurpose::SigningSeal);
    let private = sealer
        .open(&associated_data(&row.kid), &row.private_sealed)
        .map_err(|_| FlowError::Broken("an encryption key that does not open under this master key"))?;
    let kind = row.kind.parse().map_err(|_| FlowError::Broken("an encryption key of an unknown kind"))?;
    DecryptionKey::from_der(kind, &private)
        .map_err(|_| FlowError::Broken("an encryption key that does not parse"))
}

fn associated_data(kid: &str) -> Vec<u8> {
    format!("encryption_keys\nprivate_sealed\n{kid}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn key(kid: &str, from: i64, until: Option<(i64, i64)>) -> EncryptionKeyRow {
        EncryptionKeyRow {
            kid: kid.to_owned(),
            kind: "RSA".to_owned(),
            private_sealed: Vec::new(),
            created_at: at(from),
            published_from: at(from),
            published_until: until.map(|(published, _)| at(published)),
            decrypts_until: until.map(|(_, decrypts)| at(decrypts)),
        }
    }

    #[test]
    fn one_takes_the_place_of_the_other_when_every_node_has_it() {
        let day = 24 * 60;
        let schedule = KeySchedule {
            algorithms: Vec::new(),
            rotate_every: SignedDuration::from_hours(24 * 90),
            overlap: SignedDuration::from_hours(24 * 7),
        };
        let (current, old) = (key("current", 0, None), key("old", -90 * day, Some((0, 7 * day))));
        let due = |keys: &[&EncryptionKeyRow], now| {
            Succession::due(keys, &schedule, at(now)).map(|due| (due.from, due.retiring))
        };
        assert_eq!(due(&[], 5), Some((at(5), vec![])));
        assert_eq!(due(&[&current, &old], 90 * day - 1), None);
        assert_eq!(due(&[&current, &old], 90 * day), Some((at(90 * day + 1), vec!["current".to_owned()])));
        let leaked = Succession::after_leak(&[&current, &old], at(day));
        assert_eq!((leaked.from, leaked.retiring.len(), leaked.overlap), (at(day), 2, LEAD));
        let leaked = Succession::after_leak(&[&current, &old], at(8 * day));
        assert_eq!(leaked.retiring, ["current"]);
    }
}
