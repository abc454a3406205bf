//! A pushed request ends with its answer (RFC 9126 §4).

use anteroom_crypto::KeyedDigest;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use crate::error::FlowError;

/// Ends the pushed request with this digest. `false`: it has ended before.
pub(crate) struct EndPushedRequest {
    pub digest: KeyedDigest,
    pub now: Timestamp,
}

impl Unit for EndPushedRequest {
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "end_pushed_request";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        Ok(tx.end_pushed_request(&self.digest, self.now).await?)
    }
}
