//! Ends grants of configured clients when the configuration changes. The files have the clients of now; the table
//! `configured_clients` has those that nodes ran with before.
//!
//! A client that is not in the configuration gets nothing at once, because every use of a token asks for it. Its grants
//! *end* when no living node has had it for a while: a reload that missed a file takes nothing away for good. One that is
//! added again after that starts with none. A client that knows people by another `sub` than before loses what was granted
//! under the old one at once.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::ClientId;
use anteroom_storage::{ConfiguredClient, Tx};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

use crate::audit::context::AuditContext;
use crate::context::call::Call;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::node::health::active_nodes;

/// How often a node says that it still has a client.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_secs(50);
/// Rows that one transaction writes at most.
const BATCH: usize = 500;
const BATCH_OF_CHANGES: usize = 100;

/// Notes the clients of the configuration, and ends what was granted under another `sub` than theirs now. To be asked at the
/// start, after each change, and once a minute, so that the other nodes know what this one has.
pub async fn note(call: &Call) -> Result<(), FlowError> {
    let snapshot = call.snapshot();
    let rows = call.store().configured_clients().await?;
    let mut changed = changed(snapshot, &rows, call.now);
    // During a rolling change two nodes have different configurations, and would overwrite each other's row in turn. So a node
    // rewrites a known client's kind of `sub` only when its own configuration has changed.
    if call.provider().configured.with(|state| state.digest.as_ref() == Some(&snapshot.digest)) {
        changed.retain(|change| rows.iter().all(|row| row.client != change.client));
    }
    for batch in changed.chunks(BATCH_OF_CHANGES) {
        note_some(call, batch.to_vec()).await?;
    }
    touch(call, snapshot).await?;
    call.provider().configured.with(|state| state.digest = Some(snapshot.digest.clone()));
    Ok(())
}

/// A client that is new here, or knows people by another `sub` than was noted.
#[derive(Clone)]
struct SubjectKindChange {
    client: ClientId,
    subjects: SubjectNamespace,
    at: Timestamp,
    /// What was granted under other subjects ends. Where none were noted, what release 0.1.0 granted was granted under those
    /// that are found first.
    ends: bool,
}

fn changed(snapshot: &Snapshot, rows: &[ConfiguredClient], at: Timestamp) -> Vec<SubjectKindChange> {
    let before: HashMap<&ClientId, Option<&SubjectNamespace>> =
        rows.iter().map(|row| (&row.client, row.subjects.as_ref())).collect();
    let changes = snapshot.clients.configured().filter_map(|client| {
        let subjects = SubjectNamespace::of(client);
        let noted = before.get(client.id()).copied().flatten();
        let ends = noted.is_some();
        (noted != Some(&subjects)).then(|| SubjectKindChange {
            client: client.id().clone(),
            subjects,
            at,
            ends,
        })
    });
    changes.collect()
}

async fn note_some(call: &Call, changes: Vec<SubjectKindChange>) -> Result<(), FlowError> {
    let audit = call.audit().clone();
    let write = call.store().write(move |tx| {
        let (changes, audit) = (changes.clone(), audit.clone());
        async move {
            let mut ended = Vec::new();
            for change in &changes {
                let grants = note_one(&tx, &audit, change).await?;
                if grants > 0 {
                    ended.push((change.client.clone(), grants));
                }
            }
            Ok::<_, FlowError>(ended)
        }
    });
    for (client, grants) in write.await? {
        tracing::warn!(
            client = client.as_str(),
            grants,
            "the client knows people by another `sub` now: what was granted under the old one has ended"
        );
    }
    Ok(())
}

/// How many grants ended.
async fn note_one(tx: &Tx, audit: &AuditContext, change: &SubjectKindChange) -> Result<u64, FlowError> {
    let SubjectKindChange { client, subjects, at, ends } = change;
    let noted = ConfiguredClient { client: client.clone(), subjects: Some(subjects.clone()), seen_at: *at };
    tx.note_configured_client(&noted).await?;
    if !ends {
        return Ok(0);
    }
    let grants = tx.revoke_grants_of_other_subjects(client, subjects, *at).await?;
    if grants > 0 {
        let reason = GrantEnd::SubjectsChanged.as_str();
        let entry = audit.entry(Actor::System, Event::ClientGrantsEnded { reason, grants });
        tx.append(&entry.by_client(client)).await?;
    }
    Ok(grants)
}

async fn touch(call: &Call, snapshot: &Snapshot) -> Result<(), FlowError> {
    let now = call.now;
    let before = now.checked_sub(TOUCH_EVERY).unwrap_or(Timestamp::MIN);
    let ids: Vec<ClientId> = snapshot.clients.configured().map(|client| client.id().clone()).collect();
    for batch in ids.chunks(BATCH) {
        let batch = batch.to_vec();
        let write = call.store().write(move |tx| {
            let batch = batch.clone();
            async move { Ok::<_, FlowError>(tx.touch_configured_clients(&batch, before, now).await?) }
        });
        write.await?;
    }
    Ok(())
}

/// Ends the grants of clients that no living node has had for long enough. To be asked once a minute, while the clock can be
/// trusted.
pub async fn end_grants_of_absent_clients(call: &Call) -> Result<(), FlowError> {
    let snapshot = call.snapshot();
    let (now, after) = (call.now, snapshot.policy.clients.end_grants_after);
    let configured: HashSet<&ClientId> = snapshot.clients.configured().map(|client| client.id()).collect();
    let mut absent = call.store().configured_clients().await?;
    absent.retain(|row| !configured.contains(&row.client));
    let long = call.provider().configured.absent(&absent, after, now);
    // A node with another configuration may have them, also one of the release before, which notes nothing.
    if long.is_empty() || !nodes_agree(call, snapshot).await? {
        return Ok(());
    }
    for client in long {
        let seen_before = now.checked_sub(after).unwrap_or(Timestamp::MIN);
        end_one(call, client, seen_before).await?;
    }
    Ok(())
}

async fn nodes_agree(call: &Call, snapshot: &Snapshot) -> Result<bool, FlowError> {
    let living = active_nodes(call.provider(), call.now).await?;
    Ok(living.iter().all(|node| node.config_digest == snapshot.digest))
}

async fn end_one(call: &Call, client: ClientId, seen_before: Timestamp) -> Result<(), FlowError> {
    let audit = call.audit().clone();
    let id = client.clone();
    let write = call.store().write(move |tx| {
        let (id, audit) = (id.clone(), audit.clone());
        async move {
            if !tx.delete_configured_client(&id, seen_before).await? {
                return Ok(None);
            }
            let grants = tx.revoke_grants_of_client(&id, GrantEnd::ClientRemoved, audit.now).await?;
            tx.delete_consents(&id).await?;
            let reason = GrantEnd::ClientRemoved.as_str();
            let entry = audit.entry(Actor::System, Event::ClientGrantsEnded { reason, grants });
            tx.append(&entry.by_client(&id)).await?;
            Ok::<_, FlowError>(Some(grants))
        }
    });
    if let Some(grants) = write.await? {
        tracing::warn!(
            client = client.as_str(),
            grants,
            "the client is in no node's configuration any more: what people granted to it has ended"
        );
    }
    Ok(())
}

/// Forgets since when clients were absent: after the clock jumped, that was measured with it.
pub fn reset_absence(call: &Call) {
    call.provider().configured.with(|state| state.absent_since.clear());
}

/// The operator's way, at once and whether or not the client is configured. Of one that is not, what people agreed to goes as
/// well. Says how many grants ended; `None`: there is no such client and there are no grants of it.
pub async fn end_grants(call: &Call, client: &ClientId) -> Result<Option<u64>, FlowError> {
    let is_known = call.snapshot().clients.get(client).is_some();
    let audit = call.audit().clone();
    let id = client.clone();
    let write = call.store().write(move |tx| {
        let (id, audit) = (id.clone(), audit.clone());
        async move {
            let grants = tx.revoke_grants_of_client(&id, GrantEnd::OperatorEnded, audit.now).await?;
            if !is_known {
                let was_known = tx.delete_configured_client(&id, Timestamp::MAX).await?;
                tx.delete_consents(&id).await?;
                if grants == 0 && !was_known {
                    return Ok(None);
                }
            }
            let reason = GrantEnd::OperatorEnded.as_str();
            let entry = audit.entry(Actor::Operator, Event::ClientGrantsEnded { reason, grants });
            tx.append(&entry.by_client(&id)).await?;
            Ok::<_, FlowError>(Some(grants))
        }
    });
    write.await
}
