//! Removing an app from the account.

use anteroom_domain::account::AccountEpoch;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{AccountId, AuthenticatorAppId};
use anteroom_domain::message::{AppChange, Mail, Message};
use anteroom_domain::totp::may_remove;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use super::admitted_to_act;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::Next;
use crate::interaction::phones::usable_phones;
use crate::messages::notices::notices;

#[derive(Debug)]
pub enum RemoveOutcome {
    Removed,
    /// The account has no such app, or none any more: nothing was changed.
    NotThere,
    /// It is the only second factor that can be used: it stays.
    LastOne,
    Elsewhere(Next),
}

#[tracing::instrument(name = "remove_authenticator", skip_all)]
pub async fn remove(visit: &Visit, id: AuthenticatorAppId) -> Result<RemoveOutcome, FlowError> {
    let live = match admitted_to_act(visit).await? {
        Ok(live) => live,
        Err(next) => return Ok(RemoveOutcome::Elsewhere(next)),
    };
    let link = visit.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::AuthenticatorApp { at: visit.now, change: AppChange::Removed, link };
    let account = live.account.id;
    let unit = RemoveApp {
        entry: visit
            .entry(Actor::Account(account), Event::AuthenticatorAppRemoved)
            .in_session(live.session.id),
        now: visit.now,
        messages: notices(visit, &live.account, mail).await?,
        has_phone: !usable_phones(visit, account).await?.is_empty(),
        account,
        epoch: live.account.epoch,
        id,
    };
    visit.store().run(unit).await.1
}

struct RemoveApp {
    account: AccountId,
    epoch: AccountEpoch,
    id: AuthenticatorAppId,
    has_phone: bool,
    messages: Vec<Message>,
    entry: AuditEntry,
    now: Timestamp,
}

impl Unit for RemoveApp {
    type Output = RemoveOutcome;
    type Error = FlowError;

    const NAME: &'static str = "remove_authenticator";

    /// Under the account's lock, so that of two apps that are removed at once one stays.
    async fn run(&self, tx: &Tx) -> Result<RemoveOutcome, FlowError> {
        let Self { account, id, now, .. } = self;
        let locked = tx.lock_account(*account).await?;
        if locked.is_none_or(|locked| locked.account.epoch != self.epoch) {
            return Ok(RemoveOutcome::NotThere);
        }
        let apps = tx.apps_of(*account).await?;
        if !may_remove(&apps, *id, self.has_phone, *now) {
            return Ok(RemoveOutcome::LastOne);
        }
        if !tx.remove_app(*account, *id, *now).await? {
            return Ok(RemoveOutcome::NotThere);
        }
        for message in &self.messages {
            tx.enqueue(message).await?;
        }
        tx.append(&self.entry).await?;
        Ok(RemoveOutcome::Removed)
    }
}
