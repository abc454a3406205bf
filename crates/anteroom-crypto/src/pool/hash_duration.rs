//! How fast the pool is, to tell those whom it refuses when to come again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(30);

/// Before the first hash.
const ASSUMED: Duration = Duration::from_millis(20);

/// A moving average of what one hash takes, in nanoseconds. It is an estimate: two workers that record at once may
/// lose one measurement.
pub(super) struct HashDuration(AtomicU64);

impl HashDuration {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(nanos(ASSUMED)))
    }

    pub(super) fn record(&self, took: Duration) {
        let average = self.0.load(Ordering::Relaxed);
        let next = average - average / 8 + nanos(took) / 8;
        self.0.store(next, Ordering::Relaxed);
    }

    /// Whole seconds until `queued` hashes are done.
    pub(super) fn retry_after(&self, queued: usize, workers: usize) -> Duration {
        let average = Duration::from_nanos(self.0.load(Ordering::Relaxed));
        let rounds = u32::try_from(queued.div_ceil(workers.max(1))).unwrap_or(u32::MAX);
        let seconds = average.saturating_mul(rounds).as_millis().div_ceil(1000);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)).clamp(SOONEST, LATEST)
    }
}

/// Bounded, so that the average cannot overflow.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.min(LATEST).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_queue_workers_and_pace() {
        let pace = HashDuration::new();
        let seconds = |queued, workers| pace.retry_after(queued, workers).as_secs();
        assert_eq!(seconds(0, 2), 1);
        assert_eq!(seconds(256, 2), 3);
        assert_eq!(seconds(256, 8), 1);
        assert_eq!(seconds(256, 0), 6);
        assert_eq!(seconds(usize::MAX, 1), 30);
        for _ in 0..100 {
            pace.record(Duration::from_millis(100));
        }
        assert_eq!(seconds(256, 2), 13);
        for _ in 0..1000 {
            pace.record(Duration::MAX);
        }
        assert_eq!(seconds(1, 1), 30);
        for _ in 0..1000 {
            pace.record(Duration::ZERO);
        }
        assert_eq!(seconds(256, 1), 1);
    }
}
