//! How messages for people ended.
//!
//! Invariants:
//! - the content of a message that has ended (sent, failed, expired) is erased;
//! - its end is in the audit trail, written in the transaction that ends it, under the reference of the request that queued it.
//!   A message that the provider accepted and did not deliver has a second entry.

use crate::entity::messages;
use crate::error::StoreError;
use crate::row::ColumnCursor;
use crate::store::Tx;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{AccountId, AuditId, MessageId};
use anteroom_domain::phone::E164;
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value};
use uuid::Uuid;

/// What became of an attempt. A reason is a short word, never something of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageResult {
    Sent,
    Retry {
        attempt: u32,
        at: Timestamp,
        error: &'static str,
    },
    /// The channel accepts no message at all now: the message stays queued, and the attempt does not count.
    Deferred {
        attempt: u32,
        at: Timestamp,
        error: &'static str,
    },
    Failed {
        error: &'static str,
    },
}

#[derive(Clone, Copy)]
enum MessageEnd {
    Sent,
    Failed(&'static str),
}

/// `last_error` and audit reason of a message that expired before it was sent.
const EXPIRED: &str = "expired";

macro_rules! ending {
    ($change:literal) => {
        concat!("UPDATE messages SET ", $change, " RETURNING kind, channel, recipient, account_id, reference")
    };
}

const FINISH: &str = ending!(
    "state = $3, last_error = $4, done_at = $2, sealed_payload = NULL WHERE id = $1 AND done_at IS NULL"
);
const MARK_UNDELIVERED: &str = ending!(
    "state = 'failed', last_error = $3, done_at = COALESCE(done_at, $2), sealed_payload = NULL \
     WHERE id = $1 AND state IN ('queued', 'sending', 'sent')"
);
const EXPIRE: &str = ending!(
    "state = 'expired', done_at = $1, sealed_payload = NULL WHERE id IN \
     (SELECT id FROM messages WHERE expires_at <= $1 AND done_at IS NULL LIMIT $2) AND done_at IS NULL"
);

impl Tx {
    /// Records the result of an attempt. `false`: the message has ended already, or was leased again since.
    pub async fn finish_message(
        &self,
        id: MessageId,
        result: MessageResult,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (state, end, error) = match result {
            MessageResult::Sent => ("sent", MessageEnd::Sent, None),
            MessageResult::Failed { error } => ("failed", MessageEnd::Failed(error), Some(error)),
            MessageResult::Retry { attempt, at, error } => {
                return self.put_off(id, attempt, attempt, at, error).await;
            }
            MessageResult::Deferred { attempt, at, error } => {
                return self.put_off(id, attempt, attempt.saturating_sub(1), at, error).await;
            }
        };
        let values = [id.0.into(), now.as_millisecond().into(), state.into(), error.into()];
        Ok(self.end_messages(FINISH, values.into(), end, now).await? > 0)
    }

    async fn put_off(
        &self,
        id: MessageId,
        attempt: u32,
        counted: u32,
        at: Timestamp,
        error: &'static str,
    ) -> Result<bool, StoreError> {
        let updated = messages::Entity::update_many()
            .filter(messages::Column::Id.eq(id.0))
            .filter(messages::Column::DoneAt.is_null())
            .filter(messages::Column::Attempts.eq(i64::from(attempt)))
            .col_expr(messages::Column::Attempts, Expr::value(i64::from(counted)))
            .col_expr(messages::Column::NextAttemptAt, Expr::value(at.as_millisecond()))
            .col_expr(messages::Column::LastError, Expr::value(error))
            .exec(&self.conn)
            .await?;
        Ok(updated.rows_affected > 0)
    }

    /// The provider took a message and could not deliver it after all. The provider's callback can arrive before this process
    /// has recorded that the message was accepted; that record is then ignored. What failed or expired before stays as it is.
    pub async fn note_undelivered(
        &self,
        id: MessageId,
        error: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let values = [id.0.into(), now.as_millisecond().into(), error.into()];
        Ok(self.end_messages(MARK_UNDELIVERED, values.into(), MessageEnd::Failed(error), now).await? > 0)
    }

    /// Ends up to `limit` messages that expired before they were sent, and erases their content. Returns how many.
    pub async fn expire_messages(&self, now: Timestamp, limit: u64) -> Result<u64, StoreError> {
        let values = [now.as_millisecond().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        self.end_messages(EXPIRE, values.into(), MessageEnd::Failed(EXPIRED), now).await
    }

    async fn end_messages(
        &self,
        sql: &str,
        values: Vec<Value>,
        end: MessageEnd,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), sql, values);
        let ended = self.conn.query_all_raw(statement).await?;
        for row in &ended {
            self.append(&self.end_of_message(&mut ColumnCursor::of(row), end, now)?).await?;
        }
        Ok(ended.len() as u64)
    }

    fn end_of_message(
        &self,
        row: &mut ColumnCursor<'_>,
        end: MessageEnd,
        now: Timestamp,
    ) -> Result<AuditEntry, StoreError> {
        let (message, channel, recipient) = (row.take()?, row.take()?, row.take::<String>()?);
        let phone = E164::parse(&recipient).ok().map(|number| number.masked());
        let event = match end {
            MessageEnd::Sent => Event::MessageSent { message, channel, phone },
            MessageEnd::Failed(reason) => Event::MessageFailed { message, channel, phone, reason },
        };
        // The number of messages that end is known only here. If the unit runs again it draws other identifiers, and those of
        // the first run are in no row.
        let id = self.keys.random.uuid_v7(u64::try_from(now.as_millisecond()).unwrap_or(0));
        Ok(AuditEntry {
            id: AuditId(id),
            at: now,
            actor: Actor::System,
            subject: row.take::<Option<Uuid>>()?.map(AccountId),
            client: None,
            session: None,
            ip_address: None,
            // One that cannot be read must not keep the message from its end.
            reference: row.take::<Option<String>>()?.and_then(|text| text.parse().ok()),
            event,
        })
    }
}
