//! Messages that are to be sent: emails, texts and calls to people, and notices of sign-outs to clients. They are queued in the
//! transaction of the change that they tell.
//!
//! A lease is a `next_attempt_at` in the future: the node that takes a delivery moves it there. If the node stops, the
//! delivery is due again when the lease ends.

use crate::entity::{logout_deliveries, messages};
use crate::error::StoreError;
use crate::row::{ColumnCursor, RowRef, json_text};
use crate::store::{Queries, Tx};
use anteroom_crypto::KeyPurpose;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::{AccountId, MessageId, SessionId};
use anteroom_domain::message::{Channel, KIND_OF_CODE, Message, MessageBody};
use anteroom_domain::phone::E164;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::ClientId;
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    Statement, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Telling one client that a session has ended (OpenID Connect Back-Channel Logout 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutDelivery {
    pub id: MessageId,
    pub client: ClientId,
    pub session: SessionId,
    pub account: AccountId,
    /// By which kind of `sub` the client knew the person; `None` where release 0.1.0 wrote this, or the grant.
    pub subjects: Option<SubjectNamespace>,
    /// How often it was tried before.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryResult {
    Done,
    Retry { at: Timestamp },
    Failed,
}

/// How many of the due deliveries one node leases.
#[derive(Clone, Debug)]
pub struct LogoutLease {
    pub until: Timestamp,
    /// Deliveries of one client at most, so that a client that does not answer, with many in the queue, leaves room for the
    /// others.
    pub per_client: u32,
    pub of: LogoutClients,
}

/// Whose deliveries are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutClients {
    These(Vec<ClientId>),
    AllBut(Vec<ClientId>),
}

impl LogoutClients {
    const fn clients(&self) -> &Vec<ClientId> {
        match self {
            Self::These(clients) | Self::AllBut(clients) => clients,
        }
    }

    /// The condition, whose values come after the first `before`.
    fn sql(&self, before: usize) -> String {
        let places: Vec<String> =
            (before + 1..).take(self.clients().len()).map(|place| format!("${place}")).collect();
        let places = places.join(", ");
        match self {
            Self::These(clients) if clients.is_empty() => " AND 1 = 0".to_owned(),
            Self::AllBut(clients) if clients.is_empty() => String::new(),
            Self::These(_) => format!(" AND client_id IN ({places})"),
            Self::AllBut(_) => format!(" AND client_id NOT IN ({places})"),
        }
    }
}

impl LogoutLease {
    /// On PostgreSQL `SKIP LOCKED` lets nodes lease different rows instead of waiting for each other. A query with a window
    /// function cannot lock its rows, so the table is joined once more.
    fn sql(&self, backend: DbBackend) -> String {
        let lock = if backend == DbBackend::Postgres { " FOR UPDATE OF d SKIP LOCKED" } else { "" };
        let of = self.of.sql(4);
        format!(
            "WITH ranked AS (SELECT id, row_number() OVER (PARTITION BY client_id ORDER BY next_attempt_at, id) \
             AS place FROM logout_deliveries WHERE next_attempt_at <= $1 AND expires_at > $1{of}), \
             due AS (SELECT d.id FROM logout_deliveries d JOIN ranked ON ranked.id = d.id \
             WHERE ranked.place <= $4 AND d.next_attempt_at <= $1 ORDER BY d.next_attempt_at LIMIT $3{lock}) \
             UPDATE logout_deliveries SET next_attempt_at = $2, attempts = attempts + 1 \
             WHERE id IN (SELECT id FROM due) \
             RETURNING id, client_id, session_id, account_id, subject_sector, attempts - 1, created_at, \
             expires_at"
        )
    }
}

impl Queries {
    /// Newest first; without those whose content was erased, and those without a recipient.
    pub async fn newest_messages(&self, limit: u64) -> Result<Vec<Message>, StoreError> {
        let rows = messages::Entity::find()
            .filter(messages::Column::SealedPayload.is_not_null())
            .filter(messages::Column::Recipient.ne(""))
            .order_by_desc(messages::Column::CreatedAt)
            .order_by_desc(messages::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.iter().map(|row| self.message(row)).collect()
    }

    pub(crate) fn message(&self, row: &messages::Model) -> Result<Message, StoreError> {
        let place = RowRef { table: "messages", id: &row.id };
        let sealed = row.sealed_payload.as_deref().unwrap_or_default();
        let ring = self.keys.keyring.load();
        let payload = ring
            .sealer(KeyPurpose::OutboxSeal)
            .open(&associated_data(row.id, &row.channel, &row.recipient), sealed);
        let payload = payload.map_err(|_| place.corrupt("sealed_payload"))?;
        Ok(Message {
            id: MessageId(row.id),
            account: row.account_id.map(AccountId),
            locale: row.locale.clone(),
            body: message_body(&place, row, &payload)?,
            // The entry is of use to a reader of the audit trail only, so that a failure here does not keep the message back.
            reference: row.reference.as_deref().and_then(|text| text.parse().ok()),
            created_at: place.time("created_at", row.created_at)?,
            expires_at: place.time("expires_at", row.expires_at)?,
        })
    }
}

/// Within what each of the databases binds at most.
const ROWS_OF_A_STATEMENT: usize = 500;

impl Tx {
    pub async fn enqueue(&self, message: &Message) -> Result<(), StoreError> {
        let payload = match &message.body {
            MessageBody::Email { mail, .. } | MessageBody::Unaddressed { mail } => json_text(mail)?,
            MessageBody::Text { code, .. } | MessageBody::Call { code, .. } => json_text(code)?,
            MessageBody::Notice { notice, .. } => json_text(notice)?,
        };
        let (recipient, channel) = (message.body.recipient(), message.body.channel());
        let ring = self.keys.keyring.load();
        let sealer = ring.sealer(KeyPurpose::OutboxSeal);
        let bound = associated_data(message.id.0, channel.as_str(), recipient);
        let sealed = sealer.seal(&self.keys.random, &bound, payload.as_bytes());
        let row = messages::ActiveModel {
            id: Set(message.id.0),
            kind: Set(message.body.kind().to_owned()),
            channel: Set(channel.as_str().to_owned()),
            recipient: Set(recipient.to_owned()),
            sealed_payload: Set(Some(sealed)),
            locale: Set(message.locale.clone()),
            account_id: Set(message.account.map(|account| account.0)),
            state: Set("queued".to_owned()),
            attempts: Set(0),
            next_attempt_at: Set(message.created_at.as_millisecond()),
            created_at: Set(message.created_at.as_millisecond()),
            expires_at: Set(message.expires_at.as_millisecond()),
            done_at: Set(None),
            last_error: Set(None),
            reference: Set(message.reference.map(|reference| reference.to_string())),
        };
        messages::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    pub async fn enqueue_logouts(&self, deliveries: &[LogoutDelivery]) -> Result<(), StoreError> {
        for some in deliveries.chunks(ROWS_OF_A_STATEMENT) {
            let rows = some.iter().map(logout_row);
            logout_deliveries::Entity::insert_many(rows).exec_without_returning(&self.conn).await?;
        }
        Ok(())
    }

    /// How many deliveries are queued for each of these clients; clients without any are left out.
    pub async fn waiting_logouts(
        &self,
        clients: &BTreeSet<&ClientId>,
    ) -> Result<BTreeMap<ClientId, u64>, StoreError> {
        let names = clients.iter().map(|client| client.as_str());
        let counted: Vec<(String, i64)> = logout_deliveries::Entity::find()
            .select_only()
            .column(logout_deliveries::Column::ClientId)
            .column_as(logout_deliveries::Column::Id.count(), "waiting")
            .filter(logout_deliveries::Column::ClientId.is_in(names))
            .group_by(logout_deliveries::Column::ClientId)
            .into_tuple()
            .all(&self.conn)
            .await?;
        let named = |(client, waiting): (String, i64)| {
            let place = RowRef { table: "logout_deliveries", id: &client };
            Ok((place.parsed("client_id", &client)?, waiting.unsigned_abs()))
        };
        counted.into_iter().map(named).collect()
    }

    /// Removes what is queued for a client.
    pub async fn delete_logout_deliveries(&self, client: &ClientId) -> Result<(), StoreError> {
        logout_deliveries::Entity::delete_many()
            .filter(logout_deliveries::Column::ClientId.eq(client.as_str()))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Takes some of those that are due, for this node alone until the lease ends.
    pub async fn lease_logouts(
        &self,
        now: Timestamp,
        lease: &LogoutLease,
        most: u32,
    ) -> Result<Vec<LogoutDelivery>, StoreError> {
        let backend = self.conn.get_database_backend();
        let mut values: Vec<Value> = vec![
            now.as_millisecond().into(),
            lease.until.as_millisecond().into(),
            i64::from(most).into(),
            i64::from(lease.per_client).into(),
        ];
        values.extend(lease.of.clients().iter().map(|client| client.as_str().into()));
        let statement = Statement::from_sql_and_values(backend, lease.sql(backend), values);
        let rows = self.conn.query_all_raw(statement).await?;
        rows.iter().map(|row| delivery(&mut ColumnCursor::of(row))).collect()
    }

    /// Moves a delivery that is to be retried to its next time, and removes one that was made or given up: its result is in the
    /// audit trail.
    pub async fn finish_logout(&self, id: MessageId, result: DeliveryResult) -> Result<(), StoreError> {
        match result {
            DeliveryResult::Retry { at } => {
                logout_deliveries::Entity::update_many()
                    .col_expr(logout_deliveries::Column::NextAttemptAt, Expr::value(at.as_millisecond()))
                    .filter(logout_deliveries::Column::Id.eq(id.0))
                    .exec(&self.conn)
                    .await?;
            }
            DeliveryResult::Done | DeliveryResult::Failed => {
                logout_deliveries::Entity::delete_by_id(id.0).exec(&self.conn).await?;
            }
        }
        Ok(())
    }
}

fn logout_row(delivery: &LogoutDelivery) -> logout_deliveries::ActiveModel {
    logout_deliveries::ActiveModel {
        id: Set(delivery.id.0),
        client_id: Set(delivery.client.as_str().to_owned()),
        session_id: Set(delivery.session.0),
        account_id: Set(delivery.account.0),
        subject_sector: Set(delivery.subjects.as_ref().map(|subjects| subjects.as_str().to_owned())),
        attempts: Set(0),
        next_attempt_at: Set(delivery.created_at.as_millisecond()),
        created_at: Set(delivery.created_at.as_millisecond()),
        expires_at: Set(delivery.expires_at.as_millisecond()),
    }
}

/// Table, column, row, channel and recipient: a payload put in another row, or sent on to another recipient, does not open.
fn associated_data(id: Uuid, channel: &str, recipient: &str) -> Vec<u8> {
    format!("messages\nsealed_payload\n{id}\n{channel}\n{recipient}").into_bytes()
}

fn message_body(
    place: &RowRef<'_>,
    row: &messages::Model,
    payload: &[u8],
) -> Result<MessageBody, StoreError> {
    let number = || E164::parse(&row.recipient).map_err(|_| place.corrupt("recipient"));
    let sealed = || place.corrupt("sealed_payload");
    let code = || serde_json::from_slice(payload).map_err(|_| sealed());
    Ok(match Channel::parse(&row.channel).ok_or_else(|| place.corrupt("channel"))? {
        Channel::Email if row.recipient.is_empty() => {
            MessageBody::Unaddressed { mail: serde_json::from_slice(payload).map_err(|_| sealed())? }
        }
        Channel::Email => MessageBody::Email {
            to: EmailAddress::from_stored(&row.recipient).map_err(|_| place.corrupt("recipient"))?,
            mail: serde_json::from_slice(payload).map_err(|_| sealed())?,
        },
        Channel::Text if row.kind == KIND_OF_CODE => MessageBody::Text { to: number()?, code: code()? },
        Channel::Text => {
            let notice = serde_json::from_slice(payload).map_err(|_| sealed())?;
            MessageBody::Notice { to: number()?, notice }
        }
        Channel::Call => MessageBody::Call { to: number()?, code: code()? },
    })
}

fn delivery(cells: &mut ColumnCursor<'_>) -> Result<LogoutDelivery, StoreError> {
    let id: Uuid = cells.take()?;
    let place = RowRef { table: "logout_deliveries", id: &id };
    Ok(LogoutDelivery {
        id: MessageId(id),
        client: place.parsed("client_id", &cells.take::<String>()?)?,
        session: SessionId(cells.take()?),
        account: AccountId(cells.take()?),
        subjects: cells.take::<Option<String>>()?.map(|sector| SubjectNamespace::from_text(&sector)),
        attempts: place.number("attempts", cells.take::<i32>()?)?,
        created_at: place.time("created_at", cells.take()?)?,
        expires_at: place.time("expires_at", cells.take()?)?,
    })
}
