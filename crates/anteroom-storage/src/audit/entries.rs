//! The audit trail: entries are appended in the transaction of the act, each with a keyed MAC over all of its columns.
//!
//! A new entry is a row of `audit_waiting` until it is linked into the chain (`chain.rs`); then it is a row of
//! `audit_entries`. Both are read, `audit_waiting` first: an entry that is linked between the two reads is then found twice,
//! and not missed.

use crate::entity::{audit_entries, audit_waiting};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, StoreKeys, Tx};
use anteroom_crypto::KeyedDigest;
use anteroom_domain::audit::{Actor, AuditEntry};
use anteroom_domain::audit_trail::record::AuditRecord;
use anteroom_domain::ids::{AccountId, AuditId, SessionId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::Value;

impl Queries {
    /// Oldest first: what happened on the way to one error page.
    pub async fn entries_by_reference(&self, reference: &str) -> Result<Vec<AuditRecord>, StoreError> {
        let waiting = audit_waiting::Entity::find()
            .filter(audit_waiting::Column::Reference.eq(reference))
            .all(&self.conn)
            .await?;
        let rows = audit_entries::Entity::find()
            .filter(audit_entries::Column::Reference.eq(reference))
            .all(&self.conn)
            .await?;
        in_order(waiting, rows).into_iter().map(record).collect()
    }

    /// What was done by one account or to it, newest first.
    pub async fn entries_of_account(
        &self,
        account: AccountId,
        limit: u64,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let waiting = audit_waiting::Entity::find()
            .filter(audit_waiting::Column::SubjectAccount.eq(account.0))
            .order_by_desc(audit_waiting::Column::At)
            .order_by_desc(audit_waiting::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        let rows = audit_entries::Entity::find()
            .filter(audit_entries::Column::SubjectAccount.eq(account.0))
            .order_by_desc(audit_entries::Column::At)
            .order_by_desc(audit_entries::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        newest(in_order(waiting, rows), limit)
    }

    /// Newest first.
    pub async fn recent_entries(&self, limit: u64) -> Result<Vec<AuditRecord>, StoreError> {
        let waiting = audit_waiting::Entity::find()
            .order_by_desc(audit_waiting::Column::At)
            .order_by_desc(audit_waiting::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        let rows = audit_entries::Entity::find()
            .order_by_desc(audit_entries::Column::At)
            .order_by_desc(audit_entries::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        newest(in_order(waiting, rows), limit)
    }

    /// Whether the entry is as it was written.
    pub fn verify_mac(&self, record: &AuditRecord) -> bool {
        record.is_authentic(&self.keys.keyring.load())
    }
}

/// Within what each of the databases binds at most.
const ROWS_OF_A_STATEMENT: usize = 500;

impl Tx {
    pub async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        audit_waiting::Entity::insert(self.row(entry)?).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    pub async fn append_all(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        for some in entries.chunks(ROWS_OF_A_STATEMENT) {
            let rows = some.iter().map(|entry| self.row(entry)).collect::<Result<Vec<_>, _>>()?;
            audit_waiting::Entity::insert_many(rows).exec_without_returning(&self.conn).await?;
        }
        Ok(())
    }

    fn row(&self, entry: &AuditEntry) -> Result<audit_waiting::ActiveModel, StoreError> {
        let record = to_record(entry, &self.keys)?;
        Ok(audit_waiting::ActiveModel {
            id: Set(record.id.0),
            at: Set(record.at.as_millisecond()),
            kind: Set(record.kind),
            outcome: Set(record.outcome),
            actor: Set(record.actor),
            actor_account: Set(record.actor_account.map(|account| account.0)),
            subject_account: Set(record.subject.map(|account| account.0)),
            client_id: Set(record.client),
            session_id: Set(record.session.map(|session| session.0)),
            address: Set(record.address),
            reference: Set(record.reference),
            detail: Set(record.detail),
            mac: Set(record.mac.as_bytes().to_vec()),
        })
    }
}

fn to_record(entry: &AuditEntry, keys: &StoreKeys) -> Result<AuditRecord, StoreError> {
    let unwritable = || StoreError::Statement("an audit event without a kind".to_owned());
    let Ok(Value::Object(mut detail)) = serde_json::to_value(&entry.event) else { return Err(unwritable()) };
    let Some(Value::String(kind)) = detail.remove("kind") else { return Err(unwritable()) };
    let (actor, actor_account) = match entry.actor {
        Actor::Anonymous => ("anonymous", None),
        Actor::Account(account) => ("account", Some(account)),
        Actor::Client => ("client", None),
        Actor::Operator => ("operator", None),
        Actor::System => ("system", None),
    };
    let mut record = AuditRecord {
        id: entry.id,
        at: entry.at,
        kind,
        outcome: entry.event.outcome().as_str().to_owned(),
        actor: actor.to_owned(),
        actor_account,
        subject: entry.subject,
        client: entry.client.as_ref().map(|client| client.as_str().to_owned()),
        session: entry.session,
        address: entry.ip_address.map(|address| address.to_string()),
        reference: entry.reference.map(|reference| reference.to_string()),
        detail: Value::Object(detail).to_string(),
        mac: KeyedDigest::from_slice(&[0; 32]).ok_or_else(unwritable)?,
    };
    record.mac = record.computed_mac(&keys.keyring.load());
    Ok(record)
}

/// Oldest first, each once.
fn in_order(
    waiting: Vec<audit_waiting::Model>,
    rows: Vec<audit_entries::Model>,
) -> Vec<audit_entries::Model> {
    let mut all: Vec<_> = waiting.into_iter().map(unlinked).chain(rows).collect();
    all.sort_by_key(|row| (row.at, row.id));
    all.dedup_by_key(|row| row.id);
    all
}

fn newest(rows: Vec<audit_entries::Model>, limit: u64) -> Result<Vec<AuditRecord>, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    rows.into_iter().rev().take(limit).map(record).collect()
}

/// The row as `audit_entries` will have it, without its place in the chain.
pub(crate) fn unlinked(row: audit_waiting::Model) -> audit_entries::Model {
    audit_entries::Model {
        id: row.id,
        at: row.at,
        kind: row.kind,
        outcome: row.outcome,
        actor: row.actor,
        actor_account: row.actor_account,
        subject_account: row.subject_account,
        client_id: row.client_id,
        session_id: row.session_id,
        address: row.address,
        reference: row.reference,
        detail: row.detail,
        mac: row.mac,
        chain_seq: None,
        chain_digest: None,
    }
}

pub(crate) fn record(row: audit_entries::Model) -> Result<AuditRecord, StoreError> {
    let place = RowRef { table: "audit_entries", id: &row.id };
    Ok(AuditRecord {
        id: AuditId(row.id),
        at: place.time("at", row.at)?,
        mac: place.digest("mac", &row.mac)?,
        kind: row.kind,
        outcome: row.outcome,
        actor: row.actor,
        actor_account: row.actor_account.map(AccountId),
        subject: row.subject_account.map(AccountId),
        client: row.client_id,
        session: row.session_id.map(SessionId),
        address: row.address,
        reference: row.reference,
        detail: row.detail,
    })
}
