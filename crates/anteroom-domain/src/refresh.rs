//! Refresh tokens (RFC 6749 §6, RFC 9700 §4.14): rotated at each use, one row per family.
//!
//! A token is a keyed MAC over (grant, generation), so a successor can be derived again. That makes rotation safe against a
//! lost answer and against two tabs: for a short while, as long as the successor has not been used, the same client gets
//! the same successor. After that the old token is a replay and ends the family.

use crate::ids::GrantId;
use crate::policy::TokenPolicy;
use jiff::Timestamp;

/// The family's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshFamily {
    pub grant: GrantId,
    /// The newest generation handed out.
    pub generation: u32,
    /// When it was handed out.
    pub rotated_at: Timestamp,
    pub idle_expires_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshDecision {
    /// Spend this generation and hand out the next, whose state is given.
    Rotate(RefreshFamily),
    /// The answer was lost or two tabs asked: hand out the newest generation again.
    Repeat(RefreshFamily),
    /// Used again after its successor was: the family ends.
    Replay,
    Expired,
    /// A generation that was never handed out: not ours.
    Unknown,
}

impl RefreshFamily {
    pub fn begin(grant: GrantId, policy: &TokenPolicy, now: Timestamp) -> Self {
        let end = |after| now.checked_add(after).unwrap_or(Timestamp::MAX);
        let (idle, absolute) = (end(policy.refresh_idle), end(policy.refresh_absolute));
        Self {
            grant,
            generation: 0,
            rotated_at: now,
            idle_expires_at: idle.min(absolute),
            expires_at: absolute,
        }
    }

    pub fn present(self, generation: u32, policy: &TokenPolicy, now: Timestamp) -> RefreshDecision {
        if generation > self.generation {
            return RefreshDecision::Unknown;
        }
        if now >= self.expires_at || now >= self.idle_expires_at {
            return RefreshDecision::Expired;
        }
        if generation == self.generation {
            let idle = now.checked_add(policy.refresh_idle).unwrap_or(Timestamp::MAX);
            return RefreshDecision::Rotate(Self {
                generation: self.generation.saturating_add(1),
                rotated_at: now,
                idle_expires_at: idle.min(self.expires_at),
                ..self
            });
        }
        let just_rotated = now.duration_since(self.rotated_at) <= policy.refresh_retry;
        if generation.saturating_add(1) == self.generation && just_rotated {
            return RefreshDecision::Repeat(self);
        }
        RefreshDecision::Replay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use jiff::SignedDuration;
    use uuid::Uuid;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn family(generation: u32) -> RefreshFamily {
        let begun = RefreshFamily::begin(GrantId(Uuid::nil()), &Policy::default().tokens, at(0));
        RefreshFamily { generation, ..begun }
    }

    #[test]
    fn each_presentation_has_its_answer() {
        let tokens = Policy::default().tokens;
        for (presented, seconds, expected) in [
            (3, 0, "rotate"),
            (3, 86_400, "rotate"),
            (2, 60, "repeat"),
            (2, 61, "replay"),
            (1, 1, "replay"),
            (0, 86_400, "replay"),
            (4, 0, "unknown"),
            (3, 30 * 86_400, "expired"),
        ] {
            let got = match family(3).present(presented, &tokens, at(seconds)) {
                RefreshDecision::Rotate(next) => {
                    assert_eq!(next.generation, 4);
                    "rotate"
                }
                RefreshDecision::Repeat(same) => {
                    assert_eq!(same, family(3));
                    "repeat"
                }
                RefreshDecision::Replay => "replay",
                RefreshDecision::Expired => "expired",
                RefreshDecision::Unknown => "unknown",
            };
            assert_eq!(got, expected, "generation {presented} after {seconds} s");
        }
    }

    #[test]
    fn no_number_of_refreshes_outlives_the_absolute_end() {
        let tokens = Policy::default().tokens;
        let mut state = family(0);
        let mut now = at(0);
        while let RefreshDecision::Rotate(next) = state.present(state.generation, &tokens, now) {
            state = next;
            now += SignedDuration::from_hours(24 * 20);
        }
        assert!(now >= state.expires_at);
        assert!(now.duration_since(at(0)) <= tokens.refresh_absolute + SignedDuration::from_hours(24 * 20));
    }
}
