//! Decides when a key is replaced by a new one. Signing keys and encryption keys follow the same rule with schedules of their
//! own;
//! `signing_keys` and `encryption_keys` apply it to their tables.
//!
//! Pure, so that it can be tested over time. Invariant: where a key is in use now, one is in use until the next one is.

use anteroom_domain::audit::Actor;
use jiff::{SignedDuration, Timestamp};

/// Why keys are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationTrigger {
    /// The present keys have been used for as long as the schedule says, or there are none yet.
    Schedule,
    Operator(RotationReason),
}

/// Why an operator replaces keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationReason {
    /// Before the schedule does: the new keys are used once all nodes and clients can know them.
    Planned,
    /// The old private keys may have leaked: the new keys are used at once, and no signature of the old ones is accepted from now
    /// on.
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

/// When a key is in use, and how long it is kept after that. A signing key is in use while it signs, and is kept published after
/// that. An encryption key is in use while it is published, and is kept for decryption after that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyPeriod<'a> {
    pub(crate) kid: &'a str,
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) kept_until: Option<Timestamp>,
}

impl KeyPeriod<'_> {
    fn is_in_use(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// When the keys of one purpose are replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RotationSchedule {
    pub(crate) every: SignedDuration,
    /// How long before its use a key is made: by the schedule, and by an operator.
    pub(crate) lead_of_schedule: SignedDuration,
    pub(crate) lead_of_operator: SignedDuration,
    /// How long a key is kept after its use, and after a leak.
    pub(crate) overlap: SignedDuration,
    pub(crate) overlap_after_leak: SignedDuration,
}

/// A change of the keys of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RotationStep {
    /// A new key is made.
    Make(KeyReplacement),
    /// The schedule has made the next key already, and it is used sooner than it would have been.
    BringForward { kid: String, replacement: KeyReplacement },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyReplacement {
    /// When the use of the new key begins, and that of the others ends.
    pub(crate) from: Timestamp,
    /// Key ids of the replaced keys.
    pub(crate) retiring: Vec<String>,
    /// Until when the replaced keys are kept.
    pub(crate) kept_until: Timestamp,
}

impl RotationSchedule {
    /// The change that is due for the keys of one kind. `None`: nothing is due.
    pub(crate) fn change(
        &self,
        keys: &[KeyPeriod<'_>],
        trigger: RotationTrigger,
        now: Timestamp,
    ) -> Option<RotationStep> {
        match trigger {
            RotationTrigger::Schedule => {
                // A key that has an end was replaced already, whether or not it was ever used.
                let newest = keys.iter().filter(|key| key.until.is_none()).map(|key| key.from).max();
                let rest = self.every - self.lead_of_schedule;
                let is_due = newest.is_none_or(|newest| now.duration_since(newest) >= rest);
                is_due.then(|| RotationStep::Make(self.planned(keys, self.lead_of_schedule, now)))
            }
            RotationTrigger::Operator(RotationReason::Planned) => {
                let replacement = self.planned(keys, self.lead_of_operator, now);
                let Some(waiting) = next_key(keys, now) else { return Some(RotationStep::Make(replacement)) };
                // A new key that is used no earlier than the waiting one would never be used.
                (waiting.from > replacement.from).then(|| RotationStep::BringForward {
                    kid: waiting.kid.to_owned(),
                    replacement: replacement.without(waiting.kid),
                })
            }
            RotationTrigger::Operator(RotationReason::Compromised) => {
                let gone = now.checked_add(self.overlap_after_leak).unwrap_or(Timestamp::MAX);
                // A key that would be gone earlier anyway is not kept longer.
                let is_kept = |key: &KeyPeriod<'_>| key.kept_until.is_none_or(|until| until > gone);
                Some(RotationStep::Make(KeyReplacement::new(keys, is_kept, now, self.overlap_after_leak)))
            }
        }
    }

    fn planned(&self, keys: &[KeyPeriod<'_>], lead: SignedDuration, now: Timestamp) -> KeyReplacement {
        // Where no key is in use, no cached list of keys can be out of date, and requests may be waiting.
        let lead = if keys.iter().any(|key| key.is_in_use(now)) { lead } else { SignedDuration::ZERO };
        let from = now.checked_add(lead).unwrap_or(Timestamp::MAX);
        // A key whose use ends earlier anyway keeps its end.
        KeyReplacement::new(keys, |key| key.until.is_none_or(|until| until > from), from, self.overlap)
    }
}

/// The key that was made and is not in use yet.
pub(crate) fn next_key<'k, 'a>(keys: &'k [KeyPeriod<'a>], now: Timestamp) -> Option<&'k KeyPeriod<'a>> {
    keys.iter().filter(|key| key.until.is_none() && key.from > now).max_by_key(|key| key.from)
}

impl KeyReplacement {
    fn without(mut self, kid: &str) -> Self {
        self.retiring.retain(|retiring| retiring != kid);
        self
    }

    fn new(
        keys: &[KeyPeriod<'_>],
        retires: impl Fn(&KeyPeriod<'_>) -> bool,
        from: Timestamp,
        overlap: SignedDuration,
    ) -> Self {
        let retiring = keys.iter().filter(|key| retires(key)).map(|key| key.kid.to_owned()).collect();
        Self { from, retiring, kept_until: from.checked_add(overlap).unwrap_or(Timestamp::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60;
    const NOW: i64 = 1_000 * DAY;
    const SCHEDULE: RotationSchedule = RotationSchedule {
        every: SignedDuration::from_hours(24 * 90),
        lead_of_schedule: SignedDuration::from_hours(24 * 7),
        lead_of_operator: SignedDuration::from_mins(6),
        overlap: SignedDuration::from_hours(24 * 7),
        overlap_after_leak: SignedDuration::ZERO,
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn key(kid: &'static str, from: i64, until: Option<i64>, kept_until: Option<i64>) -> KeyPeriod<'static> {
        KeyPeriod { kid, from: at(from), until: until.map(at), kept_until: kept_until.map(at) }
    }

    fn replacement(from: i64, retiring: &[&str], kept_until: i64) -> KeyReplacement {
        let retiring = retiring.iter().map(|kid| (*kid).to_owned()).collect();
        KeyReplacement { from: at(from), retiring, kept_until: at(kept_until) }
    }

    #[test]
    fn a_planned_key_waits_for_old_lists_and_one_after_a_leak_does_not() {
        let signing = key("signing", 0, None, None);
        let next = key("next", NOW + DAY, None, None);
        let leaving = key("leaving", 0, Some(NOW + DAY), Some(NOW + 8 * DAY));
        let done = key("done", 0, Some(NOW - DAY), Some(NOW + 6 * DAY));
        let gone = key("gone", 0, Some(NOW - 9 * DAY), Some(NOW - 2 * DAY));
        let (planned, leak) = (RotationReason::Planned, RotationReason::Compromised);
        for (keys, reason, from, retiring) in [
            (vec![signing], planned, NOW + 6, vec!["signing"]),
            (vec![signing, done, gone], planned, NOW + 6, vec!["signing"]),
            // No key is in use.
            (vec![], planned, NOW, vec![]),
            (vec![gone], planned, NOW, vec![]),
            (vec![leaving, next, done, gone], leak, NOW, vec!["leaving", "next", "done"]),
        ] {
            let kept_until = if reason == planned { from + 7 * DAY } else { NOW };
            let found = SCHEDULE.change(&keys, RotationTrigger::Operator(reason), at(NOW));
            assert_eq!(found, Some(RotationStep::Make(replacement(from, &retiring, kept_until))), "{keys:?}");
        }
    }

    #[test]
    fn an_operator_makes_no_key_while_a_successor_waits() {
        let planned = RotationTrigger::Operator(RotationReason::Planned);
        let leaving = key("leaving", 0, Some(NOW + DAY), Some(NOW + 8 * DAY));
        let next = |from| key("next", from, None, None);
        // The key that the schedule made is used sooner.
        let forward = RotationStep::BringForward {
            kid: "next".to_owned(),
            replacement: replacement(NOW + 6, &["leaving"], NOW + 6 + 7 * DAY),
        };
        assert_eq!(SCHEDULE.change(&[leaving, next(NOW + DAY)], planned, at(NOW)), Some(forward));
        // The key that another operator made is used as soon as a new one would be, or earlier.
        for from in [NOW + 6, NOW + 3, NOW + 1] {
            let signing = key("signing", 0, Some(from), Some(from + 7 * DAY));
            assert_eq!(SCHEDULE.change(&[signing, next(from)], planned, at(NOW)), None, "{from}");
        }
    }

    #[test]
    fn the_schedule_makes_the_next_one_in_time_and_the_first_at_once() {
        let scheduled =
            |keys: &[KeyPeriod<'_>], now| match SCHEDULE.change(keys, RotationTrigger::Schedule, at(now)) {
                Some(RotationStep::Make(replacement)) => Some(replacement),
                Some(RotationStep::BringForward { .. }) => panic!("the schedule brings nothing forward"),
                None => None,
            };
        assert_eq!(scheduled(&[], NOW), Some(replacement(NOW, &[], NOW + 7 * DAY)));
        let (first, second) = (key("first", 0, None, None), key("second", 90 * DAY, None, None));
        assert_eq!(scheduled(&[first], 83 * DAY - 1), None);
        assert_eq!(scheduled(&[first], 83 * DAY), Some(replacement(90 * DAY, &["first"], 97 * DAY)));
        assert_eq!(scheduled(&[first, second], 84 * DAY), None);
        // After years without a start: the last key is still in use, and cached lists of keys may have only that.
        assert_eq!(scheduled(&[first], NOW), Some(replacement(NOW + 7 * DAY, &["first"], NOW + 14 * DAY)));
        // An operator replaced the key of the schedule before it was ever used.
        let replaced = key("replaced", NOW + DAY, Some(NOW), Some(NOW + 7 * DAY));
        let instead = key("instead", NOW - 83 * DAY, None, None);
        assert_eq!(
            scheduled(&[replaced, instead], NOW),
            Some(replacement(NOW + 7 * DAY, &["instead"], NOW + 14 * DAY))
        );
    }
}
