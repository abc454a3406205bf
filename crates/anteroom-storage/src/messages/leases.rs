//! Leases of the messages that are queued for people.
//!
//! Invariants:
//! - a message that is due is leased to one node at a time; a lease is a `next_attempt_at` in the future, so that a message
//!   whose node has stopped is due again when the lease ends;
//! - what a person waits for (codes, resets, notices of a change) goes before invitations and warnings, which come in
//!   hundreds;
//! - a result is stored only if the number of the attempt still matches, so that a node whose lease has ended cannot overwrite
//!   a later attempt.

use crate::entity::messages;
use crate::error::StoreError;
use crate::messages::message_results::MessageResult;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_domain::ids::{AccountId, MessageId};
use anteroom_domain::message::{Channel, Message, WaitingMessage};
use anteroom_domain::phone::E164;
use anteroom_domain::reference::RequestReference;
use jiff::Timestamp;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

/// A message that is leased to one node.
#[derive(Clone, Debug)]
pub struct LeasedMessage {
    pub message: Message,
    /// The number of this attempt, from 1. It also identifies the lease.
    pub attempt: u32,
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

/// More than that are not listed one by one.
const MOST_WAITING: u64 = 100;
const UNREADABLE: &str = "unreadable";

/// Kinds that are sent in bulk. The partial index `messages_awaited` covers all other kinds; its condition must repeat this text
/// exactly.
macro_rules! bulk_kinds {
    () => {
        "('invitation', 'password_expires')"
    };
}

macro_rules! lease_messages {
    ($kinds:literal, $lock:literal) => {
        concat!(
            "WITH due AS (SELECT id FROM messages WHERE done_at IS NULL AND kind ",
            $kinds,
            " ",
            bulk_kinds!(),
            " AND next_attempt_at <= $1 AND expires_at > $1 AND channel = $4 AND state IN ('queued', 'sending') \
             ORDER BY next_attempt_at LIMIT $3",
            $lock,
            ") UPDATE messages SET state = 'sending', next_attempt_at = $2, attempts = attempts + 1 \
             WHERE id IN (SELECT id FROM due) RETURNING id"
        )
    };
}

/// What a person waits for, then the rest.
pub(crate) const LEASES_ON_SQLITE: [&str; 2] = [lease_messages!("NOT IN", ""), lease_messages!("IN", "")];
/// `SKIP LOCKED` lets nodes lease different messages instead of waiting for each other.
const LEASES_ON_POSTGRES: [&str; 2] =
    [lease_messages!("NOT IN", " FOR UPDATE SKIP LOCKED"), lease_messages!("IN", " FOR UPDATE SKIP LOCKED")];

impl Queries {
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
        let status = status.ok_or_else(|| RowRef { table: "messages", id: &id.0 }.corrupt("state"))?;
        Ok(Some(MessageState { status, last_error }))
    }

    /// Those to an account whose end is not known yet, oldest first.
    pub async fn waiting_messages_of(&self, account: AccountId) -> Result<Vec<WaitingMessage>, StoreError> {
        self.waiting_messages(messages::Column::AccountId.eq(account.0)).await
    }

    /// Those that a request queued, oldest first.
    pub async fn waiting_messages_by(
        &self,
        reference: RequestReference,
    ) -> Result<Vec<WaitingMessage>, StoreError> {
        self.waiting_messages(messages::Column::Reference.eq(reference.to_string())).await
    }

    async fn waiting_messages(&self, of: SimpleExpr) -> Result<Vec<WaitingMessage>, StoreError> {
        let rows = messages::Entity::find()
            .filter(of)
            .filter(messages::Column::DoneAt.is_null())
            .filter(messages::Column::Recipient.ne(""))
            .order_by_asc(messages::Column::CreatedAt)
            .limit(MOST_WAITING)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(waiting).collect()
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

fn waiting(row: messages::Model) -> Result<WaitingMessage, StoreError> {
    let place = RowRef { table: "messages", id: &row.id };
    Ok(WaitingMessage {
        channel: Channel::parse(&row.channel).ok_or_else(|| place.corrupt("channel"))?,
        phone: E164::parse(&row.recipient).ok().map(|number| number.masked()),
        created_at: place.time("created_at", row.created_at)?,
        kind: row.kind,
        last_error: row.last_error,
    })
}

impl Tx {
    /// Takes up to `limit` of those that are due on `channel`, for this node alone until `lease_until`. A message that cannot
    /// be decrypted is marked as failed; otherwise it would be leased first in every round.
    pub async fn lease_messages(
        &self,
        channel: Channel,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u64,
    ) -> Result<Vec<LeasedMessage>, StoreError> {
        let ids = self.lease(channel, now, lease_until, limit).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = messages::Entity::find().filter(messages::Column::Id.is_in(ids)).all(&self.conn).await?;
        let mut readable = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.message(row) {
                Ok(message) => {
                    let attempt =
                        RowRef { table: "messages", id: &row.id }.number("attempts", row.attempts)?;
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

    /// Each of the two statements has an index of its own, so that hundreds of due invitations do not make the first one
    /// slower.
    async fn lease(
        &self,
        channel: Channel,
        now: Timestamp,
        until: Timestamp,
        limit: u64,
    ) -> Result<Vec<Uuid>, StoreError> {
        let backend = self.conn.get_database_backend();
        let leases = if backend == DbBackend::Postgres { LEASES_ON_POSTGRES } else { LEASES_ON_SQLITE };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut ids = Vec::new();
        for sql in leases {
            let room = i64::try_from(limit.saturating_sub(ids.len())).unwrap_or(i64::MAX);
            if room == 0 {
                break;
            }
            let times = [now.as_millisecond().into(), until.as_millisecond().into()];
            let values = times.into_iter().chain([room.into(), channel.as_str().into()]);
            let leased =
                self.conn.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
            for row in leased {
                ids.push(row.try_get_by_index(0)?);
            }
        }
        Ok(ids)
    }
}
