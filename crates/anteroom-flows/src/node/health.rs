//! Whether this node can serve: its database answers and commits, its clock agrees with the database's, what it keeps in memory
//! is confirmed, and its configuration is that of the other nodes. A [`HealthMonitor`] in the background checks this each second
//! and writes its findings to [`Readiness`](crate::readiness::Readiness), from which requests are answered.

use anteroom_domain::clock::ahead_of;
use anteroom_domain::ids::NodeId;
use anteroom_storage::{DatabaseState, Node, StoreError, Tx, Unit, WriteMode};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use crate::context::provider::{Provider, Snapshot};
use crate::error::FlowError;
use crate::node::config_differences;
use crate::readiness::{Check, MAX_CLOCK_SKEW, NotReady};

/// Between two writes that note that this node is alive, and show whether writes are committed.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A node that was not seen for this long is not compared with any more.
const NODE_LIFETIME: SignedDuration = SignedDuration::from_secs(45);
/// How long configurations may differ, because nodes are updated one after another.
const MAX_DIFFERENCE: SignedDuration = SignedDuration::from_mins(1);
/// Connections that commands need beside the nodes: two commands at a time.
const FOR_COMMANDS: u32 = 4;

/// Every reason why this node is not ready.
pub fn reasons(provider: &Provider) -> Vec<NotReady> {
    let now = Instant::now();
    let mut reasons = provider.readiness.reasons(now, &provider.clock);
    if !provider.confirmations.are_recent(now) || !provider.history.is_checked_since_break(&provider.store) {
        reasons.push(NotReady::Unconfirmed);
    }
    reasons.extend(provider.history.refused().map(NotReady::WentBack));
    reasons
}

/// Whether a request may be served by this node.
pub fn may_serve(provider: &Provider) -> Result<(), FlowError> {
    match reasons(provider).into_iter().find(NotReady::stops_serving) {
        Some(reason) => Err(FlowError::NotServing(reason)),
        None => Ok(()),
    }
}

/// Whether this node's clock agrees with the database's, which all nodes share.
pub async fn clock_agrees(provider: &Provider) -> Result<(), NotReady> {
    let before = provider.clock.now();
    let state = provider.store.state().await.map_err(|_| NotReady::Database)?;
    clock_of(state, before, provider.clock.now())
}

fn clock_of(state: DatabaseState, before: Timestamp, after: Timestamp) -> Result<(), NotReady> {
    let skew = state.time.map_or(SignedDuration::ZERO, |theirs| ahead_of(theirs, before, after));
    if skew.abs() > MAX_CLOCK_SKEW { Err(NotReady::Clock(skew.as_secs())) } else { Ok(()) }
}

/// Removes this node from the list of running nodes, before it stops.
pub async fn deregister_node(provider: &Provider) -> Result<(), FlowError> {
    provider.store.run(DeleteNode(provider.node)).await.1
}

struct DeleteNode(NodeId);

impl Unit for DeleteNode {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "delete_node";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        Ok(tx.delete_node(self.0).await?)
    }
}

/// Notes that a node is alive, and with which configuration.
struct Heartbeat {
    node: NodeId,
    configuration: Arc<Snapshot>,
    now: Timestamp,
}

impl Unit for Heartbeat {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "heartbeat";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        Ok(tx.heartbeat(self.node, &self.configuration.digest, self.now).await?)
    }
}

/// The results of this node's last checks of the database and of the other nodes.
#[derive(Debug, Default)]
pub struct HealthMonitor {
    /// When a write was last committed; `None` when the last one was not.
    committed: Option<Instant>,
    differs_since: Option<Timestamp>,
    /// Since when there has been a reason that the log names.
    unready_since: Option<Instant>,
    /// How many nodes the last warning of too few connections was for.
    warned_of: u32,
}

impl HealthMonitor {
    /// Makes the next round try a write, because a write of a request has failed.
    pub const fn check_writes_next(&mut self) {
        self.committed = None;
    }

    /// One round: reads the database's state, and writes every few seconds.
    pub async fn run_checks(&mut self, provider: &Provider) {
        self.check(provider).await;
        self.log_end(&reasons(provider));
    }

    /// Logs once that no reason is left. What is only unconfirmed for a moment begins nothing: no line of the log names it.
    fn log_end(&mut self, reasons: &[NotReady]) {
        let is_named = reasons.iter().any(|reason| *reason != NotReady::Unconfirmed);
        match self.unready_since {
            None if is_named => self.unready_since = Some(Instant::now()),
            Some(since) if reasons.is_empty() => {
                self.unready_since = None;
                tracing::info!("ready again after {} s", since.elapsed().as_secs());
            }
            _ => {}
        }
    }

    async fn check(&mut self, provider: &Provider) {
        if let Err(error) = provider.store.check_files() {
            return note(provider, Check::Files, &Err((NotReady::FilesReplaced, error.into())));
        }
        let (asked, before) = (Instant::now(), provider.clock.now());
        let state = match provider.store.state().await {
            Ok(state) => state,
            Err(error) => {
                let cause = cause_of(provider, error.into()).await;
                return note(provider, Check::Database, &Err((NotReady::Database, cause)));
            }
        };
        let after = provider.clock.now();
        note(provider, Check::Database, &Ok(()));
        let clock = clock_of(state, before, after).err();
        if provider.readiness.note(Check::Clock, clock.as_ref()) {
            tracing::warn!(database = ?state.time, own = %after, "the result of comparing the clock with the \
                                                                  database's clock has changed");
        }
        let found = self.try_writing(provider, state.writes).await;
        note(provider, Check::Writes, &found);
        provider.readiness.heard(asked, state.time.map(|_| before));
    }

    async fn try_writing(
        &mut self,
        provider: &Provider,
        writes: WriteMode,
    ) -> Result<(), (NotReady, FlowError)> {
        let refused = match writes {
            WriteMode::Writable => None,
            WriteMode::Standby => Some(NotReady::Standby),
            WriteMode::ReadOnly => Some(NotReady::ReadOnly),
        };
        if let Some(reason) = refused {
            self.committed = None;
            return Err((reason.clone(), FlowError::NotServing(reason)));
        }
        if self.committed.is_some_and(|at| at.elapsed() < HEARTBEAT) {
            return Ok(());
        }
        self.committed = None;
        if let Err(error) = self.write_heartbeat(provider).await {
            return Err((NotReady::Writes, cause_of(provider, error).await));
        }
        self.committed = Some(Instant::now());
        Ok(())
    }

    /// Notes that this node is alive and with which configuration, and compares that with the other nodes.
    async fn write_heartbeat(&mut self, provider: &Provider) -> Result<(), FlowError> {
        let (node, now) = (provider.node, provider.clock.now());
        let unit = Heartbeat { node, configuration: provider.snapshot(), now };
        let (Heartbeat { configuration, .. }, written) = provider.store.run(unit).await;
        written?;
        let nodes = active_nodes(provider, now).await?;
        provider.readiness.note_release_0_1(nodes.iter().any(|other| other.release.is_none()));
        let differs = nodes.iter().any(|other| other.config_digest != configuration.digest);
        self.differs_since = differs.then(|| self.differs_since.unwrap_or(now));
        let too_long = self.differs_since.is_some_and(|since| now.duration_since(since) > MAX_DIFFERENCE);
        let found = too_long.then_some(&NotReady::Configuration);
        let is_news = provider.readiness.note(Check::Configuration, found);
        if is_news && !too_long {
            tracing::info!("{}", Check::Configuration.passes_again());
        }
        if is_news && too_long {
            let others = config_differences::others(provider, &nodes).await;
            let others = others.unwrap_or_else(|error| format!("not known: {error}"));
            tracing::error!(node = %node, others, "not ready: {}", NotReady::Configuration);
        }
        self.count_connections(provider, u32::try_from(nodes.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Nodes that together want more connections than the server has refuse each other's requests under load.
    fn count_connections(&mut self, provider: &Provider, nodes: u32) {
        let Some(server) = provider.store.server() else { return };
        let (each, most) = (provider.store.max_connections(), server.connections);
        let Some(wanted) = too_many(nodes, each, most) else {
            self.warned_of = 0;
            return;
        };
        if self.warned_of != nodes {
            self.warned_of = nodes;
            tracing::warn!(
                "PostgreSQL has {most} connections for this role, and {wanted} may be wanted: {nodes} node(s) of the last minute with \
                 {each} each (database.max_connections), and {FOR_COMMANDS} for commands. Lower database.max_connections, or raise the \
                 server's max_connections"
            );
        }
    }
}

/// The nodes that were seen alive within `NODE_LIFETIME`, this one among them.
pub(crate) async fn active_nodes(provider: &Provider, now: Timestamp) -> Result<Vec<Node>, FlowError> {
    let since = now.checked_sub(NODE_LIFETIME).unwrap_or(Timestamp::MIN);
    Ok(provider.store.nodes(since).await?)
}

/// How many connections may be wanted, where that is more than there are.
fn too_many(nodes: u32, each: u32, most: u32) -> Option<u32> {
    let wanted = nodes.saturating_mul(each).saturating_add(FOR_COMMANDS);
    (wanted > most).then_some(wanted)
}

/// A pool timeout does not say why there is no connection. So a new connection is tried, and the server's own error is
/// reported.
async fn cause_of(provider: &Provider, error: FlowError) -> FlowError {
    match error {
        FlowError::Store(StoreError::Unavailable(_)) => {
            provider.store.refusal().await.map_or(error, FlowError::from)
        }
        _ => error,
    }
}

/// Writes a finding to the readiness, and logs it where it has changed.
fn note(provider: &Provider, check: Check, found: &Result<(), (NotReady, FlowError)>) {
    let reason = found.as_ref().err().map(|(reason, _)| reason);
    if !provider.readiness.note(check, reason) {
        return;
    }
    match found {
        Ok(()) => tracing::info!("{}", check.passes_again()),
        Err((reason, cause)) => tracing::error!("not ready: {reason}: {cause}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_ends_when_no_reason_is_left() {
        let mut monitor = HealthMonitor::default();
        let mut is_unready = |reasons: &[NotReady]| {
            monitor.log_end(reasons);
            monitor.unready_since.is_some()
        };
        assert!(!is_unready(&[NotReady::Unconfirmed]), "no line of the log says that this began");
        assert!(is_unready(&[NotReady::Database]));
        assert!(is_unready(&[NotReady::Unconfirmed]));
        assert!(!is_unready(&[]));
    }

    #[test]
    fn the_nodes_connections_and_a_few_for_commands_must_fit_the_servers() {
        for (nodes, each, most, expected) in
            [(1, 16, 20, None), (2, 16, 20, Some(36)), (6, 16, 97, Some(100)), (5, 16, 97, None)]
        {
            assert_eq!(too_many(nodes, each, most), expected, "{nodes} nodes of {each}");
        }
    }
}
