//! Whether a trail still is what was written. Entries go by one after another, so that a trail of any length can be
//! verified; each kind of damage becomes a finding that names the place.
//!
//! What finds what:
//! - an entry's own MAC: any change of it, and entries that were made up without the key;
//! - the chain: a changed MAC, number or digest, an entry removed, moved or put in;
//! - checkpoints: a chain that was computed anew after any of these, for which access to the database is enough, and a
//!   chain that was cut off at its end;
//! - the head: a chain that was cut off since the last checkpoint;
//! - checkpoints kept elsewhere: the same, where those in the database were replaced too.
//!
//! A trail may begin behind a link that says, signed, that what was before it was old and was pruned. Entries that are missing at
//! the beginning without such a record are reported.

use crate::audit_trail::acceptance::Acceptance;
use crate::audit_trail::chain::{ChainHead, ChainLink, ChainedEntry, Checkpoint, PruningRecord, link_digest};
use crate::audit_trail::record::AuditRecord;
use crate::ids::AuditId;
use anteroom_crypto::{KeyedDigest, Keyring, VerifyingKey};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::audit_trail::finding::{AuditFinding, CheckpointSource};

/// Tolerance between the clock of the exporting command and that of the node that signs checkpoints: each may differ
/// from the database's clock by half of it.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(10);

/// A node links each second. Commands write entries while no node may run, and those wait for the next one.
const LINKED_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// Findings kept in a report; beyond, they are only counted.
const FINDINGS_KEPT: usize = 1_000;

/// What there is to verify with.
#[derive(Clone, Debug)]
pub struct VerificationKeys<'k> {
    /// Without it MACs cannot be checked, only chain and checkpoints.
    pub keyring: Option<&'k Keyring>,
    /// Of checkpoints.
    pub signers: Vec<VerifyingKey>,
}

#[derive(Clone, Debug)]
pub struct VerificationReport {
    pub entries: u64,
    /// Written and not linked yet.
    pub waiting: u64,
    /// Where the trail begins: what was before was pruned.
    pub pruned: Option<PruningRecord>,
    /// Good ones, by where they were kept.
    pub checkpoints: BTreeMap<CheckpointSource, u64>,
    /// The end of the chain.
    pub last: ChainLink,
    /// Checkpoints from outside that were lost when the database went back, or have seen entries that were; an operator has
    /// accepted that.
    pub lost: u64,
    /// When the trail was exported, and the number that the export ends at: as its last line says, if the signature is good.
    pub exported: Option<(u64, Timestamp)>,
    /// External checkpoints of entries written after the export; they neither confirm nor contradict it.
    pub newer: u64,
    pub findings: Vec<AuditFinding>,
    /// All of them, also those beyond what is kept.
    pub found: u64,
}

pub struct ChainVerifier<'k> {
    keys: VerificationKeys<'k>,
    /// Digests that the next entry may be chained to: the last link as stored and, if it was wrong, as it should be, so
    /// that one wrong digest is reported once. Empty after a gap.
    possible_predecessors: Vec<KeyedDigest>,
    awaited: BTreeMap<u64, Vec<(CheckpointSource, Checkpoint)>>,
    /// Entries that are others than a checkpoint from outside has seen.
    replaced: Vec<Replacement>,
    /// Of the checkpoints that are with the entries.
    inside: BTreeSet<u64>,
    /// Checkpoints from outside that are not with their entries, and when they were signed.
    only_outside: Vec<(u64, Timestamp)>,
    /// Databases that went back and were accepted.
    accepted: Vec<Acceptance>,
    node_runs: Vec<NodeRun>,
    /// The head was looked for, and there is none.
    head_missing: bool,
    report: VerificationReport,
}

/// A node has run between these times.
#[derive(Clone, Copy, Debug)]
pub struct NodeRun {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl NodeRun {
    /// How long it has run after `at`.
    fn since(self, at: Timestamp) -> SignedDuration {
        self.until.duration_since(self.from.max(at))
    }
}

struct Replacement {
    seq: u64,
    id: AuditId,
    at: Timestamp,
    /// The checkpoint is with the entries as well.
    is_inside: bool,
}

impl<'k> ChainVerifier<'k> {
    pub fn new(keys: VerificationKeys<'k>) -> Self {
        let last = ChainLink::beginning();
        let checkpoints = BTreeMap::new();
        let report = VerificationReport {
            entries: 0,
            waiting: 0,
            pruned: None,
            checkpoints,
            last,
            lost: 0,
            exported: None,
            newer: 0,
            findings: Vec::new(),
            found: 0,
        };
        Self {
            keys,
            possible_predecessors: vec![last.digest],
            awaited: BTreeMap::new(),
            replaced: Vec::new(),
            inside: BTreeSet::new(),
            only_outside: Vec::new(),
            accepted: Vec::new(),
            node_runs: Vec::new(),
            head_missing: false,
            report,
        }
    }

    /// Where the trail begins. Before anything else.
    pub fn pruned(&mut self, pruned: PruningRecord) {
        if !pruned.is_signed_by(&self.keys.signers) {
            self.add_finding(AuditFinding::UnsignedPruning { seq: pruned.link.seq });
            return;
        }
        self.report.last = pruned.link;
        self.possible_predecessors = vec![pruned.link.digest];
        self.report.pruned = Some(pruned);
    }

    /// Takes a checkpoint before its entry goes by.
    pub fn checkpoint(&mut self, source: CheckpointSource, checkpoint: Checkpoint) {
        let seq = checkpoint.link.seq;
        if !checkpoint.is_signed_by(&self.keys.signers) {
            self.add_finding(AuditFinding::Unsigned { seq, kept: source });
            return;
        }
        let begins = self.report.pruned.as_ref().map(|pruned| pruned.link);
        match begins {
            // Of what is gone. The last of these covers all before it.
            Some(begins) if seq < begins.seq => {}
            Some(begins) if seq == begins.seq && checkpoint.link.digest == begins.digest => {
                *self.report.checkpoints.entry(source).or_default() += 1;
            }
            Some(begins) if seq == begins.seq => {
                self.add_finding(AuditFinding::PrunedAnother { seq, kept: source });
            }
            _ => {
                self.inside.extend((source == CheckpointSource::Inside).then_some(seq));
                self.awaited.entry(seq).or_default().push((source, checkpoint));
            }
        }
    }

    /// What was noted as the end of the chain, before the entries are read. Needs the keyring.
    pub fn head(&mut self, head: Option<ChainHead>) {
        let Some(keyring) = self.keys.keyring else { return };
        match head {
            None => self.head_missing = true,
            Some(head) if !head.is_authentic(keyring) => {
                self.add_finding(AuditFinding::AlteredHead { seq: head.link.seq });
            }
            Some(ChainHead { link, .. }) => {
                let noted = Checkpoint { link, at: Timestamp::UNIX_EPOCH, signature: Vec::new() };
                self.awaited.entry(link.seq).or_default().push((CheckpointSource::Head, noted));
            }
        }
    }

    /// The next entry, in the order of the chain.
    pub fn entry(&mut self, linked: &ChainedEntry) {
        let ChainedEntry { link, record } = linked;
        let (seq, id) = (link.seq, record.id);
        self.report.entries += 1;
        let authentic = self.is_authentic(record);
        if !authentic {
            self.add_finding(AuditFinding::Altered { seq, id });
        }
        self.accepted.extend(Acceptance::of(record).filter(|_| authentic));
        let expected = self.report.last.seq.saturating_add(1);
        if seq < expected {
            self.add_finding(AuditFinding::OutOfOrder { seq, id });
            return;
        }
        if seq > expected {
            self.add_finding(AuditFinding::Missing { first: expected, last: seq - 1 });
            self.possible_predecessors.clear();
        }
        let computed: Vec<KeyedDigest> =
            self.possible_predecessors.iter().map(|before| link_digest(before, seq, record)).collect();
        let holds = computed.is_empty() || computed.contains(&link.digest);
        if !holds && authentic {
            self.add_finding(AuditFinding::Broken { seq, id });
        }
        self.possible_predecessors = vec![link.digest];
        if !holds {
            self.possible_predecessors.extend(computed);
        }
        self.report.last = *link;
        self.compare_with_checkpoints(linked);
    }

    /// What should be the next entry is no entry at all.
    pub fn unreadable(&mut self) {
        let seq = self.report.last.seq.saturating_add(1);
        self.add_finding(AuditFinding::Unreadable { seq });
        self.report.last.seq = seq;
        self.possible_predecessors.clear();
    }

    /// When nodes ran. Before the entries that wait.
    pub fn ran(&mut self, nodes: Vec<NodeRun>) {
        self.node_runs = nodes;
    }

    /// An entry that is not linked yet.
    pub fn waiting(&mut self, record: &AuditRecord) {
        self.report.waiting += 1;
        if !self.is_authentic(record) {
            self.add_finding(AuditFinding::AlteredWaiting { id: record.id });
        }
        if self.node_runs.iter().any(|node| node.since(record.at) > LINKED_WITHIN) {
            self.add_finding(AuditFinding::NotLinked { id: record.id, at: record.at });
        }
    }

    /// What is verified is an export of this time that ends at this number: its last line has a good signature.
    pub(super) fn exported(&mut self, seq: u64, at: Timestamp) {
        self.report.exported = Some((seq, at));
    }

    pub fn add_finding(&mut self, finding: AuditFinding) {
        self.report.found += 1;
        if self.report.findings.len() < FINDINGS_KEPT {
            self.report.findings.push(finding);
        }
    }

    pub fn last(&self) -> ChainLink {
        self.report.last
    }

    /// Call after the last entry. Checkpoints for later entries are then reported: the trail was cut off.
    pub fn finish(mut self) -> VerificationReport {
        let last = self.report.last.seq;
        if self.head_missing && last > 0 {
            self.add_finding(AuditFinding::NoHead);
        }
        self.judge_replacements();
        self.report_removed_checkpoints();
        self.discard_accepted_losses();
        self.discard_newer_than_export();
        let furthest = self.awaited.last_key_value().filter(|(seq, _)| **seq > last);
        let kept = furthest.and_then(|(seq, seen)| seen.iter().map(|(kept, _)| (*seq, *kept)).max());
        if let Some((seq, kept)) = kept {
            self.add_finding(AuditFinding::Truncated { last, seq, kept });
        }
        self.report
    }

    fn is_lost(&self, seq: u64, signed_at: Timestamp) -> bool {
        self.accepted.iter().any(|accepted| accepted.covers(seq, signed_at))
    }

    fn judge_replacements(&mut self) {
        for Replacement { seq, id, at, is_inside } in std::mem::take(&mut self.replaced) {
            if self.is_lost(seq, at) {
                self.report.lost += 1;
                continue;
            }
            if !is_inside {
                self.add_finding(AuditFinding::CheckpointRemoved { seq });
            }
            self.add_finding(AuditFinding::Replaced { seq, id, kept: CheckpointSource::Outside });
        }
    }

    /// A backup has the entry of a checkpoint that was signed after it was made, and not the checkpoint.
    fn report_removed_checkpoints(&mut self) {
        for (seq, at) in std::mem::take(&mut self.only_outside) {
            if self.accepted.iter().any(|accepted| accepted.covers_checkpoint(seq, at, &self.inside)) {
                self.report.lost += 1;
            } else {
                self.add_finding(AuditFinding::CheckpointRemoved { seq });
            }
        }
    }

    fn discard_accepted_losses(&mut self) {
        let awaited = std::mem::take(&mut self.awaited);
        for (seq, checkpoints) in awaited {
            for (kept, checkpoint) in checkpoints {
                if kept == CheckpointSource::Outside && self.is_lost(seq, checkpoint.at) {
                    self.report.lost += 1;
                } else {
                    self.awaited.entry(seq).or_default().push((kept, checkpoint));
                }
            }
        }
    }

    /// A trail goes on after it was exported. A checkpoint from before that time, which has seen more than the export has, says
    /// that the trail was cut off before.
    fn discard_newer_than_export(&mut self) {
        let Some((end, at)) = self.report.exported else { return };
        let newest = at.checked_sub(CLOCK_TOLERANCE).unwrap_or(Timestamp::MIN);
        let mut newer = 0;
        self.awaited.retain(|seq, checkpoints| {
            let is_newer = |kept: CheckpointSource, signed_at| {
                *seq > end && kept == CheckpointSource::Outside && signed_at >= newest
            };
            checkpoints.retain(|(kept, checkpoint)| {
                let passed_over = is_newer(*kept, checkpoint.at);
                newer += u64::from(passed_over);
                !passed_over
            });
            !checkpoints.is_empty()
        });
        self.report.newer = newer;
    }

    fn is_authentic(&self, record: &AuditRecord) -> bool {
        self.keys.keyring.is_none_or(|keyring| record.is_authentic(keyring))
    }

    /// Holds an entry against the checkpoints that have seen it.
    fn compare_with_checkpoints(&mut self, linked: &ChainedEntry) {
        let seq = linked.link.seq;
        let Some(checkpoints) = self.awaited.remove(&seq) else { return };
        let is_inside = checkpoints.iter().any(|(kept, _)| *kept == CheckpointSource::Inside);
        for (kept, checkpoint) in checkpoints {
            let id = linked.record.id;
            match (kept, checkpoint.link.digest == linked.link.digest) {
                (CheckpointSource::Outside, false) => {
                    self.replaced.push(Replacement { seq, id, at: checkpoint.at, is_inside });
                }
                (_, false) => self.add_finding(AuditFinding::Replaced { seq, id, kept }),
                (_, true) => {
                    if kept == CheckpointSource::Outside && !is_inside {
                        self.only_outside.push((seq, checkpoint.at));
                    }
                    *self.report.checkpoints.entry(kept).or_default() += 1;
                }
            }
        }
    }
}
