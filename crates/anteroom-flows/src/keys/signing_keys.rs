//! Signing keys: made at first start, sealed at rest, rotated on schedule, and the keys that others encrypt to with them.
//!
//! Invariants: a new key is published before it signs; an old one stays published until nothing that it signed can be
//! alive.

use anteroom_crypto::{KeyPurpose, Keyring, Random};
use anteroom_domain::audit::Event;
use anteroom_oidc::SigningAlgorithm;
use anteroom_storage::{SigningKeyRow, Store, Tx};
use jiff::Timestamp;
use std::fmt::Debug;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::error::FlowError;
use crate::keys::encryption_keys;
use crate::keys::key_set::associated_data;
use crate::keys::rotation::{KeyPeriod, KeyReplacement, RotationSchedule, RotationStep, next_key};
pub use crate::keys::rotation::{RotationReason, RotationTrigger};
pub use crate::keys::schedule::{KeyMaker, KeySchedule, LEAD, NewKeys};

/// What a rotation has done to the signing keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Keys were made.
    pub made: bool,
    /// Keys that the schedule had made sign sooner than they would have.
    pub brought_forward: bool,
    /// When the successors sign that wait now.
    pub signs_from: Option<Timestamp>,
}

impl Rotated {
    const fn is_nothing(self) -> bool {
        !self.made && !self.brought_forward
    }
}

/// Makes what is missing or due, for every algorithm and every kind that is encrypted to.
#[tracing::instrument(name = "rotate_keys", skip_all)]
pub async fn rotate(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    schedule: &KeySchedule,
    when: (Timestamp, RotationTrigger),
) -> Result<Rotated, FlowError> {
    let rows = store.signing_keys().await?;
    let mut rotated = Rotated::default();
    for algorithm in &schedule.algorithms {
        let rotating = SigningKeyRotation { algorithm: *algorithm, pace: schedule.pace(), when };
        match rotating.change(&rows) {
            None => {}
            Some(RotationStep::Make(_)) => {
                rotated.made |= make(store, keyring, random, &schedule.maker, rotating, &rows).await?;
            }
            Some(RotationStep::BringForward { .. }) => {
                rotated.brought_forward |= bring_forward(store, random, rotating).await?;
            }
        }
    }
    // If the next signing keys exist already, a rotation by an operator changes nothing, and then the encryption keys stay as
    // well.
    if when.1 == RotationTrigger::Schedule || !rotated.is_nothing() {
        encryption_keys::rotate(store, keyring, random, schedule, when).await?;
    }
    let rows = store.signing_keys().await?;
    let terms: Vec<_> = rows.iter().map(term).collect();
    rotated.signs_from = next_key(&terms, when.0).map(|term| term.from);
    Ok(rotated)
}

#[derive(Clone, Copy)]
struct SigningKeyRotation {
    algorithm: SigningAlgorithm,
    pace: RotationSchedule,
    when: (Timestamp, RotationTrigger),
}

impl SigningKeyRotation {
    fn change(self, rows: &[SigningKeyRow]) -> Option<RotationStep> {
        let (now, occasion) = self.when;
        let same = rows.iter().filter(|row| row.algorithm == self.algorithm.as_str());
        self.pace.change(&same.map(term).collect::<Vec<_>>(), occasion, now)
    }

    /// Whether another node or the operator has made a key that signs at once since `before` was read. After a leak it is as
    /// good as ours, and ours would take its place before it has signed anything.
    fn is_replaced_already(self, before: &[String], rows: &[SigningKeyRow]) -> bool {
        rows.iter().any(|row| {
            let is_new = row.algorithm == self.algorithm.as_str() && !before.contains(&row.kid);
            is_new && row.signs_from <= row.created_at
        })
    }
}

fn term(row: &SigningKeyRow) -> KeyPeriod<'_> {
    KeyPeriod { kid: &row.kid, from: row.signs_from, until: row.signs_until, kept_until: row.published_until }
}

/// `false`: when the key was made, nothing was due any more.
async fn make(
    store: &Store,
    keyring: &Keyring,
    random: &Random,
    maker: &Arc<dyn KeyMaker>,
    rotating: SigningKeyRotation,
    before: &[SigningKeyRow],
) -> Result<bool, FlowError> {
    let SigningKeyRotation { algorithm, when: (now, occasion), .. } = rotating;
    let maker = Arc::clone(maker);
    let made = tokio::task::spawn_blocking(move || maker.signing_key(algorithm)).await;
    let (key, private) = made.ok().flatten().ok_or(FlowError::Broken("a signing key could not be made"))?;
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
    let audit = AuditContext::local(now, random);
    let before: Arc<[String]> = before.iter().map(|row| row.kid.clone()).collect();
    let write = store.write(move |tx| {
        let (mut row, audit, before) = (row.clone(), audit.clone(), Arc::clone(&before));
        async move {
            // Another node, or another operator, may have been faster while the key was made.
            tx.begin_change_of_keys().await?;
            let rows = tx.signing_keys().await?;
            if rotating.is_replaced_already(&before, &rows) {
                return Ok(false);
            }
            let Some(RotationStep::Make(succession)) = rotating.change(&rows) else { return Ok(false) };
            row.signs_from = succession.from;
            tx.insert_signing_key(&row).await?;
            let created = Event::SigningKeyCreated { kid: row.kid, algorithm: row.algorithm };
            tx.append(&audit.entry(occasion.actor(), created)).await?;
            retire(&tx, &audit, occasion, succession).await?;
            Ok::<_, FlowError>(true)
        }
    });
    write.await
}

/// `false`: the key signs at that time already, or was removed meanwhile.
async fn bring_forward(
    store: &Store,
    random: &Random,
    rotating: SigningKeyRotation,
) -> Result<bool, FlowError> {
    let (now, occasion) = rotating.when;
    let audit = AuditContext::local(now, random);
    let write = store.write(move |tx| {
        let audit = audit.clone();
        async move {
            tx.begin_change_of_keys().await?;
            let change = rotating.change(&tx.signing_keys().await?);
            let Some(RotationStep::BringForward { kid, succession }) = change else { return Ok(false) };
            tx.bring_forward_signing_key(&kid, succession.from).await?;
            let event = Event::SigningKeyBroughtForward { kid, signs_from: succession.from };
            tx.append(&audit.entry(occasion.actor(), event)).await?;
            retire(&tx, &audit, occasion, succession).await?;
            Ok::<_, FlowError>(true)
        }
    });
    write.await
}

async fn retire(
    tx: &Tx,
    audit: &AuditContext,
    occasion: RotationTrigger,
    succession: KeyReplacement,
) -> Result<(), FlowError> {
    for kid in succession.retiring {
        tx.retire_signing_key(&kid, succession.from, succession.kept_until).await?;
        tx.append(&audit.entry(occasion.actor(), Event::SigningKeyRetired { kid })).await?;
    }
    Ok(())
}
