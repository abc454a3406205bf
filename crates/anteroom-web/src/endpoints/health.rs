//! `/healthz`: the process responds. `/readyz`: this node can serve, as far as it knows. Both are answered from memory.

use anteroom_flows::node::health::reasons;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

use crate::state::Web;

pub(crate) async fn healthz() -> &'static str {
    "ok"
}

pub(crate) async fn readyz(State(web): State<Arc<Web>>) -> Response {
    let reasons: Vec<_> = reasons(&web.provider).iter().map(ToString::to_string).collect();
    if reasons.is_empty() {
        return "ready".into_response();
    }
    let after = [(RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, after, reasons.join("; ")).into_response()
}
