//! What slows down guessing, the same for every form that anybody may send: an allowance for each address prefix, counted
//! in the attempt's own transaction, and a floor under the time that an answer takes.

use anteroom_domain::rate::{AddressPrefix, RateLimit, Wait, limits_for};
use anteroom_storage::Tx;
use jiff::Timestamp;
use std::time::Duration;

use crate::error::FlowError;
use crate::provider::{Provider, Snapshot};
use crate::tallies::Tally;
use crate::visitor::Visitor;

/// The counters that an attempt from an address moves.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    scope: &'static str,
    now: Timestamp,
    limits: Vec<(AddressPrefix, RateLimit)>,
}

impl Windows {
    pub(crate) fn of(
        provider: &Provider,
        visitor: &Visitor,
        (scope, limit): (&'static str, RateLimit),
    ) -> Self {
        let limits = limits_for(visitor.address, limit, &provider.snapshot().policy.own_networks).collect();
        Self { scope, now: visitor.now, limits }
    }

    /// Before anything expensive.
    pub(crate) async fn admit(&self, provider: &Provider) -> Result<Result<(), Wait>, FlowError> {
        for (prefix, limit) in &self.limits {
            let counts = provider.store.counts(self.scope, &prefix.to_string(), *limit, self.now).await?;
            if let Err(wait) = limit.admit(counts, self.now) {
                provider.tallies.count(Tally::RateLimited(self.scope));
                return Ok(Err(wait));
            }
        }
        Ok(Ok(()))
    }

    pub(crate) async fn count(&self, tx: &Tx) -> Result<(), FlowError> {
        for (prefix, limit) in &self.limits {
            tx.count(self.scope, &prefix.to_string(), limit.window_start(self.now), 1).await?;
        }
        Ok(())
    }
}

/// An answer that must not tell comes no sooner than the floor: what was behind it cannot be timed.
pub(crate) async fn wait_for_floor(started: tokio::time::Instant, snapshot: &Snapshot) {
    let floor = Duration::try_from(snapshot.policy.sign_in.failure_floor).unwrap_or_default();
    tokio::time::sleep_until(started + floor).await;
}
