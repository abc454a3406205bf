//! "Back to the application" on the page for an account that is not entitled: the application gets `access_denied`.

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::{Next, Step, deny, persist_for_redirect, proceed};
use crate::interaction::open_interaction::InteractionRef;
use crate::interaction::reopen::open;

/// Answers the application, or continues if the account is entitled by now. `None`: the interaction was not found.
#[tracing::instrument(name = "return_refusal", skip_all)]
pub async fn back_to_application(
    visit: &Visit,
    interaction_ref: InteractionRef,
) -> Result<Option<Next>, FlowError> {
    let Ok(interaction) = open(visit, &interaction_ref).await? else { return Ok(None) };
    let next = match proceed(visit, interaction).await? {
        Next::Page(page) => match &page.step {
            Step::NotEntitled(account) => deny(visit, &page.interaction, account.id).await?,
            _ => Next::Page(page),
        },
        elsewhere => elsewhere,
    };
    persist_for_redirect(visit, next).await.map(Some)
}
