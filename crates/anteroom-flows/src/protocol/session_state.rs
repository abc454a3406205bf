//! The `session_state` of an authorization response (OpenID Connect Session Management 1.0 §3).

use crate::context::call::Visit;
use anteroom_oidc::authorization::{RedirectDelivery, RequestContent};

/// `None` where the redirect URI has no origin (a private-use scheme), and without the scope `openid`.
pub(crate) fn session_state(visit: &Visit, ask: &RequestContent, reply: &RedirectDelivery) -> Option<String> {
    let origin = reply.redirect_uri.origin().filter(|_| ask.is_openid())?;
    let salt = visit.random().bytes();
    Some(visit.browser.state.session_state(&ask.client_id, &origin, salt))
}
