//! What the threads share, and what each of them does.

use std::{
    iter,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    PoolFull, PoolSize, QueueKey,
    hash_duration::HashDuration,
    job::Job,
    queue::{FairQueue, Pushed},
};
use crate::passwords::{Argon2Memory, PasswordHasher};

/// How long a worker without work keeps its memory. Fetching 19 MiB from the system and giving them back costs half
/// as much as a hash, too much to pay for each of a steady trickle of sign-ins.
const IDLE_MEMORY_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Shared {
    hasher: Arc<PasswordHasher>,
    workers: usize,
    state: Mutex<State>,
    /// Signalled once for each job pushed, and to all at the end. A worker looks at the queue before it waits, so no
    /// signal can be missed.
    changed: Condvar,
    pace: HashDuration,
}

struct State {
    queue: FairQueue<Job>,
    open: bool,
}

impl State {
    fn next_wanted(&mut self) -> Option<Job> {
        iter::from_fn(|| self.queue.pop()).find(|job| !job.is_abandoned())
    }
}

impl Shared {
    pub(super) fn new(hasher: Arc<PasswordHasher>, size: PoolSize) -> Self {
        let queue = FairQueue::new(size.queue.get());
        Self {
            hasher,
            workers: size.workers.get(),
            state: Mutex::new(State { queue, open: true }),
            changed: Condvar::new(),
            pace: HashDuration::new(),
        }
    }

    pub(super) fn hasher(&self) -> &PasswordHasher {
        &self.hasher
    }

    pub(super) fn queued(&self) -> usize {
        self.lock().queue.len()
    }

    pub(super) fn push(&self, lane: QueueKey, job: Job) {
        let mut state = self.lock();
        if !state.queue.has_room(lane) {
            // Callers who hung up must not keep others out.
            state.queue.retain(|job| !job.is_abandoned());
        }
        let pushed = state.queue.push(lane, job);
        let queued = state.queue.len();
        drop(state);
        // Also where nothing was queued: a worker woken for nothing looks and waits again.
        self.changed.notify_one();
        if let Pushed::Full(job) | Pushed::Displaced(job) = pushed {
            job.refuse(PoolFull { retry_after: self.pace.retry_after(queued, self.workers) });
        }
    }

    /// The workers end as soon as no request waits for anything any more.
    pub(super) fn close(&self) {
        self.lock().open = false;
        self.changed.notify_all();
    }

    /// The life of one worker.
    pub(super) fn work(&self) {
        let mut scratch = Argon2Memory::default();
        while let Some(job) = self.next(&mut scratch) {
            let started = Instant::now();
            // A panic must not cost the pool a worker. The caller learns of it by the reply that never comes.
            let _ = catch_unwind(AssertUnwindSafe(|| job.run(&self.hasher, &mut scratch)));
            self.pace.record(started.elapsed());
        }
    }

    /// Waits for the next job that a request still waits for; `None` when the pool closes.
    pub(super) fn next(&self, scratch: &mut Argon2Memory) -> Option<Job> {
        let mut state = self.lock();
        let mut rested = false;
        loop {
            if let Some(job) = state.next_wanted() {
                return Some(job);
            }
            if scratch.is_held() && (rested || !state.open) {
                // Without the lock, as it takes a while; then look again before waiting.
                drop(state);
                scratch.release();
                state = self.lock();
            } else if !state.open {
                return None;
            } else if scratch.is_held() {
                let waited = self
                    .changed
                    .wait_timeout(state, IDLE_MEMORY_TIMEOUT)
                    .unwrap_or_else(PoisonError::into_inner);
                state = waited.0;
                rested = waited.1.timed_out();
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
