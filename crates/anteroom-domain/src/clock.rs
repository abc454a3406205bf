//! The one source of time. The system's at the edge of a running server, a hand-set one in tests; below the edge, time
//! is a parameter.

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is moved. Clones share the same time.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.as_millisecond()))))
    }

    /// The present, in whole milliseconds: what the store can keep, so that a value read back equals the one written.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that owns the ambient clock"
            )]
            Source::System => Timestamp::now().as_millisecond(),
            Source::Manual(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a manual clock; the system's clock cannot be moved and stays.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Manual(millis) = &self.0 {
            let step = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(step, Ordering::SeqCst);
        }
    }
}

/// How far this clock is ahead of another one that showed `theirs` at some moment between `before` and `after`; zero
/// where the two may have agreed. A slow answer alone never counts as a difference.
pub fn ahead_of(theirs: Timestamp, before: Timestamp, after: Timestamp) -> SignedDuration {
    if theirs < before {
        before.duration_since(theirs)
    } else if theirs > after {
        after.duration_since(theirs)
    } else {
        SignedDuration::ZERO
    }
}

/// A difference between wall clock and monotonic clock above this means that the clock was set; a smaller one that it was read
/// late.
const JUMP: SignedDuration = SignedDuration::from_mins(1);
/// After the clock jumped, nothing is expired or deleted for this long: the operator gets time to correct it.
const SETTLING: Duration = Duration::from_mins(10);

/// Compares the progress of the wall clock with that of a stopwatch.
#[derive(Clone, Debug, Default)]
pub struct ClockMonitor {
    last: Option<(Timestamp, Duration)>,
    settled_from: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStatus {
    Steady,
    /// By so much since the last look; backwards where negative.
    Jumped(SignedDuration),
    /// It jumped a while ago.
    Settling,
}

impl ClockMonitor {
    /// `stopwatch` has run without a break since some moment that stays the same.
    pub fn observe(&mut self, wall: Timestamp, stopwatch: Duration) -> ClockStatus {
        let jump = self.last.map_or(SignedDuration::ZERO, |(last_wall, last_stopwatch)| {
            let passed = SignedDuration::try_from(stopwatch.saturating_sub(last_stopwatch));
            wall.duration_since(last_wall).saturating_sub(passed.unwrap_or(SignedDuration::MAX))
        });
        self.last = Some((wall, stopwatch));
        if jump.unsigned_abs() > JUMP.unsigned_abs() {
            self.settled_from = stopwatch.saturating_add(SETTLING);
            return ClockStatus::Jumped(jump);
        }
        if stopwatch < self.settled_from { ClockStatus::Settling } else { ClockStatus::Steady }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_makes_no_clock_differ() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for (theirs, before, after, expected) in [
            (100, 100, 100, 0),
            (103, 100, 109, 0),
            (30, 100, 109, 70),
            (119, 100, 109, -10),
            (709, 100, 109, -600),
        ] {
            let ahead = ahead_of(at(theirs), at(before), at(after));
            assert_eq!(ahead, SignedDuration::from_secs(expected), "{theirs}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_not_believed_for_ten_minutes() {
        let mut watch = ClockMonitor::default();
        let jumped = |seconds| ClockStatus::Jumped(SignedDuration::from_secs(seconds));
        // Seconds of the wall clock, seconds of the stopwatch.
        for (wall, stopwatch, expected) in [
            (1_000_000, 0, ClockStatus::Steady),
            (1_000_060, 60, ClockStatus::Steady),
            (1_000_179, 120, ClockStatus::Steady),
            (1_090_000, 180, jumped(89_761)),
            (1_090_060, 240, ClockStatus::Settling),
            (1_090_599, 779, ClockStatus::Settling),
            (1_090_600, 780, ClockStatus::Steady),
            (1_000_840, 840, jumped(-89_820)),
            (1_000_900, 900, ClockStatus::Settling),
            (1_001_440, 1_440, ClockStatus::Steady),
            // A round that came late is no jump.
            (1_008_640, 8_640, ClockStatus::Steady),
        ] {
            let wall = Timestamp::from_second(wall).unwrap();
            assert_eq!(watch.observe(wall, Duration::from_secs(stopwatch)), expected, "{stopwatch}");
        }
    }
}
