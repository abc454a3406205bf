//! `/healthz`: the process answers. `/readyz`: it can serve, because its database does.

use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

use crate::state::Web;

pub(crate) async fn healthz() -> &'static str {
    "ok"
}

pub(crate) async fn readyz(State(web): State<Arc<Web>>) -> (StatusCode, &'static str) {
    match web.provider.store.ping().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(error) => {
            tracing::warn!("not ready: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
        }
    }
}
