//! Which clients may be redirected to without a page that names their host. A client that registers itself has redirect URIs of
//! its own choice, and an immediate redirect there makes this provider an open redirector (RFC 9700 §4.11.2).

use anteroom_oidc::ClientId;

use crate::context::call::Call;
use crate::error::FlowError;

/// Whether the client is the operator's (configured, or registered with an initial access token) or some account has consented
/// to it. This reads at most two rows by their keys; neither is written by requests without a signed-in person.
pub(crate) async fn is_established_client(call: &Call, client: &ClientId) -> Result<bool, FlowError> {
    if call.snapshot().clients.is_configured(client) {
        return Ok(true);
    }
    let registered = call.store().registered_client(client).await?;
    if registered.is_some_and(|client| client.with_initial_token) {
        return Ok(true);
    }
    Ok(call.store().is_agreed_to(client).await?)
}
