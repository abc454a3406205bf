//! Ends grants of configured clients when the configuration changes. The files have the present clients; the table
//! `configured_clients` has those that nodes ran with before.
//!
//! The tokens of a client that is not in the configuration cannot be used, because every use looks the client up. Its grants
//! *end* only when no running node has had the client for a while, so that a reload that missed a file does not end them. A
//! client that is added again after that starts without grants. A client that knows people by another `sub` than before loses
//! at once what was granted under the old one.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::ClientId;
use anteroom_storage::{ConfiguredClient, Tx, Unit};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

use crate::context::call::Call;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::node::health::active_nodes;

/// How often a node notes that it still has a client.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_secs(50);
/// Rows that one transaction writes at most.
const BATCH: usize = 500;
const BATCH_OF_CHANGES: usize = 100;

/// Notes the clients of the configuration, and ends what was granted under another `sub` than their present one. Called at
/// the start, after each change, and once a minute, so that the other nodes know the clients of this one.
pub async fn record(call: &Call) -> Result<(), FlowError> {
    let snapshot = call.snapshot();
    let rows = call.store().configured_clients().await?;
    let mut changed = changed(snapshot, &rows, call.now);
    // During a rolling change two nodes have different configurations, and would overwrite each other's row in turn. So a node
    // rewrites a known client's kind of `sub` only when its own configuration has changed.
    if call.provider().configured.with(|state| state.digest.as_ref() == Some(&snapshot.digest)) {
        changed.retain(|change| rows.iter().all(|row| row.client != change.present.client));
    }
    for batch in batches(changed, BATCH_OF_CHANGES) {
        note_some(call, batch).await?;
    }
    touch(call, snapshot).await?;
    call.provider().configured.with(|state| state.digest = Some(snapshot.digest.clone()));
    Ok(())
}

fn batches<T>(all: Vec<T>, most: usize) -> impl Iterator<Item = Vec<T>> {
    let mut rest = all.into_iter();
    std::iter::from_fn(move || {
        let batch: Vec<T> = rest.by_ref().take(most).collect();
        (!batch.is_empty()).then_some(batch)
    })
}

/// A client that is new here, or knows people by another `sub` than was noted.
struct SubjectKindChange {
    present: ConfiguredClient,
    /// Whether grants under other subjects end. They do not where none were noted: release 0.1.0 noted none, and its grants count
    /// as granted under the subjects that are noted first.
    ends_grants: bool,
}

fn changed(snapshot: &Snapshot, rows: &[ConfiguredClient], at: Timestamp) -> Vec<SubjectKindChange> {
    let before: HashMap<&ClientId, Option<&SubjectNamespace>> =
        rows.iter().map(|row| (&row.client, row.subjects.as_ref())).collect();
    let changes = snapshot.clients.configured().filter_map(|client| {
        let subjects = SubjectNamespace::of(client);
        let noted = before.get(client.id()).copied().flatten();
        (noted != Some(&subjects)).then(|| SubjectKindChange {
            present: ConfiguredClient { client: client.id().clone(), subjects: Some(subjects), seen_at: at },
            ends_grants: noted.is_some(),
        })
    });
    changes.collect()
}

async fn note_some(call: &Call, changes: Vec<SubjectKindChange>) -> Result<(), FlowError> {
    let (unit, grants) = call.run(|call| NoteChanges { call, changes }).await;
    for (change, grants) in unit.changes.iter().zip(grants?).filter(|(_, grants)| *grants > 0) {
        tracing::warn!(
            client = change.present.client.as_str(),
            grants,
            "the client knows people by another `sub` now: what was granted under the old one has ended"
        );
    }
    Ok(())
}

/// How many grants ended.
async fn note_one(tx: &Tx, call: &Call, change: &SubjectKindChange) -> Result<u64, FlowError> {
    let SubjectKindChange { present, ends_grants } = change;
    tx.note_configured_client(present).await?;
    let ConfiguredClient { client, subjects: Some(subjects), seen_at: at } = present else { return Ok(0) };
    if !ends_grants {
        return Ok(0);
    }
    let grants = tx.revoke_grants_of_other_subjects(client, subjects, *at).await?;
    if grants > 0 {
        let reason = GrantEnd::SubjectsChanged.as_str();
        let entry = call.entry(Actor::System, Event::ClientGrantsEnded { reason, grants });
        tx.append(&entry.by_client(client)).await?;
    }
    Ok(grants)
}

/// Configured clients that are new, or know people by another `sub` than before.
struct NoteChanges {
    call: Call,
    changes: Vec<SubjectKindChange>,
}

impl Unit for NoteChanges {
    /// For each change, how many grants ended with it.
    type Output = Vec<u64>;
    type Error = FlowError;

    const NAME: &'static str = "note_configured_clients";

    async fn run(&self, tx: &Tx) -> Result<Vec<u64>, FlowError> {
        let mut ended = Vec::with_capacity(self.changes.len());
        for change in &self.changes {
            ended.push(note_one(tx, &self.call, change).await?);
        }
        Ok(ended)
    }
}

async fn touch(call: &Call, snapshot: &Snapshot) -> Result<(), FlowError> {
    let now = call.now;
    let before = now.checked_sub(TOUCH_EVERY).unwrap_or(Timestamp::MIN);
    let ids: Vec<ClientId> = snapshot.clients.configured().map(|client| client.id().clone()).collect();
    for clients in batches(ids, BATCH) {
        call.store().run(TouchClients { clients, before, now }).await.1?;
    }
    Ok(())
}

/// Notes that a node has these clients now, where that was last noted before a time.
struct TouchClients {
    clients: Vec<ClientId>,
    before: Timestamp,
    now: Timestamp,
}

impl Unit for TouchClients {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "touch_configured_clients";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        tx.touch_configured_clients(&self.clients, self.before, self.now).await?;
        Ok(())
    }
}

/// Ends the grants of clients that no running node has had for long enough. Called once a minute, while the clock can be trusted.
pub async fn end_grants_of_absent_clients(call: &Call) -> Result<(), FlowError> {
    let snapshot = call.snapshot();
    let (now, after) = (call.now, snapshot.policy.clients.end_grants_after);
    let configured: HashSet<&ClientId> = snapshot.clients.configured().map(|client| client.id()).collect();
    let mut absent = call.store().configured_clients().await?;
    absent.retain(|row| !configured.contains(&row.client));
    let long = call.provider().configured.absent(absent, after, now);
    // A node with another configuration may have these clients, also a node of release 0.1.0, which notes nothing.
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
    let nodes = active_nodes(call.provider(), call.now).await?;
    Ok(nodes.iter().all(|node| node.config_digest == snapshot.digest))
}

async fn end_one(call: &Call, client: ClientId, seen_before: Timestamp) -> Result<(), FlowError> {
    let (unit, grants) = call.run(|call| EndAbsentClient { call, client, seen_before }).await;
    if let Some(grants) = grants? {
        tracing::warn!(
            client = unit.client.as_str(),
            grants,
            "the client is in no node's configuration any more: what people granted to it has ended"
        );
    }
    Ok(())
}

struct EndAbsentClient {
    call: Call,
    client: ClientId,
    seen_before: Timestamp,
}

impl Unit for EndAbsentClient {
    /// How many grants ended; `None`: another node has seen the client since.
    type Output = Option<u64>;
    type Error = FlowError;

    const NAME: &'static str = "end_absent_client";

    async fn run(&self, tx: &Tx) -> Result<Option<u64>, FlowError> {
        let Self { call, client, seen_before } = self;
        if !tx.delete_configured_client(client, *seen_before).await? {
            return Ok(None);
        }
        let grants = tx.revoke_grants_of_client(client, GrantEnd::ClientRemoved, call.now).await?;
        tx.delete_consents(client).await?;
        let reason = GrantEnd::ClientRemoved.as_str();
        let entry = call.entry(Actor::System, Event::ClientGrantsEnded { reason, grants });
        tx.append(&entry.by_client(client)).await?;
        Ok(Some(grants))
    }
}

/// Forgets since when clients were absent, because after a jump of the clock these times are wrong.
pub fn reset_absence(call: &Call) {
    call.provider().configured.with(|state| state.absent_since.clear());
}

/// Ends the grants of a client for an operator, at once and whether or not the client is configured. Where it is not, its
/// consents are deleted as well. Returns how many grants ended; `None`: there is no such client and there are no grants of it.
pub async fn end_grants(call: &Call, client: &ClientId) -> Result<Option<u64>, FlowError> {
    call.run(|call| EndGrantsOfClient { call, client: client.clone() }).await.1
}

struct EndGrantsOfClient {
    call: Call,
    client: ClientId,
}

impl Unit for EndGrantsOfClient {
    type Output = Option<u64>;
    type Error = FlowError;

    const NAME: &'static str = "end_grants_of_client";

    async fn run(&self, tx: &Tx) -> Result<Option<u64>, FlowError> {
        let Self { call, client } = self;
        let grants = tx.revoke_grants_of_client(client, GrantEnd::OperatorEnded, call.now).await?;
        if call.snapshot().clients.get(client).is_none() {
            let was_known = tx.delete_configured_client(client, Timestamp::MAX).await?;
            tx.delete_consents(client).await?;
            if grants == 0 && !was_known {
                return Ok(None);
            }
        }
        let reason = GrantEnd::OperatorEnded.as_str();
        let entry = call.entry(Actor::Operator, Event::ClientGrantsEnded { reason, grants });
        tx.append(&entry.by_client(client)).await?;
        Ok(Some(grants))
    }
}
