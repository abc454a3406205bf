//! `/authorize` (OpenID Connect Core §3.1.2.1: GET and POST alike).

use anteroom_flows::interaction::authorize::{AuthorizeOutcome, authorize};
use anteroom_oidc::authorization::{AuthorizationError, Parameter, Parameters};
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_pages::ErrorKind;
use axum::extract::{FromRequest, RawQuery, Request};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

use crate::forms::is_form;
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::step::show_page;
use crate::paths::to_sign_in;
use crate::received::read_body;
use crate::respond::{error_return_page, redirect_to};
use crate::state::Web;

pub(crate) async fn get(query: RawQuery, context: PageContext) -> Response {
    finish(&context, answer(&context, query.0.as_deref().unwrap_or_default()).await).await
}

async fn answer(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let form = UrlEncodedForm::decode(query.as_bytes()).map_err(|_| invalid())?;
    match authorize(&context.visit, &Parameters::from(&form)).await? {
        AuthorizeOutcome::Next(next) => show_page(context, next),
        AuthorizeOutcome::ErrorReturn(error_return) => Ok(error_return_page(context, &error_return)),
        AuthorizeOutcome::Refused(error) => Err(refused(&error)),
    }
}

fn invalid() -> PageError {
    PageError::page(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, to_sign_in())
}

fn refused(error: &AuthorizationError) -> PageError {
    let kind = match error.parameter {
        Parameter::ClientId => ErrorKind::UnknownClient,
        Parameter::RedirectUri => ErrorKind::RedirectUriMismatch,
        _ => ErrorKind::InvalidRequest,
    };
    PageError::page(StatusCode::BAD_REQUEST, kind, to_sign_in())
}

/// A request that a client's page may post. Such a cross-site POST carries neither our `SameSite=Lax` cookies nor a
/// form token. So it changes nothing, and the browser is redirected to the same path with GET.
pub(crate) struct CrossSitePost {
    context: PageContext,
    query: String,
}

impl FromRequest<Arc<Web>> for CrossSitePost {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = read_body(request, web).await?;
        let context = PageContext::of(&mut parts, web);
        match body.ok().filter(|_| is_form(&parts.headers)).and_then(|body| as_query(&body)) {
            Some(query) => Ok(Self { context, query }),
            // A body that is unreadable or too long gets the same error page as an invalid request.
            None => Err(invalid().answer(&context).await),
        }
    }
}

/// The longest request (16 KiB), with every byte percent-encoded.
const LONGEST_QUERY: usize = 3 * 16 * 1024;

fn as_query(body: &[u8]) -> Option<String> {
    let form = UrlEncodedForm::decode(body).ok()?;
    let pairs = form.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // A longer request would be refused, and a longer URL may not even arrive.
    Some(anteroom_oidc::form::encode(pairs)).filter(|query| query.len() <= LONGEST_QUERY)
}

pub(crate) async fn post(CrossSitePost { context, query }: CrossSitePost) -> Response {
    redirect_to(&context, &format!("/authorize?{query}"))
}

pub(crate) async fn end_session_post(CrossSitePost { context, query }: CrossSitePost) -> Response {
    redirect_to(&context, &format!("/end-session?{query}"))
}
