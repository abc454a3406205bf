//! Whether a database is still the one that a node has seen, or went back to an earlier state: a backup was restored under
//! running nodes, or a standby took over that had not received everything.
//!
//! What then is good again in it (an old password, a disabled account, a session that was signed out, a key that was
//! withdrawn) must not be served. A database only ever goes forward in what is compared here: the audit chain grows and no
//! link of it changes, the counters of keys and clients rise, and so does the timeline of a PostgreSQL server. The epoch rises
//! when an operator accepts a database that went back; from then on it is a new beginning.

use crate::audit_trail::chain::ChainLink;
use anteroom_crypto::KeyedDigest;

/// What a node remembers of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabasePosition {
    /// An operator's acceptance sets it to the time in milliseconds, so it is greater than every earlier value.
    pub database_epoch: i64,
    /// The last link of the audit chain.
    pub end: ChainLink,
    pub keys_version: i64,
    pub clients_revision: i64,
    /// Rises when a PostgreSQL standby is promoted. `None`: SQLite, or a server that does not tell.
    pub timeline: Option<u32>,
}

/// The database as it is now, and at the place that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseReading {
    pub now: DatabasePosition,
    /// What is in the chain at the number that is remembered. `None`: nothing.
    pub at_remembered: Option<KeyedDigest>,
    /// Entries up to this number were removed because they were old.
    pub pruned: u64,
    /// Another node has found that the database went back, and had seen the chain up to this number.
    pub reported: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseContinuity {
    /// The database is where it was, or further.
    Continuous,
    /// An operator has accepted a database that went back. All that is remembered of the one before is void.
    Accepted,
    WentBack(DatabaseRollback),
}

/// What proves the rollback: the first thing found that went backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseRollback {
    #[error("the audit trail reached up to entry {seen}, and ends at {found}")]
    Ends { seen: u64, found: u64 },
    #[error("entry {at} of the audit trail is another than it was")]
    OtherTrail { at: u64 },
    #[error("keys were changed {seen} times, and only {found} of these changes are there")]
    Keys { seen: i64, found: i64 },
    #[error("registered clients were changed {seen} times, and only {found} of these changes are there")]
    Clients { seen: i64, found: i64 },
    #[error(
        "the server was on timeline {seen}, and is on {found}: this is an older primary that was replaced"
    )]
    Timeline { seen: u32, found: u32 },
    #[error("its epoch was {seen}, and is {found}: it is from before an operator accepted another")]
    Epoch { seen: i64, found: i64 },
    #[error("another node has seen its audit trail reach up to entry {seen}")]
    Reported { seen: u64 },
    /// Found after an operator has accepted the database: this node would seal under keys that are not in it.
    #[error("the keys sealed in it are others than those that this node has opened: start this node again")]
    SealedKeys,
}

impl DatabasePosition {
    /// Nothing is remembered but what is in the checkpoints file, if anything is.
    pub fn at_start(epoch: i64, checkpoint: Option<ChainLink>) -> Self {
        let end = checkpoint.unwrap_or_else(ChainLink::beginning);
        Self { database_epoch: epoch, end, keys_version: 0, clients_revision: 0, timeline: None }
    }

    pub fn continuity(&self, found: &DatabaseReading) -> DatabaseContinuity {
        let now = &found.now;
        if now.database_epoch > self.database_epoch {
            return DatabaseContinuity::Accepted;
        }
        match self.behind(found) {
            Some(why) => DatabaseContinuity::WentBack(why),
            None => DatabaseContinuity::Continuous,
        }
    }

    /// What to remember from now on, of a database that went on or was accepted.
    #[must_use]
    pub fn follow(&self, now: DatabasePosition) -> DatabasePosition {
        let known = if now.database_epoch == self.database_epoch { self.timeline } else { None };
        DatabasePosition { timeline: now.timeline.or(known), ..now }
    }

    fn behind(&self, found: &DatabaseReading) -> Option<DatabaseRollback> {
        let now = &found.now;
        if now.database_epoch < self.database_epoch {
            return Some(DatabaseRollback::Epoch { seen: self.database_epoch, found: now.database_epoch });
        }
        if let (Some(seen), Some(found)) = (self.timeline, now.timeline)
            && found < seen
        {
            return Some(DatabaseRollback::Timeline { seen, found });
        }
        if now.end.seq < self.end.seq {
            return Some(DatabaseRollback::Ends { seen: self.end.seq, found: now.end.seq });
        }
        // A beginning has no entry, and what was pruned has none any more.
        let is_there = self.end.seq > 0 && self.end.seq > found.pruned;
        if is_there && found.at_remembered != Some(self.end.digest) {
            return Some(DatabaseRollback::OtherTrail { at: self.end.seq });
        }
        if now.keys_version < self.keys_version {
            return Some(DatabaseRollback::Keys { seen: self.keys_version, found: now.keys_version });
        }
        if now.clients_revision < self.clients_revision {
            return Some(DatabaseRollback::Clients {
                seen: self.clients_revision,
                found: now.clients_revision,
            });
        }
        found.reported.map(|seen| DatabaseRollback::Reported { seen })
    }
}

/// The epoch of an instance whose database is accepted at this time: above the one that is there, and above those of other
/// states of the same database that were accepted before.
pub fn next_database_epoch(epoch: i64, now: jiff::Timestamp) -> i64 {
    epoch.saturating_add(1).max(now.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_crypto::sha256;

    fn link(seq: u64, trail: &str) -> ChainLink {
        ChainLink { seq, digest: sha256(trail, &seq.to_be_bytes()) }
    }

    const EPOCH: i64 = 1_000;

    fn seen(seq: u64) -> DatabasePosition {
        DatabasePosition {
            database_epoch: EPOCH,
            end: link(seq, "one"),
            keys_version: 5,
            clients_revision: 7,
            timeline: Some(2),
        }
    }

    fn found(seq: u64, at_remembered: Option<ChainLink>) -> DatabaseReading {
        let at_remembered = at_remembered.map(|link| link.digest);
        DatabaseReading { now: seen(seq), at_remembered, pruned: 0, reported: None }
    }

    #[test]
    fn a_database_goes_forward_or_it_went_back() {
        use DatabaseContinuity::{Accepted, Continuous, WentBack as Back};
        let same = found(10, Some(link(10, "one")));
        let with = |change: fn(&mut DatabaseReading)| {
            let mut changed = same;
            change(&mut changed);
            changed
        };
        for (found, expected) in [
            (same, Continuous),
            (found(12, Some(link(10, "one"))), Continuous),
            (found(9, None), Back(DatabaseRollback::Ends { seen: 10, found: 9 })),
            (found(0, None), Back(DatabaseRollback::Ends { seen: 10, found: 0 })),
            (found(12, Some(link(10, "two"))), Back(DatabaseRollback::OtherTrail { at: 10 })),
            (found(12, None), Back(DatabaseRollback::OtherTrail { at: 10 })),
            (DatabaseReading { pruned: 10, ..found(12, None) }, Continuous),
            (with(|found| found.now.keys_version = 4), Back(DatabaseRollback::Keys { seen: 5, found: 4 })),
            (
                with(|found| found.now.clients_revision = 6),
                Back(DatabaseRollback::Clients { seen: 7, found: 6 }),
            ),
            (with(|found| found.now.timeline = Some(3)), Continuous),
            (with(|found| found.now.timeline = None), Continuous),
            (
                with(|found| found.now.timeline = Some(1)),
                Back(DatabaseRollback::Timeline { seen: 2, found: 1 }),
            ),
            (
                with(|found| found.now.database_epoch = 999),
                Back(DatabaseRollback::Epoch { seen: EPOCH, found: 999 }),
            ),
            (with(|found| found.reported = Some(20)), Back(DatabaseRollback::Reported { seen: 20 })),
            // Whatever it looks like.
            (
                DatabaseReading {
                    now: DatabasePosition { database_epoch: 1_001, ..seen(3) },
                    reported: Some(20),
                    ..found(3, None)
                },
                Accepted,
            ),
        ] {
            assert_eq!(seen(10).continuity(&found), expected, "{found:?}");
        }
    }

    #[test]
    fn at_start_the_checkpoint_is_the_memory() {
        let database = found(10, Some(link(10, "one")));
        assert_eq!(
            DatabasePosition::at_start(EPOCH, None).continuity(&database),
            DatabaseContinuity::Continuous
        );
        assert_eq!(
            DatabasePosition::at_start(EPOCH, Some(link(10, "one"))).continuity(&database),
            DatabaseContinuity::Continuous
        );
        let ahead = DatabasePosition::at_start(EPOCH, Some(link(11, "one"))).continuity(&database);
        assert_eq!(ahead, DatabaseContinuity::WentBack(DatabaseRollback::Ends { seen: 11, found: 10 }));
    }

    #[test]
    fn a_timeline_that_is_not_told_is_not_forgotten_until_the_database_is_accepted() {
        let untold = DatabasePosition { timeline: None, ..seen(11) };
        assert_eq!(seen(10).follow(untold).timeline, Some(2));
        assert_eq!(seen(10).follow(DatabasePosition { database_epoch: EPOCH + 1, ..untold }).timeline, None);
    }

    #[test]
    fn an_epoch_is_above_that_of_any_state_that_was_accepted_before() {
        let at = |millis| jiff::Timestamp::from_millisecond(millis).unwrap();
        assert_eq!(next_database_epoch(0, at(5_000)), 5_000);
        // Two in one millisecond, or under a clock that was set back.
        assert_eq!(next_database_epoch(5_000, at(5_000)), 5_001);
    }
}
