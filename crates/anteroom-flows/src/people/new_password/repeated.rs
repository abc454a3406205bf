//! The same form twice: the password is set, its session runs, and the browser has no cookie of it yet.

use anteroom_domain::limits::Limit;

use super::{EnteredPassword, NewPasswordOutcome, lane_of, matches_password, signed_in};
use crate::context::call::Visit;
use crate::context::limits::{of_one, spend};
use crate::error::FlowError;
use crate::interaction::open_interaction::InteractionRef;
use crate::interaction::reopen::open_or_dashboard;
use crate::sessions::repeated_form::repeated_submission;
use anteroom_storage::OldPassword;

/// The answer of the first submission once more. The form's token alone is no proof of the person: what was entered must be the
/// password by now.
pub(super) async fn answer(
    visit: &Visit,
    interaction_ref: Option<InteractionRef>,
    entered: &EnteredPassword,
) -> Result<Option<NewPasswordOutcome>, FlowError> {
    let Some(account) = visit.form.account else { return Ok(None) };
    let Some(answered) = repeated_submission(visit, Some(account)).await? else { return Ok(None) };
    let mut live = answered.live;
    let place =
        live.iter().position(|one| one.account.id == account && answered.secrets.contains(&one.token));
    let Some(current) = place.map(|place| live.remove(place)) else { return Ok(None) };
    let Some(credential) = visit.store().credential(account).await? else { return Ok(None) };
    spend(visit, vec![of_one(visit, Limit::NewPassword, &account)]).await?;
    let present = OldPassword { hash: credential.hash, form: credential.form };
    if !matches_password(visit, lane_of(&current.account), &present, &entered.new).await? {
        return Ok(None);
    }
    let Ok(interaction) = open_or_dashboard(visit, interaction_ref).await? else { return Ok(None) };
    Ok(Some(signed_in(visit, interaction, (current, live)).await?))
}
