//! What this node remembers of configured clients: the configuration whose clients it has written to the database, and since
//! when a client of the table `configured_clients` has been absent from the configuration.

use anteroom_oidc::ClientId;
use anteroom_storage::ConfiguredClient;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The configuration whose clients this node has noted, and the clients that are absent from it.
#[derive(Debug, Default)]
pub(crate) struct ConfiguredClientTracker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Digest of the configuration whose clients this node has noted.
    pub(crate) digest: Option<String>,
    /// Since when this node has seen that a client of the table is not in its configuration.
    pub(crate) absent_since: HashMap<ClientId, Timestamp>,
}

impl ConfiguredClientTracker {
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Of the clients in the table that are not configured, those that this node has not had for at least `after`.
    pub(crate) fn absent(
        &self,
        absent: Vec<ConfiguredClient>,
        after: SignedDuration,
        now: Timestamp,
    ) -> Vec<ClientId> {
        self.with(|state| {
            state.absent_since.retain(|client, _| absent.iter().any(|row| row.client == *client));
            let mut long = Vec::new();
            for ConfiguredClient { client, .. } in absent {
                match state.absent_since.get(&client) {
                    Some(since) if now.duration_since(*since) >= after => long.push(client),
                    Some(_) => {}
                    None => drop(state.absent_since.insert(client, now)),
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
        let tracker = ConfiguredClientTracker::default();
        let at = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let row = || ConfiguredClient { client: "gone".parse().unwrap(), subjects: None, seen_at: at(0) };
        let absent = |rows, minute| tracker.absent(rows, SignedDuration::from_mins(10), at(minute)).len();
        let absent_at = |minute| absent(vec![row()], minute);
        // Not seen for an hour, but this node has only just started.
        assert_eq!([absent_at(60), absent_at(69), absent_at(70)], [0, 0, 1]);
        // It was configured again for a moment.
        assert_eq!(absent(Vec::new(), 71), 0);
        assert_eq!([absent_at(72), absent_at(81), absent_at(82)], [0, 0, 1]);
    }
}
