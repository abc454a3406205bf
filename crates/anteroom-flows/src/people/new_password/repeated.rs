//! The same form twice: the password is set and its session is active, and the browser does not have the session's cookie yet.

use anteroom_domain::limits::Limit;

use super::{EnteredPassword, NewPasswordOutcome, lane_of, matches_password, signed_in};
use crate::context::call::Visit;
use crate::context::limits::{of_one, spend_for_form};
use crate::error::FlowError;
use crate::interaction::open_interaction::InteractionRef;
use crate::interaction::reopen::open_or_dashboard;
use crate::sessions::repeated_form::repeated_submission;

/// The answer of the first submission once more. The form's token alone is no proof of the person, so the entered password must be
/// the account's password by now.
pub(super) async fn answer(
    visit: &Visit,
    interaction_ref: Option<&InteractionRef>,
    entered: &EnteredPassword,
) -> Result<Option<NewPasswordOutcome>, FlowError> {
    let Some(account) = visit.form.account else { return Ok(None) };
    let Some(answered) = repeated_submission(visit, Some(account)).await? else { return Ok(None) };
    let mut live = answered.live;
    let place =
        live.iter().position(|one| one.account.id == account && answered.secrets.contains(&one.token));
    let Some(current) = place.map(|place| live.remove(place)) else { return Ok(None) };
    let Some(credential) = visit.store().credential(account).await? else { return Ok(None) };
    let budget = of_one(visit, Limit::NewPassword, &account);
    spend_for_form(visit, Limit::NewPassword, vec![budget]).await?;
    let lane = lane_of(&current.account);
    if !matches_password(visit, lane, &credential.hash, credential.form, &entered.new).await? {
        return Ok(None);
    }
    let visit = &visit.at_present();
    let Ok(interaction) = open_or_dashboard(visit, interaction_ref).await? else { return Ok(None) };
    Ok(Some(signed_in(visit, interaction, current, live).await?))
}
