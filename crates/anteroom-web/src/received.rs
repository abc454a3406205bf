//! Requests with a body. A client may send the body slowly, for as long as a request may take: meanwhile the
//! configuration, the clients, the signing keys and the readiness of this node can change. So the body is read first
//! and the request's context is made afterwards; a handler gets both from one extractor.

use anteroom_flows::node::health;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::response::Response;
use std::sync::Arc;

use crate::page_context::{EndpointContext, PageContext};
use crate::request_checks::refuse;
use crate::state::Web;

/// A body, or why it was not received completely.
pub(crate) type BodyResult = Result<Bytes, BytesRejection>;

/// A client's request as it was received.
pub(crate) struct ReceivedRequest {
    pub context: EndpointContext,
    pub body: BodyResult,
}

impl FromRequest<Arc<Web>> for ReceivedRequest {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = read_body(request, web).await?;
        Ok(Self { context: EndpointContext::of(&mut parts, web), body })
    }
}

/// Reads the body. If the node must not serve by then, the response says so, whatever the body is.
pub(crate) async fn read_body(request: Request, web: &Arc<Web>) -> Result<(Parts, BodyResult), Response> {
    let (mut parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), web).await;
    if let Err(error) = health::may_serve(&web.provider) {
        let context = PageContext::of(&mut parts, web);
        return Err(refuse(&context, parts.uri.path(), error).await);
    }
    Ok((parts, body))
}

pub(crate) fn is_too_long(rejection: &BytesRejection) -> bool {
    rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE
}
