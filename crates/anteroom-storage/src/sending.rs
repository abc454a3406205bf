//! Sending what is queued for people: leases, and what became of each message.
//!
//! Invariants:
//! - a message that is due is leased to one node at a time; a lease is a `next_attempt_at` in the future, so what a dead node
//!   had in hand is simply due again;
//! - only the lease that is the newest can put a message off, so a node that was thought dead disturbs nobody;
//! - what is over (sent, failed, expired) has no content any more.

use crate::StoreError;
use crate::entity::messages;
use crate::row::Place;
use crate::store::{Reads, Tx};
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Channel, Message};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement};
use uuid::Uuid;

/// A message in the hands of one node.
#[derive(Clone, Debug)]
pub struct LeasedMessage {
    pub message: Message,
    /// With this one. It numbers the lease as well.
    pub attempt: u32,
}

/// What became of an attempt. A reason is a short word, never something of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageResult {
    Sent,
    Retry { attempt: u32, at: Timestamp, error: &'static str },
    Failed { error: &'static str },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageStatus {
    Queued,
    /// Leased at least once: it may be on its way, or wait for another attempt.
    Sending,
    Sent,
    Failed,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageState {
    pub status: MessageStatus,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl MessageStatus {
    const ALL: [Self; 5] = [Self::Queued, Self::Sending, Self::Sent, Self::Failed, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
}

const UNREADABLE: &str = "unreadable";

macro_rules! lease_messages {
    ($lock:literal) => {
        concat!(
            "WITH due AS (SELECT id FROM messages WHERE done_at IS NULL AND next_attempt_at <= $1 AND expires_at > $1 \
             AND channel = $4 AND state IN ('queued', 'sending') ORDER BY next_attempt_at LIMIT $3",
            $lock,
            ") UPDATE messages SET state = 'sending', next_attempt_at = $2, attempts = attempts + 1 \
             WHERE id IN (SELECT id FROM due) RETURNING id"
        )
    };
}

const LEASE_ON_SQLITE: &str = lease_messages!("");
/// Nodes take different ones instead of waiting for each other.
const LEASE_ON_POSTGRES: &str = lease_messages!(" FOR UPDATE SKIP LOCKED");

const EXPIRE: &str = "UPDATE messages SET state = 'expired', done_at = $1, sealed_payload = NULL WHERE id IN \
     (SELECT id FROM messages WHERE expires_at <= $1 AND done_at IS NULL LIMIT $2) AND done_at IS NULL";

impl Reads {
    /// None where it was swept, or never was.
    pub async fn message_state(&self, id: MessageId) -> Result<Option<MessageState>, StoreError> {
        let found = messages::Entity::find_by_id(id.0)
            .select_only()
            .columns([messages::Column::State, messages::Column::LastError])
            .into_tuple::<(String, Option<String>)>()
            .one(&self.conn)
            .await?;
        let Some((state, last_error)) = found else { return Ok(None) };
        let status = MessageStatus::ALL.into_iter().find(|status| status.as_str() == state);
        let status = status.ok_or_else(|| Place { table: "messages", id: &id.0 }.corrupt("state"))?;
        Ok(Some(MessageState { status, last_error }))
    }

    pub async fn are_messages_due(&self, channel: Channel, now: Timestamp) -> Result<bool, StoreError> {
        let found = messages::Entity::find()
            .select_only()
            .column(messages::Column::Id)
            .filter(messages::Column::DoneAt.is_null())
            .filter(messages::Column::NextAttemptAt.lte(now.as_millisecond()))
            .filter(messages::Column::ExpiresAt.gt(now.as_millisecond()))
            .filter(messages::Column::Channel.eq(channel.as_str()))
            .into_tuple::<Uuid>()
            .one(&self.conn)
            .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// Takes up to `limit` of those that are due on `channel`, for this node alone until `lease_until`. One that does not
    /// open is given up: it would hold up all the others for ever.
    pub async fn lease_messages(
        &self,
        channel: Channel,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u64,
    ) -> Result<Vec<LeasedMessage>, StoreError> {
        let backend = self.conn.get_database_backend();
        let sql = if backend == DbBackend::Postgres { LEASE_ON_POSTGRES } else { LEASE_ON_SQLITE };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (now_millis, until) = (now.as_millisecond(), lease_until.as_millisecond());
        let values = [now_millis.into(), until.into(), limit.into(), channel.as_str().into()];
        let leased = self.conn.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        let ids = leased.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<Uuid>, _>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = messages::Entity::find().filter(messages::Column::Id.is_in(ids)).all(&self.conn).await?;
        let mut readable = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.message(row) {
                Ok(message) => {
                    let attempt =
                        Place { table: "messages", id: &row.id }.number("attempts", row.attempts)?;
                    readable.push(LeasedMessage { message, attempt });
                }
                Err(StoreError::Corrupt { .. }) => {
                    let result = MessageResult::Failed { error: UNREADABLE };
                    self.finish_message(MessageId(row.id), result, now).await?;
                }
                Err(other) => return Err(other),
            }
        }
        readable.sort_by_key(|leased| (leased.message.created_at, leased.message.id.0));
        Ok(readable)
    }

    /// Says what became of an attempt; false where the message is over already, or was leased again since and must wait.
    pub async fn finish_message(
        &self,
        id: MessageId,
        result: MessageResult,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = messages::Entity::update_many()
            .filter(messages::Column::Id.eq(id.0))
            .filter(messages::Column::DoneAt.is_null());
        let update = match result {
            MessageResult::Retry { attempt, at, error } => update
                .filter(messages::Column::Attempts.eq(i64::from(attempt)))
                .col_expr(messages::Column::NextAttemptAt, Expr::value(at.as_millisecond()))
                .col_expr(messages::Column::LastError, Expr::value(error)),
            MessageResult::Sent => over(update, MessageStatus::Sent, now)
                .col_expr(messages::Column::LastError, Expr::value(Option::<String>::None)),
            MessageResult::Failed { error } => over(update, MessageStatus::Failed, now)
                .col_expr(messages::Column::LastError, Expr::value(error)),
        };
        Ok(update.exec(&self.conn).await?.rows_affected > 0)
    }

    /// The provider took a message and could not deliver it after all. What failed before, or was never sent, stays as it is.
    pub async fn note_undelivered(&self, id: MessageId, error: &'static str) -> Result<bool, StoreError> {
        let updated = messages::Entity::update_many()
            .filter(messages::Column::Id.eq(id.0))
            .filter(messages::Column::State.eq(MessageStatus::Sent.as_str()))
            .col_expr(messages::Column::State, Expr::value(MessageStatus::Failed.as_str()))
            .col_expr(messages::Column::LastError, Expr::value(error))
            .exec(&self.conn)
            .await?;
        Ok(updated.rows_affected > 0)
    }

    /// Erases up to `limit` messages whose time is over before they were sent; returns how many.
    pub async fn expire_messages(&self, now: Timestamp, limit: u64) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = [now.as_millisecond().into(), limit.into()];
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), EXPIRE, values);
        Ok(self.conn.execute_raw(statement).await?.rows_affected())
    }
}

type Update = sea_orm::UpdateMany<messages::Entity>;

fn over(update: Update, status: MessageStatus, now: Timestamp) -> Update {
    update
        .col_expr(messages::Column::State, Expr::value(status.as_str()))
        .col_expr(messages::Column::DoneAt, Expr::value(now.as_millisecond()))
        .col_expr(messages::Column::SealedPayload, Expr::value(Option::<Vec<u8>>::None))
}
