//! What the person has still to agree to before an application is answered.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_oidc::authorization::{Ask, AuthorizationRequest, Reply};
use anteroom_oidc::claims::claims_of;
use anteroom_oidc::{ApplicationType, Prompt, Scope, ScopeSet};

use crate::context::call::Call;
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;

/// A first-party application asks only where the request insists; any other asks for what was not agreed to before,
/// `offline_access` included (OpenID Connect Core §11). Another program on the machine can listen on a loopback redirect URI
/// (RFC 8252 §8.6). So a public native client with such a redirect URI needs consent for each request. One that says it is
/// `web` is asked for once there: that is a browser application while it is developed, which renews its tokens silently in a
/// frame.
pub(crate) async fn missing_consent(
    call: &Call,
    client: &Client,
    request: &AuthorizationRequest,
    selection: &AccountSelection,
    account: &Account,
) -> Result<Option<ScopeSet>, FlowError> {
    let Reply::Redirect(reply) = &request.reply;
    let asked = asked_scope(client, &request.ask);
    if request.ask.prompt.contains(Prompt::Consent) {
        return Ok(Some(asked));
    }
    if client.policy.first_party {
        return missing_offline_consent(call, client, request, selection).await;
    }
    let is_native = client.metadata.application_type == ApplicationType::Native;
    if is_native && client.metadata.may_be_impersonated_at(&reply.redirect_uri) {
        return Ok(Some(asked));
    }
    let agreed = call.store().consent(account.id, client.id()).await?.unwrap_or_default();
    Ok((!asked.is_subset(&agreed)).then_some(asked))
}

/// Once in each browser of the person, which its device is: a program that got refresh tokens on one machine says nothing of
/// one on another ([`Client::asks_for_offline_access_at`]).
async fn missing_offline_consent(
    call: &Call,
    client: &Client,
    request: &AuthorizationRequest,
    selection: &AccountSelection,
) -> Result<Option<ScopeSet>, FlowError> {
    let Reply::Redirect(reply) = &request.reply;
    if !client.asks_for_offline_access_at(&reply.redirect_uri)
        || !request.ask.scope.contains(&Scope::OfflineAccess)
    {
        return Ok(None);
    }
    let device = match selection {
        AccountSelection::SignedIn(live) => live.session.device,
        AccountSelection::Nobody | AccountSelection::Several(_) | AccountSelection::Proven(..) => None,
    };
    let agreed = match device {
        Some(device) => call.store().offline_consent(device, client.id()).await?,
        None => false,
    };
    Ok((!agreed).then(|| [Scope::OfflineAccess].into_iter().collect()))
}

/// What the person is asked to agree to: the scopes, and those behind claims that are asked for one by one, which would
/// otherwise slip past the page.
fn asked_scope(client: &Client, ask: &Ask) -> ScopeSet {
    let mut asked = ask.scope.clone();
    let Some(claims) = &ask.claims else { return asked };
    let mapping = &client.policy.claims;
    let by_name = |name: &str| {
        mapping.is_asked_for(name, &claims.userinfo) || mapping.is_asked_for(name, &claims.id_token)
    };
    for scope in client.metadata.scope.iter() {
        if claims_of(scope).iter().any(|name| by_name(name)) {
            asked.insert(scope.clone());
        }
    }
    asked
}
