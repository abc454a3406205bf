//! Errors that the application gets without a page: with `prompt=none` (OpenID Connect Core §3.1.2.1), and if the person has just
//! signed in to another account than the request requires.

use anteroom_domain::client::Client;
use anteroom_domain::ids::AccountId;
use anteroom_domain::next_step::{NextStep, PriorConsent};
use anteroom_oidc::Prompt;
use anteroom_oidc::response::AuthorizationResponse;

use crate::context::call::Call;
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;
use crate::interaction::target::Target;

pub(crate) async fn answer_without_a_page(
    call: &Call,
    target: &Target<'_>,
    selection: &AccountSelection<'_>,
    step: &NextStep,
) -> Result<Option<AuthorizationResponse>, FlowError> {
    let Target::Application { client, request } = target else { return Ok(None) };
    if *step == NextStep::Done
        || (*step != NextStep::NotTheRequiredSub && !request.ask.prompt.contains(Prompt::None))
    {
        return Ok(None);
    }
    let description = "the request needs interaction with the person";
    let code = step.prompt_none_error(prior_consent(call, client, selection).await?);
    Ok(code.map(|code| request.reply.error(&call.snapshot().issuer, code, description)))
}

/// If several accounts are signed in, the consent of one of them is enough to answer `account_selection_required`.
async fn prior_consent(
    call: &Call,
    client: &Client,
    selection: &AccountSelection<'_>,
) -> Result<PriorConsent, FlowError> {
    if client.policy.first_party {
        return Ok(PriorConsent::Given);
    }
    let accounts: Vec<AccountId> = match selection {
        AccountSelection::Several(live) => live.iter().map(|one| one.account.id).collect(),
        one => one.account().map(|account| account.id).into_iter().collect(),
    };
    for account in accounts {
        if call.store().consent(account, client.id()).await?.is_some() {
            return Ok(PriorConsent::Given);
        }
    }
    Ok(PriorConsent::Never)
}
