//! A parameter of a route's path. If a segment is not UTF-8 or does not parse, the response is 404: a page, or JSON for
//! clients. axum's own extractor would respond with a line of plain text and no link.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;
use std::sync::Arc;

use crate::page_context::PageContext;
use crate::request_checks::nothing_there;
use crate::state::Web;

pub(crate) struct PathParam<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Web>> for PathParam<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        #[expect(clippy::disallowed_types, reason = "its rejection is answered here")]
        let read = axum::extract::Path::<T>::from_request_parts(parts, web).await;
        if let Ok(axum::extract::Path(value)) = read {
            return Ok(Self(value));
        }
        let context = PageContext::of(parts, web);
        Err(nothing_there(&context).await)
    }
}
