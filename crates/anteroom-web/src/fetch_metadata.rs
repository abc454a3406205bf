//! Pages are for people who open them. What a browser loads as an image, a script or another part of a page, what a script of
//! another origin asks for, and what is fetched ahead of time is refused before anything is read, answered or counted: the page
//! of one application could otherwise sign its visitors in at all the others, keep their sessions alive, and use up what they
//! need.

use anteroom_flows::context::browser::FetchContext;
use anteroom_pages::ErrorKind;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

use crate::failure::PageError;
use crate::page_context::{PageContext, loads};
use crate::paths::to_sign_in;
use crate::state::Web;

/// Only what is asked for with GET or HEAD: a form has its token.
pub(crate) async fn only(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    if !request.method().is_safe() || loads(request.headers()) != FetchContext::PartOfPage {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let context = PageContext::of(&mut parts, &web);
    tracing::info!(
        reference = %context.visit.reference,
        path = context.path,
        "request refused: the browser loads it as an image, a script or another part of a page, a script of another origin asks for it, or it is fetched ahead of time (Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site, Sec-Purpose)"
    );
    PageError::page(StatusCode::FORBIDDEN, ErrorKind::InvalidRequest, to_sign_in()).answer(&context).await
}
