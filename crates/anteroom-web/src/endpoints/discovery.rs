//! The discovery document (OpenID Connect Discovery §4, RFC 8414) and the JWKS.

use anteroom_oidc::discovery::ProviderMetadata;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

use crate::state::Web;

/// Short enough that a rotated key is seen well within the overlap.
const CACHEABLE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(crate) async fn document(State(web): State<Arc<Web>>) -> Response {
    let snapshot = web.provider.snapshot();
    let metadata = ProviderMetadata::new(&snapshot.issuer, &snapshot.capabilities);
    ([(CACHE_CONTROL, CACHEABLE)], Json(metadata)).into_response()
}

pub(crate) async fn jwks(State(web): State<Arc<Web>>) -> Response {
    let keys = web.provider.key_set().jwks().document().to_owned();
    let kind = HeaderValue::from_static("application/jwk-set+json");
    ([(CACHE_CONTROL, CACHEABLE), (CONTENT_TYPE, kind)], keys).into_response()
}
