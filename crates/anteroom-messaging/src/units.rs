//! What the worker writes to the outbox.

use anteroom_domain::ids::MessageId;
use anteroom_domain::message::Channel;
use anteroom_storage::{LeasedMessage, MessageResult, StoreError, Tx, Unit};
use jiff::Timestamp;

/// Leases up to `limit` messages of a channel that are due, so that no other node sends them before `until`.
pub(crate) struct LeaseMessagesUnit {
    pub(crate) channel: Channel,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) limit: u64,
}

impl Unit for LeaseMessagesUnit {
    type Output = Vec<LeasedMessage>;
    type Error = StoreError;

    const NAME: &'static str = "lease_messages";

    async fn run(&self, tx: &Tx) -> Result<Vec<LeasedMessage>, StoreError> {
        tx.lease_messages(self.channel, self.now, self.until, self.limit).await
    }
}

/// Writes down what became of an attempt.
pub(crate) struct FinishMessageUnit {
    pub(crate) id: MessageId,
    pub(crate) result: MessageResult,
    pub(crate) now: Timestamp,
}

impl Unit for FinishMessageUnit {
    /// Whether the message was still open.
    type Output = bool;
    type Error = StoreError;

    const NAME: &'static str = "finish_message";

    async fn run(&self, tx: &Tx) -> Result<bool, StoreError> {
        tx.finish_message(self.id, self.result, self.now).await
    }
}

/// Erases up to `limit` messages that expired before they were sent.
pub(crate) struct ExpireMessagesUnit {
    pub(crate) now: Timestamp,
    pub(crate) limit: u64,
}

impl Unit for ExpireMessagesUnit {
    /// How many.
    type Output = u64;
    type Error = StoreError;

    const NAME: &'static str = "expire_messages";

    async fn run(&self, tx: &Tx) -> Result<u64, StoreError> {
        tx.expire_messages(self.now, self.limit).await
    }
}
