//! The provider's frame (OpenID Connect Session Management 1.0 §3.3), the one page that other sites may frame. It shows
//! nothing, has no data of an account and is the same for every browser; its script reads `op_browser_state`, which
//! gives access to nothing.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

const PAGE: &str = include_str!("../../assets/check-session.html");
const SCRIPT: &str = include_str!("../../assets/check-session.js");

/// No `frame-ancestors`: clients on any origin frame it.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'");
/// Every page of every client loads this script, so browsers may cache it.
const CACHEABLE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(crate) async fn page() -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, CACHEABLE)], PAGE)
        .into_response()
}

pub(crate) async fn script() -> Response {
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, CACHEABLE)], SCRIPT).into_response()
}
