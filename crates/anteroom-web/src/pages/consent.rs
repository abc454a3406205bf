//! `POST /consent`.

use anteroom_flows::consent::{ConsentOutcome, Decision, consent};
use anteroom_oidc::{Scope, ScopeSet};
use anteroom_pages::ConsentScope;
use axum::response::Response;

use crate::failure::{Failure, finish};
use crate::form_token::{FormName, Stale};
use crate::forms::Posted;
use crate::pages::choose_account::again;
use crate::pages::step::go;

pub(crate) async fn submit(posted: Posted) -> Response {
    let result = submitted(&posted).await;
    finish(&posted.asker, result).await
}

async fn submitted(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    if let Err(Stale) = posted.check_token(FormName::Consent) {
        return Err(Failure::stale_form(&again(posted, "/dashboard")));
    }
    // Anything but a clear yes is a no.
    let decision = if posted.field("decision") == "allow" { Decision::Allow } else { Decision::Deny };
    let waiting = posted.waiting()?.ok_or_else(Failure::interaction_expired)?;
    match consent(&asker.web.provider, &asker.visitor, waiting, decision).await? {
        ConsentOutcome::Onward(onward) => go(asker, onward),
        ConsentOutcome::Gone => Err(Failure::interaction_expired()),
    }
}

pub(crate) fn consent_scopes(scopes: &ScopeSet) -> Vec<ConsentScope> {
    let view = |scope: &Scope| match scope {
        Scope::OpenId => ConsentScope::Openid,
        Scope::Profile => ConsentScope::Profile,
        Scope::Email => ConsentScope::Email,
        Scope::Address => ConsentScope::Address,
        Scope::Phone => ConsentScope::Phone,
        Scope::Groups => ConsentScope::Groups,
        Scope::OfflineAccess => ConsentScope::OfflineAccess,
        Scope::Other(_) => ConsentScope::Other { scope: scope.to_string() },
    };
    scopes.iter().map(view).collect()
}
