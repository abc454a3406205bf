//! What is wrong with a trail, in words.

use crate::ids::AuditId;
use jiff::Timestamp;
use std::fmt;

/// Where a checkpoint was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckpointSource {
    /// With the entries: in the database, or in the export.
    Inside,
    /// Elsewhere.
    Outside,
    /// Not a checkpoint: the stored head of the chain.
    Head,
}

impl fmt::Display for CheckpointSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inside => "kept with the entries",
            Self::Outside => "in the checkpoints file",
            Self::Head => "noted as the head of the chain",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditFinding {
    #[error("entry {seq} ({id}) was altered, or not written by Anteroom: its MAC does not match")]
    Altered { seq: u64, id: AuditId },
    #[error(
        "the entry {id}, not linked yet, was altered, or not written by Anteroom: its MAC does not match"
    )]
    AlteredWaiting { id: AuditId },
    #[error(
        "the entry {id} is linked, and another row of the same identifier waits to be linked: it was put in"
    )]
    LinkedAndWaiting { id: AuditId },
    #[error("the entry {id} of {at} is not linked, although a node has run for more than a minute since")]
    NotLinked { id: AuditId, at: Timestamp },
    #[error("the entry {id}, not linked yet, cannot be read")]
    UnreadableWaiting { id: AuditId },
    #[error(
        "the chain does not hold at entry {seq} ({id}): the entry, its number or a preceding entry was changed"
    )]
    Broken { seq: u64, id: AuditId },
    #[error("{}", missing(*.first, *.last))]
    Missing { first: u64, last: u64 },
    #[error("entry {seq} is missing, or there is something in its place that cannot be read")]
    Unreadable { seq: u64 },
    #[error("entry {seq} ({id}) is out of order: moved, or there twice")]
    OutOfOrder { seq: u64, id: AuditId },
    #[error("the trail ends at entry {last}, but a checkpoint {kept} has seen entry {seq}: it was cut off")]
    Truncated { last: u64, seq: u64, kept: CheckpointSource },
    #[error("the checkpoint of entry {seq} {kept} has no good signature")]
    Unsigned { seq: u64, kept: CheckpointSource },
    #[error(
        "entry {seq} ({id}) is not the one that its checkpoint {kept} has seen: the chain up to here was made anew"
    )]
    Replaced { seq: u64, id: AuditId, kept: CheckpointSource },
    #[error("the head of the chain, at entry {seq}, is not what was noted when it was last linked")]
    AlteredHead { seq: u64 },
    #[error("the head of the chain was not noted, or what was noted is gone")]
    NoHead,
    #[error(
        "the record that entries up to {seq} were pruned has no good signature: they may have been deleted"
    )]
    UnsignedPruning { seq: u64 },
    #[error(
        "entries up to {seq} were pruned, but the checkpoint of entry {seq} {kept} has another digest than the record \
         of the pruning"
    )]
    PrunedAnother { seq: u64, kept: CheckpointSource },
    #[error("the checkpoint of entry {seq} was removed from the entries: the checkpoints file has it")]
    CheckpointRemoved { seq: u64 },
    #[error("the checkpoint of entry {seq} is out of order: moved, or there twice")]
    CheckpointOutOfOrder { seq: u64 },
    #[error("line {line} of the {file} is not as it was written")]
    Line { file: &'static str, line: u64 },
    #[error("the export has no last line: it was cut off after entry {last}")]
    NoEnd { last: u64 },
    #[error("the last line of the export, for entry {seq}, has no good signature")]
    UnsignedEnd { seq: u64 },
    #[error(
        "the export was made of {seq} entries and {checkpoints} checkpoints, and has others: {last} and {found}"
    )]
    OtherEnd { seq: u64, last: u64, checkpoints: u64, found: u64 },
}

fn missing(first: u64, last: u64) -> String {
    if first == last {
        format!("entry {first} is missing")
    } else {
        format!("entries {first} to {last} are missing")
    }
}
