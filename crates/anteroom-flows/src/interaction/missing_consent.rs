//! The scopes that the account must still agree to before the application is answered.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_oidc::authorization::{AuthorizationRequest, RequestContent, ResponseDelivery};
use anteroom_oidc::claims::claims_of;
use anteroom_oidc::{ApplicationType, Prompt, Scope, ScopeSet};

use crate::context::call::Call;
use crate::error::FlowError;
use crate::interaction::account_selection::AccountSelection;

/// A first-party application needs consent only with `prompt=consent`; any other for the scopes that were not agreed to before,
/// `offline_access` included (OpenID Connect Core §11). Another program on the machine can listen on a loopback redirect URI
/// (RFC 8252 §8.6). So a public native client with such a redirect URI needs consent for each request. A client
/// registered as `web` with such a redirect URI is a browser application in development, which renews its tokens silently in a
/// frame: it needs consent once.
pub(crate) async fn missing_consent(
    call: &Call,
    client: &Client,
    request: &AuthorizationRequest,
    selection: &AccountSelection<'_>,
    account: &Account,
) -> Result<Option<ScopeSet>, FlowError> {
    let ResponseDelivery::Redirect(reply) = &request.reply;
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

/// Once in each browser (`device`), because consent for a program on one machine is none for a program on another
/// ([`Client::needs_offline_access_consent_at`]).
async fn missing_offline_consent(
    call: &Call,
    client: &Client,
    request: &AuthorizationRequest,
    selection: &AccountSelection<'_>,
) -> Result<Option<ScopeSet>, FlowError> {
    let ResponseDelivery::Redirect(reply) = &request.reply;
    if !client.needs_offline_access_consent_at(&reply.redirect_uri)
        || !request.ask.scope.contains(&Scope::OfflineAccess)
    {
        return Ok(None);
    }
    let device = match selection {
        AccountSelection::SignedIn(live) => live.session.device,
        AccountSelection::NoAccount | AccountSelection::Several(_) | AccountSelection::Proven(..) => None,
    };
    let agreed = match device {
        Some(device) => call.store().offline_consent(device, client.id()).await?,
        None => false,
    };
    Ok((!agreed).then(|| [Scope::OfflineAccess].into_iter().collect()))
}

/// The requested scopes, and those of claims that are requested one by one (`claims`): the consent page would otherwise not show
/// them.
fn asked_scope(client: &Client, ask: &RequestContent) -> ScopeSet {
    let mapping = &client.policy.claims;
    let is_asked = |name: &str| {
        let claims = ask.claims.as_ref();
        claims.is_some_and(|claims| {
            mapping.is_asked_for(name, &claims.userinfo) || mapping.is_asked_for(name, &claims.id_token)
        })
    };
    let registered = &client.metadata.scope;
    let behind_claims = registered.filtered(|scope| claims_of(scope).iter().any(|name| is_asked(name)));
    ask.scope.union(&behind_claims)
}
