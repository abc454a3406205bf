//! Taking an app off the account.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::FactorId;
use anteroom_domain::message::{AppChange, Mail, Message};
use anteroom_domain::totp::may_remove;
use anteroom_storage::{Tx, Unit};

use super::admitted_to_act;
use crate::context::call::{Call, Visit};
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

#[tracing::instrument(name = "remove_authenticator", skip_all)]
pub async fn remove(visit: &Visit, id: FactorId) -> Result<RemoveOutcome, FlowError> {
    let live = match admitted_to_act(visit).await? {
        Ok(live) => live,
        Err(next) => return Ok(RemoveOutcome::Elsewhere(next)),
    };
    let link = visit.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::AuthenticatorApp { at: visit.now, change: AppChange::Removed, link };
    let account = live.account.id;
    let unit = RemoveApp {
        call: visit.call.clone(),
        messages: notices(visit, &live.account, mail).await?,
        has_phone: !usable_phones(visit, account).await?.is_empty(),
        live,
        id,
    };
    visit.store().run(unit).await.1
}

struct RemoveApp {
    call: Call,
    live: ActiveSession,
    id: FactorId,
    has_phone: bool,
    messages: Vec<Message>,
}

impl Unit for RemoveApp {
    type Output = RemoveOutcome;
    type Error = FlowError;

    const NAME: &'static str = "remove_authenticator";

    /// Under the account's lock, so that of two apps that are removed at once one stays.
    async fn run(&self, tx: &Tx) -> Result<RemoveOutcome, FlowError> {
        let Self { call, live: ActiveSession { account, session, .. }, id, .. } = self;
        let locked = tx.lock_account(account.id).await?;
        if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
            return Ok(RemoveOutcome::NotThere);
        }
        let apps = tx.apps_of(account.id).await?;
        if !may_remove(&apps, *id, self.has_phone, call.now) {
            return Ok(RemoveOutcome::LastOne);
        }
        if !tx.remove_app(account.id, *id, call.now).await? {
            return Ok(RemoveOutcome::NotThere);
        }
        for message in &self.messages {
            tx.enqueue(message).await?;
        }
        let entry = call.entry(Actor::Account(account.id), Event::AuthenticatorAppRemoved);
        tx.append(&entry.in_session(session.id)).await?;
        Ok(RemoveOutcome::Removed)
    }
}
