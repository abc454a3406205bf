//! The keys that clients encrypt to, one of each kind: made at first start, sealed at rest, rotated with the signing keys.
//!
//! Invariants: a key is published once every node can decrypt with it; of each kind one is published at a time; one that is
//! published no more decrypts until no client can have it in an old list.

use anteroom_crypto::{KeyPurpose, Keyring, Random};
use anteroom_domain::audit::Event;
use anteroom_oidc::jwe::{DecryptionKey, DecryptionKeyKind};
use anteroom_storage::{EncryptionKeyRow, Store};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::error::FlowError;
use crate::keys::rotation::{KeyPeriod, KeyReplacement, RotationSchedule, RotationStep, RotationTrigger};
use crate::keys::schedule::{KeySchedule, LEAD};

/// Nodes take new keys up within a second, and read all of them again each minute.
const UNTIL_EVERY_NODE_HAS_IT: SignedDuration = SignedDuration::from_mins(1);

fn pace(schedule: &KeySchedule) -> RotationSchedule {
    RotationSchedule {
        every: schedule.rotate_every,
        lead_of_schedule: UNTIL_EVERY_NODE_HAS_IT,
        lead_of_operator: UNTIL_EVERY_NODE_HAS_IT,
        overlap: schedule.overlap,
        // An attacker who has the old private keys can read what is encrypted to them, so they are not published any more. They
        // still decrypt for LEAD, because clients may use a cached JWKS for as long.
        overlap_after_leak: LEAD,
    }
}

/// Makes what is missing or due.
pub(crate) async fn rotate(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    schedule: &KeySchedule,
    when: (Timestamp, RotationTrigger),
) -> Result<(), FlowError> {
    let (rows, pace) = (store.encryption_keys().await?, pace(schedule));
    for kind in DecryptionKeyKind::ALL {
        if succession(&rows, *kind, pace, when).is_some() {
            make_encryption_key(store, keyring, random, (*kind, schedule), when, &rows).await?;
        }
    }
    Ok(())
}

fn succession(
    rows: &[EncryptionKeyRow],
    kind: DecryptionKeyKind,
    pace: RotationSchedule,
    (now, occasion): (Timestamp, RotationTrigger),
) -> Option<KeyReplacement> {
    let same = rows.iter().filter(|row| row.kind == kind.as_str());
    match pace.change(&same.map(term).collect::<Vec<_>>(), occasion, now) {
        Some(RotationStep::Make(succession)) => Some(succession),
        // The lead of the schedule is that of an operator, so one that waits serves as soon as it can.
        Some(RotationStep::BringForward { .. }) | None => None,
    }
}

fn term(row: &EncryptionKeyRow) -> KeyPeriod<'_> {
    KeyPeriod {
        kid: &row.kid,
        from: row.published_from,
        until: row.published_until,
        kept_until: row.decrypts_until,
    }
}

/// Making a key takes a while. If no rotation is due any more when it is ready, the key is dropped.
async fn make_encryption_key(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    (kind, schedule): (DecryptionKeyKind, &KeySchedule),
    when: (Timestamp, RotationTrigger),
    before: &[EncryptionKeyRow],
) -> Result<(), FlowError> {
    const NOT_MADE: FlowError = FlowError::Broken("an encryption key could not be made");
    let (now, occasion) = when;
    let (maker, pace) = (Arc::clone(&schedule.maker), pace(schedule));
    let made = tokio::task::spawn_blocking(move || maker.decryption_key(kind)).await;
    let (key, private) = made.ok().flatten().ok_or(NOT_MADE)?;
    let kid = key.kid().as_str().to_owned();
    let sealer = keyring.sealer(KeyPurpose::SigningSeal);
    let row = EncryptionKeyRow {
        private_sealed: sealer.seal(random, &associated_data(&kid), &private),
        kind: kind.as_str().to_owned(),
        kid,
        created_at: now,
        published_from: now,
        published_until: None,
        decrypts_until: None,
    };
    let audit = AuditContext::local(now, random);
    let before: Arc<[String]> = before.iter().map(|row| row.kid.clone()).collect();
    let write = store.write(move |tx| {
        let (mut row, audit, before) = (row.clone(), audit.clone(), Arc::clone(&before));
        async move {
            // As with signing keys.
            tx.begin_change_of_keys().await?;
            let rows = tx.encryption_keys().await?;
            if is_replaced_already(&rows, kind, &before) {
                return Ok(());
            }
            let Some(succession) = succession(&rows, kind, pace, when) else { return Ok(()) };
            row.published_from = succession.from;
            tx.insert_encryption_key(&row).await?;
            let created = Event::EncryptionKeyCreated { kid: row.kid, key: row.kind };
            tx.append(&audit.entry(occasion.actor(), created)).await?;
            for kid in succession.retiring {
                tx.retire_encryption_key(&kid, succession.from, succession.kept_until).await?;
                tx.append(&audit.entry(occasion.actor(), Event::EncryptionKeyRetired { kid })).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await
}

fn is_replaced_already(rows: &[EncryptionKeyRow], kind: DecryptionKeyKind, before: &[String]) -> bool {
    rows.iter().any(|row| {
        let is_new = row.kind == kind.as_str() && !before.contains(&row.kid);
        is_new && row.published_from <= row.created_at
    })
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
