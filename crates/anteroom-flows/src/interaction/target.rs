//! The client may change while an interaction is open. So an open request is checked against the current registration, exactly
//! as a new request would be.

use anteroom_domain::client::Client;
use anteroom_domain::interaction::{Destination, InteractionState, RequestSource};
use anteroom_oidc::authorization::{AuthorizationRequest, ResponseDelivery};
use std::ops::Deref;
use std::sync::Arc;

use crate::context::provider::Snapshot;

/// The destination, with its client as it is registered now.
pub(crate) enum Target<'a> {
    Dashboard,
    Application { client: &'a Arc<Client>, request: PresentRequest<'a> },
    ChangePassword,
    AuthenticatorApps,
}

/// A stored request, with what its client may have of it now.
pub(crate) enum PresentRequest<'a> {
    Whole(&'a AuthorizationRequest),
    Narrowed(Box<AuthorizationRequest>),
}

impl Deref for PresentRequest<'_> {
    type Target = AuthorizationRequest;

    fn deref(&self) -> &AuthorizationRequest {
        match self {
            Self::Whole(request) => request,
            Self::Narrowed(request) => request,
        }
    }
}

impl<'a> Target<'a> {
    /// `None`: the client is not registered any more, or its redirect URI or response type is not; or it must now use PKCE, PAR
    /// or a signed request object; or no requested scope or resource is left.
    pub(crate) fn of(snapshot: &'a Snapshot, state: &'a InteractionState) -> Option<Self> {
        match &state.destination {
            Destination::Dashboard => Some(Self::Dashboard),
            Destination::ChangePassword => Some(Self::ChangePassword),
            Destination::AuthenticatorApps => Some(Self::AuthenticatorApps),
            Destination::Application(request) => {
                let client = snapshot.clients.get(&request.ask.client_id)?;
                if !is_registered(&request.reply, client) || !meets_request_requirements(state, client) {
                    return None;
                }
                let request = narrowed(request, client)?;
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

    pub(crate) fn client(&self) -> Option<&'a Arc<Client>> {
        match self {
            Self::Dashboard | Self::ChangePassword | Self::AuthenticatorApps => None,
            Self::Application { client, .. } => Some(client),
        }
    }
}

/// Whether the client may still be answered at this redirect URI and with this response type.
fn is_registered(reply: &ResponseDelivery, client: &Client) -> bool {
    let ResponseDelivery::Redirect(reply) = reply;
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

/// The request without the scopes and APIs that the client is not registered for any more. `None`: no scope is left, or none of the
/// APIs, or no `openid`.
fn narrowed<'a>(request: &'a AuthorizationRequest, client: &Client) -> Option<PresentRequest<'a>> {
    let metadata = &client.metadata;
    let ask = &request.ask;
    let is_registered = |resource: &String| metadata.audience.contains(resource);
    if ask.scope.is_subset(&metadata.scope) && ask.resource.iter().all(is_registered) {
        return (!ask.scope.is_empty()).then_some(PresentRequest::Whole(request));
    }
    let mut narrowed = Box::new(request.clone());
    narrowed.ask.scope = ask.scope.intersection(&metadata.scope);
    narrowed.ask.resource.retain(is_registered);
    let lost_all_apis = narrowed.ask.resource.is_empty() && !ask.resource.is_empty();
    // What is left would be another kind of request: without `openid` there is no ID token (OpenID Connect Core §3.1.2.1).
    let lost_openid = ask.is_openid() && !narrowed.ask.is_openid();
    let nothing_left = narrowed.ask.scope.is_empty() || lost_all_apis || lost_openid;
    (!nothing_left).then_some(PresentRequest::Narrowed(narrowed))
}
