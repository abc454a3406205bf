//! `POST /verify/code`: the code that a phone received, or that an authenticator app shows.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::one_time_code::OneTimeCode;

use super::enter_unit::{CheckedCode, EnterCode, EnterCodeResult, NO_SESSION};
pub use super::entry::{EnterOutcome, EnteredCode, EntryProblem};
use super::repeated::{again_in_session, continue_stepped_up, entry_ids, repeat_of_form};
use super::send::{code_context, code_data};
use super::{VerificationState, now};
use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::authenticator_apps::apps_showing;
use crate::interaction::next::proceed;
use crate::interaction::open_interaction::{InteractionRef, NewInteraction, OpenInteraction};
use crate::interaction::verification_model::{Verification, VerifiedPerson, destination_of};
use crate::sessions::browser_sessions::{active_sessions, sessions_of_other_accounts};
use crate::sessions::form_effect::record_refused_form;
use crate::sessions::new_session::RenewedSession;

#[tracing::instrument(name = "enter_code", skip_all)]
pub async fn enter(
    visit: &Visit,
    interaction_ref: Option<InteractionRef>,
    entered: EnteredCode<'_>,
) -> Result<EnterOutcome, FlowError> {
    let page = match now(visit, interaction_ref.as_ref()).await? {
        VerificationState::Verifying(page) => page,
        VerificationState::Elsewhere(next) => {
            let again = again_in_session(visit, interaction_ref.as_ref()).await?;
            return Ok(again.unwrap_or(EnterOutcome::Next(next)));
        }
        VerificationState::InteractionNotFound => return Ok(EnterOutcome::InteractionNotFound),
    };
    if entered.text().trim().is_empty() {
        return Ok(EnterOutcome::Problem { problem: EntryProblem::Missing, page: page.into_page() });
    }
    let checked = check_entered(visit, &page.verification, &page.interaction, entered).await?;
    let session = page.verification.active_session();
    let other_sessions = match session {
        Some(live) => sessions_of_other_accounts(&active_sessions(visit).await?, live.account.id),
        None => Vec::new(),
    };
    let entry_ids = entry_ids(visit, &checked, entered);
    let renewed = session.map(|live| RenewedSession::of(visit, live));
    let new_interaction = NewInteraction::prepare(visit, &page.interaction);
    let unit = |call| EnterCode { call, page, new_interaction, checked, entry_ids, renewed, other_sessions };
    let (unit, result) = visit.run(unit).await;
    after_entry(visit, unit, result?, AnsweredForm { interaction_ref: interaction_ref.as_ref(), entered })
        .await
}

/// What the form with the code said.
#[derive(Clone, Copy)]
struct AnsweredForm<'a> {
    interaction_ref: Option<&'a InteractionRef>,
    entered: EnteredCode<'a>,
}

async fn after_entry(
    visit: &Visit,
    unit: EnterCode,
    result: EnterCodeResult,
    AnsweredForm { interaction_ref, entered }: AnsweredForm<'_>,
) -> Result<EnterOutcome, FlowError> {
    let EnterCode { page, renewed, .. } = unit;
    match result {
        EnterCodeResult::Proven(saved) => {
            let next = proceed(visit, page.interaction.saved_as(saved)).await?;
            Ok(EnterOutcome::Next(next))
        }
        EnterCodeResult::SteppedUp(session) => {
            let renewed = renewed.ok_or(NO_SESSION)?;
            let VerifiedPerson::SignedIn(live) = page.verification.person else {
                return Err(NO_SESSION);
            };
            let current =
                ActiveSession { session: *session, account: live.account, token: renewed.next.token };
            let live = active_sessions(visit).await?;
            continue_stepped_up(visit, page.interaction, current, live).await
        }
        EnterCodeResult::Wrong(problem) => Ok(EnterOutcome::Problem { problem, page: page.into_page() }),
        EnterCodeResult::Superseded => {
            // The form may have been submitted twice. Then the first submission has used the code, and this one gets the same result.
            if let Some(again) = again_in_session(visit, interaction_ref).await? {
                return Ok(again);
            }
            note_not_taken(visit, &page.verification, entered, EntryProblem::Expired).await?;
            Ok(EnterOutcome::Next(proceed(visit, page.interaction).await?))
        }
        EnterCodeResult::Refused(problem) => {
            // The form may have been submitted twice, as above.
            if let EntryProblem::Expired | EntryProblem::Used = problem
                && let Some(again) = repeat_of_form(visit, interaction_ref).await?
            {
                return Ok(again);
            }
            note_not_taken(visit, &page.verification, entered, problem).await?;
            Ok(EnterOutcome::Problem { problem, page: page.into_page() })
        }
    }
}

async fn note_not_taken(
    visit: &Visit,
    verification: &Verification,
    entered: EnteredCode<'_>,
    problem: EntryProblem,
) -> Result<(), FlowError> {
    let reason = match problem {
        EntryProblem::Missing => "missing",
        EntryProblem::Wrong { .. } => "wrong",
        EntryProblem::Expired => "expired",
        EntryProblem::Used => "used",
        EntryProblem::LimitReached(_) => "budget_spent",
    };
    let event = Event::OneTimeCodeNotChecked { purpose: verification.purpose.as_str(), reason };
    let entry = visit.entry(Actor::Anonymous, event).about(verification.account().id);
    record_refused_form(visit, entry, &[b"code not taken", entered.text().as_bytes()]).await
}

async fn check_entered(
    visit: &Visit,
    verification: &Verification,
    interaction: &OpenInteraction,
    entered: EnteredCode<'_>,
) -> Result<CheckedCode, FlowError> {
    match entered {
        EnteredCode::FromApp(_) if verification.apps.is_empty() => Ok(CheckedCode::Nothing),
        EnteredCode::FromApp(text) => Ok(CheckedCode::App(apps_showing(visit, &verification.apps, text)?)),
        EnteredCode::Sent(text) => {
            let code = match interaction.row() {
                Some(row) => visit.store().code_of(row, verification.purpose).await?,
                None => None,
            };
            let own = code.filter(|code| {
                destination_of(code, verification.account(), &verification.destinations).is_some()
            });
            Ok(own.map_or(CheckedCode::Nothing, |code| CheckedCode::Sent {
                right: is_right(visit, &code, text),
                code,
            }))
        }
    }
}

/// Compares in constant time. People enter the digits in groups, so spaces and hyphens are ignored.
fn is_right(call: &Call, code: &OneTimeCode, entered: &str) -> bool {
    let digits: String = entered.chars().filter(|c| !c.is_whitespace() && *c != '-').take(16).collect();
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    mac.verify(code_context(), &code_data(code.id, &digits), &code.digest)
}
