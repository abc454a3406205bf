//! Taking an app off the account.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::FactorId;
use anteroom_domain::message::{AppChange, Mail, Message};
use anteroom_domain::totp::may_remove;
use anteroom_storage::Tx;
use std::sync::Arc;

use super::admitted_to_act;
use crate::context::call::Visit;
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::interaction::next::Next;
use crate::interaction::phones::usable_phones;
use crate::messages::notices::notices;

#[derive(Debug)]
pub enum RemoveOutcome {
    Removed,
    /// The account has no such app, or none any more: nothing was changed.
    NotThere,
    /// Nothing else serves as a second factor: it stays.
    LastOne,
    Elsewhere(Next),
}

struct RemoveAuthenticatorUnit {
    live: ActiveSession,
    id: FactorId,
    has_phone: bool,
    messages: Vec<Message>,
    entry: AuditEntry,
}

#[tracing::instrument(name = "remove_authenticator", skip_all)]
pub async fn remove(visit: &Visit, id: FactorId) -> Result<RemoveOutcome, FlowError> {
    let live = match admitted_to_act(visit).await? {
        Ok(live) => live,
        Err(next) => return Ok(RemoveOutcome::Elsewhere(next)),
    };
    let link = visit.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::AuthenticatorApp { at: visit.now, change: AppChange::Removed, link };
    let account = live.account.id;
    let prepared = Arc::new(RemoveAuthenticatorUnit {
        messages: notices(visit, &live.account, mail).await?,
        has_phone: !usable_phones(visit, account).await?.is_empty(),
        entry: visit
            .entry(Actor::Account(account), Event::AuthenticatorAppRemoved)
            .in_session(live.session.id),
        live,
        id,
    });
    let write = visit.store().write(move |tx: Tx| {
        let prepared = Arc::clone(&prepared);
        async move { settle(&tx, &prepared).await }
    });
    write.await
}

/// Under the account's lock, so that of two apps that are removed at once one stays.
async fn settle(tx: &Tx, prepared: &RemoveAuthenticatorUnit) -> Result<RemoveOutcome, FlowError> {
    let (account, id) = (&prepared.live.account, prepared.id);
    let locked = tx.lock_account(account.id).await?;
    if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
        return Ok(RemoveOutcome::NotThere);
    }
    let apps = tx.apps_of(account.id).await?;
    if !may_remove(&apps, id, prepared.has_phone, prepared.entry.at) {
        return Ok(RemoveOutcome::LastOne);
    }
    if !tx.remove_app(account.id, id, prepared.entry.at).await? {
        return Ok(RemoveOutcome::NotThere);
    }
    for message in &prepared.messages {
        tx.enqueue(message).await?;
    }
    tx.append(&prepared.entry).await?;
    Ok(RemoveOutcome::Removed)
}
