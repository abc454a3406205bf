//! Audit entries that are written in a transaction of their own: refusals and counts.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_storage::{Tx, Unit};

use crate::audit::context::AuditContext;
use crate::audit::counters::AuditCounter;
use crate::context::call::Call;
use crate::error::FlowError;

/// Writes the audit entry of a request that was refused. Where its address, or the account that it is about, has used up its
/// entries for this minute, the refusal is only counted.
pub async fn record_refusal(call: &Call, entry: AuditEntry) -> Result<(), FlowError> {
    if is_beyond_limit(call, &entry) {
        return Ok(());
    }
    call.store().run(AppendEntries(vec![entry])).await.1
}

/// Whether the entries of this minute are used up. The refusal is counted then.
pub(crate) fn is_beyond_limit(call: &Call, entry: &AuditEntry) -> bool {
    let counters = &call.provider().counters;
    let is_beyond = !counters.may_write(entry.ip_address, entry.subject);
    if is_beyond {
        counters.count(AuditCounter::Refusals);
    }
    is_beyond
}

/// Appends audit entries, and nothing else.
struct AppendEntries(Vec<AuditEntry>);

impl Unit for AppendEntries {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "append_entries";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        Ok(tx.append_all(&self.0).await?)
    }
}

/// Writes the counts as audit entries. Called once a minute, and before stopping.
pub async fn write_audit_counters(call: &Call) -> Result<(), FlowError> {
    let counts = call.provider().counters.take();
    if counts.is_empty() {
        return Ok(());
    }
    let audit = call.audit();
    let entries = counts.into_iter().map(|(counter, count)| counter_entry(audit, counter, count)).collect();
    call.store().run(AppendEntries(entries)).await.1
}

/// The entry of one counter. Rate limits are logged here as well, because the log has no line for each refusal.
fn counter_entry(audit: &AuditContext, counter: AuditCounter, count: u32) -> AuditEntry {
    if let AuditCounter::RateLimited(limit) = counter {
        tracing::info!(limit, count, "requests refused since the last such line");
    }
    match counter {
        AuditCounter::ClientTokens(client) => {
            audit.entry(Actor::Client, Event::ClientTokensGranted { count }).by_client(&client)
        }
        AuditCounter::RateLimited(scope) => audit.entry(Actor::System, Event::RateLimited { scope, count }),
        AuditCounter::Refusals => {
            audit.entry(Actor::System, Event::RateLimited { scope: "refused_requests", count })
        }
    }
}
