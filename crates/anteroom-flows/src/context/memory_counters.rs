//! Counts limits in the memory of a node, for requests that only read or sign. Windows and decisions are the same as for
//! the limits in the database.

use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::rate::{RateLimit, Wait, WindowCounts};
use jiff::Timestamp;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// How many subjects of a limit have a count of their own in one window, so that memory is bounded: about a megabyte for each
/// limit. All further subjects share one count, which allows `SHARED_FACTOR` times as much.
const SUBJECTS: usize = 20_000;
const SHARED_FACTOR: u32 = 10;
const SHARED: u64 = 0;

#[derive(Debug, Default)]
pub(crate) struct MemoryCounters {
    /// Subjects are kept as a hash under a random key, so that a sender cannot choose subjects that collide.
    hasher: RandomState,
    windows: Mutex<HashMap<Limit, RateWindows>>,
}

#[derive(Debug, Default)]
struct RateWindows {
    start: i64,
    current: HashMap<u64, u32>,
    previous: HashMap<u64, u32>,
}

impl MemoryCounters {
    /// Adds one to each of the checks' counts, or to none of them where one limit is used up.
    pub(crate) fn spend(&self, checks: &[RateLimitCheck], now: Timestamp) -> Result<(), (Limit, Wait)> {
        let mut all = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut subjects = Vec::with_capacity(checks.len());
        for budget in checks {
            let windows = all.entry(budget.limit).or_default();
            windows.advance(budget, now);
            let subject = windows.subject(self.hasher.hash_one(&budget.limit_key));
            windows.admit(subject, budget.rate, now).map_err(|wait| (budget.limit, wait))?;
            subjects.push((budget.limit, subject));
        }
        for (limit, subject) in subjects {
            let current = all.entry(limit).or_default().current.entry(subject).or_default();
            *current = current.saturating_add(1);
        }
        Ok(())
    }
}

impl RateWindows {
    /// Requests can arrive out of order, so one that is a little older counts in the newest window. After the clock was set
    /// back by more than a window, counting restarts.
    fn advance(&mut self, budget: &RateLimitCheck, now: Timestamp) {
        let window = budget.rate.window(now);
        if window.start == self.start
            || (window.start < self.start && window.start + window.length >= self.start)
        {
            return;
        }
        let last = std::mem::take(&mut self.current);
        self.previous = if window.previous_start == self.start { last } else { HashMap::new() };
        self.start = window.start;
    }

    fn admit(&self, subject: u64, mut rate: RateLimit, now: Timestamp) -> Result<(), Wait> {
        if subject == SHARED {
            rate.max = rate.max.saturating_mul(SHARED_FACTOR);
        }
        let count = |counts: &HashMap<u64, u32>| counts.get(&subject).copied().unwrap_or(0);
        let counts = WindowCounts { previous: count(&self.previous), current: count(&self.current) };
        rate.admit(counts, now)
    }

    fn subject(&self, subject: u64) -> u64 {
        let is_known = self.current.contains_key(&subject);
        if is_known || self.current.len() < SUBJECTS { subject } else { SHARED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn budget(subject: &str) -> RateLimitCheck {
        let rate = RateLimit { max: 2, window: SignedDuration::from_secs(60) };
        RateLimitCheck { limit: Limit::Request, limit_key: subject.to_owned(), rate }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn each_subject_has_its_own_count_and_gets_it_back_with_time() {
        let counters = MemoryCounters::default();
        let taken = |subject, second| counters.spend(&[budget(subject)], at(second)).is_ok();
        assert_eq!([taken("a", 60), taken("a", 61), taken("a", 62)], [true, true, false]);
        assert!(taken("b", 62), "another subject");
        // Half of the window before still counts: one of two.
        assert_eq!([taken("a", 150), taken("a", 150)], [true, false]);
        assert_eq!([taken("a", 300), taken("a", 300), taken("a", 300)], [true, true, false]);
    }

    #[test]
    fn a_request_that_was_overtaken_resets_nothing_and_a_clock_set_back_does() {
        let counters = MemoryCounters::default();
        let taken = |second| counters.spend(&[budget("a")], at(second)).is_ok();
        assert_eq!([taken(120), taken(120), taken(119), taken(120)], [true, true, false, false]);
        assert!(taken(10));
    }

    #[test]
    fn what_one_of_several_budgets_refuses_is_counted_by_none() {
        let counters = MemoryCounters::default();
        let wide = || RateLimitCheck { limit: Limit::ClientRequest, ..budget("all") };
        let taken = |subject| counters.spend(&[budget(subject), wide()], at(60));
        assert_eq!([taken("a").is_ok(), taken("b").is_ok()], [true, true]);
        assert!(matches!(taken("a"), Err((Limit::ClientRequest, _))));
        let mut left = 0;
        while counters.spend(&[budget("a")], at(60)).is_ok() {
            left += 1;
        }
        assert_eq!(left, 1, "the refused one did not count for its subject");
    }

    #[test]
    fn any_number_of_subjects_does_not_fill_the_memory() {
        let counters = MemoryCounters::default();
        let admitted = (0..SUBJECTS + 100)
            .filter(|number| counters.spend(&[budget(&number.to_string())], at(60)).is_ok());
        // The further subjects shared one count.
        assert_eq!(admitted.count(), SUBJECTS + 20);
        let windows = counters.windows.lock().unwrap();
        assert!(windows[&Limit::Request].current.len() <= SUBJECTS + 1);
    }
}
