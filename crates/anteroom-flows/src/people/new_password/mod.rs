//! `POST /new-password`: after a reset, an expired password, by choice, or at the end of a registration.
//!
//! Invariants:
//! - only the person sets it, and only where the one decision asks for it now;
//! - each try is counted before anything is computed for it;
//! - hashing is too slow for a transaction, so the new password is checked against the rules and the old passwords, and hashed,
//!   before the transaction; under the account's lock the epoch shows whether the account has changed since;
//! - in the transaction that sets the password the epoch is raised, sessions, grants and links end, wrong passwords at known
//!   devices are counted anew, and every address gets a notice; a reset also lifts the lock and revokes the other devices;
//! - a reset does not sign the person in. A changed password proves its browser anew.

mod repeated;
mod unit;

use anteroom_crypto::{PasswordHash, PasswordVerification, QueueKey};
use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::DeviceId;
use anteroom_domain::interaction::{Destination, ProofKind};
use anteroom_domain::limits::Limit;
use anteroom_domain::new_password::{Weakness, known_words};
use anteroom_domain::next_step::NewPasswordReason;
use anteroom_domain::password_text::{PasswordForm, candidates, normalized};
use anteroom_storage::Credential;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};

use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::context::limits::{of_one, spend_for_form};
use crate::error::FlowError;
use crate::interaction::next::{Next, Step, StepPage, persist_for_redirect, proceed, proceed_with};
use crate::interaction::open_interaction::{InteractionNotFound, InteractionRef, OpenInteraction};
use crate::interaction::reopen::open_or_dashboard;
use crate::sessions::browser_sessions::active_sessions;
use crate::sessions::form_effect::record_refused_form;
use crate::sessions::new_session::{NewCookies, make_current};
use unit::{NewPasswordFor, SetPasswordResult, SetPasswordUnit, reset_done};

pub struct EnteredPassword {
    pub new: SecretString,
    pub confirmed: SecretString,
}

#[derive(Debug)]
pub enum NewPasswordOutcome {
    /// The browser is a known one from now on; the person signs in.
    Reset {
        device: DeviceId,
        interaction: OpenInteraction,
    },
    SignedIn {
        cookies: NewCookies,
        next: Next,
    },
    Problem {
        problem: PasswordProblem,
        page: Box<StepPage>,
    },
    /// The reset of this interaction is complete: the form was sent twice, or in another tab.
    Done {
        device: Option<DeviceId>,
        interaction: OpenInteraction,
    },
    /// The interaction is at another step.
    Next(Next),
    InteractionNotFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    Missing,
    Mismatch,
    Weakness(Weakness),
    /// It is the current one, or one of the last.
    Used,
    /// The current one is too young to be changed by choice; so long still.
    TooYoung(SignedDuration),
}

impl PasswordProblem {
    /// For the audit trail.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Mismatch => "mismatch",
            Self::Weakness(Weakness::TooShort) => "too_short",
            Self::Weakness(Weakness::TooLong) => "too_long",
            Self::Weakness(Weakness::Common) => "common",
            Self::Weakness(Weakness::Personal) => "personal",
            Self::Weakness(Weakness::Weak) => "weak",
            Self::Weakness(Weakness::Characters) => "characters",
            Self::Used => "used_before",
            Self::TooYoung(_) => "too_young",
        }
    }
}

#[tracing::instrument(name = "set_password", skip_all)]
pub async fn set(
    visit: &Visit,
    interaction_ref: Option<InteractionRef>,
    entered: EnteredPassword,
) -> Result<NewPasswordOutcome, FlowError> {
    let outcome = set_now(visit, interaction_ref.as_ref(), &entered).await?;
    // The first submission of the form may have been answered while this one waited for its hashes.
    if matches!(outcome, NewPasswordOutcome::Next(_) | NewPasswordOutcome::InteractionNotFound)
        && let Some(again) = repeated::answer(&visit.at_present(), interaction_ref.as_ref(), &entered).await?
    {
        return Ok(again);
    }
    Ok(outcome)
}

async fn set_now(
    visit: &Visit,
    interaction_ref: Option<&InteractionRef>,
    entered: &EnteredPassword,
) -> Result<NewPasswordOutcome, FlowError> {
    let interaction = match open_or_dashboard(visit, interaction_ref).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(NewPasswordOutcome::InteractionNotFound),
    };
    let page = match proceed(visit, interaction).await? {
        Next::Page(page) => page,
        next => return Ok(elsewhere(next)),
    };
    let Step::NewPassword { reason, account, .. } = &page.step else {
        return Ok(elsewhere(Next::Page(page)));
    };
    let reason = *reason;
    let budget = of_one(visit, Limit::NewPassword, &counted_for(&page, account));
    spend_for_form(visit, Limit::NewPassword, vec![budget]).await?;
    let old = visit.store().credential(account.id).await?;
    if let Err(problem) = check(visit, account, old.as_ref(), reason, entered).await? {
        // The form may have been sent twice, and the first submission may have set this password since the page was looked at.
        // A session that has only reached a limit while the hashes waited is still asked at the time of the request.
        if let PasswordProblem::Used | PasswordProblem::TooYoung(_) = problem {
            let now = step_now(visit, interaction_ref).await?;
            if !is_asked_for(&now) {
                return Ok(now);
            }
        }
        record_password_refusal(&visit.at_present(), account, entered, problem).await?;
        return Ok(NewPasswordOutcome::Problem { problem, page });
    }
    let hash = visit.hashing().hash(lane_of(account), &normalized(&entered.new)).await?;
    // The hashes may have waited. The password's age, its session and the session's limits begin now.
    let visit = &visit.at_present();
    let live = active_sessions(visit).await?;
    let password_for = NewPasswordFor { account: account.id, epoch: account.epoch, reason };
    let unit = SetPasswordUnit::new(visit, page.interaction, password_for, hash, &live);
    let (SetPasswordUnit { mut interaction, .. }, result) = visit.store().run(unit).await;
    let result = result?;
    visit.provider().logout_queued.notify_one();
    match result {
        SetPasswordResult::Reset { device, saved } => {
            interaction.state = reset_done(interaction.state, device);
            Ok(NewPasswordOutcome::Reset { device, interaction: interaction.saved_as(saved) })
        }
        SetPasswordResult::SignedIn { current, saved } => {
            signed_in(visit, interaction.saved_as(saved), *current, live).await
        }
        // Looked at once more: the unit that came first may be that of the same form.
        SetPasswordResult::TooLate => step_now(visit, interaction_ref).await,
    }
}

/// The step of the interaction now.
async fn step_now(
    visit: &Visit,
    interaction_ref: Option<&InteractionRef>,
) -> Result<NewPasswordOutcome, FlowError> {
    match open_or_dashboard(visit, interaction_ref).await? {
        Ok(interaction) => Ok(elsewhere(proceed(visit, interaction).await?)),
        Err(InteractionNotFound) => Ok(NewPasswordOutcome::InteractionNotFound),
    }
}

/// Whether the step is still that of a new password.
fn is_asked_for(outcome: &NewPasswordOutcome) -> bool {
    matches!(outcome, NewPasswordOutcome::Next(Next::Page(page)) if matches!(page.step, Step::NewPassword { .. }))
}

/// What the forms are counted for. An attacker who knows the password could use up the account's forms, and so keep the owner
/// from resetting it. So forms behind a mailed link are counted for the link.
fn counted_for(page: &StepPage, account: &Account) -> String {
    match page.interaction.proof().map(|proof| &proof.kind) {
        Some(ProofKind::Recovery { link } | ProofKind::Invitation { link, .. }) => link.to_string(),
        Some(ProofKind::ExpiredPassword { .. }) | None => account.id.to_string(),
    }
}

fn elsewhere(next: Next) -> NewPasswordOutcome {
    match next {
        Next::Page(page) if is_done(&page) => {
            let device = page.interaction.state.recovery.as_ref().and_then(|note| note.device);
            NewPasswordOutcome::Done { device, interaction: page.interaction }
        }
        next => NewPasswordOutcome::Next(next),
    }
}

fn is_done(page: &StepPage) -> bool {
    let done = page.interaction.state.recovery.as_ref().is_some_and(|note| note.done);
    matches!(page.step, Step::SignIn { .. }) && done
}

/// One request takes several hashes. So they wait in a queue of the account's own, never among the sign-ins from known devices.
const fn lane_of(account: &Account) -> QueueKey {
    QueueKey::Account(account.id.0.as_u128())
}

async fn record_password_refusal(
    visit: &Visit,
    account: &Account,
    entered: &EnteredPassword,
    problem: PasswordProblem,
) -> Result<(), FlowError> {
    let event = Event::NewPasswordRefused { reason: problem.as_str() };
    let entry = visit.entry(Actor::Anonymous, event).about(account.id);
    let [new, confirmed] = [&entered.new, &entered.confirmed].map(|text| text.expose_secret().as_bytes());
    record_refused_form(visit, entry, &[b"new password refused", new, confirmed]).await
}

async fn check(
    visit: &Visit,
    account: &Account,
    old: Option<&Credential>,
    reason: NewPasswordReason,
    entered: &EnteredPassword,
) -> Result<Result<(), PasswordProblem>, FlowError> {
    let snapshot = visit.snapshot();
    let policy = snapshot.policy.new_password;
    let (new, confirmed) = (entered.new.expose_secret(), entered.confirmed.expose_secret());
    if new.is_empty() || confirmed.is_empty() {
        return Ok(Err(PasswordProblem::Missing));
    }
    let normal = normalized(&entered.new);
    if normal.expose_secret() != normalized(&entered.confirmed).expose_secret() {
        return Ok(Err(PasswordProblem::Mismatch));
    }
    if let (NewPasswordReason::Chosen, Some(old)) = (reason, old)
        && let Some(left) = policy.too_young(old.facts.set_at, visit.now)
    {
        return Ok(Err(PasswordProblem::TooYoung(left)));
    }
    let known = known_words(account, &snapshot.practice.name);
    let strength = visit.hashing().run(lane_of(account), move || policy.check(&normal, &known));
    if let Err(weakness) = strength.await? {
        return Ok(Err(PasswordProblem::Weakness(weakness)));
    }
    let before = visit.store().password_history(account.id, u64::from(policy.remembered)).await?;
    let current = old.map(|old| (&old.hash, old.form));
    for (hash, form) in current.into_iter().chain(before.iter().map(|old| (&old.hash, old.form))) {
        if matches_password(visit, lane_of(account), hash, form, &entered.new).await? {
            return Ok(Err(PasswordProblem::Used));
        }
    }
    Ok(Ok(()))
}

/// Whether the hash is of the password that was typed. `form`: what the hash is of; `None`: the text as it was typed. This takes one
/// hash, and several where a text of more than ASCII may have been hashed as it was typed.
async fn matches_password(
    call: &Call,
    lane: QueueKey,
    hash: &PasswordHash,
    form: Option<PasswordForm>,
    typed: &SecretString,
) -> Result<bool, FlowError> {
    let mut texts = candidates(typed);
    if form == Some(PasswordForm::OpaqueString) {
        texts.truncate(1);
    }
    for text in texts {
        // One after another, so that each waits its turn.
        let verdict = call.hashing().verify(lane, &text, Some(hash)).await?;
        if matches!(verdict, PasswordVerification::Match { .. }) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn signed_in(
    visit: &Visit,
    mut interaction: OpenInteraction,
    current: ActiveSession,
    before: Vec<ActiveSession>,
) -> Result<NewPasswordOutcome, FlowError> {
    let (cookies, live) = make_current(visit, current, before).await?;
    if interaction.state.destination == Destination::ChangePassword {
        interaction.state.destination = Destination::Dashboard;
    }
    let visit = &visit.after_session_change();
    let next = proceed_with(visit, interaction, live).await?;
    let next = persist_for_redirect(visit, next).await?;
    Ok(NewPasswordOutcome::SignedIn { cookies, next })
}
