//! `/authorize` (OpenID Connect Core §3.1.2.1: GET and POST alike).

use anteroom_flows::authorize::{AuthorizeOutcome, authorize};
use anteroom_oidc::authorization::{AuthorizationError, Parameter, Parameters};
use anteroom_oidc::form::Form;
use anteroom_pages::ErrorKind;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish, to_sign_in};
use crate::forms::is_form;
use crate::pages::step::show;
use crate::respond::leave;

pub(crate) async fn get(asker: Asker, query: RawQuery) -> Response {
    finish(&asker, answer(&asker, query.0.as_deref().unwrap_or_default()).await).await
}

async fn answer(asker: &Asker, query: &str) -> Result<Response, Failure> {
    let form = Form::decode(query.as_bytes()).map_err(|_| invalid())?;
    match authorize(&asker.web.provider, &asker.visitor, &Parameters::from(&form)).await? {
        AuthorizeOutcome::Onward(onward) => show(asker, onward),
        AuthorizeOutcome::Refused(error) => Err(refused(&error)),
    }
}

fn invalid() -> Failure {
    Failure::page(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, to_sign_in())
}

fn refused(error: &AuthorizationError) -> Failure {
    let kind = match error.parameter {
        Parameter::ClientId => ErrorKind::UnknownClient,
        Parameter::RedirectUri => ErrorKind::RedirectUriMismatch,
        _ => ErrorKind::InvalidRequest,
    };
    Failure::page(StatusCode::BAD_REQUEST, kind, to_sign_in())
}

/// A POST comes from the application's page, so without our Lax cookie: it changes nothing and is asked again as a GET of the
/// same path.
pub(crate) async fn post(asker: Asker, headers: HeaderMap, body: Sent) -> Response {
    finish(&asker, again_as_get(&asker, "/authorize", (&headers, body))).await
}

pub(crate) async fn end_session_post(asker: Asker, headers: HeaderMap, body: Sent) -> Response {
    finish(&asker, again_as_get(&asker, "/end-session", (&headers, body))).await
}

/// What cannot be read, or is too long, is as unusable as anything else that is no request.
type Sent = Result<Bytes, BytesRejection>;

/// What a request may be long (16 KiB), each byte of it encoded.
const LONGEST_QUERY: usize = 3 * 16 * 1024;

fn again_as_get(asker: &Asker, path: &str, (headers, body): (&HeaderMap, Sent)) -> Result<Response, Failure> {
    let form = body
        .ok()
        .filter(|_| is_form(headers))
        .and_then(|body| Form::decode(&body).ok())
        .ok_or_else(invalid)?;
    let pairs = form.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query = anteroom_oidc::form::encode(pairs);
    // As a request it would be refused for that; as an address it may not even get there.
    if query.len() > LONGEST_QUERY {
        return Err(invalid());
    }
    Ok(leave(asker, &format!("{path}?{query}")))
}
