//! A page of one site could load our pages as images or scripts, and so sign its visitors in at every client, keep
//! their sessions alive and use up their limits. Therefore GET and HEAD requests whose Fetch Metadata headers say that
//! they are not a navigation are refused before anything is read or counted. Prefetches are refused for the same
//! reason.

use anteroom_flows::context::browser::FetchContext;
use anteroom_pages::ErrorKind;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

use crate::page_context::{PageContext, fetch_context};
use crate::page_error::PageError;
use crate::paths::to_sign_in;
use crate::state::Web;

/// Applies to GET and HEAD only: forms are protected by their token.
pub(crate) async fn only(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    if !request.method().is_safe() || fetch_context(request.headers()) != FetchContext::NotNavigation {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let context = PageContext::of(&mut parts, &web);
    tracing::info!(
        reference = %context.visit.reference,
        path = context.path,
        "request refused: its headers say that it is not a navigation: an image, a script or another part of a page, a request by a script of another origin, or a prefetch (Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site, Sec-Purpose)"
    );
    PageError::page(StatusCode::FORBIDDEN, ErrorKind::InvalidRequest, to_sign_in()).answer(&context).await
}
