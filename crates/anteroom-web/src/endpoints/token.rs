//! `/token`, `/revoke` and `/introspect`: requests in the name of a client, which authenticates unless it is public.

use anteroom_flows::context::authenticated_client::AuthenticatedClient;
use anteroom_flows::context::limits::count_client_request;
use anteroom_flows::error::FlowError;
use anteroom_flows::protocol::client_authentication::{ClientAuthError, ClientEndpoint, authenticate};
use anteroom_flows::protocol::introspect::{IntrospectionError, introspect as introspect_token};
use anteroom_flows::protocol::revoke::revoke as revoke_token;
use anteroom_flows::protocol::token::{TokenRequestError, handle_token_request};
use anteroom_oidc::errors::{TokenError, TokenErrorCode};
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::token::{CredentialsError, PresentedCredentials, TokenLookup, TokenRequest};
use axum::Json;
use axum::http::header::{CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::authorization::{Repeated, authorization};
use crate::endpoints::rejected_requests;
use crate::endpoints::unavailable::unavailable;
use crate::forms::is_form;
use crate::page_context::EndpointContext;
use crate::received::{BodyResult, ReceivedRequest, is_too_long};
use crate::request_checks::is_loopback_name;

/// A request of an authenticated client.
pub(crate) struct ClientRequest {
    pub client: AuthenticatedClient,
    pub form: UrlEncodedForm,
}

/// Why a request failed, in the protocol's terms.
pub(crate) enum ClientRequestError {
    Protocol(TokenError),
    /// The body is longer than the server takes.
    TooLong,
    /// The client did not authenticate.
    Client(ClientAuthError),
    Flow(FlowError),
}

impl From<TokenError> for ClientRequestError {
    fn from(error: TokenError) -> Self {
        Self::Protocol(error)
    }
}

impl From<FlowError> for ClientRequestError {
    fn from(error: FlowError) -> Self {
        Self::Flow(error)
    }
}

impl ClientRequest {
    pub(crate) async fn read(
        context: &EndpointContext,
        endpoint: ClientEndpoint,
        headers: &HeaderMap,
        body: &BodyResult,
    ) -> Result<Self, ClientRequestError> {
        let form = form(context, headers, body)?;
        let authorization = authorization(headers).map_err(|Repeated| {
            rejected_requests::credentials(context, None, &form, CredentialsError::TwoHeaders)
        })?;
        let presented = PresentedCredentials::parse(authorization, &form)
            .map_err(|error| rejected_requests::credentials(context, authorization, &form, error))?;
        match authenticate(&context.call, endpoint, &presented).await? {
            Ok(client) => {
                context.call.span.set_client(client.client().id());
                count_client_request(&context.call, &client)?;
                Ok(Self { client, form })
            }
            Err(error) => {
                tracing::warn!(reference = %context.from.reference, "client authentication failed: {error}");
                Err(ClientRequestError::Client(error))
            }
        }
    }
}

fn form(
    context: &EndpointContext,
    headers: &HeaderMap,
    body: &BodyResult,
) -> Result<UrlEncodedForm, ClientRequestError> {
    let body = match body {
        Ok(body) => body,
        Err(rejection) if is_too_long(rejection) => return Err(ClientRequestError::TooLong),
        Err(_) => return Err(rejected_requests::body(context, headers, "the body was cut off").into()),
    };
    if !is_form(headers) {
        return Err(rejected_requests::body(context, headers, "another content type").into());
    }
    UrlEncodedForm::decode(body)
        .map_err(|error| rejected_requests::body(context, headers, &error.to_string()).into())
}

pub(crate) async fn token(headers: HeaderMap, request: ReceivedRequest) -> Response {
    let ReceivedRequest { context, body } = request;
    finish(&context, exchanged(&context, &headers, &body).await)
}

async fn exchanged(
    context: &EndpointContext,
    headers: &HeaderMap,
    body: &BodyResult,
) -> Result<Response, ClientRequestError> {
    let ClientRequest { client, form } =
        ClientRequest::read(context, ClientEndpoint::Token, headers, body).await?;
    let request = TokenRequest::parse(&form)
        .map_err(|error| rejected_requests::token_request(context, &client, &form, error))?;
    match handle_token_request(&context.call, &client, request).await {
        Ok(response) => Ok(Json(response).into_response()),
        Err(TokenRequestError::Flow(error)) => Err(error.into()),
        Err(error) => {
            let client = client.client().id().as_str();
            tracing::warn!(reference = %context.from.reference, client, "token request refused: {error}");
            Err(TokenError::new(error.code().unwrap_or(TokenErrorCode::InvalidRequest), error.description())
                .into())
        }
    }
}

pub(crate) async fn revoke(headers: HeaderMap, request: ReceivedRequest) -> Response {
    let ReceivedRequest { context, body } = request;
    finish(&context, revoked(&context, &headers, &body).await)
}

async fn revoked(
    context: &EndpointContext,
    headers: &HeaderMap,
    body: &BodyResult,
) -> Result<Response, ClientRequestError> {
    let ClientRequest { client, form } =
        ClientRequest::read(context, ClientEndpoint::Revocation, headers, body).await?;
    let reference = TokenLookup::parse(&form)
        .map_err(|error| rejected_requests::token_lookup(context, &client, &form, error))?;
    revoke_token(&context.call, &client, &reference.token).await?;
    // RFC 7009 §2.2: clients ignore the body. Some clients treat a response without a content type as a failure.
    Ok(Json(serde_json::json!({})).into_response())
}

pub(crate) async fn introspect(headers: HeaderMap, request: ReceivedRequest) -> Response {
    let ReceivedRequest { context, body } = request;
    finish(&context, introspected(&context, &headers, &body).await)
}

async fn introspected(
    context: &EndpointContext,
    headers: &HeaderMap,
    body: &BodyResult,
) -> Result<Response, ClientRequestError> {
    let ClientRequest { client, form } =
        ClientRequest::read(context, ClientEndpoint::Introspection, headers, body).await?;
    let reference = TokenLookup::parse(&form)
        .map_err(|error| rejected_requests::token_lookup(context, &client, &form, error))?;
    match introspect_token(&context.call, &client, &reference.token).await {
        Ok(answer) => Ok(Json(answer).into_response()),
        Err(IntrospectionError::PublicClient) => {
            Err(rejected_requests::public_client(context, &client, "a public client may not introspect")
                .into())
        }
        Err(IntrospectionError::Flow(error)) => Err(error.into()),
    }
}

/// RFC 6749 §5.1: a cache must not store any of these responses.
pub(crate) fn finish(context: &EndpointContext, result: Result<Response, ClientRequestError>) -> Response {
    let mut response = result.unwrap_or_else(|refused| refuse(context, &refused));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// RFC 6749 §3.2: a client sends POST. Any other method gets a JSON error, without a page or a cookie.
pub(crate) async fn only_post() -> Response {
    let error =
        TokenError::new(TokenErrorCode::InvalidRequest, "requests to this endpoint are made with POST");
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, Json(error.body())).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refuse(context: &EndpointContext, refused: &ClientRequestError) -> Response {
    match refused {
        ClientRequestError::Protocol(error) => error_response(context, *error, None),
        ClientRequestError::Client(why) => {
            let error = TokenError::new(TokenErrorCode::InvalidClient, "client authentication failed");
            error_response(context, error, Some(why))
        }
        ClientRequestError::TooLong => {
            let error = TokenError::new(TokenErrorCode::InvalidRequest, "the body is too long");
            (StatusCode::PAYLOAD_TOO_LARGE, Json(error.body())).into_response()
        }
        ClientRequestError::Flow(error) => unavailable(context, error),
    }
}

/// `invalid_client` has one description for all causes, so that it reveals nothing about clients, and a reference with
/// which an operator finds the cause in the log. If the issuer is loopback, the developer's own machine, the response
/// names the cause itself.
fn error_response(context: &EndpointContext, error: TokenError, why: Option<&ClientAuthError>) -> Response {
    let issuer = context.call.snapshot().issuer.clone();
    let mut body = error.body();
    if error.code == TokenErrorCode::InvalidClient {
        let is_local = issuer.url().host_str().is_some_and(is_loopback_name);
        let why = why.filter(|_| is_local).map(|why| format!(" ({})", describable(&why.to_string())));
        let reference = context.from.reference;
        body.error_description =
            format!("{}{}; reference {reference}", error.description, why.unwrap_or_default()).into();
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, Json(body)).into_response();
    let challenge = error.www_authenticate(&issuer);
    if let Some(value) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

/// RFC 6749 §5.2: `error_description` is ASCII without quotes and backslashes.
fn describable(text: &str) -> String {
    let admitted = |c: char| match c {
        '"' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    };
    text.chars().map(admitted).collect()
}
