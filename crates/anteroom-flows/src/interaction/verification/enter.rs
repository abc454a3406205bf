//! `POST /verify/code`: the digits that a phone received, or that an authenticator app shows.

use anteroom_crypto::{KeyPurpose, OpaqueToken};
use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{FactorId, SessionId};
use anteroom_domain::interaction::{FactorMethod, InteractionProof, PassedFactor, ProofKind};
use anteroom_domain::one_time_code::{AttemptsExhausted, CodePolicy, CodePurpose, CodeQuota, OneTimeCode};
use anteroom_domain::session::Session;
use anteroom_domain::totp::TimeStep;
use anteroom_oidc::Acr;
use anteroom_storage::Tx;
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

use super::repeated::{again_in_session, continue_stepped_up, entry_id, repeat_of_form};
use super::send::{code_context, code_data};
use super::{VerificationState, now};
use crate::context::call::{Call, Visit};
use crate::context::live::ActiveSession;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::apps::apps_showing;
use crate::interaction::next::{Next, StepPage, proceed, proceed_with};
use crate::interaction::open_interaction::{InteractionRef, NewInteraction, OpenInteraction};
use crate::interaction::verification_model::{
    Verification, a_day_before, code_share, destination_of, is_phone_still_accepted,
};
use crate::sessions::browser_sessions::{active_sessions, sessions_of_other_accounts};
use crate::sessions::new_session::NewCookies;
use crate::sessions::new_session::RenewedSession;

#[derive(Debug)]
pub enum EnterOutcome {
    Onward(Next),
    /// The session is worth more now, and has a new secret.
    SteppedUp {
        cookies: NewCookies,
        next: Next,
    },
    Problem {
        problem: EntryProblem,
        page: Box<StepPage>,
    },
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryProblem {
    /// Nothing was entered, and nothing is counted.
    Missing,
    Wrong {
        left: u32,
    },
    /// It was never sent, has expired, or a newer one was sent since.
    Expired,
    /// The app's code was used before: the next one is taken. Nothing is counted.
    Used,
    BudgetSpent(Timestamp),
}

/// What was entered, and where the person read it.
#[derive(Clone, Copy, Debug)]
pub enum EnteredCode<'a> {
    Sent(&'a str),
    FromApp(&'a str),
}

impl EnteredCode<'_> {
    pub(super) const fn text(&self) -> &str {
        match self {
            Self::Sent(text) | Self::FromApp(text) => text,
        }
    }
}

/// What was entered, held against what could be right.
pub(super) enum CheckedCode {
    /// Nothing waits to be entered.
    Nothing,
    Sent {
        code: OneTimeCode,
        right: bool,
    },
    /// The apps that show it now.
    App(Vec<(FactorId, TimeStep)>),
}

struct EnterCodeUnit {
    visit: Visit,
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    verification: Verification,
    policy: CodePolicy,
    held: CheckedCode,
    submission: Uuid,
    /// The session that steps up, with its next secret: the one that it also gets where its person signs in again at the same time.
    renewed: Option<RenewedSession>,
    /// The browser's other sessions: the one that steps up is the current one from then on.
    left: Vec<SessionId>,
}

enum EnterCodeResult {
    Proven(Box<OpenInteraction>),
    SteppedUp(Box<(Session, OpaqueToken)>),
    /// Not compared.
    Refused(EntryProblem),
    /// Not compared: the phone of the code is not one that is asked any more. Another phone was verified in another browser.
    Superseded,
    /// Compared, counted and written down.
    Wrong(EntryProblem),
}

#[tracing::instrument(name = "enter_code", skip_all)]
pub async fn enter(
    visit: &Visit,
    interaction_ref: Option<InteractionRef>,
    entered: EnteredCode<'_>,
) -> Result<EnterOutcome, FlowError> {
    let (verification, page) = match now(visit, interaction_ref.clone()).await? {
        VerificationState::Verifying(found) => *found,
        VerificationState::Elsewhere(next) => {
            let again = again_in_session(visit, interaction_ref).await?;
            return Ok(again.unwrap_or(EnterOutcome::Onward(next)));
        }
        VerificationState::Gone => return Ok(EnterOutcome::Gone),
    };
    if entered.text().trim().is_empty() {
        return Ok(EnterOutcome::Problem { problem: EntryProblem::Missing, page: Box::new(page) });
    }
    let held = check_entered(visit, (&verification, &page), entered).await?;
    let left = match &verification.live {
        Some(live) => sessions_of_other_accounts(&active_sessions(visit).await?, live.account.id),
        None => Vec::new(),
    };
    let submission = entry_id(visit, (&held, entered));
    let renewed = verification.live.as_deref().map(|live| RenewedSession::of(visit, live));
    let prepared = Arc::new(EnterCodeUnit {
        visit: visit.clone(),
        interaction: page.interaction.clone(),
        new_interaction: NewInteraction::prepare(visit, &page.interaction),
        verification,
        policy: visit.snapshot().policy.codes,
        held,
        submission,
        renewed,
        left,
    });
    let work = Arc::clone(&prepared);
    match visit.store().write(move |tx| settle(tx, Arc::clone(&work))).await? {
        EnterCodeResult::Proven(interaction) => {
            let live = active_sessions(visit).await?;
            Ok(EnterOutcome::Onward(proceed_with(visit, *interaction, live).await?))
        }
        EnterCodeResult::SteppedUp(session) => stepped_up(visit, &prepared, *session).await,
        EnterCodeResult::Wrong(problem) => Ok(EnterOutcome::Problem { problem, page: Box::new(page) }),
        EnterCodeResult::Superseded => {
            // The form may have been submitted twice. Then the first submission has used the code, and this one gets the same result.
            if let Some(again) = again_in_session(visit, interaction_ref).await? {
                return Ok(again);
            }
            note_not_taken(visit, &prepared, EntryProblem::Expired).await?;
            Ok(EnterOutcome::Onward(proceed(visit, page.interaction).await?))
        }
        EnterCodeResult::Refused(problem) => {
            // As above.
            if let EntryProblem::Expired | EntryProblem::Used = problem
                && let Some(again) = repeat_of_form(visit, interaction_ref).await?
            {
                return Ok(again);
            }
            note_not_taken(visit, &prepared, problem).await?;
            Ok(EnterOutcome::Problem { problem, page: Box::new(page) })
        }
    }
}

async fn note_not_taken(
    call: &Call,
    prepared: &EnterCodeUnit,
    problem: EntryProblem,
) -> Result<(), FlowError> {
    let reason = match problem {
        EntryProblem::Missing => "missing",
        EntryProblem::Wrong { .. } => "wrong",
        EntryProblem::Expired => "expired",
        EntryProblem::Used => "used",
        EntryProblem::BudgetSpent(_) => "budget_spent",
    };
    let Verification { purpose, account, .. } = &prepared.verification;
    let event = Event::CodeNotTaken { purpose: purpose.as_str(), reason };
    note_refusal(call, prepared.visit.entry(Actor::Anonymous, event).about(account.id)).await
}

async fn check_entered(
    visit: &Visit,
    (verification, page): (&Verification, &StepPage),
    entered: EnteredCode<'_>,
) -> Result<CheckedCode, FlowError> {
    match entered {
        EnteredCode::FromApp(_) if verification.apps.is_empty() => Ok(CheckedCode::Nothing),
        EnteredCode::FromApp(text) => Ok(CheckedCode::App(apps_showing(visit, &verification.apps, text)?)),
        EnteredCode::Sent(text) => {
            let code = match page.interaction.row() {
                Some(row) => visit.store().code_of(row, verification.purpose).await?,
                None => None,
            };
            let own = code
                .filter(|code| destination_of(code, &verification.account, &verification.offers).is_some());
            Ok(own.map_or(CheckedCode::Nothing, |code| CheckedCode::Sent {
                right: is_right(visit, &code, text),
                code,
            }))
        }
    }
}

/// In constant time. Spaces between the digits are how people read them out.
fn is_right(call: &Call, code: &OneTimeCode, entered: &str) -> bool {
    let digits: String = entered.chars().filter(|c| !c.is_whitespace() && *c != '-').take(16).collect();
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    mac.verify(code_context(), &code_data(code.id, &digits), &code.digest)
}

async fn settle(tx: Tx, prepared: Arc<EnterCodeUnit>) -> Result<EnterCodeResult, FlowError> {
    let EnterCodeUnit { visit, verification, policy, .. } = &*prepared;
    let (account, purpose) = (&verification.account, verification.purpose);
    let locked = tx.lock_account(account.id).await?;
    if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
        return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
    }
    if let CheckedCode::Sent { code, .. } = &prepared.held
        && !is_phone_still_accepted(&tx, (&prepared.interaction, verification), code.phone, visit.now).await?
    {
        return Ok(EnterCodeResult::Superseded);
    }
    let share = code_share(&tx, account.id, verification.device).await?;
    let before = tx.sent_before(account.id, (purpose, share), a_day_before(visit.now)).await?;
    let left = match policy.entries_left(&before.wrong, visit.now) {
        Ok(left) => left,
        Err(AttemptsExhausted { until }) => {
            return Ok(EnterCodeResult::Refused(EntryProblem::BudgetSpent(until)));
        }
    };
    let factor = match &prepared.held {
        CheckedCode::Nothing => return Ok(EnterCodeResult::Refused(EntryProblem::Expired)),
        CheckedCode::Sent { code, .. } if !code.is_alive(visit.now) => {
            return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
        }
        CheckedCode::Sent { right: false, .. } => {
            return wrong(&tx, &prepared, (before.wrong, share), left).await;
        }
        CheckedCode::App(showing) if showing.is_empty() => {
            return wrong(&tx, &prepared, (before.wrong, share), left).await;
        }
        CheckedCode::Sent { code, .. } => {
            // Losing the race against a re-send is an expired code.
            if !tx.use_code(code.id, visit.now).await? {
                return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
            }
            // A number that an operator added is finished by the person: here.
            tx.use_phone(account.id, code.phone, visit.now).await?;
            FactorMethod::from(code.method)
        }
        CheckedCode::App(showing) => {
            if !use_one(&tx, showing, visit.now).await? {
                return Ok(EnterCodeResult::Refused(EntryProblem::Used));
            }
            FactorMethod::Totp
        }
    };
    let event = Event::CodeAccepted { purpose: purpose.as_str(), method: factor.as_str() };
    tx.append(&prepared.visit.entry(Actor::Account(account.id), event)).await?;
    match purpose {
        CodePurpose::StepUp => step_up(&tx, &prepared, factor).await,
        CodePurpose::Recovery | CodePurpose::ExpiredPassword | CodePurpose::Registration => {
            Ok(EnterCodeResult::Proven(Box::new(prove(&tx, &prepared, factor).await?)))
        }
    }
}

/// RFC 6238 §5.2: a code is taken once.
async fn use_one(tx: &Tx, showing: &[(FactorId, TimeStep)], now: Timestamp) -> Result<bool, FlowError> {
    for (app, step) in showing {
        if tx.use_step(*app, *step, now).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn wrong(
    tx: &Tx,
    prepared: &EnterCodeUnit,
    (mut wrong, share): (Vec<Timestamp>, CodeQuota),
    left: u32,
) -> Result<EnterCodeResult, FlowError> {
    let EnterCodeUnit { visit, verification, policy, .. } = prepared;
    let (account, purpose) = (verification.account.id, verification.purpose);
    if tx.is_wrong_code_counted(account, (purpose, prepared.submission)).await? {
        return Ok(EnterCodeResult::Wrong(EntryProblem::Wrong { left }));
    }
    wrong.push(visit.now);
    tx.count_wrong_code(account, (purpose, share, prepared.submission), visit.now).await?;
    let event = Event::CodeRefused { purpose: purpose.as_str(), left: left.saturating_sub(1) };
    tx.append(&prepared.visit.entry(Actor::Anonymous, event).about(account)).await?;
    Ok(EnterCodeResult::Wrong(match policy.entries_left(&wrong, visit.now) {
        Ok(left) => EntryProblem::Wrong { left },
        Err(AttemptsExhausted { until }) => EntryProblem::BudgetSpent(until),
    }))
}

/// The journey carries from here on that the code was entered.
async fn prove(
    tx: &Tx,
    prepared: &EnterCodeUnit,
    method: FactorMethod,
) -> Result<OpenInteraction, FlowError> {
    let proof = prepared.interaction.proof().cloned().ok_or(FlowError::Broken("a code without a proof"))?;
    let at = prepared.visit.now;
    let proof = match proof.kind {
        ProofKind::Invitation { link, phones_done, .. } => {
            let event = Event::PhoneVerified { phone: prepared.phone() };
            tx.append(&prepared.visit.entry(Actor::Account(proof.account), event)).await?;
            let kind = ProofKind::Invitation { link, phone: None, phones_done };
            InteractionProof { kind, at, factor: Some(PassedFactor { at, method }), ..proof }
        }
        ProofKind::ExpiredPassword { .. } | ProofKind::Recovery { .. } => {
            InteractionProof { factor: Some(PassedFactor { at, method }), ..proof }
        }
    };
    prepared.interaction.persist(tx, &prepared.new_interaction, Some(proof)).await
}

impl EnterCodeUnit {
    /// Where the code went, masked.
    fn phone(&self) -> String {
        let CheckedCode::Sent { code, .. } = &self.held else { return String::new() };
        let mut offers = self.verification.offers.iter();
        let offer = offers.find(|offer| offer.phone.id == code.phone);
        offer.map(|offer| offer.phone.number.masked()).unwrap_or_default()
    }
}

async fn step_up(
    tx: &Tx,
    prepared: &EnterCodeUnit,
    factor: FactorMethod,
) -> Result<EnterCodeResult, FlowError> {
    let renewed = prepared.renewed.as_ref().ok_or(FlowError::Broken("a step-up without a session"))?;
    let now = prepared.visit.now;
    // As it is by now: its person may have signed in again meanwhile.
    let Some(present) = tx.session(renewed.session.id).await? else {
        return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
    };
    let session = Session {
        acr: Acr::Mfa,
        amr: factor.amr_with_password(),
        last_active_at: now,
        not_current_since: None,
        ..present
    };
    if !tx.renew_session(&session, &renewed.next.stored).await? {
        return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
    }
    tx.mark_not_current(&prepared.left, now).await?;
    if let Some(device) = session.device {
        tx.record_second_factor(session.account, device, now).await?;
    }
    Ok(EnterCodeResult::SteppedUp(Box::new((session, renewed.next.token.clone()))))
}

async fn stepped_up(
    visit: &Visit,
    prepared: &EnterCodeUnit,
    (session, token): (Session, OpaqueToken),
) -> Result<EnterOutcome, FlowError> {
    let account: Account = (*prepared.verification.account).clone();
    let current = ActiveSession { session, account, token };
    let live = active_sessions(visit).await?;
    continue_stepped_up(visit, prepared.interaction.clone(), (current, live)).await
}
