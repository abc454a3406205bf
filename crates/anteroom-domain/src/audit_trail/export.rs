//! A trail as a file: one JSON object a line. First where it begins, if that is not at its beginning, then the entries in the
//! order of the chain, then the checkpoints, then one line that says where the export ends and when it was made, signed, so
//! that lines cannot be cut off its end and the export cannot be dated anew.

use crate::audit_trail::chain::{Checkpoint, PruningRecord};
use crate::audit_trail::lines::ExportLine;
use crate::audit_trail::verify::{
    AuditFinding, ChainVerifier, CheckpointSource, VerificationKeys, VerificationReport,
};
use anteroom_crypto::{Keyring, VerifyingKey};

pub use crate::audit_trail::export_end::ExportEnd;

/// Verifies an export in two passes over its lines, the first for the checkpoints.
pub struct ExportVerifier<'k> {
    verifier: ChainVerifier<'k>,
    trusted_keys: Vec<VerifyingKey>,
    end: Option<ExportEnd>,
    lines: u64,
    checkpoints: u64,
    last_checkpoint: u64,
}

/// What the first pass over an export has found.
#[derive(Clone, Debug, Default)]
pub struct ExportContents {
    pub pruned: Option<PruningRecord>,
    pub checkpoints: Vec<Checkpoint>,
    pub end: Option<ExportEnd>,
}

impl ExportContents {
    /// Takes in one line; entries and bad lines are for the second pass.
    pub fn note(&mut self, line: &str) {
        match ExportLine::read(line) {
            Some(ExportLine::Pruned(pruned)) => self.pruned = Some(pruned),
            Some(ExportLine::Checkpoint(checkpoint)) => self.checkpoints.push(checkpoint),
            Some(ExportLine::End(end)) => self.end = Some(end),
            Some(ExportLine::Entry(_)) | None => {}
        }
    }
}

impl<'k> ExportVerifier<'k> {
    /// `signers` are the trusted keys. If it is `None`, the keys that the export itself names are trusted.
    pub fn new(
        contents: &ExportContents,
        keyring: Option<&'k Keyring>,
        signers: Option<Vec<VerifyingKey>>,
    ) -> Self {
        let named = || contents.end.as_ref().map(|end| end.keys.clone()).unwrap_or_default();
        let trusted_keys = signers.unwrap_or_else(named);
        let mut verifier = ChainVerifier::new(VerificationKeys { keyring, signers: trusted_keys.clone() });
        if let Some(pruned) = &contents.pruned {
            verifier.pruned(pruned.clone());
        }
        for checkpoint in &contents.checkpoints {
            verifier.checkpoint(CheckpointSource::Inside, checkpoint.clone());
        }
        Self { verifier, trusted_keys, end: None, lines: 0, checkpoints: 0, last_checkpoint: 0 }
    }

    /// A checkpoint from elsewhere: before the lines.
    pub fn add_external_checkpoint(&mut self, checkpoint: Checkpoint) {
        self.verifier.checkpoint(CheckpointSource::Outside, checkpoint);
    }

    pub fn add_finding(&mut self, finding: AuditFinding) {
        self.verifier.add_finding(finding);
    }

    /// The next line of the second pass.
    pub fn line(&mut self, text: &str) {
        self.lines += 1;
        let line = ExportLine::read(text);
        let bad = AuditFinding::Line { file: "export", line: self.lines };
        if self.end.is_some() {
            self.verifier.add_finding(bad);
            return;
        }
        match line {
            None => self.verifier.add_finding(bad),
            Some(ExportLine::Pruned(_)) => {
                if self.lines > 1 {
                    self.verifier.add_finding(bad);
                }
            }
            Some(ExportLine::Entry(linked)) => {
                if self.checkpoints > 0 {
                    self.verifier.add_finding(bad);
                }
                self.verifier.entry(&linked);
            }
            Some(ExportLine::Checkpoint(checkpoint)) => {
                let seq = checkpoint.link.seq;
                if seq <= self.last_checkpoint {
                    self.verifier.add_finding(AuditFinding::CheckpointOutOfOrder { seq });
                }
                self.last_checkpoint = seq;
                self.checkpoints += 1;
            }
            Some(ExportLine::End(end)) => self.end = Some(end),
        }
    }

    pub fn finish(mut self) -> VerificationReport {
        let last = self.verifier.last();
        if let Some(end) = self.end.as_ref().filter(|end| end.is_signed_by(&self.trusted_keys)) {
            self.verifier.exported(end.link.seq, end.at);
        }
        match self.end.take() {
            None => self.verifier.add_finding(AuditFinding::NoEnd { last: last.seq }),
            Some(end) if !end.is_signed_by(&self.trusted_keys) => {
                self.verifier.add_finding(AuditFinding::UnsignedEnd { seq: end.link.seq });
            }
            Some(end) if end.link != last || end.checkpoints != self.checkpoints => {
                self.verifier.add_finding(AuditFinding::OtherEnd {
                    seq: end.link.seq,
                    last: last.seq,
                    checkpoints: end.checkpoints,
                    found: self.checkpoints,
                });
            }
            Some(_) => {}
        }
        self.verifier.finish()
    }
}
