//! The response to a client whose request cannot be served at present.

use anteroom_domain::rate::Wait;
use anteroom_flows::error::FlowError;
use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::page_context::EndpointContext;

/// The cause is on our side, or the client sent too many requests: it may try again.
pub(crate) fn unavailable(context: &EndpointContext, error: &FlowError) -> Response {
    if let FlowError::Limited { limit, wait } = error {
        tracing::debug!(reference = %context.from.reference, limit = limit.name(), "too many requests");
        return too_many(*wait);
    }
    if matches!(error, FlowError::NotServing(_)) {
        tracing::info!(reference = %context.from.reference, "request not served: {error}");
    } else if error.is_of_client() {
        tracing::warn!(reference = %context.from.reference, "request not served: {error}");
    } else {
        tracing::error!(reference = %context.from.reference, "internal error: {error}");
    }
    let temporary = error.is_temporary();
    let status = if temporary { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    let body =
        serde_json::json!({ "error": "server_error", "reference": context.from.reference.to_string() });
    let mut response = (status, Json(body)).into_response();
    if temporary {
        let wait = error.retry_after();
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// 429 (RFC 6585 §4).
pub(crate) fn too_many(wait: Wait) -> Response {
    let body = serde_json::json!({
        "error": "temporarily_unavailable",
        "error_description": "too many requests; try again after the wait",
    });
    let seconds = wait.0.as_secs().max(1).unsigned_abs();
    (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, HeaderValue::from(seconds))], Json(body)).into_response()
}
