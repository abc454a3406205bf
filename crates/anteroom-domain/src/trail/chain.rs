//! Links and checkpoints.
//!
//! An entry is linked after it was committed, in the order of its time among those that wait. One that commits late,
//! with an earlier time than entries that are linked already, gets the next number all the same: numbers say in which
//! order the chain learned of entries, and a link once made is never made anew.

use crate::trail::record::AuditRecord;
use anteroom_crypto::{Digest, Signer, SigningFailed, VerifyingKey, sha256};
use jiff::{SignedDuration, Timestamp};

const LINK: &str = "audit chain v1";
const CHECKPOINT: &str = "audit checkpoint v1";

/// Entries and time after which a new checkpoint is due: what can be cut off the end without a trace is at most this
/// much, and nobody wants to keep one for every entry.
const CHECKPOINT_ENTRIES: u64 = 1_000;
const CHECKPOINT_AGE: SignedDuration = SignedDuration::from_mins(1);

/// The place of one entry in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Counts from one.
    pub seq: u64,
    pub digest: Digest,
}

/// An entry with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    pub link: Link,
    pub record: AuditRecord,
}

impl Link {
    /// What the first entry is linked to.
    pub fn beginning() -> Self {
        Self { seq: 0, digest: sha256(LINK, &[]) }
    }

    /// The link of `record` behind this one.
    #[must_use]
    pub fn next(&self, record: &AuditRecord) -> Self {
        let seq = self.seq.saturating_add(1);
        Self { seq, digest: link_digest(&self.digest, seq, record) }
    }
}

pub(super) fn link_digest(before: &Digest, seq: u64, record: &AuditRecord) -> Digest {
    let mut bytes = Vec::with_capacity(400);
    bytes.extend(before.as_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(record.mac.as_bytes());
    // Last, since it is the one part whose length varies.
    bytes.extend(record.canonical());
    sha256(LINK, &bytes)
}

/// A signed link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub link: Link,
    pub at: Timestamp,
    /// Ed25519.
    pub signature: Vec<u8>,
}

impl Checkpoint {
    pub fn sign(link: Link, at: Timestamp, signer: &Signer) -> Result<Self, SigningFailed> {
        let signature = signer.sign(CHECKPOINT, &signed_bytes(&link, at))?;
        Ok(Self { link, at, signature })
    }

    pub fn is_signed_by(&self, keys: &[VerifyingKey]) -> bool {
        let bytes = signed_bytes(&self.link, self.at);
        keys.iter().any(|key| key.verify(CHECKPOINT, &bytes, &self.signature))
    }
}

pub(super) fn signed_bytes(link: &Link, at: Timestamp) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(48);
    bytes.extend(link.seq.to_be_bytes());
    bytes.extend(link.digest.as_bytes());
    bytes.extend(at.as_millisecond().to_be_bytes());
    bytes
}

/// Whether the chain has grown enough, or long enough ago, for another checkpoint.
pub fn is_checkpoint_due(head: &Link, last: Option<&Checkpoint>, now: Timestamp) -> bool {
    let Some(last) = last else { return true };
    let grown = head.seq.saturating_sub(last.link.seq);
    // A clock set back makes the age negative; the entries still count.
    grown >= CHECKPOINT_ENTRIES || (grown > 0 && now.duration_since(last.at) >= CHECKPOINT_AGE)
}
