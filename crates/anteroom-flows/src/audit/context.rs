//! The part of audit entries that is the same for one request, or for one round of background work.

use anteroom_crypto::Random;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::AuditId;
use anteroom_domain::reference::RequestReference;
use jiff::Timestamp;
use std::net::IpAddr;
use uuid::Uuid;

/// When, from which address and under which reference a request came.
#[derive(Clone, Debug)]
pub struct AuditContext {
    pub now: Timestamp,
    pub address: Option<IpAddr>,
    pub reference: Option<RequestReference>,
    pub random: Random,
}

impl AuditContext {
    /// For background work, or a command of an operator.
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
            ip_address: self.address,
            reference: self.reference,
            event,
        }
    }
}
