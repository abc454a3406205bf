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
//! A trail may begin behind a link that says, signed, that what was before it was old and was pruned. Entries that are
//! missing at the beginning without such a word are missing.

use crate::ids::AuditId;
use crate::trail::acceptance::Acceptance;
use crate::trail::chain::{Checkpoint, Head, Link, Linked, Pruned, link_digest};
use crate::trail::record::AuditRecord;
use anteroom_crypto::{Digest, Keyring, VerifyingKey};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use crate::trail::finding::Finding;

/// By how much the clocks of the one that exports and of the node that signs checkpoints may differ: each may be off that of
/// the database by half of it before its node is not ready.
const CLOCKS: SignedDuration = SignedDuration::from_secs(10);

/// A node links each second. Commands write entries while no node may run, and those wait for the next one.
const LINKED_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// Findings kept in a report; beyond, they are only counted.
const FINDINGS_KEPT: usize = 1_000;

/// What there is to verify with.
#[derive(Clone, Debug)]
pub struct Keys<'k> {
    /// Without it MACs cannot be checked, only chain and checkpoints.
    pub keyring: Option<&'k Keyring>,
    /// Of checkpoints.
    pub signers: Vec<VerifyingKey>,
}

/// Where a checkpoint was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// With the entries: in the database, or in the export.
    Inside,
    /// Elsewhere.
    Outside,
    /// It is none, but the end of the chain as it was noted when it was last linked.
    Head,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inside => "kept with the entries",
            Self::Outside => "in the checkpoints file",
            Self::Head => "noted as the head of the chain",
        })
    }
}

#[derive(Clone, Debug)]
pub struct Report {
    pub entries: u64,
    /// Written and not linked yet.
    pub waiting: u64,
    /// Where the trail begins: what was before was pruned.
    pub pruned: Option<Pruned>,
    /// Good ones, by where they were kept.
    pub checkpoints: BTreeMap<Kept, u64>,
    /// The end of the chain.
    pub last: Link,
    /// Checkpoints from outside that were lost when the database went back, or have seen entries that were; an operator has
    /// accepted that.
    pub lost: u64,
    /// When the trail was exported, and the number that the export ends at: as its last line says, if the signature is good.
    pub exported: Option<(u64, Timestamp)>,
    /// Checkpoints from outside of what came after the export was made. They say nothing about it.
    pub newer: u64,
    pub findings: Vec<Finding>,
    /// All of them, also those beyond what is kept.
    pub found: u64,
}

pub struct Verifier<'k> {
    keys: Keys<'k>,
    /// What the next link may stand on: the last one as written and, where that did not hold, as it should have been,
    /// so that one wrong digest is not found a second time at the next entry. Empty after a gap.
    grounds: Vec<Digest>,
    awaited: BTreeMap<u64, Vec<(Kept, Checkpoint)>>,
    /// Entries that are others than a checkpoint from outside has seen.
    replaced: Vec<Replacement>,
    /// Of the checkpoints that are with the entries.
    inside: BTreeSet<u64>,
    /// Checkpoints from outside that are not with their entries, and when they were signed.
    outside_alone: Vec<(u64, Timestamp)>,
    /// Databases that went back and were accepted.
    accepted: Vec<Acceptance>,
    ran: Vec<Ran>,
    /// The head was looked for, and there is none.
    headless: bool,
    report: Report,
}

/// A node has run between these times.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Ran {
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

impl<'k> Verifier<'k> {
    pub fn new(keys: Keys<'k>) -> Self {
        let last = Link::beginning();
        let checkpoints = BTreeMap::new();
        let report = Report {
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
            grounds: vec![last.digest],
            awaited: BTreeMap::new(),
            replaced: Vec::new(),
            inside: BTreeSet::new(),
            outside_alone: Vec::new(),
            accepted: Vec::new(),
            ran: Vec::new(),
            headless: false,
            report,
        }
    }

    /// Where the trail begins. Before anything else.
    pub fn pruned(&mut self, pruned: Pruned) {
        if !pruned.is_signed_by(&self.keys.signers) {
            self.find(Finding::UnsignedPruning { seq: pruned.link.seq });
            return;
        }
        self.report.last = pruned.link;
        self.grounds = vec![pruned.link.digest];
        self.report.pruned = Some(pruned);
    }

    /// Takes a checkpoint before its entry goes by.
    pub fn checkpoint(&mut self, kept: Kept, checkpoint: Checkpoint) {
        let seq = checkpoint.link.seq;
        if !checkpoint.is_signed_by(&self.keys.signers) {
            self.find(Finding::Unsigned { seq, kept });
            return;
        }
        let begins = self.report.pruned.as_ref().map(|pruned| pruned.link);
        match begins {
            // Of what is gone. The last of these covers all before it.
            Some(begins) if seq < begins.seq => {}
            Some(begins) if seq == begins.seq && checkpoint.link.digest == begins.digest => {
                *self.report.checkpoints.entry(kept).or_default() += 1;
            }
            Some(begins) if seq == begins.seq => self.find(Finding::PrunedAnother { seq, kept }),
            _ => {
                self.inside.extend((kept == Kept::Inside).then_some(seq));
                self.awaited.entry(seq).or_default().push((kept, checkpoint));
            }
        }
    }

    /// What was noted as the end of the chain, before the entries are read. Needs the keyring.
    pub fn head(&mut self, head: Option<Head>) {
        let Some(keyring) = self.keys.keyring else { return };
        match head {
            None => self.headless = true,
            Some(head) if !head.is_authentic(keyring) => {
                self.find(Finding::AlteredHead { seq: head.link.seq });
            }
            Some(Head { link, .. }) => {
                let noted = Checkpoint { link, at: Timestamp::UNIX_EPOCH, signature: Vec::new() };
                self.awaited.entry(link.seq).or_default().push((Kept::Head, noted));
            }
        }
    }

    /// The next entry, in the order of the chain.
    pub fn entry(&mut self, linked: &Linked) {
        let Linked { link, record } = linked;
        let (seq, id) = (link.seq, record.id);
        self.report.entries += 1;
        let authentic = self.is_authentic(record);
        if !authentic {
            self.find(Finding::Altered { seq, id });
        }
        self.accepted.extend(Acceptance::of(record).filter(|_| authentic));
        let expected = self.report.last.seq.saturating_add(1);
        if seq < expected {
            self.find(Finding::OutOfOrder { seq, id });
            return;
        }
        if seq > expected {
            self.find(Finding::Missing { first: expected, last: seq - 1 });
            self.grounds.clear();
        }
        let computed: Vec<Digest> =
            self.grounds.iter().map(|before| link_digest(before, seq, record)).collect();
        let holds = computed.is_empty() || computed.contains(&link.digest);
        if !holds && authentic {
            self.find(Finding::Broken { seq, id });
        }
        self.grounds = vec![link.digest];
        if !holds {
            self.grounds.extend(computed);
        }
        self.report.last = *link;
        self.meet(linked);
    }

    /// What should be the next entry is no entry at all.
    pub fn unreadable(&mut self) {
        let seq = self.report.last.seq.saturating_add(1);
        self.find(Finding::Unreadable { seq });
        self.report.last.seq = seq;
        self.grounds.clear();
    }

    /// When nodes ran. Before the entries that wait.
    pub fn ran(&mut self, nodes: Vec<Ran>) {
        self.ran = nodes;
    }

    /// An entry that is not linked yet.
    pub fn waiting(&mut self, record: &AuditRecord) {
        self.report.waiting += 1;
        if !self.is_authentic(record) {
            self.find(Finding::AlteredWaiting { id: record.id });
        }
        if self.ran.iter().any(|node| node.since(record.at) > LINKED_WITHIN) {
            self.find(Finding::NotLinked { id: record.id, at: record.at });
        }
    }

    /// What is verified is an export of this time that ends at this number: its last line has a good signature.
    pub(super) fn exported(&mut self, seq: u64, at: Timestamp) {
        self.report.exported = Some((seq, at));
    }

    pub fn find(&mut self, finding: Finding) {
        self.report.found += 1;
        if self.report.findings.len() < FINDINGS_KEPT {
            self.report.findings.push(finding);
        }
    }

    pub fn last(&self) -> Link {
        self.report.last
    }

    /// After the last entry: checkpoints that still wait have seen more than there is.
    pub fn finish(mut self) -> Report {
        let last = self.report.last.seq;
        if self.headless && last > 0 {
            self.find(Finding::NoHead);
        }
        self.judge_replacements();
        self.judge_those_outside_alone();
        self.pass_over_what_was_lost();
        self.pass_over_what_is_newer();
        let furthest = self.awaited.last_key_value().filter(|(seq, _)| **seq > last);
        let kept = furthest.and_then(|(seq, seen)| seen.iter().map(|(kept, _)| (*seq, *kept)).max());
        if let Some((seq, kept)) = kept {
            self.find(Finding::Truncated { last, seq, kept });
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
                self.find(Finding::CheckpointRemoved { seq });
            }
            self.find(Finding::Replaced { seq, id, kept: Kept::Outside });
        }
    }

    /// A backup has the entry of a checkpoint that was signed after it was made, and not the checkpoint.
    fn judge_those_outside_alone(&mut self) {
        for (seq, at) in std::mem::take(&mut self.outside_alone) {
            if self.accepted.iter().any(|accepted| accepted.covers_checkpoint(seq, at, &self.inside)) {
                self.report.lost += 1;
            } else {
                self.find(Finding::CheckpointRemoved { seq });
            }
        }
    }

    fn pass_over_what_was_lost(&mut self) {
        let awaited = std::mem::take(&mut self.awaited);
        for (seq, checkpoints) in awaited {
            for (kept, checkpoint) in checkpoints {
                if kept == Kept::Outside && self.is_lost(seq, checkpoint.at) {
                    self.report.lost += 1;
                } else {
                    self.awaited.entry(seq).or_default().push((kept, checkpoint));
                }
            }
        }
    }

    /// A trail goes on after it was exported. A checkpoint from before that time, which has seen more than the export has, says
    /// that the trail was cut off before.
    fn pass_over_what_is_newer(&mut self) {
        let Some((end, at)) = self.report.exported else { return };
        let newest = at.checked_sub(CLOCKS).unwrap_or(Timestamp::MIN);
        let mut newer = 0;
        self.awaited.retain(|seq, checkpoints| {
            let is_newer = |kept: Kept, signed_at| *seq > end && kept == Kept::Outside && signed_at >= newest;
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
    fn meet(&mut self, linked: &Linked) {
        let seq = linked.link.seq;
        let Some(checkpoints) = self.awaited.remove(&seq) else { return };
        let is_inside = checkpoints.iter().any(|(kept, _)| *kept == Kept::Inside);
        for (kept, checkpoint) in checkpoints {
            let id = linked.record.id;
            match (kept, checkpoint.link.digest == linked.link.digest) {
                (Kept::Outside, false) => {
                    self.replaced.push(Replacement { seq, id, at: checkpoint.at, is_inside });
                }
                (_, false) => self.find(Finding::Replaced { seq, id, kept }),
                (_, true) => {
                    if kept == Kept::Outside && !is_inside {
                        self.outside_alone.push((seq, checkpoint.at));
                    }
                    *self.report.checkpoints.entry(kept).or_default() += 1;
                }
            }
        }
    }
}
