//! The `session_state` of an authorization response (OpenID Connect Session Management 1.0 §3).

use anteroom_oidc::authorization::AuthorizationRequest;

use crate::provider::Provider;
use crate::visitor::Visitor;

/// `None` where no script could ask (a private-use scheme has no origin), and where no sign-in was asked for.
pub(crate) fn session_state(
    provider: &Provider,
    visitor: &Visitor,
    request: &AuthorizationRequest,
) -> Option<String> {
    let origin = request.redirect_uri.origin().filter(|_| request.is_openid())?;
    let salt = provider.random.bytes();
    Some(visitor.browser_state.session_state(&request.client_id, &origin, salt))
}
