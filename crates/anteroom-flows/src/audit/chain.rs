//! The chain of the audit trail: links new entries, signs checkpoints, verifies the chain and exports it.

use anteroom_crypto::{KeyPurpose, Keyring, Signer, SigningFailed};
use anteroom_domain::audit_trail::chain::{ChainedEntry, Checkpoint, PruningRecord, is_checkpoint_due};
use anteroom_domain::audit_trail::export::ExportEnd;
use anteroom_domain::audit_trail::lines::ExportLine;
use anteroom_domain::audit_trail::verify::{
    AuditFinding, ChainVerifier, CheckpointSource, NodeRun, VerificationKeys, VerificationReport,
};
use anteroom_storage::{LinkingResult, Store, StoreError, Tx, Unit};
use jiff::Timestamp;

use crate::error::FlowError;

/// Entries linked in one transaction: few enough that other writes do not wait for long.
const BATCH: u32 = 250;
/// Rows read at a time when the whole trail is read.
const PAGE: u64 = 1_000;
/// How many unlinked entries are verified. Usually only those of the last second are unlinked.
const MOST_WAITING: u64 = 100_000;

/// Beyond this many unreadable entries, verification fails, because the database itself cannot be read.
const MOST_UNREADABLE: u32 = 100;

/// Links one batch of the entries that were committed since the last round. A round that finds none writes nothing.
pub async fn link(store: &Store) -> Result<LinkingResult, FlowError> {
    if !store.is_any_entry_waiting().await? {
        return Ok(LinkingResult::default());
    }
    Ok(store.link_entries(BATCH).await?)
}

/// Links all entries that are not linked yet.
#[tracing::instrument(name = "link_audit_entries", skip_all)]
pub async fn link_all(store: &Store) -> Result<(), FlowError> {
    while link(store).await?.more {}
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointTime {
    /// Only where the chain has grown enough, or has grown and the last checkpoint is a minute old.
    Due,
    /// Where the chain has grown at all. Used before a node stops.
    Now,
}

/// Signs the end of the chain. The caller must store the returned checkpoint outside of the database. If two nodes sign at
/// once, one of them gets `None`.
#[tracing::instrument(name = "sign_checkpoint", skip_all)]
pub async fn checkpoint(
    store: &Store,
    keyring: &Keyring,
    when: CheckpointTime,
    now: Timestamp,
) -> Result<Option<Checkpoint>, FlowError> {
    let (end, last) = (store.chain_end().await?, store.last_checkpoint().await?);
    let grown = end.seq > last.as_ref().map_or(0, |last| last.link.seq);
    if !grown || (when == CheckpointTime::Due && !is_checkpoint_due(&end, last.as_ref(), now)) {
        return Ok(None);
    }
    let checkpoint = Checkpoint::sign(end, now, &signer(keyring)?).map_err(FlowError::from)?;
    let (InsertCheckpoint(checkpoint), inserted) = store.run(InsertCheckpoint(checkpoint)).await;
    Ok(inserted?.then_some(checkpoint))
}

struct InsertCheckpoint(Checkpoint);

impl Unit for InsertCheckpoint {
    /// `false`: another node has signed as far as this.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "insert_checkpoint";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        Ok(tx.insert_checkpoint(&self.0).await?)
    }
}

/// The newest checkpoint in the database that any node has signed. `None` where its signature does not verify: a node would keep
/// it in place of the checkpoint that it has.
pub async fn newest_checkpoint(store: &Store, keyring: &Keyring) -> Result<Option<Checkpoint>, FlowError> {
    let signers = signer(keyring)?.verifying_keys();
    Ok(store.last_checkpoint().await?.filter(|checkpoint| checkpoint.is_signed_by(&signers)))
}

/// Verifies the whole trail in the database, and compares it with checkpoints that were kept elsewhere. `findings` are
/// those about these checkpoints.
pub async fn verify(
    store: &Store,
    keyring: &Keyring,
    outside: Vec<Checkpoint>,
    findings: Vec<AuditFinding>,
) -> Result<VerificationReport, FlowError> {
    let begins = store.pruned().await?;
    let from = begins.as_ref().map(|pruned| pruned.link);
    let report = verify_from(store, keyring, begins, &outside, &findings).await?;
    // Another node pruned the trail during the verification, which makes the removed entries look missing. So the trail is
    // verified once more.
    let now = store.pruned().await?;
    if now.as_ref().map(|pruned| pruned.link) == from {
        return Ok(report);
    }
    verify_from(store, keyring, now, &outside, &findings).await
}

async fn verify_from(
    store: &Store,
    keyring: &Keyring,
    begins: Option<PruningRecord>,
    outside: &[Checkpoint],
    findings: &[AuditFinding],
) -> Result<VerificationReport, FlowError> {
    let signers = signer(keyring)?.verifying_keys();
    let mut verifier = ChainVerifier::new(VerificationKeys { keyring: Some(keyring), signers });
    if let Some(pruned) = begins {
        verifier.pruned(pruned);
    }
    for finding in findings {
        verifier.add_finding(*finding);
    }
    for checkpoint in outside {
        verifier.checkpoint(CheckpointSource::Outside, checkpoint.clone());
    }
    // Read before the entries: more may be added in the meantime, and they must reach at least this far.
    let top = store.last_checkpoint().await?.map_or(0, |checkpoint| checkpoint.link.seq);
    match store.chain_head().await {
        Err(StoreError::Corrupt { .. }) => verifier.head(None),
        head => verifier.head(head?),
    }
    entries(store, &mut verifier, top).await?;
    waiting(store, &mut verifier).await?;
    Ok(verifier.finish())
}

/// Verifies the entries that are not linked yet, and finds linked ones among them.
async fn waiting(store: &Store, verifier: &mut ChainVerifier<'_>) -> Result<(), FlowError> {
    let nodes = store.nodes(Timestamp::UNIX_EPOCH).await?;
    verifier.ran(nodes.iter().map(|node| NodeRun { from: node.started_at, until: node.seen_at }).collect());
    let waiting = store.unlinked_entries(MOST_WAITING).await?;
    for record in &waiting.records {
        verifier.waiting(record);
    }
    for id in waiting.unreadable {
        verifier.add_finding(AuditFinding::UnreadableWaiting { id });
    }
    for id in store.linked_and_waiting(MOST_WAITING).await? {
        verifier.add_finding(AuditFinding::LinkedAndWaiting { id });
    }
    Ok(())
}

/// Verifies all linked entries, and the checkpoints up to number `top`.
async fn entries(store: &Store, verifier: &mut ChainVerifier<'_>, top: u64) -> Result<(), FlowError> {
    let begins = verifier.last().seq;
    if begins > 0 {
        // Pruned entries must not come back. A row that cannot be read is found below.
        let first = match store.linked_entries(0, 1).await {
            Err(StoreError::Corrupt { .. } | StoreError::Statement(_)) => Vec::new(),
            first => first?,
        };
        for linked in first.iter().filter(|linked| linked.link.seq <= begins) {
            verifier.entry(linked);
        }
        for checkpoint in checkpoints(store, begins - 1, begins).await? {
            verifier.checkpoint(CheckpointSource::Inside, checkpoint);
        }
    }
    let (mut after, mut unreadable) = (begins, 0);
    loop {
        let page = match readable(store, after).await {
            Err(StoreError::Corrupt { .. } | StoreError::Statement(_)) if unreadable < MOST_UNREADABLE => {
                verifier.unreadable();
                (after, unreadable) = (after + 1, unreadable + 1);
                continue;
            }
            page => page?,
        };
        let until = page.last().map_or(top, |linked| linked.link.seq);
        for checkpoint in checkpoints(store, after, until).await? {
            verifier.checkpoint(CheckpointSource::Inside, checkpoint);
        }
        if page.is_empty() {
            return Ok(());
        }
        for linked in &page {
            verifier.entry(linked);
        }
        after = until;
    }
}

/// The next page, or its part before a row that cannot be read.
async fn readable(store: &Store, after: u64) -> Result<Vec<ChainedEntry>, StoreError> {
    let page = store.linked_entries(after, PAGE).await;
    if page.is_ok() {
        return page;
    }
    let mut before = Vec::new();
    loop {
        let last = before.last().map_or(after, |linked: &ChainedEntry| linked.link.seq);
        match store.linked_entries(last, 1).await {
            Ok(next) if next.is_empty() => return Ok(before),
            Ok(next) => before.extend(next),
            Err(_) if !before.is_empty() => return Ok(before),
            Err(error) => return Err(error),
        }
    }
}

async fn checkpoints(store: &Store, mut after: u64, until: u64) -> Result<Vec<Checkpoint>, FlowError> {
    let mut all = Vec::new();
    while after < until {
        let page = store.checkpoints(after, until, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.link.seq;
        all.extend(page);
    }
    Ok(all)
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error("the oldest entries were removed meanwhile, as their time was over: export once more")]
    Pruned,
    #[error("the export could not be written: {0}")]
    Write(#[from] std::io::Error),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Flow(error.into())
    }
}

/// Links all entries, then exports the whole trail. Returns the number of entries.
pub async fn export(
    store: &Store,
    keyring: &Keyring,
    now: Timestamp,
    mut write: impl FnMut(&ExportLine) -> std::io::Result<()>,
) -> Result<u64, ExportError> {
    link_all(store).await?;
    let (begins, end) = (store.pruned().await?, store.chain_end().await?);
    let first = begins.as_ref().map_or(0, |pruned| pruned.link.seq);
    let begins = begins.map(ExportLine::Pruned);
    if let Some(line) = &begins {
        write(line)?;
    }
    let (mut after, mut entries) = (first, 0);
    while after < end.seq {
        let page = store.linked_entries(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.link.seq;
        for linked in page.into_iter().filter(|linked| linked.link.seq <= end.seq) {
            write(&ExportLine::Entry(Box::new(linked)))?;
            entries += 1;
        }
    }
    // From the checkpoint after which the trail begins.
    let (mut after, mut count) = (first.saturating_sub(1), 0);
    while after < end.seq {
        let page = store.checkpoints(after, end.seq, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.link.seq;
        for checkpoint in page {
            write(&ExportLine::Checkpoint(checkpoint))?;
            count += 1;
        }
    }
    if store.pruned().await?.map(ExportLine::Pruned) != begins {
        return Err(ExportError::Pruned);
    }
    let end = ExportEnd::sign(end, now, count, &signer(keyring)?).map_err(FlowError::from)?;
    write(&ExportLine::End(end))?;
    Ok(entries)
}

fn signer(keyring: &Keyring) -> Result<Signer, FlowError> {
    Ok(keyring.signer(KeyPurpose::AuditMac)?)
}

impl From<SigningFailed> for FlowError {
    fn from(_: SigningFailed) -> Self {
        Self::Inconsistent("a checkpoint of the audit trail could not be signed")
    }
}
