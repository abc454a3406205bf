//! Pushed authorization requests (RFC 9126): a request that its client handed in directly, waiting for the browser that
//! comes for it.
//!
//! The first browser that comes has it, and no other ever will. It may come again until the request is answered, because
//! pages are refreshed; the answer ends it (RFC 9126 §4, §7.3).

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
