//! The `session_state` of an authorization response (OpenID Connect Session Management 1.0 §3).

use crate::context::call::Visit;
use anteroom_oidc::authorization::AuthorizationRequest;

/// `None` where no script could ask (a private-use scheme has no origin), and where no sign-in was asked for.
pub(crate) fn session_state(visit: &Visit, request: &AuthorizationRequest) -> Option<String> {
    let origin = request.redirect_uri.origin().filter(|_| request.is_openid())?;
    let salt = visit.random().bytes();
    Some(visit.browser.state.session_state(&request.client_id, &origin, salt))
}
