//! Entries of the audit trail that stand alone: refusals, and what was only counted.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_storage::{Tx, Unit};

use crate::audit::context::AuditContext;
use crate::audit::counters::AuditCounter;
use crate::context::call::Call;
use crate::error::FlowError;

/// Writes down a request that was refused, unless its address, or the account that it is about, has had its share for this
/// minute.
pub async fn note_refusal(call: &Call, entry: AuditEntry) -> Result<(), FlowError> {
    if !call.provider().tallies.may_write(entry.address, entry.subject) {
        call.provider().tallies.count(AuditCounter::Refusals);
        return Ok(());
    }
    call.store().run(AppendEntries(vec![entry])).await.1
}

/// Entries that stand alone.
struct AppendEntries(Vec<AuditEntry>);

impl Unit for AppendEntries {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "append_entries";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        Ok(tx.append_all(&self.0).await?)
    }
}

/// Once a minute, and before stopping: what was counted becomes entries of the trail.
pub async fn write_audit_counters(call: &Call) -> Result<(), FlowError> {
    let counts = call.provider().tallies.take();
    if counts.is_empty() {
        return Ok(());
    }
    let audit = call.audit();
    let entries = counts.into_iter().map(|(tally, count)| counter_entry(audit, tally, count)).collect();
    call.store().run(AppendEntries(entries)).await.1
}

/// In the log as well, which has no line for each.
fn counter_entry(audit: &AuditContext, tally: AuditCounter, count: u32) -> AuditEntry {
    if let AuditCounter::RateLimited(limit) = tally {
        tracing::info!(limit, count, "turned away since the last such line");
    }
    match tally {
        AuditCounter::ClientTokens(client) => {
            audit.entry(Actor::Client, Event::ClientTokensGranted { count }).by_client(&client)
        }
        AuditCounter::RateLimited(scope) => audit.entry(Actor::System, Event::RateLimited { scope, count }),
        AuditCounter::Refusals => {
            audit.entry(Actor::System, Event::RateLimited { scope: "refused_requests", count })
        }
    }
}
