//! What every request passes first.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

use crate::request_checks::{limited, with_headers};
use crate::request_deadline::in_time;
use crate::state::Web;

/// For every request, those of monitoring and for files of the theme included: the time limit, the limit of the address, and the
/// headers of the response. One layer, because each layer costs every request two allocations.
pub(crate) async fn layer(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let response = in_time(&web, request, |request| limited(&web, request, next)).await;
    with_headers(&web, response)
}
