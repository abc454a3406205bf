//! The audit trail: entries are appended in the transaction of the act, each with a keyed MAC over all of its columns.

use crate::StoreError;
use crate::entity::audit_entries;
use crate::row::Place;
use crate::store::{Reads, StoreKeys, Tx};
use anteroom_crypto::Digest;
use anteroom_domain::audit::{Actor, AuditEntry};
use anteroom_domain::ids::{AccountId, AuditId, SessionId};
use anteroom_domain::trail::record::AuditRecord;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::Value;

impl Reads {
    /// Oldest first: what happened on the way to one error page.
    pub async fn entries_by_reference(&self, reference: &str) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = audit_entries::Entity::find()
            .filter(audit_entries::Column::Reference.eq(reference))
            .order_by_asc(audit_entries::Column::At)
            .order_by_asc(audit_entries::Column::Id)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(record).collect()
    }

    /// What was done by one account or to it, newest first.
    pub async fn entries_of_account(
        &self,
        account: AccountId,
        limit: u64,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = audit_entries::Entity::find()
            .filter(audit_entries::Column::SubjectAccount.eq(account.0))
            .order_by_desc(audit_entries::Column::At)
            .order_by_desc(audit_entries::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(record).collect()
    }

    /// Newest first.
    pub async fn recent_entries(&self, limit: u64) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = audit_entries::Entity::find()
            .order_by_desc(audit_entries::Column::At)
            .order_by_desc(audit_entries::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(record).collect()
    }

    /// Whether the entry is as it was written.
    pub fn verify_mac(&self, record: &AuditRecord) -> bool {
        record.is_authentic(&self.keys.ring.load())
    }
}

impl Tx {
    pub async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let record = written(entry, &self.keys)?;
        let row = audit_entries::ActiveModel {
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
            chain_seq: Set(None),
            chain_digest: Set(None),
        };
        audit_entries::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }
}

fn written(entry: &AuditEntry, keys: &StoreKeys) -> Result<AuditRecord, StoreError> {
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
        address: entry.address.map(|address| address.to_string()),
        reference: entry.reference.map(|reference| reference.to_string()),
        detail: Value::Object(detail).to_string(),
        mac: Digest::from_slice(&[0; 32]).ok_or_else(unwritable)?,
    };
    record.mac = record.computed_mac(&keys.ring.load());
    Ok(record)
}

pub(crate) fn record(row: audit_entries::Model) -> Result<AuditRecord, StoreError> {
    let place = Place { table: "audit_entries", id: &row.id };
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
