//! Errors of all use cases, beside the outcomes that each use case defines.

use anteroom_crypto::{HashError, PoolError};
use anteroom_domain::limits::Limit;
use anteroom_domain::rate::Wait;
use anteroom_oidc::ClientId;
use anteroom_storage::StoreError;
use std::time::Duration;

use crate::readiness::NotReady;

#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue for password hashing is full: come back later.
    #[error("the queue for password hashing is full")]
    Busy { retry_after: Duration },
    /// A limit was reached: 429, and come back after the wait.
    #[error("the limit `{}` was reached", limit.name())]
    Limited { limit: Limit, wait: Wait },
    /// This node cannot do what serving needs, or not be sure that its answer would be right.
    #[error(transparent)]
    NotServing(NotReady),
    /// The request was received whole, and its time was over before there was an answer.
    #[error("the request took longer than it may")]
    TooSlow,
    #[error(transparent)]
    Hashing(HashError),
    /// The client is registered for encrypted responses and has no usable key at its `jwks_uri`. Temporary: its operator can add
    /// one. No code or token is used up by the failed request.
    #[error(
        "client {client} is registered for encrypted answers and has no key to encrypt them to: {reason}"
    )]
    ClientHasNoKey { client: ClientId, reason: String },
    #[error("the keys of client {client} are not fetched now: {why}")]
    ClientKeysNotFetched { client: ClientId, why: KeysLater },
    /// The person agreed to what the client was, and the use case shows what it is now; or it was changed or taken away while its
    /// request waited for something.
    #[error("the client has changed, or was taken away, while its request was being answered")]
    ClientChanged,
    /// An inconsistency that only a defect, or a change of the database from outside, can cause.
    #[error("{0}")]
    Inconsistent(&'static str),
}

/// Why the keys of a client are not fetched at this moment.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum KeysLater {
    #[error("too much is being fetched at once")]
    Busy,
    #[error("they were fetched less than a minute ago")]
    TooSoon(Wait),
}

impl From<PoolError> for FlowError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full(full) => Self::Busy { retry_after: full.retry_after },
            PoolError::Hash(error) => Self::Hashing(error),
            PoolError::Lost => Self::Inconsistent("the hashing pool has stopped"),
        }
    }
}

impl FlowError {
    /// No sign-in is possible until an operator or time has ended it; other temporary errors are of one request.
    pub const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::NotServing(_)
                | Self::Store(StoreError::Unavailable(_) | StoreError::FilesReplaced | StoreError::Closed)
        )
    }

    /// Errors that a client or any sender can cause: logged as a warning and not as an internal error.
    pub const fn is_of_client(&self) -> bool {
        matches!(self, Self::ClientHasNoKey { .. } | Self::ClientKeysNotFetched { .. } | Self::ClientChanged)
    }

    /// When to come back, where the error is temporary.
    pub fn retry_after(&self) -> Duration {
        let wait = match self {
            Self::Busy { retry_after } => *retry_after,
            Self::ClientKeysNotFetched { why: KeysLater::TooSoon(wait), .. } => wait.0.unsigned_abs(),
            _ => Duration::ZERO,
        };
        wait.max(Duration::from_secs(1))
    }

    /// Whether the same request may well succeed in a moment.
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::NotServing(_)
                | Self::TooSlow
                | Self::ClientHasNoKey { .. }
                | Self::ClientKeysNotFetched { .. }
                | Self::ClientChanged
                | Self::Store(
                    StoreError::Unavailable(_)
                        | StoreError::Collided
                        | StoreError::FilesReplaced
                        | StoreError::Closed
                )
        )
    }
}
