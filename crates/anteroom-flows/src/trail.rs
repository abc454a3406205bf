//! Audit entries, filled in from the request that caused them.

use anteroom_crypto::Random;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::AuditId;
use anteroom_domain::reference::Reference;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

use crate::error::FlowError;
use crate::provider::Provider;
use crate::tallies::Tally;
use crate::visitor::{Visitor, new_id};

/// From where and when an act came: the part of an entry that is the same for all entries of a request.
#[derive(Clone, Debug)]
pub struct Origin {
    pub now: Timestamp,
    pub address: Option<IpAddr>,
    pub reference: Option<Reference>,
    pub random: Random,
}

impl Origin {
    pub fn of(visitor: &Visitor, random: &Random) -> Self {
        Self {
            now: visitor.now,
            address: Some(visitor.address),
            reference: Some(visitor.reference),
            random: random.clone(),
        }
    }

    /// An act of Anteroom itself or of an operator at the shell.
    pub fn local(now: Timestamp, random: &Random) -> Self {
        Self { now, address: None, reference: None, random: random.clone() }
    }

    pub fn entry(&self, actor: Actor, event: Event) -> AuditEntry {
        AuditEntry {
            id: AuditId(new_id(&self.random, self.now)),
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
pub async fn note_refusal(provider: &Provider, entry: AuditEntry) -> Result<(), FlowError> {
    if !provider.tallies.may_write(entry.address, entry.subject) {
        provider.tallies.count(Tally::Refusals);
        return Ok(());
    }
    let write = provider.store.write(move |tx| {
        let entry = entry.clone();
        async move { Ok::<_, FlowError>(tx.append(&entry).await?) }
    });
    write.await
}

/// Once a minute, and before stopping: what was counted becomes entries of the trail.
pub async fn write_tallies(provider: &Provider) -> Result<(), FlowError> {
    let counts = provider.tallies.take();
    if counts.is_empty() {
        return Ok(());
    }
    let origin = Origin::local(provider.clock.now(), &provider.random);
    let entries: Arc<[AuditEntry]> =
        counts.into_iter().map(|(tally, count)| tally_entry(&origin, tally, count)).collect();
    let write = provider.store.write(move |tx| {
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
fn tally_entry(origin: &Origin, tally: Tally, count: u32) -> AuditEntry {
    if let Tally::RateLimited(limit) = tally {
        tracing::info!(limit, count, "turned away since the last such line");
    }
    match tally {
        Tally::ClientTokens(client) => {
            origin.entry(Actor::Client, Event::ClientTokensGranted { count }).by_client(&client)
        }
        Tally::RateLimited(scope) => origin.entry(Actor::System, Event::RateLimited { scope, count }),
        Tally::Refusals => {
            origin.entry(Actor::System, Event::RateLimited { scope: "refused_requests", count })
        }
    }
}
