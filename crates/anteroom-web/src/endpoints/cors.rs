//! CORS: any origin may read discovery and the JWKS; origins of registered clients may use token, userinfo and
//! revocation. Pages are never available to other origins. Some browser clients send every request with credentials,
//! and the browser hides the response from them unless that is allowed. It is allowed at the token endpoint only, which
//! neither reads nor sets cookies.

use anteroom_domain::reference::RequestReference;
use anteroom_flows::context::registered_clients::knows_origin;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, COOKIE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

use crate::state::Web;

/// For documents that are public anyway.
pub(crate) async fn any_origin(request: Request, next: Next) -> Response {
    let allowed = request.headers().contains_key(ORIGIN).then(|| HeaderValue::from_static("*"));
    answer(request, next, allowed).await
}

/// For endpoints that registered clients call from a browser.
pub(crate) async fn client_origins(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let (origin, reference) = origin_and_reference(&request);
    let allowed = registered_origin(&web, origin, reference).await;
    answer(request, next, allowed).await
}

/// For the token endpoint: also for requests with credentials; their cookies are ignored.
pub(crate) async fn registered_with_credentials(
    State(web): State<Arc<Web>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (origin, reference) = origin_and_reference(&request);
    let allowed = registered_origin(&web, origin, reference).await;
    let with_credentials = allowed.is_some();
    request.headers_mut().remove(COOKIE);
    let mut response = answer(request, next, allowed).await;
    if with_credentials {
        // The Fetch standard allows this header only with an exact origin, which is what is sent here.
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

/// The request's origin, and the reference under which the log mentions the request.
fn origin_and_reference(request: &Request) -> (Option<HeaderValue>, Option<RequestReference>) {
    (request.headers().get(ORIGIN).cloned(), request.extensions().get().copied())
}

async fn registered_origin(
    web: &Web,
    origin: Option<HeaderValue>,
    reference: Option<RequestReference>,
) -> Option<HeaderValue> {
    let origin = origin?;
    let is_known = match knows_origin(&web.provider, origin.to_str().ok()?).await {
        Ok(is_known) => is_known,
        Err(error) => {
            tracing::warn!(
                reference = reference.map(tracing::field::display),
                "the origins of registered clients could not be read: {error}"
            );
            false
        }
    };
    is_known.then_some(origin)
}

async fn answer(request: Request, next: Next, allowed: Option<HeaderValue>) -> Response {
    let preflight = request.method() == Method::OPTIONS;
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate"));
        if preflight {
            allow_preflight(headers);
        }
    }
    response
}

fn allow_preflight(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}
