//! The discovery document (OpenID Connect Discovery §4, RFC 8414), the JWKS, and WebFinger (§2).

use anteroom_oidc::discovery::ProviderMetadata;
use anteroom_oidc::form::Form;
use anteroom_oidc::webfinger::{WebFingerError, describe};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
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

pub(crate) async fn webfinger(State(web): State<Arc<Web>>, RawQuery(query): RawQuery) -> Response {
    let Ok(form) = Form::decode(query.unwrap_or_default().as_bytes()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match describe(&form, &web.provider.snapshot().issuer) {
        Ok(descriptor) => {
            let kind = HeaderValue::from_static("application/jrd+json");
            ([(CONTENT_TYPE, kind), (CACHE_CONTROL, CACHEABLE)], Json(descriptor)).into_response()
        }
        Err(WebFingerError::OtherHost) => StatusCode::NOT_FOUND.into_response(),
        Err(WebFingerError::Missing | WebFingerError::Repeated(_) | WebFingerError::Malformed) => {
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}
