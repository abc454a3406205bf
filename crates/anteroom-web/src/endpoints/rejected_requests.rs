//! Requests of clients that are refused before a use case runs. The client gets a standard error code, which is the
//! same for many mistakes. So the operator's log has one line with the client, what was received and what is allowed.
//! Values may be secrets, so the line has only the names of parameters.

use anteroom_flows::context::authenticated_client::AuthenticatedClient;
use anteroom_oidc::TokenEndpointAuthMethod;
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::errors::{TokenError, TokenErrorCode};
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::token::{CredentialsError, PresentedCredentials};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use crate::page_context::EndpointContext;

/// A body that is not UTF-8, too long, or of another content type.
pub(super) fn body(context: &EndpointContext, headers: &HeaderMap, why: &str) -> TokenError {
    let received =
        headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let received = format!("{}: {why}", shorten(&received.unwrap_or_default()));
    let error = TokenError::new(TokenErrorCode::InvalidRequest, "the body is not a well-formed form");
    refused(context, None, &received, "application/x-www-form-urlencoded", error)
}

pub(super) fn credentials(
    context: &EndpointContext,
    authorization: Option<&str>,
    form: &UrlEncodedForm,
    error: CredentialsError,
) -> TokenError {
    let of_header = authorization.and_then(|header| {
        let presented = PresentedCredentials::parse(Some(header), &UrlEncodedForm::default()).ok()?;
        Some(presented.client_id().as_str().to_owned())
    });
    let client = form.value_if_single("client_id").map(str::to_owned).or(of_header);
    let known = client.as_deref().and_then(|id| id.parse().ok());
    let snapshot = context.call.snapshot();
    let known = known.and_then(|id| snapshot.clients.get(&id));
    let methods = known.map_or(TokenEndpointAuthMethod::ALL, |client| client.accepted_methods());
    let allowed = format!("one of {}", listed(methods.iter().map(|method| method.as_str())));
    let scheme = authorization.map(|header| {
        let scheme = header.split(' ').next().unwrap_or_default();
        format!("Authorization: {}", shorten(scheme))
    });
    let in_form = ["client_id", "client_secret", "client_assertion_type", "client_assertion"];
    let in_form = in_form.into_iter().filter(|name| form.all(name).next().is_some()).map(str::to_owned);
    let received = listed(scheme.into_iter().chain(in_form));
    let reason = error.to_string();
    let error = TokenError::from(error);
    line(context, client.as_deref(), &received, &allowed, &reason);
    error
}

pub(super) fn token_request(
    context: &EndpointContext,
    client: &AuthenticatedClient,
    form: &UrlEncodedForm,
    error: TokenError,
) -> TokenError {
    let metadata = &client.client().metadata;
    let allowed = listed(metadata.grant_types.iter().map(|grant| grant.as_str()));
    let received = match form.value_if_single("grant_type") {
        Some(grant) => format!("grant_type {}", shorten(grant)),
        None => listed(form.pairs().iter().map(|(name, _)| name.as_str())),
    };
    refused(context, Some(client.client().id().as_str()), &received, &allowed, error)
}

pub(super) fn token_lookup(
    context: &EndpointContext,
    client: &AuthenticatedClient,
    form: &UrlEncodedForm,
    error: TokenError,
) -> TokenError {
    let received = listed(form.pairs().iter().map(|(name, _)| name.as_str()));
    let allowed = "token, token_type_hint, each once";
    refused(context, Some(client.client().id().as_str()), &received, allowed, error)
}

/// A public client at an endpoint that requires client authentication.
pub(super) fn public_client(
    context: &EndpointContext,
    client: &AuthenticatedClient,
    description: &'static str,
) -> TokenError {
    let error = TokenError::new(TokenErrorCode::InvalidClient, description);
    let (received, allowed) = ("a public client", "clients that authenticate");
    refused(context, Some(client.client().id().as_str()), received, allowed, error)
}

fn refused(
    context: &EndpointContext,
    client: Option<&str>,
    received: &str,
    allowed: &str,
    error: TokenError,
) -> TokenError {
    line(context, client, received, allowed, &error.to_string());
    error
}

fn line(context: &EndpointContext, client: Option<&str>, received: &str, allowed: &str, reason: &str) {
    tracing::warn!(
        reference = %context.from.reference,
        client = client.map(shorten),
        received = ?shorten(received),
        allowed,
        "request of a client refused: {reason}"
    );
}

/// The words in one line, or "nothing".
fn listed(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<_> = words.map(|word| word.as_ref().to_owned()).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}
