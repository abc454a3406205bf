//! When passwords expire, and when people are warned of it.

use jiff::{SignedDuration, Timestamp};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The facts about a password that are not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordFacts {
    pub set_at: Timestamp,
    /// People of one office often set passwords on the same day. A random number of days is subtracted from each
    /// account's maximum age so that they do not all expire together.
    pub jitter_days: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordAgePolicy {
    /// `None`: passwords do not expire.
    pub max_age_days: Option<u16>,
    /// Days before expiry at which the person is warned, most first.
    pub warn_days: Vec<u16>,
    /// The most days that jitter may take off.
    pub jitter_days: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordAge {
    Fresh,
    /// Within the widest warning; whole days left, rounded up, at least 1.
    ExpiresSoon {
        days_left: u16,
    },
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiryWarning {
    /// Which of the policy's warnings it is.
    pub threshold: u16,
    pub days_left: u16,
}

impl PasswordAgePolicy {
    /// When the password ends; `None` where passwords do not expire.
    pub fn expires_at(&self, facts: PasswordFacts) -> Option<Timestamp> {
        let days = i64::from(self.max_age_days?) - i64::from(facts.jitter_days.min(self.jitter_days));
        facts.set_at.checked_add(SignedDuration::from_hours(24 * days.max(1))).ok()
    }

    /// The warning to send now, if any: the tightest that applies and was not sent. `warned` is the one sent last.
    pub fn warning_due(
        &self,
        facts: PasswordFacts,
        warned: Option<u16>,
        now: Timestamp,
    ) -> Option<ExpiryWarning> {
        let PasswordAge::ExpiresSoon { days_left } = self.age(facts, now) else { return None };
        let threshold = self.warn_days.iter().copied().filter(|days| days_left <= *days).min()?;
        warned.is_none_or(|warned| threshold < warned).then_some(ExpiryWarning { threshold, days_left })
    }

    /// Passwords set before this may have a warning due; `None` where nothing expires or no warning is sent.
    pub fn warn_those_set_before(&self, now: Timestamp) -> Option<Timestamp> {
        let youngest = i64::from(self.max_age_days?)
            - i64::from(self.jitter_days)
            - i64::from(*self.warn_days.iter().max()?);
        now.checked_sub(SignedDuration::from_hours(24 * youngest.max(0))).ok()
    }

    /// A password set in the future (a clock set back, an import) is new, never expired.
    pub fn age(&self, facts: PasswordFacts, now: Timestamp) -> PasswordAge {
        let Some(end) = self.expires_at(facts) else { return PasswordAge::Fresh };
        if now >= end {
            return PasswordAge::Expired;
        }
        let left = end.duration_since(now);
        let days_left =
            left.as_secs().div_euclid(DAY.as_secs()) + i64::from(left.as_secs() % DAY.as_secs() != 0);
        let days_left = u16::try_from(days_left.max(1)).unwrap_or(u16::MAX);
        match self.warn_days.iter().max() {
            Some(widest) if days_left <= *widest => PasswordAge::ExpiresSoon { days_left },
            _ => PasswordAge::Fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> PasswordAgePolicy {
        PasswordAgePolicy { max_age_days: Some(90), warn_days: vec![14, 7, 1], jitter_days: 7 }
    }

    fn age_after(days: i64, jitter_days: u16, policy: &PasswordAgePolicy) -> PasswordAge {
        let set_at = Timestamp::UNIX_EPOCH + DAY * 20_000;
        policy.age(PasswordFacts { set_at, jitter_days }, set_at + SignedDuration::from_hours(24 * days))
    }

    #[test]
    fn a_password_ages_warns_and_expires() {
        let soon = |days_left| PasswordAge::ExpiresSoon { days_left };
        for (days, jitter, expected) in [
            (0, 0, PasswordAge::Fresh),
            (75, 0, PasswordAge::Fresh),
            (76, 0, soon(14)),
            (83, 0, soon(7)),
            (89, 0, soon(1)),
            (90, 0, PasswordAge::Expired),
            (83, 7, PasswordAge::Expired),
            (82, 7, soon(1)),
            // Jitter never takes off more than the policy of today allows.
            (82, 60, soon(1)),
            // The clock was set back after the password was set.
            (-400, 0, PasswordAge::Fresh),
        ] {
            assert_eq!(age_after(days, jitter, &policy()), expected, "day {days}, jitter {jitter}");
        }
    }

    #[test]
    fn each_warning_is_due_once_and_a_late_start_sends_only_the_tightest() {
        let due = |days: i64, warned: Option<u16>| {
            let set_at = Timestamp::UNIX_EPOCH + DAY * 20_000;
            let now = set_at + SignedDuration::from_hours(24 * days);
            let warning = policy().warning_due(PasswordFacts { set_at, jitter_days: 0 }, warned, now);
            warning.map(|warning| (warning.threshold, warning.days_left))
        };
        for (days, warned, expected) in [
            (75, None, None),
            (76, None, Some((14, 14))),
            (77, Some(14), None),
            (83, Some(14), Some((7, 7))),
            (84, Some(7), None),
            (89, Some(7), Some((1, 1))),
            (89, Some(1), None),
            (89, None, Some((1, 1))),
            (90, None, None),
            (-3, None, None),
        ] {
            assert_eq!(due(days, warned), expected, "day {days}, warned {warned:?}");
        }
    }

    #[test]
    fn without_a_maximum_age_nothing_expires() {
        let never = PasswordAgePolicy { max_age_days: None, ..policy() };
        assert_eq!(age_after(10_000, 0, &never), PasswordAge::Fresh);
    }
}
