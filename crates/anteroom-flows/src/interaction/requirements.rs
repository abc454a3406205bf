//! What the request, its client and the operator's policy require of the person.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::interaction::{ConsentQuestion, InteractionState};
use anteroom_domain::next_step::AuthenticationRequirements;
use anteroom_oidc::authorization::{AcrRequirement, AuthorizationRequest, RequestContent};
use anteroom_oidc::{Acr, Prompt, ScopeSet};
use jiff::SignedDuration;

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;
use crate::interaction::authentication_state::can_step_up;
use crate::interaction::missing_consent::missing_consent;
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::target::Target;
use crate::protocol::subject::subject;

/// At an unattended computer the session alone must not be enough to change authenticators. So the password must have been
/// entered within this time.
const RECENT_SIGN_IN: SignedDuration = SignedDuration::from_mins(10);

pub(crate) async fn requirements(
    visit: &Visit,
    interaction: &OpenInteraction,
    target: &Target<'_>,
    selection: &AccountSelection<'_>,
) -> Result<AuthenticationRequirements, FlowError> {
    let state = &interaction.state;
    let signed_in_here = selection.account().is_some_and(|account| state.was_signed_in_by(account.id));
    let session_only = AuthenticationRequirements {
        // A finished interaction asks for nothing more: its page only says that it is finished.
        signed_in_for_request: signed_in_here || interaction.answered.is_some(),
        new_device_steps_up: visit.snapshot().policy.new_devices_step_up,
        ..AuthenticationRequirements::signed_in_only(state.authenticated_since())
    };
    match target {
        Target::Dashboard => Ok(session_only),
        Target::ChangePassword | Target::AuthenticatorApps => Ok(AuthenticationRequirements {
            new_password: matches!(target, Target::ChangePassword),
            max_age: Some(RECENT_SIGN_IN),
            min_acr: factor_that_serves(visit, selection).await?,
            ..session_only
        }),
        Target::Application { client, request } => {
            of_request(visit, state, client, request, selection, session_only).await
        }
    }
}

/// `session_only`: what is required without a request.
async fn of_request(
    visit: &Visit,
    state: &InteractionState,
    client: &Client,
    request: &AuthorizationRequest,
    selection: &AccountSelection<'_>,
    session_only: AuthenticationRequirements,
) -> Result<AuthenticationRequirements, FlowError> {
    let ask = &request.ask;
    let account = selection.account();
    Ok(AuthenticationRequirements {
        login: ask.prompt.contains(Prompt::Login),
        choose_account: ask.prompt.contains(Prompt::SelectAccount) && state.account.is_none(),
        max_age: ask.max_age.map(|seconds| SignedDuration::from_secs(i64::from(seconds))),
        requires_other_subject: match account {
            Some(account) if state.required_sub.is_some() => {
                let sub = subject(visit, client, account.id)?;
                state.required_subs().all(|wanted| *wanted != sub)
            }
            _ => false,
        },
        min_acr: client.policy.min_acr.max(asked_acr(visit, ask, account).await?),
        entitlement_missing: account.is_some_and(|account| !client.is_entitled(account)),
        consent: match account {
            Some(account) => {
                let missing = missing_consent(visit, client, request, selection, account).await?;
                missing.and_then(|scope| not_agreed_here(state, client, account, scope))
            }
            None => None,
        },
        ..session_only
    })
}

/// The scope, unless the account has agreed to it on the consent page of this interaction.
fn not_agreed_here(
    state: &InteractionState,
    client: &Client,
    account: &Account,
    scope: ScopeSet,
) -> Option<ScopeSet> {
    let question = ConsentQuestion::of(client, scope);
    (!state.has_agreed(account.id, &question)).then_some(question.scope)
}

/// An attacker who knows the password could change the password, or add an authenticator app of their own, and lock the owner out. So
/// these changes require a second factor, if the account has one that can be used.
async fn factor_that_serves(
    visit: &Visit,
    selection: &AccountSelection<'_>,
) -> Result<Option<Acr>, FlowError> {
    let serves = match selection.account() {
        Some(account) => can_step_up(visit, account.id).await?,
        None => false,
    };
    Ok(serves.then_some(Acr::Mfa))
}

/// An essential `acr` must be met: the lowest of the classes that it accepts is required (OpenID Connect Core §5.5.1.1), because an
/// authentication of a higher class meets the lower ones. For a voluntary one, as in `acr_values` (§3.1.2.1), the preferred class
/// is asked of an account that can meet it, and is not required of others.
async fn asked_acr(
    visit: &Visit,
    ask: &RequestContent,
    account: Option<&Account>,
) -> Result<Option<Acr>, FlowError> {
    Ok(match (ask.acr_requirement(), account) {
        (AcrRequirement::Essential(classes), _) => classes.into_iter().min(),
        (AcrRequirement::Voluntary(classes), Some(account)) if !ask.prompt.contains(Prompt::None) => {
            let preferred = classes.first().copied().filter(|acr| *acr > Acr::Pwd);
            let asked = preferred.is_some() && can_step_up(visit, account.id).await?;
            preferred.filter(|_| asked)
        }
        (AcrRequirement::Any | AcrRequirement::Voluntary(_), _) => None,
    })
}
