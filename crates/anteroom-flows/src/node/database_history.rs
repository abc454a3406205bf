//! Each node remembers how far it has seen the audit chain of its database, and checks each second that the database has not gone
//! back behind that. A database that went back is not served until an operator accepts it; `anteroom_domain::database_rollback`
//! decides what shows that.
//!
//! Invariants:
//! - a node that has refused serves again only once the epoch of the instance has risen: a connection to the right server does
//!   not show where the next connection leads;
//! - a finding of one node is noted in the database, so that nodes that have just started refuse as well;
//! - before a node serves again, it reloads all that it keeps in memory.

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring, SealedKey, sha256};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::audit_trail::chain::Checkpoint;
use anteroom_domain::database_rollback::{DatabaseContinuity, DatabasePosition, DatabaseRollback};
use anteroom_domain::grant::GrantEnd;
use anteroom_storage::{AcceptResult, Store, Tx, Unit};
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::audit::context::AuditContext;
use crate::context::database_history::DatabaseHistory;
use crate::context::provider::Provider;
use crate::context::registered_clients;
use crate::error::FlowError;
use crate::keys::key_set;

/// Compares the database with the last checkpoint that was kept outside of it, where there is one.
pub async fn at_start(
    store: &Store,
    keyring: &Keyring,
    kept: Option<&Checkpoint>,
    now: Timestamp,
) -> Result<DatabaseHistory, FlowError> {
    let epoch = store.instance().await?.map_or(0, |instance| instance.epoch);
    let signers = keyring.signer(KeyPurpose::AuditMac)?.verifying_keys();
    if let Some(checkpoint) = kept.filter(|checkpoint| !checkpoint.is_signed_by(&signers)) {
        let seq = checkpoint.link.seq;
        tracing::error!(
            seq,
            "the last checkpoint in the checkpoints file has no good signature and is not used: the file may be of another \
             database, for example of one that was there before. Then move it away; a new one is begun"
        );
    }
    // A checkpoint signed before an operator accepted the database covers entries that are lost, and would refuse the accepted
    // database. So it is ignored.
    let counts = |checkpoint: &&Checkpoint| {
        checkpoint.is_signed_by(&signers) && checkpoint.at.as_millisecond() > epoch
    };
    let seen = DatabasePosition::at_start(epoch, kept.filter(counts).map(|checkpoint| checkpoint.link));
    let history = DatabaseHistory {
        seen: tokio::sync::Mutex::new(seen),
        refused: ArcSwapOption::empty(),
        sealed_keys: fingerprint(&store.sealed_keys().await?),
        is_timeline_missing: AtomicBool::new(false),
        accepted_at: AtomicI64::new(epoch),
        breaks_at_last_check: AtomicU64::new(store.connection_breaks()),
    };
    let found = history.find(store, &seen).await?;
    match seen.continuity(&found) {
        DatabaseContinuity::WentBack(why) => history.refuse(store, &seen, why, now).await,
        DatabaseContinuity::Continuous | DatabaseContinuity::Accepted => {
            *history.seen.lock().await = seen.follow(found.now);
        }
    }
    Ok(history)
}

/// One check.
pub async fn check_now(provider: &Provider) -> Result<(), FlowError> {
    let history = &provider.history;
    let mut seen = history.seen.lock().await;
    let breaks = provider.store.connection_breaks();
    let found = history.find(&provider.store, &seen).await?;
    match seen.continuity(&found) {
        DatabaseContinuity::Continuous => {
            if !history.is_rolled_back() {
                *seen = seen.follow(found.now);
            }
        }
        DatabaseContinuity::WentBack(why) => {
            history.refuse(&provider.store, &seen, why, provider.clock.now()).await;
        }
        DatabaseContinuity::Accepted => {
            // Before the node serves again.
            history.accepted_at.store(found.now.database_epoch, Ordering::Release);
            reload_after_accept(provider).await?;
            *seen = seen.follow(found.now);
        }
    }
    history.breaks_at_last_check.store(breaks, Ordering::Release);
    Ok(())
}

/// Everything cached was read from the database before its acceptance, so all of it is reloaded.
async fn reload_after_accept(provider: &Provider) -> Result<(), FlowError> {
    let history = &provider.history;
    if fingerprint(&provider.store.sealed_keys().await?) != history.sealed_keys {
        if history.refused() != Some(DatabaseRollback::SealedKeys) {
            tracing::error!("the accepted database: {}", DatabaseRollback::SealedKeys);
        }
        history.refused.store(Some(Arc::new(DatabaseRollback::SealedKeys)));
        return Ok(());
    }
    registered_clients::refresh_registered_clients(provider).await?;
    let keys = key_set::load(&provider.store, &provider.keyring, provider.clock.now()).await?;
    provider.replace_key_set(keys);
    if history.refused.swap(None).is_some() {
        tracing::warn!("an operator has accepted the database; this node goes on with it");
    }
    Ok(())
}

fn fingerprint(keys: &[SealedKey]) -> KeyedDigest {
    let mut bytes = Vec::new();
    for key in keys {
        bytes.extend(key.purpose.as_str().as_bytes());
        bytes.extend(key.version.to_be_bytes());
        bytes.extend((key.sealed.len() as u64).to_be_bytes());
        bytes.extend(&key.sealed);
    }
    sha256("sealed keys of a database", &bytes)
}

/// What ended when a database was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptDatabaseResult {
    pub ended: AcceptResult,
    pub grants: u64,
    /// The last number of the audit chain before the entry of the acceptance.
    pub up_to: u64,
}

/// An operator accepts the database as it is. What was issued before ends: sessions, grants with their tokens, links, codes and
/// known devices. `seen` is the highest number of the chain that is known from elsewhere.
pub async fn accept(
    store: &Store,
    audit: &AuditContext,
    seen: Option<u64>,
) -> Result<AcceptDatabaseResult, FlowError> {
    store.run(AcceptDatabase { audit: audit.clone(), seen }).await.1
}

struct AcceptDatabase {
    audit: AuditContext,
    seen: Option<u64>,
}

impl Unit for AcceptDatabase {
    type Output = AcceptDatabaseResult;
    type Error = FlowError;

    const NAME: &'static str = "accept_database";

    async fn run(&self, tx: &Tx) -> Result<AcceptDatabaseResult, FlowError> {
        let ended = tx.accept_database(self.audit.now).await?;
        let grants = tx.revoke_all_grants(GrantEnd::DatabaseAccepted, self.audit.now).await?;
        let up_to = tx.chain_end().await?.seq;
        let event = Event::DatabaseAccepted {
            epoch: ended.epoch,
            up_to,
            seen: ended.reported.max(self.seen),
            sessions: ended.sessions,
            grants,
        };
        tx.append(&self.audit.entry(Actor::Operator, event)).await?;
        Ok(AcceptDatabaseResult { ended, grants, up_to })
    }
}
