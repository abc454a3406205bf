//! A code that is entered again in the same form: a browser sends it twice where the button is pressed twice.

use anteroom_domain::totp::TimeStep;
use uuid::Uuid;

use super::enter::{EnterOutcome, Entered, Held};
use super::{Now, now};
use crate::context::call::Visit;
use crate::context::live::Live;
use crate::error::FlowError;
use crate::interaction::next::{parked, proceed_with};
use crate::interaction::open_interaction::{Carried, Waiting};
use crate::interaction::reopen::open_or_dashboard;
use crate::sessions::new_session::put_first;
use crate::sessions::repeated_form::{Answered, as_it_was_answered};

/// The row of a wrong entry is that of the form, of what was entered and of what could have been right: the same button twice is one
/// wrong entry, and the same digits against another code are another one.
pub(super) fn entry_id(visit: &Visit, (held, entered): (&Held, Entered<'_>)) -> Uuid {
    let Some(form) = visit.sent_form else { return visit.new_id() };
    let against = match held {
        Held::Sent { code, .. } => code.id.0.as_bytes().to_vec(),
        Held::App(_) => TimeStep::at(visit.now).0.to_be_bytes().to_vec(),
        Held::Nothing => Vec::new(),
    };
    form.entry_id(visit, &[against.as_slice(), entered.text().as_bytes()])
}

/// What the same form has come to, sent a moment ago: the session that it renewed, with its new secret, or the next step.
pub(super) async fn again(
    visit: &Visit,
    waiting: Option<Waiting>,
) -> Result<Option<EnterOutcome>, FlowError> {
    if let Some(again) = again_in_session(visit, waiting.clone()).await? {
        return Ok(Some(again));
    }
    Ok(match now(visit, waiting).await? {
        Now::Elsewhere(onward) => Some(EnterOutcome::Onward(onward)),
        Now::Verifying(_) | Now::Gone => None,
    })
}

pub(super) async fn again_in_session(
    visit: &Visit,
    waiting: Option<Waiting>,
) -> Result<Option<EnterOutcome>, FlowError> {
    let Some(answered) = as_it_was_answered(visit, None).await? else { return Ok(None) };
    let Answered { visit, mut live, secrets } = answered;
    let place = live.iter().position(|one| secrets.contains(&one.token));
    let Some(current) = place.map(|place| live.remove(place)) else { return Ok(None) };
    let Ok(carried) = open_or_dashboard(&visit, waiting).await? else { return Ok(None) };
    Ok(Some(goes_on(&visit, carried, (current, live)).await?))
}

pub(super) async fn goes_on(
    visit: &Visit,
    carried: Carried,
    (current, before): (Live, Vec<Live>),
) -> Result<EnterOutcome, FlowError> {
    let (cookies, live) = put_first(visit, current, before).await?;
    let visit = &visit.with_other_sessions();
    let onward = proceed_with(visit, carried, live).await?;
    Ok(EnterOutcome::SteppedUp { cookies, onward: parked(visit, onward).await? })
}
