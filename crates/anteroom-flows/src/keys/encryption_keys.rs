//! The keys that clients encrypt to, one of each kind: made at first start, sealed at rest, rotated with the signing keys.
//!
//! Invariants: a key is published once every node can decrypt with it; of each kind one is published at a time; a key that is not
//! published any more decrypts until no client can have it in a cached JWKS.

use anteroom_crypto::{KeyPurpose, Keyring};
use anteroom_domain::audit::Event;
use anteroom_oidc::jwe::{DecryptionKey, EncryptionKeyType};
use anteroom_storage::{EncryptionKeyRow, Tx, Unit};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::error::FlowError;
use crate::keys::key_rotation::KeyRotation;
use crate::keys::rotation::{KeyPeriod, KeyReplacement, RotationSchedule, RotationStep, RotationTrigger};
use crate::keys::schedule::{KeySchedule, OPERATOR_LEAD_TIME};

/// Nodes read new keys within a second, and all keys again each minute.
const NODE_LEAD_TIME: SignedDuration = SignedDuration::from_mins(1);

fn rotation_schedule(schedule: &KeySchedule) -> RotationSchedule {
    RotationSchedule {
        every: schedule.rotate_every,
        lead_of_schedule: NODE_LEAD_TIME,
        lead_of_operator: NODE_LEAD_TIME,
        overlap: schedule.overlap,
        // An attacker who has the old private keys can read what is encrypted to them, so they are not published any more. They
        // still decrypt for LEAD, because clients may use a cached JWKS for as long.
        overlap_after_leak: OPERATOR_LEAD_TIME,
    }
}

/// Makes the keys that are missing or due.
pub(crate) async fn rotate(rotation: &KeyRotation<'_>) -> Result<(), FlowError> {
    let rows = rotation.store.encryption_keys().await?;
    for kind in EncryptionKeyType::ALL {
        let due = EncryptionKeyRotation {
            kind: *kind,
            schedule: rotation_schedule(rotation.schedule),
            trigger: rotation.trigger,
            now: rotation.audit.now,
        };
        if due.replacement(&rows).is_some() {
            make(rotation, due, &rows).await?;
        }
    }
    Ok(())
}

/// What the schedule or the operator asks of the keys of one kind.
#[derive(Clone, Copy)]
struct EncryptionKeyRotation {
    kind: EncryptionKeyType,
    schedule: RotationSchedule,
    trigger: RotationTrigger,
    now: Timestamp,
}

impl EncryptionKeyRotation {
    fn replacement(self, rows: &[EncryptionKeyRow]) -> Option<KeyReplacement> {
        let same = rows.iter().filter(|row| row.kind == self.kind.as_str());
        match self.schedule.change(&same.map(period).collect::<Vec<_>>(), self.trigger, self.now) {
            Some(RotationStep::Make(replacement)) => Some(replacement),
            // Both leads are equal, so the key that is not in use yet will be as soon as a new one could be.
            Some(RotationStep::BringForward { .. }) | None => None,
        }
    }
}

fn period(row: &EncryptionKeyRow) -> KeyPeriod<'_> {
    KeyPeriod {
        kid: &row.kid,
        from: row.published_from,
        until: row.published_until,
        kept_until: row.decrypts_until,
    }
}

/// Making a key takes a while. Where no rotation is due any more once the key is made, the key is dropped.
async fn make(
    rotation: &KeyRotation<'_>,
    due: EncryptionKeyRotation,
    before: &[EncryptionKeyRow],
) -> Result<(), FlowError> {
    let (kind, maker) = (due.kind, Arc::clone(&rotation.schedule.maker));
    let made = tokio::task::spawn_blocking(move || maker.decryption_key(kind)).await;
    let made = made.ok().flatten();
    let (key, private) = made.ok_or(FlowError::Inconsistent("an encryption key could not be made"))?;
    let kid = key.kid().as_str().to_owned();
    let sealer = rotation.keyring.sealer(KeyPurpose::SigningSeal);
    let row = EncryptionKeyRow {
        private_sealed: sealer.seal(&rotation.audit.random, &associated_data(&kid), &private),
        kind: kind.as_str().to_owned(),
        kid,
        created_at: due.now,
        published_from: due.now,
        published_until: None,
        decrypts_until: None,
    };
    let before = before.iter().map(|row| row.kid.clone()).collect();
    rotation.store.run(InsertEncryptionKey { row, due, before, audit: rotation.audit.clone() }).await.1
}

struct InsertEncryptionKey {
    row: EncryptionKeyRow,
    due: EncryptionKeyRotation,
    /// The keys that were there before this one was made.
    before: Vec<String>,
    audit: AuditContext,
}

impl Unit for InsertEncryptionKey {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "insert_encryption_key";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        let Self { row, due, before, audit } = self;
        // Another node or operator may have made a key in the meantime.
        tx.begin_change_of_keys().await?;
        let rows = tx.encryption_keys().await?;
        if is_replaced_already(&rows, due.kind, before) {
            return Ok(());
        }
        let Some(replacement) = due.replacement(&rows) else { return Ok(()) };
        let from = replacement.from;
        tx.insert_encryption_key(EncryptionKeyRow { published_from: from, ..row.clone() }).await?;
        let created = Event::EncryptionKeyCreated { kid: row.kid.clone(), key: due.kind.as_str() };
        tx.append(&audit.entry(due.trigger.actor(), created)).await?;
        for kid in replacement.retiring {
            tx.retire_encryption_key(&kid, from, replacement.kept_until).await?;
            tx.append(&audit.entry(due.trigger.actor(), Event::EncryptionKeyRetired { kid })).await?;
        }
        Ok(())
    }
}

fn is_replaced_already(rows: &[EncryptionKeyRow], kind: EncryptionKeyType, before: &[String]) -> bool {
    rows.iter().any(|row| {
        let is_new = row.kind == kind.as_str() && !before.contains(&row.kid);
        is_new && row.published_from <= row.created_at
    })
}

/// Opens the sealed private key.
pub(crate) fn open(keyring: &Keyring, row: &EncryptionKeyRow) -> Result<DecryptionKey, FlowError> {
    let sealer = keyring.sealer(KeyPurpose::SigningSeal);
    let private = sealer
        .open(&associated_data(&row.kid), &row.private_sealed)
        .map_err(|_| FlowError::Inconsistent("an encryption key that does not open under this master key"))?;
    let kind =
        row.kind.parse().map_err(|_| FlowError::Inconsistent("an encryption key of an unknown kind"))?;
    DecryptionKey::from_der(kind, &private)
        .map_err(|_| FlowError::Inconsistent("an encryption key that does not parse"))
}

fn associated_data(kid: &str) -> Vec<u8> {
    format!("encryption_keys\nprivate_sealed\n{kid}").into_bytes()
}
