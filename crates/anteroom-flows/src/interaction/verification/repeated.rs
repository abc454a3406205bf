//! A form with a code that is submitted again. After a double click the browser sends the form twice.

use uuid::Uuid;

use super::enter_unit::CheckedCode;
use super::entry::{EnterOutcome, EnteredCode};
use super::{VerificationState, now};
use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::{persist_for_redirect, proceed_with};
use crate::interaction::open_interaction::{InteractionRef, OpenInteraction};
use crate::interaction::reopen::open_or_dashboard;
use crate::sessions::new_session::make_current;
use crate::sessions::repeated_form::{RepeatedSubmission, repeated_submission};

const APP: &[u8] = b"code of an authenticator app";

/// A double click must count as one wrong code, and the same digits against another code as another one. So the row's
/// identifier, the first of these, is derived from the form, the entered digits and the code they are compared with. An app's code
/// is another one every half minute, and a double click can be around that moment: so the entry of a moment before is the same.
pub(super) fn entry_ids(visit: &Visit, checked: &CheckedCode, entered: EnteredCode<'_>) -> [Uuid; 3] {
    let Some(form) = visit.sent_form else { return [visit.new_id(); 3] };
    let digits = entered.text().as_bytes();
    match checked {
        CheckedCode::Sent { code, .. } => [form.submission_id(visit, &[code.id.0.as_bytes(), digits]); 3],
        CheckedCode::App(_) => form.row_ids(visit, &[APP, digits]),
        CheckedCode::Nothing => [form.submission_id(visit, &[digits]); 3],
    }
}

/// The result of the first submission of the same form: the session that it renewed, with its new secret, or the next step.
pub(super) async fn repeat_of_form(
    visit: &Visit,
    interaction_ref: Option<&InteractionRef>,
) -> Result<Option<EnterOutcome>, FlowError> {
    if let Some(again) = again_in_session(visit, interaction_ref).await? {
        return Ok(Some(again));
    }
    Ok(match now(visit, interaction_ref).await? {
        VerificationState::Elsewhere(next) => Some(EnterOutcome::Next(next)),
        VerificationState::Verifying(_) | VerificationState::InteractionNotFound => None,
    })
}

pub(super) async fn again_in_session(
    visit: &Visit,
    interaction_ref: Option<&InteractionRef>,
) -> Result<Option<EnterOutcome>, FlowError> {
    let Some(answered) = repeated_submission(visit, None).await? else { return Ok(None) };
    let RepeatedSubmission { visit, mut live, secrets } = answered;
    let place = live.iter().position(|one| secrets.contains(&one.token));
    let Some(current) = place.map(|place| live.remove(place)) else { return Ok(None) };
    let Ok(interaction) = open_or_dashboard(&visit, interaction_ref).await? else { return Ok(None) };
    Ok(Some(continue_stepped_up(&visit, interaction, current, live).await?))
}

pub(super) async fn continue_stepped_up(
    visit: &Visit,
    interaction: OpenInteraction,
    current: ActiveSession,
    before: Vec<ActiveSession>,
) -> Result<EnterOutcome, FlowError> {
    let (cookies, live) = make_current(visit, current, before).await?;
    let visit = &visit.after_session_change();
    let next = proceed_with(visit, interaction, live).await?;
    Ok(EnterOutcome::SteppedUp { cookies, next: persist_for_redirect(visit, next).await? })
}
