//! What a form causes once, however often the browser sends it: an audit entry, a request for a mail.

use anteroom_crypto::{KeyPurpose, KeyedDigest};
use anteroom_domain::audit::AuditEntry;
use anteroom_domain::interaction::ANSWER_REPEATED_FOR;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use crate::context::call::{Call, Visit};
use crate::context::refusals::is_beyond_limit;
use crate::error::FlowError;

const NAME_CONTEXT: &str = "effect of a form";

/// The name of an effect. It is recorded in the transaction of the effect, so that of two submissions, also at two nodes at once,
/// one has the effect.
pub(crate) struct FormEffect {
    /// `None`: no form was sent, and each request has the effect.
    name: Option<KeyedDigest>,
    now: Timestamp,
}

impl FormEffect {
    /// `act`: the effect, with what was entered. The same form with another entry is another try.
    pub(crate) fn of(visit: &Visit, act: &[&[u8]]) -> Self {
        let name = visit.sent_form.map(|form| form.submission_digest(visit, act));
        Self { name, now: visit.now }
    }

    /// An effect of whatever form or page names this: the identifier of an authorization request, of an account.
    pub(crate) fn named(call: &Call, act: &[&[u8]]) -> Self {
        let name = call.keyring().mac(KeyPurpose::TokenHash).digest(NAME_CONTEXT, &act.concat());
        Self { name: Some(name), now: call.now }
    }

    /// `false`: an earlier submission had the effect a moment ago.
    pub(crate) async fn is_first(&self, tx: &Tx) -> Result<bool, FlowError> {
        match &self.name {
            Some(form) => {
                let ends_at = self.now.checked_add(ANSWER_REPEATED_FOR).unwrap_or(Timestamp::MAX);
                Ok(tx.record_effect(form.as_bytes(), self.now, ends_at).await?)
            }
            None => Ok(true),
        }
    }

    /// Writes the entry of the effect.
    pub(crate) async fn append(&self, tx: &Tx, entry: &AuditEntry) -> Result<(), FlowError> {
        if self.is_first(tx).await? {
            tx.append(entry).await?;
        }
        Ok(())
    }
}

/// Writes the audit entry of a form that was refused, as [`crate::context::refusals::record_refusal`] does, and once for each form and
/// entry.
pub(crate) async fn record_refused_form(
    visit: &Visit,
    entry: AuditEntry,
    entered: &[&[u8]],
) -> Result<(), FlowError> {
    record_once(visit, entry, FormEffect::of(visit, entered)).await
}

pub(crate) async fn record_once(call: &Call, entry: AuditEntry, effect: FormEffect) -> Result<(), FlowError> {
    if is_beyond_limit(call, &entry) {
        return Ok(());
    }
    call.store().run(AppendOnce { entry, effect }).await.1
}

struct AppendOnce {
    entry: AuditEntry,
    effect: FormEffect,
}

impl Unit for AppendOnce {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "append_once";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        self.effect.append(tx, &self.entry).await
    }
}
