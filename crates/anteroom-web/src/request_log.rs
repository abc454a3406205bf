//! One span for each request, and one log line for its response: route, client, status and duration. Neither has the
//! query, the variable parts of the path or data of a person.

use anteroom_domain::reference::RequestReference;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::page_context;
use crate::state::Web;

/// The target of these lines, for the log filter (`[log] requests`).
pub const REQUESTS: &str = "anteroom::requests";

/// Paths that monitoring requests constantly, and browsers with every page.
const ASKED_ALL_THE_TIME: &[&str] = &["/healthz", "/readyz", "/assets/{*path}"];

pub(crate) async fn request(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (mut parts, body) = request.into_parts();
    let reference = page_context::reference(&mut parts, &web);
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let span = span(&parts.method, route, reference);
    let response = next.run(Request::from_parts(parts, body)).instrument(span.clone()).await;
    span.in_scope(|| log_response(route, reference, response.status(), begun.elapsed()));
    response
}

fn span(method: &Method, route: &str, reference: RequestReference) -> Span {
    tracing::info_span!("request", method = method_name(method), route, %reference, client = Empty)
}

/// A client may send any word as the method, so only known ones are logged.
fn method_name(method: &Method) -> &str {
    let known = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { "other" }
}

fn log_response(route: &str, reference: RequestReference, status: StatusCode, took: Duration) {
    let (status, ms) = (status.as_u16(), took.as_millis());
    if ASKED_ALL_THE_TIME.contains(&route) {
        tracing::debug!(target: REQUESTS, %reference, status, ms, "answered");
    } else {
        tracing::info!(target: REQUESTS, %reference, status, ms, "answered");
    }
}
