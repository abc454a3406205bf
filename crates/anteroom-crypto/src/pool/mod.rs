//! The hashing pool. Argon2 is expensive on purpose, so a flood of sign-ins must neither exhaust memory nor starve
//! other people's sign-ins.
//!
//! ```text
//!   verify, hash ──▶ FairQueue ──▶ worker threads ──▶ answer
//!                        │             (one Argon2 buffer each, kept while there is work)
//!                        └──▶ PoolFull, with the time after which to come again
//! ```
//!
//! Invariants: the queue is bounded; known devices go first, with a share that leaves a part for everyone else, and none of
//! their accounts can take it alone; memory is bounded by workers times the cost of one hash, and is given back a
//! second after the last; no worker idles while anything waits; what no request waits for any more is not computed.

mod hash_duration;
mod job;
mod queue;
mod worker;

use std::{
    fmt, io,
    net::IpAddr,
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use secrecy::SecretString;
use tokio::sync::oneshot;

use self::{
    job::{Job, Other},
    worker::Shared,
};
use crate::passwords::{HashError, PasswordHash, PasswordHasher, PasswordVerification};

/// Where a request stands in line. Accounts are named by their identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueKey {
    /// The request has a valid known-device cookie of the account that it names.
    KnownDevice(u128),
    /// Everyone else, by the prefix of their address.
    Prefix(u64),
    /// An account whose person has proven who they are, and whose request needs several hashes: in a line of its own.
    Account(u128),
}

impl QueueKey {
    /// IPv4 addresses count singly, IPv6 addresses by /56: what one subscriber has.
    pub fn of_address(address: IpAddr) -> Self {
        Self::Prefix(match address.to_canonical() {
            IpAddr::V4(address) => address.to_bits().into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                [a, b, c, d & 0xff00].into_iter().fold(0, |prefix, part| prefix << 16 | u64::from(part))
            }
        })
    }
}

/// How much of the machine the pool may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSize {
    pub workers: NonZeroUsize,
    /// Requests that may wait. Half of them from known devices, half from anyone else.
    pub queue: NonZeroUsize,
}

impl Default for PoolSize {
    /// As many workers as cores, and a second or two of waiting.
    fn default() -> Self {
        const WAITING_PER_WORKER: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127);
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { workers, queue: workers.saturating_mul(WAITING_PER_WORKER) }
    }
}

/// The queue is full: the caller answers 503 with `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be hashed")]
pub struct PoolFull {
    /// About how long the queue will take: between one second and half a minute, in whole seconds.
    pub retry_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    #[error(transparent)]
    Full(#[from] PoolFull),
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A defect in the hashing code: the worker that had the request panicked.
    #[error("the hash was lost")]
    Lost,
}

/// Threads that hash passwords. Dropping the pool ends them, after the hashes under way.
pub struct HashPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl HashPool {
    pub fn start(hasher: Arc<PasswordHasher>, size: PoolSize) -> io::Result<Self> {
        let mut pool = Self::without_workers(hasher, size);
        for number in 0..size.workers.get() {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new().name(format!("hash-{number}"));
            pool.workers.push(thread.spawn(move || shared.work())?);
        }
        Ok(pool)
    }

    fn without_workers(hasher: Arc<PasswordHasher>, size: PoolSize) -> Self {
        Self { shared: Arc::new(Shared::new(hasher, size)), workers: Vec::new() }
    }

    /// Without a stored hash the dummy is verified instead, at the same cost: an unknown address must not answer
    /// sooner. Dropping the future takes the request out of the queue.
    pub async fn verify(
        &self,
        key: QueueKey,
        password: &SecretString,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordVerification, PoolError> {
        let (reply, answer) = oneshot::channel();
        let hash = hash.cloned();
        self.shared.push(key, Job::Verify { password: password.clone(), hash, reply });
        answer.await.unwrap_or(Err(PoolError::Lost))
    }

    pub async fn hash(&self, key: QueueKey, password: &SecretString) -> Result<PasswordHash, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.shared.push(key, Job::Hash { password: password.clone(), reply });
        answer.await.unwrap_or(Err(PoolError::Lost))
    }

    /// Other work that keeps a processor busy for milliseconds: it waits in line like a hash, and not on a thread that
    /// serves all requests.
    pub async fn run<T, F>(&self, key: QueueKey, work: F) -> Result<T, PoolError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.shared.push(key, Job::Other(Box::new(Other { work, reply })));
        answer.await.unwrap_or(Err(PoolError::Lost))
    }

    /// How many requests wait for a worker.
    pub fn queued(&self) -> usize {
        self.shared.queued()
    }

    pub fn hasher(&self) -> &PasswordHasher {
        self.shared.hasher()
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.close();
        for worker in self.workers.drain(..) {
            // A panic of the worker has been reported where it happened.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashPool")
            .field("workers", &self.workers.len())
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
