//! `/clients`: registration of clients (RFC 7591 §3), and `/clients/{client}`, where a client manages its registration
//! (RFC 7592 §2).

use anteroom_flows::protocol::registration::{self, ClientInformation, RegistrationError, RegistrationInput};
use anteroom_oidc::errors::BearerError;
use anteroom_oidc::token::bearer_token;
use anteroom_oidc::{Issuer, RegistrationRefusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;

use crate::authorization::{REPEATED, Repeated, authorization};
use crate::endpoints::unavailable::unavailable;
use crate::page_context::EndpointContext;
use crate::path_param::PathParam;
use crate::received::{BodyResult, ReceivedRequest};

/// The longest metadata document in bytes; other bodies are limited by the server's own limit.
const MAX_METADATA: usize = 32 * 1024;

/// In seconds. By then the document that is being fetched has arrived or the fetch has failed.
const BUSY_FOR: &str = "10";

type RegistrationResult = Result<Response, RegistrationError>;

pub(crate) async fn register(
    query: RawQuery,
    headers: HeaderMap,
    ReceivedRequest { context, body }: ReceivedRequest,
) -> Response {
    let body = json(&headers, body);
    let presented = presented(&headers, &query, &body);
    let registered = registration::register(&context.call, presented).await;
    finish(&context, registered.map(|client| client_information(StatusCode::CREATED, &client)))
}

pub(crate) async fn read(
    PathParam(client): PathParam<String>,
    query: RawQuery,
    headers: HeaderMap,
    context: EndpointContext,
) -> Response {
    let read = registration::read(&context.call, &client, token(&headers, &query)).await;
    finish(&context, read.map(|client| client_information(StatusCode::OK, &client)))
}

pub(crate) async fn update(
    PathParam(client): PathParam<String>,
    query: RawQuery,
    headers: HeaderMap,
    ReceivedRequest { context, body }: ReceivedRequest,
) -> Response {
    let body = json(&headers, body);
    let presented = presented(&headers, &query, &body);
    let updated = registration::update(&context.call, &client, presented).await;
    finish(&context, updated.map(|client| client_information(StatusCode::OK, &client)))
}

pub(crate) async fn delete(
    PathParam(client): PathParam<String>,
    query: RawQuery,
    headers: HeaderMap,
    context: EndpointContext,
) -> Response {
    let deleted = registration::delete(&context.call, &client, token(&headers, &query)).await;
    finish(&context, deleted.map(|()| StatusCode::NO_CONTENT.into_response()))
}

fn presented<'a>(
    headers: &HeaderMap,
    query: &RawQuery,
    body: &'a Result<Bytes, RegistrationRefusal>,
) -> RegistrationInput<'a> {
    RegistrationInput { token: token(headers, query), body: body.as_deref().map_err(Clone::clone) }
}

fn token(headers: &HeaderMap, query: &RawQuery) -> Result<SecretString, BearerError> {
    let authorization = authorization(headers).map_err(|Repeated| BearerError::InvalidRequest(REPEATED))?;
    bearer_token(authorization, None, query.0.as_deref())
}

/// RFC 7591 §3.1: the request is JSON. A page of another site cannot send that content type without a CORS preflight.
fn json(headers: &HeaderMap, body: BodyResult) -> Result<Bytes, RegistrationRefusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(RegistrationRefusal::metadata("the body must be application/json"));
    }
    body.ok()
        .filter(|body| body.len() <= MAX_METADATA)
        .ok_or_else(|| RegistrationRefusal::metadata("the body is too long or was cut off"))
}

fn client_information(status: StatusCode, client: &ClientInformation) -> Response {
    (status, Json(client)).into_response()
}

/// RFC 7591 §3.2.1: a cache must not store any of these responses.
fn finish(context: &EndpointContext, result: RegistrationResult) -> Response {
    let mut response = result.unwrap_or_else(|error| refuse(context, error));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

fn refuse(context: &EndpointContext, error: RegistrationError) -> Response {
    match error {
        RegistrationError::Closed => StatusCode::NOT_FOUND.into_response(),
        RegistrationError::Full => {
            let body = body("access_denied", "the maximum number of registered clients is reached");
            (StatusCode::FORBIDDEN, body).into_response()
        }
        RegistrationError::Busy => {
            let body =
                body("temporarily_unavailable", "too many documents are being fetched; try again later");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, BUSY_FOR)], body).into_response()
        }
        RegistrationError::Bearer(error) => challenge(&context.call.snapshot().issuer, &error),
        RegistrationError::Refused(refusal) => {
            (StatusCode::BAD_REQUEST, body(refusal.code.as_str(), &refusal.description)).into_response()
        }
        RegistrationError::Flow(error) => unavailable(context, &error),
    }
}

fn body(error: &str, description: &str) -> Json<serde_json::Value> {
    Json(serde_json::json!({ "error": error, "error_description": description }))
}

/// RFC 6750 §3.
fn challenge(issuer: &Issuer, error: &BearerError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = status.into_response();
    if let Ok(value) = HeaderValue::from_str(&error.www_authenticate(issuer)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}
