//! Pushed authorization requests (RFC 9126): a request that its client handed in directly, waiting for the browser that
//! comes for it.
//!
//! The first browser that comes has it, and no other ever will: that is the single use of RFC 9126 §7.3. The same browser
//! may come again, because pages are refreshed.

use anteroom_oidc::ClientId;
use jiff::{SignedDuration, Timestamp};

/// How long one waits for a browser (RFC 9126 §2.2 `expires_in`).
pub const WAITS_FOR: SignedDuration = SignedDuration::from_secs(90);

/// How long the browser that came for it may come again.
pub const STAYS_FOR: SignedDuration = SignedDuration::from_mins(30);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    pub client: ClientId,
    /// The request, checked, as a query.
    pub parameters: String,
    pub expires_at: Timestamp,
}
