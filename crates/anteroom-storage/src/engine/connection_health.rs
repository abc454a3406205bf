//! How long PostgreSQL is waited for, and which connections are trusted.
//!
//! A fault of the server, or of the way to it ([`FailureKind::ServerUnavailable`]), says something about every connection made
//! before it: the server may have become a standby, a setting may hold for new sessions only, or nothing will ever arrive on them
//! again. So each of them leaves the pool when it is next taken out or given back, and new ones are made.

use crate::error::StoreError;
use crate::error::{FailureKind, classify, no_answer};
use sea_orm::{DatabaseConnection, DbBackend, DbErr};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

#[derive(Clone)]
pub(crate) struct ConnectionHealth(Arc<HealthState>);

struct HealthState {
    answer_timeout: Duration,
    begun: Instant,
    /// Connections made before this are not trusted; nanoseconds since `begun`.
    distrusted: AtomicU64,
    /// Connections that broke, and faults of the server.
    breaks: AtomicU64,
    trouble: Notify,
}

impl ConnectionHealth {
    pub(super) fn new(answer_timeout: Duration) -> Self {
        let trouble = Notify::new();
        let (distrusted, breaks) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(HealthState { answer_timeout, begun: Instant::now(), distrusted, breaks, trouble }))
    }

    /// The answer to `asked`, or that there was none in time.
    pub(super) async fn with_timeout<R>(
        &self,
        asked: impl Future<Output = Result<R, DbErr>>,
    ) -> Result<R, DbErr> {
        let mut asked = pin!(asked);
        let answered = tokio::time::timeout(self.0.answer_timeout, asked.as_mut()).await;
        let result = answered.unwrap_or_else(|_| Err(no_answer()));
        // Before `asked` is dropped, which gives its connection back to the pool.
        if let Err(error) = &result {
            self.note(error);
        }
        result
    }

    fn note(&self, error: &DbErr) {
        let (fault, error) = classify(error);
        if matches!(fault, FailureKind::Broken | FailureKind::ServerUnavailable) {
            self.0.breaks.fetch_add(1, Ordering::AcqRel);
        }
        match (fault, error) {
            (FailureKind::ServerUnavailable, _) => {
                self.retire_connections();
                self.0.trouble.notify_one();
            }
            (_, StoreError::Unavailable(_)) => self.0.trouble.notify_one(),
            _ => {}
        }
    }

    /// No connection made before this moment stays in use.
    pub(super) fn retire_connections(&self) {
        self.0.distrusted.fetch_max(self.elapsed(), Ordering::AcqRel);
    }

    /// Whether a connection of this age may stay in use.
    pub(super) fn may_be_used(&self, age: Duration) -> bool {
        self.elapsed().saturating_sub(nanos(age)) >= self.0.distrusted.load(Ordering::Acquire)
    }

    /// How many connections broke so far. What comes after one may be another server, or another database.
    pub(crate) fn connection_failures(&self) -> u64 {
        self.0.breaks.load(Ordering::Acquire)
    }

    /// Waits until something was not to be had from the server.
    pub(crate) async fn wait_for_failure(&self) {
        self.0.trouble.notified().await;
    }

    fn elapsed(&self) -> u64 {
        nanos(self.0.begun.elapsed())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// After a restart of the server, or a long pause, every connection of the pool may be dead. So another one is tried up to this
/// many times.
pub(super) fn max_dead_connections(pool: &DatabaseConnection) -> u32 {
    match pool.get_database_backend() {
        DbBackend::Postgres => pool.get_postgres_connection_pool().size().max(1),
        _ => 0,
    }
}
