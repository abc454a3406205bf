//! Pushed authorization requests (RFC 9126): a request that its client handed in directly, waiting for the browser that
//! comes for it.
//!
//! A `request_uri` is for one use (RFC 9126 §4): it is bound to the first browser that brings it. That browser may load
//! it again until the request is answered.

use anteroom_crypto::KeyedDigest;
use anteroom_oidc::ClientId;
use jiff::{SignedDuration, Timestamp};

/// How long one waits for a browser (RFC 9126 §2.2 `expires_in`).
pub const PUSHED_REQUEST_LIFETIME: SignedDuration = SignedDuration::from_secs(90);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    pub client: ClientId,
    /// The request, checked, as a query.
    pub parameters: String,
    pub expires_at: Timestamp,
}

/// One that a browser has come for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrievedRequest {
    pub digest: KeyedDigest,
    pub parameters: String,
    /// Until then it may be answered.
    pub ends_at: Timestamp,
}
