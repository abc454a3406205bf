//! The last position in the audit chain that this node has seen of its database, and whether it refuses the database.

use anteroom_crypto::KeyedDigest;
use anteroom_domain::database_rollback::{DatabasePosition, DatabaseReading, DatabaseRollback};
use anteroom_storage::{Store, Tx, Unit};
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::error::FlowError;

/// The last position that this node has seen of the database, and whether it refuses the database.
#[derive(Debug)]
pub struct DatabaseHistory {
    /// Held during a check, so that checks do not overlap.
    pub(crate) seen: tokio::sync::Mutex<DatabasePosition>,
    pub(crate) refused: ArcSwapOption<DatabaseRollback>,
    /// Fingerprint of the keys as they are sealed in the database.
    pub(crate) sealed_keys: KeyedDigest,
    /// Whether it was logged that the server does not report its timeline.
    pub(crate) is_timeline_missing: AtomicBool,
    /// The epoch of the instance: when an operator last accepted the database, in milliseconds since 1970; 0 where none has.
    pub(crate) accepted_at: AtomicI64,
    /// The number of connection breaks before the last check that found nothing wrong.
    pub(crate) breaks_at_last_check: AtomicU64,
}

impl DatabaseHistory {
    /// Why this node refuses its database; `None` where it serves it.
    pub fn refused(&self) -> Option<DatabaseRollback> {
        self.refused.load().as_deref().copied()
    }

    /// When an operator last accepted the database. Tokens that have a time of issue and no row, such as a client's own access
    /// token, are invalid if they were issued before this.
    pub(crate) fn accepted_at(&self) -> Timestamp {
        let epoch = self.accepted_at.load(Ordering::Acquire);
        Timestamp::from_millisecond(epoch).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub fn is_rolled_back(&self) -> bool {
        self.refused.load().is_some()
    }

    /// Whether the database was checked since a connection last broke: another server may have taken over, or the same one may
    /// have come back with an earlier state.
    pub fn is_checked_since_break(&self, store: &Store) -> bool {
        self.breaks_at_last_check.load(Ordering::Acquire) == store.connection_breaks()
    }

    pub(crate) async fn find(
        &self,
        store: &Store,
        seen: &DatabasePosition,
    ) -> Result<DatabaseReading, FlowError> {
        let mut found = store.database_reading(seen.end.seq).await?;
        match store.timeline().await {
            Ok(timeline) => found.now.timeline = timeline,
            Err(anteroom_storage::StoreError::Statement(error)) => {
                if !self.is_timeline_missing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "the PostgreSQL server does not report its timeline ({error}): a primary that was replaced is known \
                         by its audit trail alone"
                    );
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(found)
    }

    /// Refuses the database. Only the first finding is kept and logged: later ones would hide when it began.
    pub(crate) async fn refuse(
        &self,
        store: &Store,
        seen: &DatabasePosition,
        why: DatabaseRollback,
        now: Timestamp,
    ) {
        if self.is_rolled_back() {
            return;
        }
        self.refused.store(Some(Arc::new(why)));
        tracing::error!(
            "the database went back to an earlier state: {why}. A backup was restored, or a server took over that had not \
             received everything. This node serves nothing until an operator has looked at it. `anteroom database accept` prints the consequences of using this database, and with --yes accepts it"
        );
        if matches!(why, DatabaseRollback::Reported { .. }) {
            return;
        }
        let seq = seen.end.seq;
        if let Err(error) = store.run(ReportRollback { seq, now }).await.1 {
            tracing::error!(
                "the other nodes could not be notified through the database that it went back: {error}"
            );
        }
    }
}

/// Notes in the database, for the other nodes, that it went back to before this number of the chain.
struct ReportRollback {
    seq: u64,
    now: Timestamp,
}

impl Unit for ReportRollback {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "report_database_rollback";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        Ok(tx.report_rollback(self.seq, self.now).await?)
    }
}
