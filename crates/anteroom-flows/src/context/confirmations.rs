//! Whether what this node keeps in memory is known to be current.
//!
//! Signing keys, configuration and registered clients are cached. Each second the background asks the database and the files
//! whether they have changed, and notes each answer here. A node that has had no answer for five seconds could be using keys
//! that were withdrawn or a client that was removed, so it refuses to serve until it has an answer again.
//!
//! Ages are measured with the monotonic clock, because the wall clock can be set, and does not advance by itself in tests.

use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer is valid.
const LIFETIME: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cached {
    Keys,
    Configuration,
    RegisteredClients,
    /// Whether the database has gone back to an earlier state.
    DatabaseHistory,
}

/// When each was last confirmed. A part that this process does not poll (the demo has no configuration file) cannot change, so
/// it needs no confirmation.
#[derive(Debug, Default)]
pub struct Confirmations {
    keys: ArcSwapOption<Instant>,
    configuration: ArcSwapOption<Instant>,
    registered_clients: ArcSwapOption<Instant>,
    history: ArcSwapOption<Instant>,
}

impl Confirmations {
    pub fn confirm(&self, what: Cached, at: Instant) {
        let part = match what {
            Cached::Keys => &self.keys,
            Cached::Configuration => &self.configuration,
            Cached::RegisteredClients => &self.registered_clients,
            Cached::DatabaseHistory => &self.history,
        };
        part.store(Some(Arc::new(at)));
    }

    pub fn are_recent(&self, now: Instant) -> bool {
        [&self.keys, &self.configuration, &self.registered_clients, &self.history].into_iter().all(|part| {
            let last = part.load();
            last.as_deref().is_none_or(|last| now.saturating_duration_since(*last) < LIFETIME)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_that_is_polled_must_be_confirmed_every_five_seconds() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let confirmations = Confirmations::default();
        assert!(confirmations.are_recent(after(60_000)));
        confirmations.confirm(Cached::Keys, start);
        assert!(confirmations.are_recent(after(4_999)));
        assert!(!confirmations.are_recent(after(5_000)));
        confirmations.confirm(Cached::Configuration, start);
        confirmations.confirm(Cached::Keys, after(4_000));
        assert!(confirmations.are_recent(after(4_500)));
        assert!(!confirmations.are_recent(after(6_000)));
        confirmations.confirm(Cached::Configuration, after(6_000));
        assert!(confirmations.are_recent(after(8_000)));
    }
}
