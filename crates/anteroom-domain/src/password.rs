//! How old a password may grow, and what a new one must be.

use jiff::{SignedDuration, Timestamp};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The facts about a password that are not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordFacts {
    pub set_at: Timestamp,
    /// Days taken off this account's maximum age, drawn when the password was set, so that a whole office does not
    /// expire on one Monday.
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

impl PasswordAgePolicy {
    /// When the password ends; `None` where passwords do not expire.
    pub fn expires_at(&self, facts: PasswordFacts) -> Option<Timestamp> {
        let days = i64::from(self.max_age_days?) - i64::from(facts.jitter_days.min(self.jitter_days));
        facts.set_at.checked_add(SignedDuration::from_hours(24 * days.max(1))).ok()
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
    fn without_a_maximum_age_nothing_expires() {
        let never = PasswordAgePolicy { max_age_days: None, ..policy() };
        assert_eq!(age_after(10_000, 0, &never), PasswordAge::Fresh);
    }
}
