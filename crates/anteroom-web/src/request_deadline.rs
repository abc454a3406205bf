//! The time limit of a request. A client that has not sent its request completely by then gets 408 (RFC 9110 §15.5.9),
//! because the client is at fault. If the request was complete, this provider is at fault and responds with 503.
//! Browsers get a page in both cases.

use anteroom_flows::error::FlowError;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use tokio::time::timeout;

use crate::page_context::{PageContext, reference};
use crate::request_checks::{refuse, too_slow};
use crate::state::Web;

pub(crate) async fn in_time<F: Future<Output = Response>>(
    web: &Arc<Web>,
    request: Request,
    serve: impl FnOnce(Request) -> F,
) -> Response {
    let (mut parts, body) = request.into_parts();
    // Made here, so that the log line and the response below have the same reference.
    reference(&mut parts, web);
    let mut kept = parts.clone();
    let (body, received) = watched(body);
    let served = serve(Request::from_parts(parts, body));
    if let Ok(response) = timeout(web.settings.request_timeout, served).await {
        return response;
    }
    let context = PageContext::of(&mut kept, web);
    if !received.load(Ordering::Relaxed) {
        return too_slow(&context, kept.uri.path()).await;
    }
    refuse(&context, kept.uri.path(), FlowError::TooSlow).await
}

/// The same body, and whether it was read to its end.
fn watched(body: Body) -> (Body, Arc<AtomicBool>) {
    use axum::body::HttpBody as _;
    let received = Arc::new(AtomicBool::new(body.is_end_stream()));
    if received.load(Ordering::Relaxed) {
        return (body, received);
    }
    let mark = Arc::clone(&received);
    let end = stream::poll_fn(move |_| {
        mark.store(true, Ordering::Relaxed);
        Poll::Ready(None)
    });
    (Body::from_stream(body.into_data_stream().chain(end)), received)
}
