//! `/healthz`: the process answers. `/readyz`: it can serve, as far as is known; both are answered from memory.

use anteroom_flows::health::reasons;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

use crate::state::Web;

pub(crate) async fn healthz() -> &'static str {
    "ok"
}

pub(crate) async fn readyz(State(web): State<Arc<Web>>) -> (StatusCode, String) {
    let reasons: Vec<_> = reasons(&web.provider).iter().map(ToString::to_string).collect();
    if reasons.is_empty() {
        return (StatusCode::OK, "ready".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("; "))
}
