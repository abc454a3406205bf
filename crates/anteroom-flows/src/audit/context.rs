//! What the audit entries of one request, or of one round of Anteroom's own work, have in common.

use anteroom_crypto::Random;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::AuditId;
use anteroom_domain::reference::RequestReference;
use jiff::Timestamp;
use std::net::IpAddr;
use uuid::Uuid;

/// From where and when an act came: the part of an entry that is the same for all entries of a request.
#[derive(Clone, Debug)]
pub struct AuditContext {
    pub now: Timestamp,
    pub address: Option<IpAddr>,
    pub reference: Option<RequestReference>,
    pub random: Random,
}

impl AuditContext {
    /// An act of Anteroom itself or of an operator at the shell.
    pub fn local(now: Timestamp, random: &Random) -> Self {
        Self { now, address: None, reference: None, random: random.clone() }
    }

    /// Time-ordered identifiers keep the newest rows of an index together.
    pub(crate) fn new_id(&self) -> Uuid {
        self.random.uuid_v7(u64::try_from(self.now.as_millisecond()).unwrap_or(0))
    }

    pub fn entry(&self, actor: Actor, event: Event) -> AuditEntry {
        AuditEntry {
            id: AuditId(self.new_id()),
            at: self.now,
            actor,
            subject: match actor {
                Actor::Account(account) => Some(account),
                _ => None,
            },
            client: None,
            session: None,
            address: self.address,
            reference: self.reference,
            event,
        }
    }
}
