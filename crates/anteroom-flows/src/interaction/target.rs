//! The client may change while an interaction is open. So an open request is checked against the current registration, exactly
//! as a new request would be.

use anteroom_domain::client::Client;
use anteroom_domain::interaction::{Destination, InteractionState, RequestSource};
use anteroom_oidc::authorization::{AuthorizationRequest, Reply};
use std::sync::Arc;

use crate::context::provider::Snapshot;

/// The destination with its client, as registered now.
pub(crate) enum Target {
    Dashboard,
    Application { client: Arc<Client>, request: Box<AuthorizationRequest> },
    ChangePassword,
    AuthenticatorApps,
}

impl Target {
    /// `None`: the client is not registered any more, or its redirect URI or response type is not; or it must now use PKCE, PAR
    /// or a signed request object; or no requested scope or resource is left.
    pub(crate) fn of(snapshot: &Snapshot, state: &InteractionState) -> Option<Self> {
        match &state.destination {
            Destination::Dashboard => Some(Self::Dashboard),
            Destination::ChangePassword => Some(Self::ChangePassword),
            Destination::AuthenticatorApps => Some(Self::AuthenticatorApps),
            Destination::Application(request) => {
                let client = Arc::clone(snapshot.clients.get(&request.ask.client_id)?);
                if !is_registered(&request.reply, &client) || !meets_request_requirements(state, &client) {
                    return None;
                }
                let request = narrowed(request, &client)?;
                Some(Self::Application { client, request })
            }
        }
    }

    pub(crate) fn request(&self) -> Option<&AuthorizationRequest> {
        match self {
            Self::Dashboard | Self::ChangePassword | Self::AuthenticatorApps => None,
            Self::Application { request, .. } => Some(request),
        }
    }

    pub(crate) fn client(&self) -> Option<&Arc<Client>> {
        match self {
            Self::Dashboard | Self::ChangePassword | Self::AuthenticatorApps => None,
            Self::Application { client, .. } => Some(client),
        }
    }
}

/// Whether the client may still be answered there and so.
fn is_registered(reply: &Reply, client: &Client) -> bool {
    let Reply::Redirect(reply) = reply;
    let metadata = &client.metadata;
    let lacks_pkce =
        metadata.require_pkce && reply.response_type.has_code() && reply.code_challenge.is_none();
    metadata.find_redirect_uri(reply.redirect_uri.as_str()).is_some()
        && metadata.response_types.contains(&reply.response_type)
        && !lacks_pkce
}

/// RFC 9126 §5, RFC 9101 §10.5: the operator may have set since then how requests of the client have to come.
fn meets_request_requirements(state: &InteractionState, client: &Client) -> bool {
    let is_pushed = matches!(state.source, RequestSource::Pushed { .. });
    let metadata = &client.metadata;
    (is_pushed || !metadata.require_pushed_authorization_requests)
        && (state.signed || !metadata.require_signed_request_object)
}

/// The request without the scopes and APIs that the client may not have any more.
fn narrowed(request: &AuthorizationRequest, client: &Client) -> Option<Box<AuthorizationRequest>> {
    let metadata = &client.metadata;
    let mut request = Box::new(request.clone());
    request.ask.scope = request.ask.scope.intersection(&metadata.scope);
    let named = !request.ask.resource.is_empty();
    request.ask.resource.retain(|resource| metadata.audience.contains(resource));
    let nothing = request.ask.scope.is_empty() || (named && request.ask.resource.is_empty());
    (!nothing).then_some(request)
}
