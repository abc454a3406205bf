//! A code that is entered again in the same form: a browser sends it twice where the button is pressed twice.

use anteroom_domain::totp::TimeStep;
use uuid::Uuid;

use super::enter::{EnterOutcome, Entered, Held};
use super::{Now, now};
use crate::error::FlowError;
use crate::journey::{Carried, Waiting, open_or_dashboard};
use crate::onward::{parked, proceed_with};
use crate::provider::Provider;
use crate::repeated::{Answered, as_it_was_answered};
use crate::sign_in::put_first;
use crate::visitor::{Live, Visitor, new_id};

/// The row of a wrong entry is that of the form, of what was entered and of what could have been right: the same button twice is one
/// wrong entry, and the same digits against another code are another one.
pub(super) fn entry_id(
    provider: &Provider,
    visitor: &Visitor,
    (held, entered): (&Held, Entered<'_>),
) -> Uuid {
    let Some(form) = visitor.sent_form else { return new_id(&provider.random, visitor.now) };
    let against = match held {
        Held::Sent { code, .. } => code.id.0.as_bytes().to_vec(),
        Held::App(_) => TimeStep::at(visitor.now).0.to_be_bytes().to_vec(),
        Held::Nothing => Vec::new(),
    };
    form.entry_id(provider, &[against.as_slice(), entered.text().as_bytes()])
}

/// What the same form has come to, sent a moment ago: the session that it renewed, with its new secret, or the next step.
pub(super) async fn again(
    provider: &Provider,
    visitor: &Visitor,
    waiting: Option<Waiting>,
) -> Result<Option<EnterOutcome>, FlowError> {
    if let Some(again) = again_in_session(provider, visitor, waiting.clone()).await? {
        return Ok(Some(again));
    }
    Ok(match now(provider, visitor, waiting).await? {
        Now::Elsewhere(onward) => Some(EnterOutcome::Onward(onward)),
        Now::Verifying(_) | Now::Gone => None,
    })
}

pub(super) async fn again_in_session(
    provider: &Provider,
    visitor: &Visitor,
    waiting: Option<Waiting>,
) -> Result<Option<EnterOutcome>, FlowError> {
    let Some(answered) = as_it_was_answered(provider, visitor, None).await? else { return Ok(None) };
    let Answered { visitor, mut live, secrets } = answered;
    let place = live.iter().position(|one| secrets.contains(&one.token));
    let Some(current) = place.map(|place| live.remove(place)) else { return Ok(None) };
    let Ok(carried) = open_or_dashboard(provider, &visitor, waiting).await? else { return Ok(None) };
    Ok(Some(goes_on(provider, &visitor, carried, (current, live)).await?))
}

pub(super) async fn goes_on(
    provider: &Provider,
    visitor: &Visitor,
    carried: Carried,
    (current, before): (Live, Vec<Live>),
) -> Result<EnterOutcome, FlowError> {
    let (cookies, live) = put_first(provider, visitor, current, before).await?;
    let visitor = &visitor.with_other_sessions();
    let onward = proceed_with(provider, visitor, carried, live).await?;
    Ok(EnterOutcome::SteppedUp { cookies, onward: parked(provider, visitor, onward).await? })
}
