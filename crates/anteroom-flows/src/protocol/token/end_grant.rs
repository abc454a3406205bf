//! The end of one grant, with its entry in the audit trail.

use anteroom_domain::audit::AuditEntry;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::GrantId;
use anteroom_storage::{Tx, Unit};

use crate::error::FlowError;

/// Ends a grant. Of several units at once that end the same grant, one does, and the others write nothing.
pub(crate) struct EndGrant {
    pub grant: GrantId,
    pub why: GrantEnd,
    pub entry: AuditEntry,
}

impl Unit for EndGrant {
    /// `false`: the grant had ended before.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "end_grant";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let ended = tx.revoke_grant(self.grant, self.why, self.entry.at).await?;
        if ended {
            tx.append(&self.entry).await?;
        }
        Ok(ended)
    }
}
