//! One request for a hash or other work, and the caller who waits for it.

use secrecy::SecretString;
use tokio::sync::oneshot::Sender;

use super::{PoolError, PoolFull};
use crate::passwords::{Argon2Memory, PasswordHash, PasswordHasher, PasswordVerification};

pub(super) enum Job {
    Verify { password: SecretString, hash: Option<PasswordHash>, reply: Reply<PasswordVerification> },
    Hash { password: SecretString, reply: Reply<PasswordHash> },
    Other(Box<dyn OtherJob>),
}

pub(super) type Reply<T> = Sender<Result<T, PoolError>>;

/// Work of another kind, with the caller who waits for it.
pub(super) trait OtherJob: Send {
    fn is_abandoned(&self) -> bool;
    fn run(self: Box<Self>);
    fn refuse(self: Box<Self>, full: PoolFull);
}

pub(super) struct Other<T, F> {
    pub(super) work: F,
    pub(super) reply: Reply<T>,
}

impl<T: Send, F: FnOnce() -> T + Send> OtherJob for Other<T, F> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(self: Box<Self>) {
        let Self { work, reply } = *self;
        let _ = reply.send(Ok(work()));
    }

    fn refuse(self: Box<Self>, full: PoolFull) {
        let _ = self.reply.send(Err(full.into()));
    }
}

impl Job {
    /// No request waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Verify { reply, .. } => reply.is_closed(),
            Self::Hash { reply, .. } => reply.is_closed(),
            Self::Other(job) => job.is_abandoned(),
        }
    }

    /// An answer that finds no caller is dropped, here and below.
    pub(super) fn run(self, hasher: &PasswordHasher, scratch: &mut Argon2Memory) {
        match self {
            Self::Verify { password, hash, reply } => {
                let hash = hash.unwrap_or_else(|| hasher.dummy());
                let verdict = hasher.verify_in(scratch, &password, &hash);
                let _ = reply.send(verdict.map_err(PoolError::Hash));
            }
            Self::Hash { password, reply } => {
                let hash = hasher.hash_in(scratch, &password);
                let _ = reply.send(hash.map_err(PoolError::Hash));
            }
            Self::Other(job) => job.run(),
        }
    }

    pub(super) fn refuse(self, full: PoolFull) {
        match self {
            Self::Verify { reply, .. } => drop(reply.send(Err(full.into()))),
            Self::Hash { reply, .. } => drop(reply.send(Err(full.into()))),
            Self::Other(job) => job.refuse(full),
        }
    }
}
