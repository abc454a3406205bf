//! What is known of whether this node can serve. Checks in the background write down what they find; `/readyz` and the guard
//! read it from memory, so their answer does not wait for a database that may be what is wrong.
//!
//! Each [`Check`] has one reason at most, which stands until the same check finds nothing wrong. What it knows grows old: a
//! database that was not heard of for five seconds is a reason by itself. A command or a test runs no background checks, so it
//! is ready.

use anteroom_domain::clock::Clock;
use anteroom_domain::database_rollback::DatabaseRollback;
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How far a node's clock may be from the database's.
pub(crate) const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);
/// How long the database's last response counts as current.
const LIFETIME: Duration = Duration::from_secs(5);

/// What is looked at. Another one is a variant here, its reasons are variants of [`NotReady`], and its finding is handed to
/// [`Readiness::note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Whether the files of an SQLite database are those that were opened.
    Files,
    /// Whether the database answers.
    Database,
    /// Whether a write is committed.
    Writes,
    Clock,
    /// Whether all nodes run with the same configuration.
    Configuration,
}

impl Check {
    /// For the log, once its reason is over.
    pub(crate) const fn passes_again(self) -> &'static str {
        match self {
            Self::Files => "the files of the database are those that were opened",
            Self::Database => "the database answers again",
            Self::Writes => "the database commits writes again",
            Self::Clock => "the clock agrees with the database's again",
            Self::Configuration => "all nodes run with the same configuration again",
        }
    }
}

/// Why this node should not be sent requests. The words go to any caller of `/readyz`; details are in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("a file of the database was removed or replaced while it is open; only a restart ends this")]
    FilesReplaced,
    #[error("the database does not answer")]
    Database,
    #[error("the database is a standby, which takes no writes")]
    Standby,
    #[error("the database is set to read-only")]
    ReadOnly,
    #[error("the database does not commit writes")]
    Writes,
    #[error(
        "the database went back to an earlier state: {0}. Nothing is served until an operator has looked; see `anteroom database \
         accept`"
    )]
    WentBack(DatabaseRollback),
    #[error("the clock is {0} seconds off the database's")]
    Clock(i64),
    /// For five seconds, or since a connection broke: the database behind the next one may have gone back.
    #[error("it is not confirmed that keys, configuration and clients are current")]
    Unconfirmed,
    #[error("another node has run with another configuration for more than a minute")]
    Configuration,
}

impl NotReady {
    /// Whether a request that comes all the same is answered with 503. Else it is served: its answer is right, and another
    /// node would only serve it better.
    pub const fn stops_serving(&self) -> bool {
        match self {
            Self::FilesReplaced
            | Self::Database
            | Self::Standby
            | Self::ReadOnly
            | Self::Writes
            | Self::WentBack(_)
            | Self::Clock(_)
            | Self::Unconfirmed => true,
            Self::Configuration => false,
        }
    }
}

/// When the database last answered, by the monotonic and by the wall clock.
#[derive(Clone, Copy, Debug)]
struct LastDatabaseAnswer {
    at: Instant,
    /// Where the database has a clock to compare with.
    wall: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub struct Readiness {
    failed_checks: ArcSwap<BTreeMap<Check, NotReady>>,
    heard: ArcSwapOption<LastDatabaseAnswer>,
    beside_release_0_1: AtomicBool,
}

impl Readiness {
    /// What a check has found now, or that it found nothing wrong. Returns whether the finding differs from the last one of this
    /// check.
    pub fn note(&self, check: Check, found: Option<&NotReady>) -> bool {
        let before = self.failed_checks.rcu(|standing| {
            let mut next = BTreeMap::clone(standing);
            match found {
                None => next.remove(&check),
                Some(reason) => next.insert(check, reason.clone()),
            };
            next
        });
        before.get(&check) != found
    }

    /// The database answered a question that was asked `at`, when the clock, if it has to agree with the database's, showed `wall`.
    pub fn heard(&self, at: Instant, wall: Option<Timestamp>) {
        self.heard.store(Some(Arc::new(LastDatabaseAnswer { at, wall })));
    }

    pub(crate) fn note_release_0_1(&self, serves: bool) {
        self.beside_release_0_1.store(serves, Ordering::Relaxed);
    }

    /// Whether a node of release 0.1.0 serves the same database. It may get what a page of this node sends, so that page must
    /// hold what 0.1.0 can read.
    pub fn is_beside_release_0_1(&self) -> bool {
        self.beside_release_0_1.load(Ordering::Relaxed)
    }

    /// All that stands against this node at this moment.
    pub fn reasons(&self, now: Instant, clock: &Clock) -> Vec<NotReady> {
        let mut standing = BTreeMap::clone(&self.failed_checks.load());
        if let Some(heard) = self.heard.load().as_deref() {
            let age = now.saturating_duration_since(heard.at);
            if age >= LIFETIME {
                standing.insert(Check::Database, NotReady::Database);
            }
            if let Some(set) = heard.wall.and_then(|wall| was_set(wall, clock.now(), age)) {
                standing.entry(Check::Clock).or_insert(NotReady::Clock(set.as_secs()));
            }
        }
        standing.into_values().collect()
    }
}

/// A clock that agreed at `then` and has since moved by more, or by less, than the stopwatch has. It is noticed at once, and
/// not with the next comparison.
fn was_set(then: Timestamp, now: Timestamp, elapsed: Duration) -> Option<SignedDuration> {
    let elapsed = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
    let by = now.duration_since(then).saturating_sub(elapsed);
    (by.abs() > MAX_CLOCK_SKEW).then_some(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2027-01-04T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_reason_stands_until_its_own_check_finds_nothing_wrong() {
        let (readiness, clock, now) = (Readiness::default(), Clock::manual(noon()), Instant::now());
        assert!(readiness.reasons(now, &clock).is_empty());
        assert!(readiness.note(Check::Writes, Some(&NotReady::Writes)), "news");
        assert!(!readiness.note(Check::Writes, Some(&NotReady::Writes)), "known");
        assert!(!readiness.note(Check::Clock, None), "was never wrong");
        assert!(readiness.note(Check::Clock, Some(&NotReady::Clock(70))));
        assert_eq!(readiness.reasons(now, &clock), [NotReady::Writes, NotReady::Clock(70)]);
        assert!(readiness.note(Check::Writes, Some(&NotReady::Standby)), "another reason");
        assert!(readiness.note(Check::Clock, None));
        assert_eq!(readiness.reasons(now, &clock), [NotReady::Standby]);
        assert!(readiness.note(Check::Writes, None));
        assert!(readiness.reasons(now, &clock).is_empty());
    }

    #[test]
    fn a_database_that_was_not_heard_of_for_five_seconds_is_a_reason() {
        let (readiness, clock, start) = (Readiness::default(), Clock::manual(noon()), Instant::now());
        readiness.heard(start, None);
        let after = |millis| readiness.reasons(start + Duration::from_millis(millis), &clock);
        assert!(after(4_999).is_empty());
        assert_eq!(after(5_000), [NotReady::Database]);
    }

    #[test]
    fn a_clock_that_is_set_is_noticed_before_the_next_comparison() {
        for (moved, elapsed, expected) in [
            (SignedDuration::from_millis(6_000), 1_000, None),
            (SignedDuration::from_secs(70), 1_000, Some(NotReady::Clock(69))),
            (SignedDuration::from_secs(-600), 0, Some(NotReady::Clock(-600))),
            (SignedDuration::ZERO, 4_900, None),
        ] {
            let (readiness, clock, start) = (Readiness::default(), Clock::manual(noon()), Instant::now());
            readiness.heard(start, Some(noon()));
            clock.advance(moved);
            let found = readiness.reasons(start + Duration::from_millis(elapsed), &clock);
            assert_eq!(found.first(), expected.as_ref(), "{moved}");
            readiness.heard(start, None);
            assert!(readiness.reasons(start, &clock).is_empty(), "a database without a clock");
        }
    }
}
