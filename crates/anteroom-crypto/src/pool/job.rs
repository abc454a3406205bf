//! One request for a hash, and the caller who waits for it.

use secrecy::SecretString;
use tokio::sync::oneshot::Sender;

use super::{PoolError, PoolFull};
use crate::passwords::{PasswordHash, PasswordHasher, Scratch, Verdict};

pub(super) struct Job {
    pub(super) password: SecretString,
    pub(super) work: Work,
}

pub(super) enum Work {
    Verify { hash: Option<PasswordHash>, reply: Reply<Verdict> },
    Hash { reply: Reply<PasswordHash> },
}

type Reply<T> = Sender<Result<T, PoolError>>;

impl Job {
    /// Nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        match &self.work {
            Work::Verify { reply, .. } => reply.is_closed(),
            Work::Hash { reply } => reply.is_closed(),
        }
    }

    /// An answer that finds no caller is dropped, here and below.
    pub(super) fn run(self, hasher: &PasswordHasher, scratch: &mut Scratch) {
        match self.work {
            Work::Verify { hash, reply } => {
                let hash = hash.unwrap_or_else(|| hasher.dummy());
                let verdict = hasher.verify_in(scratch, &self.password, &hash);
                let _ = reply.send(verdict.map_err(PoolError::Hash));
            }
            Work::Hash { reply } => {
                let hash = hasher.hash_in(scratch, &self.password);
                let _ = reply.send(hash.map_err(PoolError::Hash));
            }
        }
    }

    pub(super) fn refuse(self, full: PoolFull) {
        match self.work {
            Work::Verify { reply, .. } => drop(reply.send(Err(full.into()))),
            Work::Hash { reply } => drop(reply.send(Err(full.into()))),
        }
    }
}
