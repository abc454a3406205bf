//! `/userinfo` (OpenID Connect Core §5.3): GET and POST, the token in the header or a form.

use anteroom_flows::protocol::userinfo::{UserInfoAnswer, UserInfoError, userinfo};
use anteroom_oidc::errors::BearerError;
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::token::bearer_token;
use axum::Json;
use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::authorization::{REPEATED, Repeated, authorization};
use crate::endpoints::unavailable::unavailable;
use crate::forms::is_form;
use crate::page_context::EndpointContext;
use crate::received::{BodyResult, ReceivedRequest, is_too_long};

/// RFC 6750 §2.2: with a method without a request body the token is accepted in the header only.
pub(crate) async fn get(query: RawQuery, headers: HeaderMap, context: EndpointContext) -> Response {
    finish(&context, answer(&context, &headers, None, &query).await)
}

pub(crate) async fn post(
    query: RawQuery,
    headers: HeaderMap,
    ReceivedRequest { context, body }: ReceivedRequest,
) -> Response {
    finish(&context, posted(&context, &headers, &body, &query).await)
}

async fn posted(
    context: &EndpointContext,
    headers: &HeaderMap,
    body: &BodyResult,
    query: &RawQuery,
) -> Result<UserInfoAnswer, UserInfoError> {
    let why =
        |rejection| if is_too_long(rejection) { "the body is too long" } else { "the body was cut off" };
    let body = body.as_ref().map_err(|rejection| BearerError::InvalidRequest(why(rejection)))?;
    let form = Some(body).filter(|_| is_form(headers)).and_then(|body| UrlEncodedForm::decode(body).ok());
    answer(context, headers, form.as_ref(), query).await
}

fn finish(context: &EndpointContext, result: Result<UserInfoAnswer, UserInfoError>) -> Response {
    let mut response = match result {
        Ok(UserInfoAnswer::Json(user_info)) => Json(user_info).into_response(),
        Ok(UserInfoAnswer::Jwt(jwt)) => {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/jwt"))], jwt).into_response()
        }
        Err(UserInfoError::Bearer(error)) => refuse(context, &error),
        Err(UserInfoError::Flow(error)) => unavailable(context, &error),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(
    context: &EndpointContext,
    headers: &HeaderMap,
    form: Option<&UrlEncodedForm>,
    query: &RawQuery,
) -> Result<UserInfoAnswer, UserInfoError> {
    let authorization = authorization(headers).map_err(|Repeated| BearerError::InvalidRequest(REPEATED))?;
    let token = bearer_token(authorization, form, query.0.as_deref())?;
    userinfo(&context.call, &token).await
}

/// RFC 6750 §3. A request without a token asks how to send one: that is not a mistake and is not logged. Expired
/// tokens are ordinary, so they are logged as information and not as warnings.
fn refuse(context: &EndpointContext, error: &BearerError) -> Response {
    let (reference, path) = (&context.from.reference, context.path.as_str());
    match error {
        BearerError::NoToken => {}
        BearerError::InvalidRequest(_) => {
            tracing::warn!(%reference, path, "access token refused: {error}");
        }
        BearerError::InvalidToken(_) | BearerError::InsufficientScope(_) => {
            tracing::info!(%reference, path, "access token refused: {error}");
        }
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = status.into_response();
    let challenge = error.www_authenticate(&context.call.snapshot().issuer);
    if let Ok(value) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}
