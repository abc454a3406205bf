//! An operator accepted a database that was restored to an earlier state: which missing entries and checkpoints that
//! explains.

use crate::audit_trail::record::AuditRecord;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// An operator went on with a database that reached up to this number: what was behind it was lost.
pub(super) struct Acceptance {
    up_to: u64,
    at: Timestamp,
}

impl Acceptance {
    const KIND: &'static str = "database_accepted";

    pub(super) fn of(record: &AuditRecord) -> Option<Self> {
        let detail: serde_json::Value =
            (record.kind == Self::KIND).then(|| serde_json::from_str(&record.detail).ok())??;
        Some(Self { up_to: detail.get("up_to")?.as_u64()?, at: record.at })
    }

    /// Whether a checkpoint of this number, signed at this time, has seen what was lost.
    pub(super) fn covers(&self, seq: u64, signed_at: Timestamp) -> bool {
        seq > self.up_to && signed_at <= self.at
    }

    /// Whether such a checkpoint was itself lost, of an entry that was not. Checkpoints are written in the order of the chain:
    /// where a later one of what the database reached up to is there (`inside`), this one was there too.
    pub(super) fn covers_checkpoint(&self, seq: u64, signed_at: Timestamp, inside: &BTreeSet<u64>) -> bool {
        seq <= self.up_to && signed_at <= self.at && inside.range(seq..=self.up_to).next().is_none()
    }
}
