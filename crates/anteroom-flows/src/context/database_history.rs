//! What this node remembers of its database, and whether it refuses it.

use anteroom_crypto::KeyedDigest;
use anteroom_domain::database_rollback::{DatabasePosition, DatabaseReading, DatabaseRollback};
use anteroom_storage::{Store, Tx, Unit};
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::error::FlowError;

/// What this node remembers of the database, and whether it refuses it.
#[derive(Debug)]
pub struct History {
    /// Held during a look, so that one look does not overtake another.
    pub(crate) seen: tokio::sync::Mutex<DatabasePosition>,
    pub(crate) refused: ArcSwapOption<DatabaseRollback>,
    /// Of the keys as they are sealed in the database.
    pub(crate) sealed_keys: KeyedDigest,
    /// It was logged that the server does not tell its timeline.
    pub(crate) is_timeline_missing: AtomicBool,
    /// The epoch of the instance: when an operator last accepted the database, in milliseconds; 0 without.
    pub(crate) accepted_at: AtomicI64,
    /// The breaks of connections before the last look that found nothing wrong.
    pub(crate) breaks_at_last_check: AtomicU64,
}

impl History {
    /// Why this node does not serve its database, if it does not.
    pub fn refused(&self) -> Option<DatabaseRollback> {
        self.refused.load().as_deref().copied()
    }

    /// When an operator last accepted the database. What carries only a time of issue, such as a client's own access token, is
    /// invalid if it was issued before this.
    pub(crate) fn accepted_at(&self) -> Timestamp {
        let epoch = self.accepted_at.load(Ordering::Acquire);
        Timestamp::from_millisecond(epoch).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub fn is_refused(&self) -> bool {
        self.refused.load().is_some()
    }

    /// Whether it was looked at since a connection last broke: another server may have taken over, or the same one come back with
    /// an earlier state.
    pub fn is_checked_since_break(&self, store: &Store) -> bool {
        self.breaks_at_last_check.load(Ordering::Acquire) == store.connection_breaks()
    }

    pub(crate) async fn find(
        &self,
        store: &Store,
        seen: &DatabasePosition,
    ) -> Result<DatabaseReading, FlowError> {
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

    /// Only the first finding is kept and logged: later ones would hide when it began.
    pub(crate) async fn refuse(
        &self,
        store: &Store,
        seen: &DatabasePosition,
        why: DatabaseRollback,
        now: Timestamp,
    ) {
        if self.is_refused() {
            return;
        }
        self.refused.store(Some(Arc::new(why)));
        tracing::error!(
            "the database went back to an earlier state: {why}. A backup was restored, or a server took over that had not \
             received everything. This node serves nothing until an operator has looked at it. `anteroom database accept` \
             says what going on with this database means, and does it"
        );
        if matches!(why, DatabaseRollback::Reported { .. }) {
            return;
        }
        let seq = seen.end.seq;
        if let Err(error) = store.run(ReportRollback { seq, now }).await.1 {
            tracing::error!("the other nodes could not be told in the database that it went back: {error}");
        }
    }
}

/// Tells the other nodes that the database went back to before this number of the chain.
struct ReportRollback {
    seq: u64,
    now: Timestamp,
}

impl Unit for ReportRollback {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "report_database_rollback";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        Ok(tx.report_went_back(self.seq, self.now).await?)
    }
}
