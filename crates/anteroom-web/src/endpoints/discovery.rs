//! The discovery document (OpenID Connect Discovery §4, RFC 8414), the JWKS, and WebFinger (§2).

use anteroom_oidc::discovery::ProviderMetadata;
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::keys::Jwks;
use anteroom_oidc::webfinger::{WebFingerError, describe};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use headers::{CacheControl, ETag, HeaderMapExt as _, IfNoneMatch};
use std::sync::Arc;
use std::time::Duration;

use crate::state::Web;

/// Short enough that clients see a changed configuration soon.
const CACHEABLE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(crate) async fn document(State(web): State<Arc<Web>>) -> Response {
    let snapshot = web.provider.snapshot();
    let metadata = ProviderMetadata::new(&snapshot.issuer, &snapshot.capabilities);
    ([(CACHE_CONTROL, CACHEABLE)], Json(metadata)).into_response()
}

/// RFC 9110 §13.1.2: a client that has the current document gets 304.
pub(crate) async fn jwks(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let keys = web.provider.key_set();
    let etag = keys.jwks().etag().parse::<ETag>().ok();
    let known = headers.typed_get::<IfNoneMatch>();
    let unchanged = etag.iter().zip(known).any(|(etag, known)| !known.precondition_passes(etag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static("application/jwk-set+json");
        ([(CONTENT_TYPE, kind)], keys.jwks().document().to_owned()).into_response()
    };
    let max_age = Duration::try_from(Jwks::MAX_AGE).unwrap_or_default();
    response.headers_mut().typed_insert(CacheControl::new().with_public().with_max_age(max_age));
    if let Some(etag) = etag {
        response.headers_mut().typed_insert(etag);
    }
    response
}

pub(crate) async fn webfinger(State(web): State<Arc<Web>>, RawQuery(query): RawQuery) -> Response {
    let Ok(form) = UrlEncodedForm::decode(query.unwrap_or_default().as_bytes()) else {
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
