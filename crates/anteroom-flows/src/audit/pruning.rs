//! Removes the oldest entries of the audit trail once they were kept for as long as they must be.
//!
//! Invariants: entries are removed from the beginning up to a checkpoint; all of them must verify, so that a changed time cannot
//! have young entries removed; the removal is signed, so that an unsigned removal is found.

use anteroom_crypto::{KeyPurpose, Keyring};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::audit_trail::chain::{ChainLink, ChainedEntry, PruningRecord};
use anteroom_domain::audit_trail::verify::{AuditFinding, ChainVerifier, CheckpointSource, VerificationKeys};
use anteroom_storage::Store;
use jiff::{SignedDuration, Timestamp};

use crate::audit::context::AuditContext;
use crate::error::FlowError;

/// Entries read at a time; about as many are removed in one transaction.
const PAGE: u64 = 1_000;
/// In how many pages a checkpoint is searched. Checkpoints are closer together unless nothing was linked for a long time.
const PAGES: u32 = 100;
/// Pruning writes an entry itself, so it waits until the entries of a whole day are due.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pruning {
    Nothing,
    /// The number of removed entries; more may be due.
    Done(u64),
    /// The oldest entries do not verify, so none is removed.
    Refused(Vec<AuditFinding>),
}

/// Removes one batch of the entries that are older than `retention`.
pub async fn prune(
    store: &Store,
    keyring: &Keyring,
    audit: &AuditContext,
    retention: SignedDuration,
) -> Result<Pruning, FlowError> {
    let older_than = audit.now.checked_sub(retention).unwrap_or(Timestamp::MIN);
    let due = older_than.checked_sub(SLACK).unwrap_or(Timestamp::MIN);
    let pruned = store.pruned().await?;
    let begins = pruned.as_ref().map_or_else(ChainLink::beginning, |pruned| pruned.link);
    let oldest = store.linked_entries(begins.seq, 1).await?;
    if oldest.first().is_none_or(|oldest| oldest.record.at >= due) {
        return Ok(Pruning::Nothing);
    }
    let signer = keyring.signer(KeyPurpose::AuditMac)?;
    let mut verifier =
        ChainVerifier::new(VerificationKeys { keyring: Some(keyring), signers: signer.verifying_keys() });
    if let Some(pruned) = pruned {
        verifier.pruned(pruned);
    }
    let found = find_checkpoint(store, &mut verifier, begins.seq, older_than).await?;
    let report = verifier.finish();
    if report.found > 0 {
        return Ok(Pruning::Refused(report.findings));
    }
    let Some(link) = found else { return Ok(Pruning::Nothing) };
    let pruned = PruningRecord::sign(link, audit.now, older_than, &signer).map_err(FlowError::from)?;
    let entries = link.seq.saturating_sub(begins.seq);
    let entry = audit.entry(Actor::System, Event::TrailPruned { up_to: link.seq, entries });
    let done = store.prune_entries(begins.seq, pruned, entry).await?;
    Ok(if done { Pruning::Done(entries) } else { Pruning::Nothing })
}

/// Verifies old entries after the number `after`, page by page, until a checkpoint is among them, and returns its link. The last
/// entry of the chain always stays, because the next one is linked to it.
async fn find_checkpoint(
    store: &Store,
    verifier: &mut ChainVerifier<'_>,
    mut after: u64,
    older_than: Timestamp,
) -> Result<Option<ChainLink>, FlowError> {
    let end = store.chain_end().await?;
    for _ in 0..PAGES {
        let page = store.linked_entries(after, PAGE).await?;
        let is_old = |linked: &&ChainedEntry| linked.record.at < older_than && linked.link.seq < end.seq;
        let old: Vec<&ChainedEntry> = page.iter().take_while(is_old).collect();
        let Some(last) = old.last() else { break };
        let checkpoints = store.checkpoints(after, last.link.seq, PAGE).await?;
        let found = checkpoints.last().map(|checkpoint| checkpoint.link);
        for checkpoint in checkpoints {
            verifier.checkpoint(CheckpointSource::Inside, checkpoint);
        }
        for linked in &old {
            verifier.entry(linked);
        }
        if found.is_some() || old.len() < page.len() {
            return Ok(found);
        }
        after = last.link.seq;
    }
    Ok(None)
}
