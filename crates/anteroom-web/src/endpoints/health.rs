//! `/healthz`: the process answers. `/readyz`: it can serve.

use anteroom_flows::health::ready;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

use crate::state::Web;

pub(crate) async fn healthz() -> &'static str {
    "ok"
}

pub(crate) async fn readyz(State(web): State<Arc<Web>>) -> (StatusCode, String) {
    match ready(&web.provider).await {
        Ok(()) => (StatusCode::OK, "ready".to_owned()),
        Err(reason) => {
            tracing::warn!("not ready: {reason}");
            (StatusCode::SERVICE_UNAVAILABLE, reason.to_string())
        }
    }
}
