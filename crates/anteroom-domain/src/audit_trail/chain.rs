//! Links, checkpoints, the head of the chain, and where its beginning was pruned.
//!
//! An entry is linked after it was committed, in the order of its time among those that wait. One that commits late,
//! with an earlier time than entries that are linked already, gets the next number all the same: numbers say in which
//! order the chain learned of entries, and a link once made is never made anew.

use crate::audit_trail::record::AuditRecord;
use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring, Signer, SigningFailed, VerifyingKey, sha256};
use jiff::{SignedDuration, Timestamp};

const LINK: &str = "audit chain v1";
const CHECKPOINT: &str = "audit checkpoint v1";
const HEAD: &str = "audit head v1";
const PRUNED: &str = "audit pruned v1";

/// Entries and time after which a new checkpoint is due: at most this many entries can be cut off the end unnoticed. A checkpoint
/// for every entry would take too much space.
const CHECKPOINT_ENTRIES: u64 = 1_000;
const CHECKPOINT_AGE: SignedDuration = SignedDuration::from_mins(1);

/// The place of one entry in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// Counts from one.
    pub seq: u64,
    pub digest: KeyedDigest,
}

/// An entry with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedEntry {
    pub link: ChainLink,
    pub record: AuditRecord,
}

impl ChainLink {
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

pub(super) fn link_digest(before: &KeyedDigest, seq: u64, record: &AuditRecord) -> KeyedDigest {
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
    pub link: ChainLink,
    pub at: Timestamp,
    /// Ed25519.
    pub signature: Vec<u8>,
}

impl Checkpoint {
    pub fn sign(link: ChainLink, at: Timestamp, signer: &Signer) -> Result<Self, SigningFailed> {
        let signature = signer.sign(CHECKPOINT, &signed_bytes(&link, at))?;
        Ok(Self { link, at, signature })
    }

    pub fn is_signed_by(&self, keys: &[VerifyingKey]) -> bool {
        let bytes = signed_bytes(&self.link, self.at);
        keys.iter().any(|key| key.verify(CHECKPOINT, &bytes, &self.signature))
    }
}

/// The end of the chain as it was last linked. It is kept beside the entries, so that a trail that was cut off is known
/// before the next checkpoint; where an older head was put back as well, that checkpoint alone finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    pub link: ChainLink,
    pub mac: KeyedDigest,
}

impl ChainHead {
    pub fn of(link: ChainLink, keyring: &Keyring) -> Self {
        Self { link, mac: keyring.mac(KeyPurpose::AuditMac).digest(HEAD, &link_bytes(&link)) }
    }

    pub fn is_authentic(&self, keyring: &Keyring) -> bool {
        keyring.mac(KeyPurpose::AuditMac).verify(HEAD, &link_bytes(&self.link), &self.mac)
    }
}

/// Entries up to this link were removed because they were old: the first remaining entry is linked to this link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruningRecord {
    pub link: ChainLink,
    pub at: Timestamp,
    /// Every removed entry was older than this time.
    pub older_than: Timestamp,
    /// Ed25519.
    pub signature: Vec<u8>,
}

impl PruningRecord {
    pub fn sign(
        link: ChainLink,
        at: Timestamp,
        older_than: Timestamp,
        signer: &Signer,
    ) -> Result<Self, SigningFailed> {
        let mut pruned = Self { link, at, older_than, signature: Vec::new() };
        pruned.signature = signer.sign(PRUNED, &pruned.signed_bytes())?;
        Ok(pruned)
    }

    pub fn is_signed_by(&self, keys: &[VerifyingKey]) -> bool {
        let bytes = self.signed_bytes();
        keys.iter().any(|key| key.verify(PRUNED, &bytes, &self.signature))
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = signed_bytes(&self.link, self.at);
        bytes.extend(self.older_than.as_millisecond().to_be_bytes());
        bytes
    }
}

fn link_bytes(link: &ChainLink) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(48);
    bytes.extend(link.seq.to_be_bytes());
    bytes.extend(link.digest.as_bytes());
    bytes
}

pub(super) fn signed_bytes(link: &ChainLink, at: Timestamp) -> Vec<u8> {
    let mut bytes = link_bytes(link);
    bytes.extend(at.as_millisecond().to_be_bytes());
    bytes
}

/// Whether a new checkpoint is due: [`CHECKPOINT_ENTRIES`] new entries, or any new entry and a last checkpoint older than
/// [`CHECKPOINT_AGE`].
pub fn is_checkpoint_due(head: &ChainLink, last: Option<&Checkpoint>, now: Timestamp) -> bool {
    let Some(last) = last else { return true };
    let grown = head.seq.saturating_sub(last.link.seq);
    // A clock set back makes the age negative; the entries still count.
    grown >= CHECKPOINT_ENTRIES || (grown > 0 && now.duration_since(last.at) >= CHECKPOINT_AGE)
}
