//! A new app: its secret is shown, and the app counts once its first code was entered.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::account::AccountEpoch;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{AccountId, AuthenticatorAppId};
use anteroom_domain::message::{AppChange, Mail, Message};
use anteroom_domain::totp::{AuthenticatorApp, MOST_APPS, TimeStep, TotpSecret};
use anteroom_oidc::Acr;
use anteroom_storage::{FirstCode, Tx, Unit};

use super::{admitted_to_act, confirmed, confirmed_of};
use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::authentication_state::can_step_up;
use crate::interaction::authenticator_apps::open;
use crate::interaction::next::Next;
use crate::messages::notices::notices;
use crate::sessions::browser_sessions::{active_sessions, other_account_used_browser_since};
use crate::sessions::form_effect::record_refused_form;
use crate::sessions::repeated_form::{MAX_REPEATS, repeat_window_start};

#[derive(Debug)]
pub enum BeginOutcome {
    Begun(AuthenticatorAppId),
    TooMany,
    Elsewhere(Next),
}

/// What the page shows until the first code is entered.
#[derive(Debug)]
pub struct Enrolment {
    pub live: ActiveSession,
    pub app: AuthenticatorApp,
    pub secret: TotpSecret,
}

#[derive(Debug)]
pub enum ConfirmOutcome {
    Confirmed,
    Missing(Box<Enrolment>),
    Wrong(Box<Enrolment>),
    /// It took too long, another one was begun since, or the person is not signed in any more.
    Gone,
}

#[tracing::instrument(name = "begin_enrolment", skip_all)]
pub async fn begin(visit: &Visit) -> Result<BeginOutcome, FlowError> {
    let live = match admitted_to_act(visit).await? {
        Ok(live) => live,
        Err(next) => return Ok(BeginOutcome::Elsewhere(next)),
    };
    if confirmed(visit, live.account.id).await?.len() >= MOST_APPS {
        return Ok(BeginOutcome::TooMany);
    }
    let (random, now) = (visit.random(), visit.now);
    let id = enrolment_id(visit, live.account.id).await?;
    let secret = TotpSecret::generate(random);
    let sealer = visit.keyring().sealer(KeyPurpose::FactorSeal);
    let app = AuthenticatorApp {
        id,
        account: live.account.id,
        secret_sealed: sealer.seal(random, &AuthenticatorApp::associated_data(id), secret.as_bytes()),
        confirmed_at: None,
        usable_from: now,
        last_step: None,
        created_at: now,
    };
    visit.store().run(BeginEnrolment { app }).await.1?;
    Ok(BeginOutcome::Begun(id))
}

/// A form that is submitted twice must begin one enrolment, because another one would end the first, whose page the browser may have.
/// So the identifier is derived from the form. A page that is kept open can begin another one once the one before is confirmed, or
/// [`repeat_window_start`] is past it.
async fn enrolment_id(visit: &Visit, account: AccountId) -> Result<AuthenticatorAppId, FlowError> {
    let since = repeat_window_start(visit.now);
    for turn in 0..MAX_REPEATS {
        let Some(form) = visit.sent_form else { break };
        let id =
            AuthenticatorAppId(form.submission_id(visit, &[b"enrolment", account.0.as_bytes(), &[turn]]));
        let begun = visit.store().app(id).await?;
        if begun.is_none_or(|app| app.confirmed_at.is_none() && app.created_at > since) {
            return Ok(id);
        }
    }
    Ok(AuthenticatorAppId(visit.new_id()))
}

struct BeginEnrolment {
    app: AuthenticatorApp,
}

impl Unit for BeginEnrolment {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "begin_enrolment";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        tx.lock_account(self.app.account).await?;
        if tx.app(self.app.id).await?.is_none() {
            tx.begin_app(&self.app).await?;
        }
        Ok(())
    }
}

/// An enrolment that was begun and waits for its first code, for its owner. Another session of the owner, with the password alone,
/// could find the address in the history and see the secret. So the page requires the second factor as well, as the beginning did.
pub async fn enrolment(visit: &Visit, id: AuthenticatorAppId) -> Result<Option<Enrolment>, FlowError> {
    let app = visit.store().app(id).await?.filter(|app| app.may_be_confirmed(visit.now));
    let Some(app) = app else { return Ok(None) };
    let live = active_sessions(visit).await?;
    // For the current session only: the page shows the secret, and its form acts for that session.
    let policy = visit.snapshot().policy.session;
    let current =
        live.into_iter().next().filter(|live| !live.session.requires_reauthentication(policy, visit.now));
    let Some(live) = current.filter(|live| live.account.id == app.account) else { return Ok(None) };
    if live.session.acr < Acr::Mfa && can_step_up(visit, app.account).await? {
        return Ok(None);
    }
    // Another person who has signed in here since may have seen the page and its secret.
    if other_account_used_browser_since(visit, app.account, app.created_at).await? {
        return Ok(None);
    }
    let secret = open(visit, &app)?;
    Ok(Some(Enrolment { live, app, secret }))
}

#[tracing::instrument(name = "confirm_enrolment", skip_all)]
pub async fn confirm(
    visit: &Visit,
    id: AuthenticatorAppId,
    entered: &str,
) -> Result<ConfirmOutcome, FlowError> {
    let Some(enrolment) = enrolment(visit, id).await? else {
        return gone(visit, id, entered).await;
    };
    if entered.trim().is_empty() {
        return Ok(ConfirmOutcome::Missing(Box::new(enrolment)));
    }
    let Some(step) = enrolment.secret.step_of(entered, visit.now) else {
        let event = Event::OneTimeCodeNotChecked { purpose: "authenticator_app", reason: "wrong" };
        let actor = Actor::Account(enrolment.live.account.id);
        let entered = [b"code not taken".as_slice(), id.0.as_bytes(), entered.as_bytes()];
        record_refused_form(visit, visit.entry(actor, event), &entered).await?;
        return Ok(ConfirmOutcome::Wrong(Box::new(enrolment)));
    };
    let unit = ConfirmEnrolment::new(visit, enrolment, step).await?;
    if visit.store().run(unit).await.1? {
        return Ok(ConfirmOutcome::Confirmed);
    }
    gone(visit, id, entered).await
}

/// No enrolment is open for this code. If the form was submitted twice, the first submission confirmed the app a moment ago,
/// and this one is answered the same way.
async fn gone(visit: &Visit, id: AuthenticatorAppId, entered: &str) -> Result<ConfirmOutcome, FlowError> {
    let since = repeat_window_start(visit.now);
    let app = visit.store().app(id).await?.filter(|app| app.confirmed_at.is_some_and(|at| at > since));
    let Some(app) = app else { return Ok(ConfirmOutcome::Gone) };
    let is_owner = visit.form.account == Some(app.account);
    let is_confirmed = is_owner && open(visit, &app)?.step_of(entered, visit.now).is_some();
    Ok(if is_confirmed { ConfirmOutcome::Confirmed } else { ConfirmOutcome::Gone })
}

/// The first code of an app, and what follows from it.
struct ConfirmEnrolment {
    app: AuthenticatorApp,
    epoch: AccountEpoch,
    code: FirstCode,
    messages: Vec<Message>,
    entry: AuditEntry,
}

impl ConfirmEnrolment {
    async fn new(visit: &Visit, enrolment: Enrolment, step: TimeStep) -> Result<Self, FlowError> {
        let Enrolment { live, app, .. } = enrolment;
        let (snapshot, at) = (visit.snapshot(), visit.now);
        // An attacker who knows only the password could have added this app. So it can be used only after the same delay as a
        // new phone.
        let waits = live.session.acr < Acr::Mfa;
        let usable_from = if waits { visit.after(snapshot.policy.recovery.new_phone_delay) } else { at };
        let link = snapshot.issuer.endpoint("/forgot-password").to_string();
        let mail = Mail::AuthenticatorApp { at, change: AppChange::Added { usable_from }, link };
        let messages = notices(visit, &live.account, mail).await?;
        let event = Event::AuthenticatorAppAdded { usable_at_once: usable_from <= at };
        Ok(Self {
            entry: visit.entry(Actor::Account(app.account), event),
            code: FirstCode { step, at, usable_from },
            epoch: live.account.epoch,
            messages,
            app,
        })
    }
}

impl Unit for ConfirmEnrolment {
    /// `false`: no enrolment waits for this code any more.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "confirm_enrolment";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let account = self.app.account;
        let locked = tx.lock_account(account).await?;
        if locked.is_none_or(|locked| locked.account.epoch != self.epoch)
            || confirmed_of(tx.apps_of(account).await?).len() >= MOST_APPS
            || !tx.confirm_app(account, self.app.id, self.code).await?
        {
            return Ok(false);
        }
        for message in &self.messages {
            tx.enqueue(message).await?;
        }
        tx.append(&self.entry).await?;
        Ok(true)
    }
}
