//! Signing keys: made at first start, sealed at rest, rotated on schedule, together with the encryption keys.
//!
//! Invariants: a new key is published before it signs; an old one stays published until everything that it signed has
//! expired.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::Event;
use anteroom_oidc::SigningAlgorithm;
use anteroom_storage::{SigningKeyRow, Tx, Unit};
use jiff::Timestamp;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::error::FlowError;
use crate::keys::encryption_keys;
pub use crate::keys::key_rotation::KeyRotation;
use crate::keys::key_set::associated_data;
use crate::keys::rotation::{KeyPeriod, KeyReplacement, RotationSchedule, RotationStep, next_key};
pub use crate::keys::rotation::{RotationReason, RotationTrigger};
pub use crate::keys::schedule::{KeyMaker, KeySchedule, NewKeys, OPERATOR_LEAD_TIME};

/// What a rotation has changed of the signing keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Keys were made.
    pub made: bool,
    /// Keys that the schedule had made before now sign sooner than they would have.
    pub brought_forward: bool,
    /// When the keys begin to sign that do not sign yet.
    pub signs_from: Option<Timestamp>,
}

impl Rotated {
    const fn is_nothing(self) -> bool {
        !self.made && !self.brought_forward
    }
}

/// Makes the keys that are missing or due, for every signing algorithm and every kind of encryption key.
#[tracing::instrument(name = "rotate_keys", skip_all)]
pub async fn rotate(rotation: KeyRotation<'_>) -> Result<Rotated, FlowError> {
    let KeyRotation { store, schedule, trigger, .. } = rotation;
    let rows = store.signing_keys().await?;
    let mut rotated = Rotated::default();
    for algorithm in &schedule.algorithms {
        let due = SigningKeyRotation {
            algorithm: *algorithm,
            schedule: schedule.of_signing_keys(),
            trigger,
            now: rotation.audit.now,
        };
        match due.change(&rows) {
            None => {}
            Some(RotationStep::Make(_)) => rotated.made |= make(&rotation, due, &rows).await?,
            Some(RotationStep::BringForward { .. }) => {
                let unit = BringForward { due, audit: rotation.audit.clone() };
                rotated.brought_forward |= store.run(unit).await.1?;
            }
        }
    }
    // Where the next signing keys exist already, a rotation by an operator changes nothing, and the encryption keys stay as well.
    if trigger == RotationTrigger::Schedule || !rotated.is_nothing() {
        encryption_keys::rotate(&rotation).await?;
    }
    let rows = store.signing_keys().await?;
    let periods: Vec<_> = rows.iter().map(period).collect();
    rotated.signs_from = next_key(&periods, rotation.audit.now).map(|key| key.from);
    Ok(rotated)
}

/// What the schedule or the operator asks of the keys of one algorithm.
#[derive(Clone, Copy)]
struct SigningKeyRotation {
    algorithm: SigningAlgorithm,
    schedule: RotationSchedule,
    trigger: RotationTrigger,
    now: Timestamp,
}

impl SigningKeyRotation {
    fn change(self, rows: &[SigningKeyRow]) -> Option<RotationStep> {
        let same = rows.iter().filter(|row| row.algorithm == self.algorithm.as_str());
        self.schedule.change(&same.map(period).collect::<Vec<_>>(), self.trigger, self.now)
    }

    /// Whether another node or operator has made a key that signs at once since `before` was read. After a leak, that key is
    /// sufficient, and a second new key would replace it before it has signed anything.
    fn is_replaced_already(self, before: &[String], rows: &[SigningKeyRow]) -> bool {
        rows.iter().any(|row| {
            let is_new = row.algorithm == self.algorithm.as_str() && !before.contains(&row.kid);
            is_new && row.signs_from <= row.created_at
        })
    }
}

fn period(row: &SigningKeyRow) -> KeyPeriod<'_> {
    KeyPeriod { kid: &row.kid, from: row.signs_from, until: row.signs_until, kept_until: row.published_until }
}

/// `false`: no key was due any more once this one was made.
async fn make(
    rotation: &KeyRotation<'_>,
    due: SigningKeyRotation,
    before: &[SigningKeyRow],
) -> Result<bool, FlowError> {
    let (algorithm, maker) = (due.algorithm, Arc::clone(&rotation.schedule.maker));
    let made = tokio::task::spawn_blocking(move || maker.signing_key(algorithm)).await;
    let (key, private) =
        made.ok().flatten().ok_or(FlowError::Inconsistent("a signing key could not be made"))?;
    let kid = key.kid().as_str().to_owned();
    let sealer = rotation.keyring.sealer(KeyPurpose::SigningSeal);
    let row = SigningKeyRow {
        private_sealed: sealer.seal(&rotation.audit.random, &associated_data(&kid), &private),
        public_jwk: serde_json::to_string(key.public().jwk()).map_err(|_| FlowError::Inconsistent("jwk"))?,
        algorithm: algorithm.as_str().to_owned(),
        kid,
        created_at: due.now,
        signs_from: due.now,
        signs_until: None,
        published_until: None,
    };
    let before = before.iter().map(|row| row.kid.clone()).collect();
    rotation.store.run(InsertSigningKey { row, due, before, audit: rotation.audit.clone() }).await.1
}

struct InsertSigningKey {
    row: SigningKeyRow,
    due: SigningKeyRotation,
    /// The keys that were there before this one was made.
    before: Vec<String>,
    audit: AuditContext,
}

impl Unit for InsertSigningKey {
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "insert_signing_key";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { row, due, before, audit } = self;
        // Another node or operator may have made a key in the meantime.
        tx.begin_change_of_keys().await?;
        let rows = tx.signing_keys().await?;
        if due.is_replaced_already(before, &rows) {
            return Ok(false);
        }
        let Some(RotationStep::Make(replacement)) = due.change(&rows) else { return Ok(false) };
        tx.insert_signing_key(SigningKeyRow { signs_from: replacement.from, ..row.clone() }).await?;
        let created = Event::SigningKeyCreated { kid: row.kid.clone(), algorithm: due.algorithm.as_str() };
        tx.append(&audit.entry(due.trigger.actor(), created)).await?;
        retire(tx, audit, due.trigger, replacement).await?;
        Ok(true)
    }
}

/// Lets a key that does not sign yet sign sooner.
struct BringForward {
    due: SigningKeyRotation,
    audit: AuditContext,
}

impl Unit for BringForward {
    /// `false`: in the meantime the key signs as soon as that, or is gone.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "bring_forward_signing_key";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { due, audit } = self;
        tx.begin_change_of_keys().await?;
        let change = due.change(&tx.signing_keys().await?);
        let Some(RotationStep::BringForward { kid, replacement }) = change else { return Ok(false) };
        tx.bring_forward_signing_key(&kid, replacement.from).await?;
        let event = Event::SigningKeyBroughtForward { kid, signs_from: replacement.from };
        tx.append(&audit.entry(due.trigger.actor(), event)).await?;
        retire(tx, audit, due.trigger, replacement).await?;
        Ok(true)
    }
}

async fn retire(
    tx: &Tx,
    audit: &AuditContext,
    trigger: RotationTrigger,
    replacement: KeyReplacement,
) -> Result<(), FlowError> {
    for kid in replacement.retiring {
        tx.retire_signing_key(&kid, replacement.from, replacement.kept_until).await?;
        tx.append(&audit.entry(trigger.actor(), Event::SigningKeyRetired { kid })).await?;
    }
    Ok(())
}
