//! Each node remembers how far it has seen the database, and looks each second whether the database is still there. One that
//! went back is not served until an operator accepts it; see `anteroom_domain::history` for what shows it.
//!
//! Invariants:
//! - a node that has refused goes on when the epoch of the instance has risen, and not before: a connection that leads to the
//!   right server again does not say where the next one leads;
//! - what one node finds is noted in the database, so that nodes that remember nothing refuse as well;
//! - before a node goes on, all that it has in memory is read anew.

use anteroom_crypto::{Digest, KeyPurpose, Keyring, SealedKey, sha256};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::history::{Found, Judgement, Seen, WentBack};
use anteroom_domain::trail::chain::Checkpoint;
use anteroom_storage::{Ended, Store};
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::error::FlowError;
use crate::provider::Provider;
use crate::trail::AuditContext;
use crate::{key_set, registered};

/// What this node remembers of the database, and whether it refuses it.
#[derive(Debug)]
pub struct History {
    /// Held during a look, so that one look does not overtake another.
    seen: tokio::sync::Mutex<Seen>,
    refused: ArcSwapOption<WentBack>,
    /// Of the keys as they are sealed in the database.
    sealed_keys: Digest,
    /// It was logged that the server does not tell its timeline.
    is_timeline_missing: AtomicBool,
    /// The epoch of the instance: when an operator last accepted the database, in milliseconds; 0 without.
    accepted_at: AtomicI64,
    /// The breaks of connections before the last look that found nothing wrong.
    looked_after: AtomicU64,
}

impl History {
    /// Why this node does not serve its database, if it does not.
    pub fn refused(&self) -> Option<WentBack> {
        self.refused.load().as_deref().copied()
    }

    /// When an operator last accepted the database. What is known by its time alone, and was made before, is worth nothing.
    pub(crate) fn accepted_at(&self) -> Timestamp {
        let epoch = self.accepted_at.load(Ordering::Acquire);
        Timestamp::from_millisecond(epoch).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub fn is_refused(&self) -> bool {
        self.refused.load().is_some()
    }

    /// Whether it was looked at since a connection last broke: another server may have taken over, or the same one come back with
    /// an earlier state.
    pub fn is_looked_at(&self, store: &Store) -> bool {
        self.looked_after.load(Ordering::Acquire) == store.connection_breaks()
    }

    async fn find(&self, store: &Store, seen: &Seen) -> Result<Found, FlowError> {
        let mut found = store.history(seen.end.seq).await?;
        match store.timeline().await {
            Ok(timeline) => found.now.timeline = timeline,
            Err(anteroom_storage::StoreError::Statement(error)) => {
                if !self.is_timeline_missing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "the PostgreSQL server does not tell its timeline ({error}): a primary that was replaced is known \
                         by its audit trail alone"
                    );
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(found)
    }

    /// The first word stays, with the time in the log at which it was found.
    async fn refuse(&self, store: &Store, seen: &Seen, why: WentBack, now: Timestamp) {
        if self.is_refused() {
            return;
        }
        self.refused.store(Some(Arc::new(why)));
        tracing::error!(
            "the database went back to an earlier state: {why}. A backup was restored, or a server took over that had not \
             received everything. This node serves nothing until an operator has looked at it. `anteroom database accept` \
             says what going on with this database means, and does it"
        );
        if matches!(why, WentBack::Reported { .. }) {
            return;
        }
        let seq = seen.end.seq;
        let note =
            store.write(move |tx| async move { Ok::<_, FlowError>(tx.report_went_back(seq, now).await?) });
        if let Err(error) = note.await {
            tracing::error!("the other nodes could not be told in the database that it went back: {error}");
        }
    }
}

/// Holds the database against the last checkpoint that was kept outside of it, where there is one.
pub async fn at_start(
    store: &Store,
    keyring: &Keyring,
    kept: Option<&Checkpoint>,
    now: Timestamp,
) -> Result<History, FlowError> {
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
    // One from before an operator accepted the database has seen what was lost.
    let counts = |checkpoint: &&Checkpoint| {
        checkpoint.is_signed_by(&signers) && checkpoint.at.as_millisecond() > epoch
    };
    let seen = Seen::at_start(epoch, kept.filter(counts).map(|checkpoint| checkpoint.link));
    let history = History {
        seen: tokio::sync::Mutex::new(seen),
        refused: ArcSwapOption::empty(),
        sealed_keys: fingerprint(&store.sealed_keys().await?),
        is_timeline_missing: AtomicBool::new(false),
        accepted_at: AtomicI64::new(epoch),
        looked_after: AtomicU64::new(store.connection_breaks()),
    };
    let found = history.find(store, &seen).await?;
    match seen.judge(&found) {
        Judgement::WentBack(why) => history.refuse(store, &seen, why, now).await,
        Judgement::WentOn | Judgement::Accepted => *history.seen.lock().await = seen.follow(found.now),
    }
    Ok(history)
}

/// One look.
pub async fn look(provider: &Provider) -> Result<(), FlowError> {
    let history = &provider.history;
    let mut seen = history.seen.lock().await;
    let breaks = provider.store.connection_breaks();
    let found = history.find(&provider.store, &seen).await?;
    match seen.judge(&found) {
        Judgement::WentOn => {
            if !history.is_refused() {
                *seen = seen.follow(found.now);
            }
        }
        Judgement::WentBack(why) => history.refuse(&provider.store, &seen, why, provider.clock.now()).await,
        Judgement::Accepted => {
            // Before the node goes on.
            history.accepted_at.store(found.now.epoch, Ordering::Release);
            begin_anew(provider).await?;
            *seen = seen.follow(found.now);
        }
    }
    history.looked_after.store(breaks, Ordering::Release);
    Ok(())
}

/// Of an accepted database nothing is taken over that was read of the one before.
async fn begin_anew(provider: &Provider) -> Result<(), FlowError> {
    let history = &provider.history;
    if fingerprint(&provider.store.sealed_keys().await?) != history.sealed_keys {
        if history.refused() != Some(WentBack::SealedKeys) {
            tracing::error!("the accepted database: {}", WentBack::SealedKeys);
        }
        history.refused.store(Some(Arc::new(WentBack::SealedKeys)));
        return Ok(());
    }
    registered::follow(provider).await?;
    let keys = key_set::load(&provider.store, &provider.keyring, provider.clock.now()).await?;
    provider.replace_key_set(keys);
    if history.refused.swap(None).is_some() {
        tracing::warn!("an operator has accepted the database; this node goes on with it");
    }
    Ok(())
}

fn fingerprint(keys: &[SealedKey]) -> Digest {
    let mut bytes = Vec::new();
    for key in keys {
        bytes.extend(key.purpose.as_str().as_bytes());
        bytes.extend(key.version.to_be_bytes());
        bytes.extend((key.sealed.len() as u64).to_be_bytes());
        bytes.extend(&key.sealed);
    }
    sha256("sealed keys of a database", &bytes)
}

/// What was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub ended: Ended,
    pub grants: u64,
    /// The last number of the audit chain before the entry of this act.
    pub up_to: u64,
}

/// An operator goes on with the database as it is. What was made before is worth nothing: sessions, grants with their tokens,
/// links, codes, known devices. `seen` is the highest number of the chain that is known from elsewhere.
pub async fn accept(store: &Store, audit: &AuditContext, seen: Option<u64>) -> Result<Accepted, FlowError> {
    let audit = audit.clone();
    let write = store.write(move |tx| {
        let audit = audit.clone();
        async move {
            let ended = tx.accept_database(audit.now).await?;
            let grants = tx.revoke_all_grants(GrantEnd::DatabaseAccepted, audit.now).await?;
            let up_to = tx.chain_end().await?.seq;
            let event = Event::DatabaseAccepted {
                epoch: ended.epoch,
                up_to,
                seen: ended.reported.max(seen),
                sessions: ended.sessions,
                grants,
            };
            tx.append(&audit.entry(Actor::Operator, event)).await?;
            Ok::<_, FlowError>(Accepted { ended, grants, up_to })
        }
    });
    write.await
}
