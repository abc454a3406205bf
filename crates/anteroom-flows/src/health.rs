//! Whether this node can serve: its database answers, its clock agrees with the database's, and its configuration with that
//! of the other nodes.

use anteroom_domain::ids::NodeId;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::error::FlowError;
use crate::provider::Provider;

const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);
/// A node that was not seen for this long is gone, whatever its configuration was.
const NODE_LIFETIME: SignedDuration = SignedDuration::from_secs(45);
/// Nodes are brought up to date one after another: for so long they may differ.
const MAX_DIFFERENCE: SignedDuration = SignedDuration::from_mins(1);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("the database does not answer")]
    Database,
    #[error("the clock is {0} seconds off the database's")]
    Clock(i64),
    #[error("keys or configuration were not confirmed for five seconds")]
    Unconfirmed,
    #[error("another node has run with another configuration for more than a minute")]
    Configuration,
}

pub async fn ready(provider: &Provider) -> Result<(), NotReady> {
    let now = provider.clock.now();
    provider.store.ping().await.map_err(|_| NotReady::Database)?;
    clock_agrees(provider).await?;
    if !provider.confirmations.are_recent(Instant::now()) {
        return Err(NotReady::Unconfirmed);
    }
    if provider.differs_since().is_some_and(|since| now.duration_since(since) > MAX_DIFFERENCE) {
        return Err(NotReady::Configuration);
    }
    Ok(())
}

/// Whether this node's time is the database's, which all nodes share.
pub async fn clock_agrees(provider: &Provider) -> Result<(), NotReady> {
    let skew = provider.store.clock_skew(provider.clock.now()).await.map_err(|_| NotReady::Database)?;
    if skew.abs() > MAX_CLOCK_SKEW { Err(NotReady::Clock(skew.as_secs())) } else { Ok(()) }
}

/// Says that this node is alive and what it runs with, and looks at what the others do.
pub async fn beat(provider: &Provider, node: NodeId) -> Result<(), FlowError> {
    let (digest, now) = (provider.snapshot().digest.clone(), provider.clock.now());
    let own = digest.clone();
    let write = provider.store.write(move |tx| {
        let digest = digest.clone();
        async move { Ok::<_, FlowError>(tx.heartbeat(node, &digest, now).await?) }
    });
    write.await?;
    let since = now.checked_sub(NODE_LIFETIME).unwrap_or(Timestamp::MIN);
    let differs = provider.store.nodes(since).await?.iter().any(|other| other.config_digest != own);
    provider.note_difference(differs.then_some(now));
    Ok(())
}
