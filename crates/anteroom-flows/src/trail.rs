//! Audit entries, filled in from the request that caused them.

use anteroom_crypto::Random;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::AuditId;
use anteroom_domain::reference::Reference;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

use crate::call::Call;
use crate::error::FlowError;
use crate::tallies::Tally;

/// From where and when an act came: the part of an entry that is the same for all entries of a request.
#[derive(Clone, Debug)]
pub struct AuditContext {
    pub now: Timestamp,
    pub address: Option<IpAddr>,
    pub reference: Option<Reference>,
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

/// Writes down a request that was refused, unless its address, or the account that it is about, has had its share for this
/// minute.
pub async fn note_refusal(call: &Call, entry: AuditEntry) -> Result<(), FlowError> {
    if !call.provider().tallies.may_write(entry.address, entry.subject) {
        call.provider().tallies.count(Tally::Refusals);
        return Ok(());
    }
    let write = call.store().write(move |tx| {
        let entry = entry.clone();
        async move { Ok::<_, FlowError>(tx.append(&entry).await?) }
    });
    write.await
}

/// Once a minute, and before stopping: what was counted becomes entries of the trail.
pub async fn write_tallies(call: &Call) -> Result<(), FlowError> {
    let counts = call.provider().tallies.take();
    if counts.is_empty() {
        return Ok(());
    }
    let audit = call.audit();
    let entries: Arc<[AuditEntry]> =
        counts.into_iter().map(|(tally, count)| tally_entry(audit, tally, count)).collect();
    let write = call.store().write(move |tx| {
        let entries = Arc::clone(&entries);
        async move {
            for entry in &*entries {
                tx.append(entry).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await
}

/// In the log as well, which has no line for each.
fn tally_entry(audit: &AuditContext, tally: Tally, count: u32) -> AuditEntry {
    if let Tally::RateLimited(limit) = tally {
        tracing::info!(limit, count, "turned away since the last such line");
    }
    match tally {
        Tally::ClientTokens(client) => {
            audit.entry(Actor::Client, Event::ClientTokensGranted { count }).by_client(&client)
        }
        Tally::RateLimited(scope) => audit.entry(Actor::System, Event::RateLimited { scope, count }),
        Tally::Refusals => {
            audit.entry(Actor::System, Event::RateLimited { scope: "refused_requests", count })
        }
    }
}
