//! What this node remembers of the configured clients: which configuration it has noted, and since when a client of the
//! table is not in it.

use anteroom_oidc::ClientId;
use anteroom_storage::ConfiguredClient;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What this node remembers of the configured clients.
#[derive(Debug, Default)]
pub(crate) struct ConfiguredClientTracker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Of the configuration whose clients this node has noted.
    pub(crate) digest: Option<String>,
    /// Since when this node has known a client of the table not to be in its configuration.
    pub(crate) absent_since: HashMap<ClientId, Timestamp>,
}

impl ConfiguredClientTracker {
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those of the table that are not configured, and have not been on this node for long enough.
    pub(crate) fn absent(
        &self,
        absent: &[ConfiguredClient],
        after: SignedDuration,
        now: Timestamp,
    ) -> Vec<ClientId> {
        self.with(|state| {
            state.absent_since.retain(|client, _| absent.iter().any(|row| row.client == *client));
            let mut long = Vec::new();
            for row in absent {
                let since = *state.absent_since.entry(row.client.clone()).or_insert(now);
                if now.duration_since(since) >= after {
                    long.push(row.client.clone());
                }
            }
            long
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_absent_for_as_long_as_this_node_has_run_without_it() {
        let followed = ConfiguredClientTracker::default();
        let at = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let row = ConfiguredClient { client: "gone".parse().unwrap(), subjects: None, seen_at: at(0) };
        let absent = |rows: &[ConfiguredClient], minute| {
            followed.absent(rows, SignedDuration::from_mins(10), at(minute)).len()
        };
        let rows = [row];
        // Not seen for an hour, but this node has only just begun to look.
        assert_eq!((absent(&rows, 60), absent(&rows, 69), absent(&rows, 70)), (0, 0, 1));
        // It was back for a moment.
        assert_eq!((absent(&[], 71), absent(&rows, 72), absent(&rows, 81), absent(&rows, 82)), (0, 0, 0, 1));
    }
}
