//! One key takes the place of others. Keys that sign and keys that are encrypted to follow each other alike, at paces of
//! their own; what each does about its table is in `keys` and `encryption_keys`.
//!
//! Pure, so that it can be tested over time. Invariant: where a key serves now, one serves until the next does.

use anteroom_domain::audit::Actor;
use jiff::{SignedDuration, Timestamp};

/// Why other keys are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationTrigger {
    /// The oldest have served their time, or there are none yet.
    Schedule,
    Operator(RotationReason),
}

/// Why an operator wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationReason {
    /// Ahead of the schedule: the new keys serve once all nodes and clients can know them, so that none meets an unknown one.
    Planned,
    /// The old ones may be in wrong hands: the new keys serve at once. Nothing that the old ones signed is believed from now
    /// on, however young.
    Compromised,
}

impl RotationTrigger {
    pub(crate) const fn actor(self) -> Actor {
        match self {
            Self::Schedule => Actor::System,
            Self::Operator(_) => Actor::Operator,
        }
    }
}

/// When a key serves, and how long it is kept after that. One that signs is then published still; one that others encrypt to
/// serves while it is published, and then decrypts still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyPeriod<'a> {
    pub(crate) kid: &'a str,
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) kept_until: Option<Timestamp>,
}

impl KeyPeriod<'_> {
    fn serves(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// How keys of one purpose follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RotationSchedule {
    pub(crate) every: SignedDuration,
    /// How long before it serves a key is made: by the schedule, and where an operator asks.
    pub(crate) lead_of_schedule: SignedDuration,
    pub(crate) lead_of_operator: SignedDuration,
    /// How long a key is kept after it has served, and after a leak.
    pub(crate) overlap: SignedDuration,
    pub(crate) overlap_after_leak: SignedDuration,
}

/// What is to happen to the keys of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RotationStep {
    /// A key is made.
    Make(KeyReplacement),
    /// The schedule has made one already, and it serves sooner than it would have.
    BringForward { kid: String, succession: KeyReplacement },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyReplacement {
    /// When the new key serves, and the others do not any more.
    pub(crate) from: Timestamp,
    /// Key ids.
    pub(crate) retiring: Vec<String>,
    /// Until when those are kept.
    pub(crate) kept_until: Timestamp,
}

impl RotationSchedule {
    /// What is to happen to the keys of one kind. `None`: nothing is due.
    pub(crate) fn change(
        &self,
        terms: &[KeyPeriod<'_>],
        occasion: RotationTrigger,
        now: Timestamp,
    ) -> Option<RotationStep> {
        match occasion {
            RotationTrigger::Schedule => {
                // What has its end already was replaced, served or not.
                let newest = terms.iter().filter(|term| term.until.is_none()).map(|term| term.from).max();
                let rest = self.every - self.lead_of_schedule;
                let is_due = newest.is_none_or(|newest| now.duration_since(newest) >= rest);
                is_due.then(|| RotationStep::Make(self.planned(terms, self.lead_of_schedule, now)))
            }
            RotationTrigger::Operator(RotationReason::Planned) => {
                let succession = self.planned(terms, self.lead_of_operator, now);
                let Some(waiting) = next_key(terms, now) else { return Some(RotationStep::Make(succession)) };
                // The waiting key serves as early as a new key would, so a new one would never be used.
                (waiting.from > succession.from).then(|| RotationStep::BringForward {
                    kid: waiting.kid.to_owned(),
                    succession: succession.without(waiting.kid),
                })
            }
            RotationTrigger::Operator(RotationReason::Compromised) => {
                let gone = now.checked_add(self.overlap_after_leak).unwrap_or(Timestamp::MAX);
                // None is kept longer for it.
                let is_kept = |term: &KeyPeriod<'_>| term.kept_until.is_none_or(|until| until > gone);
                Some(RotationStep::Make(KeyReplacement::new(terms, is_kept, now, self.overlap_after_leak)))
            }
        }
    }

    fn planned(&self, terms: &[KeyPeriod<'_>], lead: SignedDuration, now: Timestamp) -> KeyReplacement {
        // Where none serves, no client can meet an unknown one, and a request may be waiting.
        let lead = if terms.iter().any(|term| term.serves(now)) { lead } else { SignedDuration::ZERO };
        let from = now.checked_add(lead).unwrap_or(Timestamp::MAX);
        // What stops earlier anyway keeps its time.
        KeyReplacement::new(terms, |term| term.until.is_none_or(|until| until > from), from, self.overlap)
    }
}

/// The successor that was made and does not serve yet.
pub(crate) fn next_key<'t, 'a>(terms: &'t [KeyPeriod<'a>], now: Timestamp) -> Option<&'t KeyPeriod<'a>> {
    terms.iter().filter(|term| term.until.is_none() && term.from > now).max_by_key(|term| term.from)
}

impl KeyReplacement {
    fn without(mut self, kid: &str) -> Self {
        self.retiring.retain(|retiring| retiring != kid);
        self
    }

    fn new(
        terms: &[KeyPeriod<'_>],
        retires: impl Fn(&KeyPeriod<'_>) -> bool,
        from: Timestamp,
        overlap: SignedDuration,
    ) -> Self {
        let retiring = terms.iter().filter(|term| retires(term)).map(|term| term.kid.to_owned()).collect();
        Self { from, retiring, kept_until: from.checked_add(overlap).unwrap_or(Timestamp::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60;
    const NOW: i64 = 1_000 * DAY;
    const PACE: RotationSchedule = RotationSchedule {
        every: SignedDuration::from_hours(24 * 90),
        lead_of_schedule: SignedDuration::from_hours(24 * 7),
        lead_of_operator: SignedDuration::from_mins(6),
        overlap: SignedDuration::from_hours(24 * 7),
        overlap_after_leak: SignedDuration::ZERO,
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn term(
        kid: &'static str,
        (from, until): (i64, Option<i64>),
        kept_until: Option<i64>,
    ) -> KeyPeriod<'static> {
        KeyPeriod { kid, from: at(from), until: until.map(at), kept_until: kept_until.map(at) }
    }

    fn succession(from: i64, retiring: &[&str], kept_until: i64) -> KeyReplacement {
        let retiring = retiring.iter().map(|kid| (*kid).to_owned()).collect();
        KeyReplacement { from: at(from), retiring, kept_until: at(kept_until) }
    }

    #[test]
    fn a_planned_key_waits_for_old_lists_and_one_after_a_leak_does_not() {
        let signing = term("signing", (0, None), None);
        let next = term("next", (NOW + DAY, None), None);
        let leaving = term("leaving", (0, Some(NOW + DAY)), Some(NOW + 8 * DAY));
        let done = term("done", (0, Some(NOW - DAY)), Some(NOW + 6 * DAY));
        let gone = term("gone", (0, Some(NOW - 9 * DAY)), Some(NOW - 2 * DAY));
        let (planned, leak) = (RotationReason::Planned, RotationReason::Compromised);
        for (keys, reason, from, retiring) in [
            (vec![signing], planned, NOW + 6, vec!["signing"]),
            (vec![signing, done, gone], planned, NOW + 6, vec!["signing"]),
            // No key serves that would be waited for.
            (vec![], planned, NOW, vec![]),
            (vec![gone], planned, NOW, vec![]),
            (vec![leaving, next, done, gone], leak, NOW, vec!["leaving", "next", "done"]),
        ] {
            let kept_until = if reason == planned { from + 7 * DAY } else { NOW };
            let found = PACE.change(&keys, RotationTrigger::Operator(reason), at(NOW));
            assert_eq!(found, Some(RotationStep::Make(succession(from, &retiring, kept_until))), "{keys:?}");
        }
    }

    #[test]
    fn an_operator_makes_no_key_while_a_successor_waits() {
        let planned = RotationTrigger::Operator(RotationReason::Planned);
        let leaving = term("leaving", (0, Some(NOW + DAY)), Some(NOW + 8 * DAY));
        let next = |from| term("next", (from, None), None);
        // One that the schedule made serves sooner.
        let forward = RotationStep::BringForward {
            kid: "next".to_owned(),
            succession: succession(NOW + 6, &["leaving"], NOW + 6 + 7 * DAY),
        };
        assert_eq!(PACE.change(&[leaving, next(NOW + DAY)], planned, at(NOW)), Some(forward));
        // One of another operator serves as soon as a new one would, or before.
        for from in [NOW + 6, NOW + 3, NOW + 1] {
            let signing = term("signing", (0, Some(from)), Some(from + 7 * DAY));
            assert_eq!(PACE.change(&[signing, next(from)], planned, at(NOW)), None, "{from}");
        }
    }

    #[test]
    fn the_schedule_makes_the_next_one_in_time_and_the_first_at_once() {
        let scheduled =
            |keys: &[KeyPeriod<'_>], now| match PACE.change(keys, RotationTrigger::Schedule, at(now)) {
                Some(RotationStep::Make(succession)) => Some(succession),
                Some(RotationStep::BringForward { .. }) => panic!("the schedule brings nothing forward"),
                None => None,
            };
        assert_eq!(scheduled(&[], NOW), Some(succession(NOW, &[], NOW + 7 * DAY)));
        let (first, second) = (term("first", (0, None), None), term("second", (90 * DAY, None), None));
        assert_eq!(scheduled(&[first], 83 * DAY - 1), None);
        assert_eq!(scheduled(&[first], 83 * DAY), Some(succession(90 * DAY, &["first"], 97 * DAY)));
        assert_eq!(scheduled(&[first, second], 84 * DAY), None);
        // After years without a start: the last one still serves, and lists of keys are as old as ever.
        assert_eq!(scheduled(&[first], NOW), Some(succession(NOW + 7 * DAY, &["first"], NOW + 14 * DAY)));
        // An operator was faster than the schedule, whose key never served.
        let replaced = term("replaced", (NOW + DAY, Some(NOW)), Some(NOW + 7 * DAY));
        let instead = term("instead", (NOW - 83 * DAY, None), None);
        assert_eq!(
            scheduled(&[replaced, instead], NOW),
            Some(succession(NOW + 7 * DAY, &["instead"], NOW + 14 * DAY))
        );
    }
}
