//! CORS: anyone may read discovery and JWKS; scripts of registered applications may use token, userinfo and revocation.
//! Never with cookies, never on pages.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

use crate::state::Web;

/// For documents that are public anyway.
pub(crate) async fn anyone(request: Request, next: Next) -> Response {
    let allowed = request.headers().contains_key(ORIGIN).then(|| HeaderValue::from_static("*"));
    answer(request, next, allowed).await
}

/// For endpoints that registered applications call from a browser.
pub(crate) async fn registered(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let allowed = origin.filter(|origin| origin.to_str().is_ok_and(|origin| is_registered(&web, origin)));
    answer(request, next, allowed).await
}

fn is_registered(web: &Web, origin: &str) -> bool {
    let snapshot = web.provider.snapshot();
    let uris = || snapshot.clients.iter().flat_map(|client| &client.metadata.redirect_uris);
    uris().filter_map(anteroom_oidc::RedirectUri::origin).any(|registered| registered == origin)
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
