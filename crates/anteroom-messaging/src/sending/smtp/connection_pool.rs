//! Connections that are kept for the next message. A server lets us have few at once, and each new one costs it a handshake.

use lettre::transport::smtp::client::AsyncSmtpConnection;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long one is kept that no message needs. Servers close them after some minutes, and others wait for their place.
const IDLE: Duration = Duration::from_secs(5);
/// Servers take a limited number of messages on one connection.
const MOST_MESSAGES: u32 = 50;

/// A connection, and how many messages went over it.
pub(super) struct PooledConnection {
    pub(super) connection: AsyncSmtpConnection,
    pub(super) messages: u32,
}

impl PooledConnection {
    pub(super) const fn new(connection: AsyncSmtpConnection) -> Self {
        Self { connection, messages: 0 }
    }
}

#[derive(Default)]
pub(super) struct ConnectionPool {
    idle: Mutex<Vec<(PooledConnection, Instant)>>,
}

impl ConnectionPool {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(PooledConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last: the others may go.
    pub(super) fn take(&self) -> Option<PooledConnection> {
        self.idle().pop().map(|(open, _)| open)
    }

    /// One that has taken as many messages as it may comes back.
    pub(super) fn keep(&self, open: PooledConnection) -> Option<PooledConnection> {
        if open.messages >= MOST_MESSAGES {
            return Some(open);
        }
        self.idle().push((open, Instant::now()));
        None
    }

    /// Those that no message needed for a while, or all.
    pub(super) fn take_unused(&self, all: bool) -> Vec<PooledConnection> {
        let mut idle = self.idle();
        let (unused, used) =
            std::mem::take(&mut *idle).into_iter().partition(|(_, since)| all || since.elapsed() > IDLE);
        *idle = used;
        let unused: Vec<(PooledConnection, Instant)> = unused;
        unused.into_iter().map(|(open, _)| open).collect()
    }
}
