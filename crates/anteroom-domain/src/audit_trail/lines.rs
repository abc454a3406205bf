//! Lines of an export: JSON objects, and what they stand for.
//!
//! A line is accepted only byte for byte as [`ExportLine::write`] writes it.

use crate::audit_trail::chain::{ChainLink, ChainedEntry, Checkpoint, PruningRecord};
use crate::audit_trail::export_end::ExportEnd;
use crate::audit_trail::hex;
use crate::audit_trail::record::AuditRecord;
use crate::ids::{AccountId, AuditId, SessionId};
use anteroom_crypto::{KeyedDigest, VerifyingKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportLine {
    Pruned(PruningRecord),
    Entry(Box<ChainedEntry>),
    Checkpoint(Checkpoint),
    End(ExportEnd),
}

impl ExportLine {
    /// Without the line's end.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Pruned(pruned) => serde_json::to_string(&AnyLine::Pruned { pruned: pruned.into() }),
            Self::Entry(linked) => serde_json::to_string(&EntryLine::from(&**linked)),
            Self::Checkpoint(checkpoint) => {
                serde_json::to_string(&AnyLine::Checkpoint { checkpoint: checkpoint.into() })
            }
            Self::End(end) => serde_json::to_string(&AnyLine::End { end: end.into() }),
        }
    }

    /// `None` for what [`Self::write`] would not have written.
    pub fn read(text: &str) -> Option<Self> {
        let line = match serde_json::from_str::<AnyLine>(text).ok()? {
            AnyLine::Pruned { pruned } => Self::Pruned(pruned.try_into().ok()?),
            AnyLine::Checkpoint { checkpoint } => Self::Checkpoint(checkpoint.try_into().ok()?),
            AnyLine::End { end } => Self::End(end.try_into().ok()?),
            AnyLine::Entry(entry) => Self::Entry(Box::new((*entry).try_into().ok()?)),
        };
        (line.write().ok()? == text).then_some(line)
    }
}

/// The variants are tried in this order.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AnyLine {
    Pruned { pruned: PrunedLine },
    Checkpoint { checkpoint: CheckpointLine },
    End { end: EndLine },
    Entry(Box<EntryLine>),
}

#[derive(Serialize, Deserialize)]
struct EntryLine {
    seq: u64,
    id: AuditId,
    at: Timestamp,
    kind: String,
    outcome: String,
    actor: String,
    actor_account: Option<AccountId>,
    subject: Option<AccountId>,
    client: Option<String>,
    session: Option<SessionId>,
    address: Option<String>,
    reference: Option<String>,
    /// As text, to the byte: the MAC is over these bytes.
    detail: String,
    mac: String,
    digest: String,
}

#[derive(Serialize, Deserialize)]
struct PrunedLine {
    seq: u64,
    digest: String,
    at: Timestamp,
    older_than: Timestamp,
    signature: String,
}

#[derive(Serialize, Deserialize)]
struct CheckpointLine {
    seq: u64,
    digest: String,
    at: Timestamp,
    signature: String,
}

#[derive(Serialize, Deserialize)]
struct EndLine {
    seq: u64,
    digest: String,
    at: Timestamp,
    checkpoints: u64,
    keys: Vec<String>,
    signature: String,
}

impl From<&ChainedEntry> for EntryLine {
    fn from(ChainedEntry { link, record }: &ChainedEntry) -> Self {
        let record = record.clone();
        Self {
            seq: link.seq,
            id: record.id,
            at: record.at,
            kind: record.kind,
            outcome: record.outcome,
            actor: record.actor,
            actor_account: record.actor_account,
            subject: record.subject,
            client: record.client,
            session: record.session,
            address: record.address,
            reference: record.reference,
            detail: record.detail,
            mac: hex::encode(record.mac.as_bytes()),
            digest: hex::encode(link.digest.as_bytes()),
        }
    }
}

struct InvalidLine;

impl TryFrom<EntryLine> for ChainedEntry {
    type Error = InvalidLine;
    fn try_from(line: EntryLine) -> Result<Self, InvalidLine> {
        let record = AuditRecord {
            id: line.id,
            at: time(line.at)?,
            kind: line.kind,
            outcome: line.outcome,
            actor: line.actor,
            actor_account: line.actor_account,
            subject: line.subject,
            client: line.client,
            session: line.session,
            address: line.address,
            reference: line.reference,
            detail: line.detail,
            mac: digest(&line.mac)?,
        };
        Ok(Self { link: ChainLink { seq: line.seq, digest: digest(&line.digest)? }, record })
    }
}

impl From<&PruningRecord> for PrunedLine {
    fn from(pruned: &PruningRecord) -> Self {
        Self {
            seq: pruned.link.seq,
            digest: hex::encode(pruned.link.digest.as_bytes()),
            at: pruned.at,
            older_than: pruned.older_than,
            signature: hex::encode(&pruned.signature),
        }
    }
}

impl TryFrom<PrunedLine> for PruningRecord {
    type Error = InvalidLine;
    fn try_from(line: PrunedLine) -> Result<Self, InvalidLine> {
        let link = ChainLink { seq: line.seq, digest: digest(&line.digest)? };
        let signature = hex::decode(&line.signature).ok_or(InvalidLine)?;
        Ok(Self { link, at: time(line.at)?, older_than: time(line.older_than)?, signature })
    }
}

impl From<&Checkpoint> for CheckpointLine {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            seq: checkpoint.link.seq,
            digest: hex::encode(checkpoint.link.digest.as_bytes()),
            at: checkpoint.at,
            signature: hex::encode(&checkpoint.signature),
        }
    }
}

impl TryFrom<CheckpointLine> for Checkpoint {
    type Error = InvalidLine;
    fn try_from(line: CheckpointLine) -> Result<Self, InvalidLine> {
        let link = ChainLink { seq: line.seq, digest: digest(&line.digest)? };
        Ok(Self { link, at: time(line.at)?, signature: hex::decode(&line.signature).ok_or(InvalidLine)? })
    }
}

impl From<&ExportEnd> for EndLine {
    fn from(end: &ExportEnd) -> Self {
        Self {
            seq: end.link.seq,
            digest: hex::encode(end.link.digest.as_bytes()),
            at: end.at,
            checkpoints: end.checkpoints,
            keys: end.keys.iter().map(|key| hex::encode(key.as_bytes())).collect(),
            signature: hex::encode(&end.signature),
        }
    }
}

impl TryFrom<EndLine> for ExportEnd {
    type Error = InvalidLine;
    fn try_from(line: EndLine) -> Result<Self, InvalidLine> {
        Ok(Self {
            link: ChainLink { seq: line.seq, digest: digest(&line.digest)? },
            at: time(line.at)?,
            checkpoints: line.checkpoints,
            keys: line.keys.iter().map(|key| parse_key(key).ok_or(InvalidLine)).collect::<Result<_, _>>()?,
            signature: hex::decode(&line.signature).ok_or(InvalidLine)?,
        })
    }
}

/// MACs and signatures are over whole milliseconds: what is finer would be vouched for by none of them.
fn time(at: Timestamp) -> Result<Timestamp, InvalidLine> {
    Timestamp::from_millisecond(at.as_millisecond()).ok().filter(|whole| *whole == at).ok_or(InvalidLine)
}

fn digest(text: &str) -> Result<KeyedDigest, InvalidLine> {
    hex::decode(text).and_then(|bytes| KeyedDigest::from_slice(&bytes)).ok_or(InvalidLine)
}

/// A public key as `audit keys` prints it.
pub fn parse_key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_slice(&hex::decode(text)?)
}

pub fn show_key(key: &VerifyingKey) -> String {
    hex::encode(key.as_bytes())
}
