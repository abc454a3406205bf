//! Refresh tokens (RFC 6749 §6, RFC 9700 §4.14): rotated at each use, one row per family.
//!
//! A token is a keyed MAC over (grant, generation), so a successor can be derived again. That makes rotation safe against a
//! lost answer and against two tabs: for a short while, as long as the successor has not been used, the same client gets
//! the same successor, three times at most. After that the old token is a replay and ends the family.
//!
//! A refresh has an entry in the audit trail where it is the first of its family, comes from another network than the one with
//! an entry before it, or an hour later; the entry counts those between. The servers of a client that has proven who it is may
//! have many addresses, so theirs are not compared. An application refreshes every few minutes all day, and
//! an entry for each would be most of a trail that is kept for years, and say nothing that these do not.
//!
//! An attacker with a copy of the token can use the same repetition. So every repetition has an audit entry with both
//! addresses, and the account of a public client is mailed if it came from another network.

use crate::ids::GrantId;
use crate::policy::{RepeatFromOtherNetwork, TokenPolicy};
use crate::rate::AddressPrefix;
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::num::NonZeroU32;

/// How often a successor is handed out again: a lost answer costs one, a second tab another.
pub const MOST_REPEATS: u32 = 3;

/// How long refreshes from one address are counted before they have an entry again.
const COUNTED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// The last refresh that has an entry in the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedRefresh {
    /// The generation that this refresh handed out.
    pub generation: u32,
    pub at: Timestamp,
    /// `None` where the client had proven who it is, too.
    pub from: Option<IpAddr>,
}

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
    /// The address that it was handed out to first. `None` where that was not noted: at the beginning, and by release 0.1.0.
    pub rotated_from: Option<IpAddr>,
    /// How often it was handed out again.
    pub repeats: u32,
    /// `None`: no refresh has an entry, but for those of release 0.1.0, which all have one.
    pub last_audited: Option<AuditedRefresh>,
}

/// A token as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentedRefreshToken {
    pub generation: u32,
    pub from: Option<IpAddr>,
    /// The client has proven who it is. Its servers may have many addresses, which say nothing.
    pub authenticated: bool,
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshDecision {
    /// Spend this generation and hand out the next, whose state is given.
    Rotate(RefreshFamily),
    /// The answer was lost or two tabs asked: count the repeat and hand out the newest generation again.
    Repeat {
        family: RefreshFamily,
        from_other_network: bool,
    },
    /// Used again after its successor was, or too often, or from where it may not be: the family ends.
    Replay,
    Expired,
    /// The token's MAC is valid but its generation is newer than the stored one: a commit was lost. The lost commits
    /// may have revoked the family or used this token, so the family is revoked.
    UnknownGeneration,
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
            rotated_from: None,
            repeats: 0,
            last_audited: None,
        }
    }

    /// Whether the refresh that handed out the newest generation has an entry in the audit trail.
    pub fn has_entry(&self) -> bool {
        self.last_audited.is_some_and(|entered| entered.generation == self.generation)
    }

    /// How many refreshes since the last entry have none, before the one that hands out `generation`.
    pub fn counted_before(&self, generation: u32) -> Option<NonZeroU32> {
        let last = self.last_audited?.generation;
        NonZeroU32::new(generation.saturating_sub(last).saturating_sub(1))
    }

    /// The MAC of what is presented has been verified.
    pub fn decide(self, presented: PresentedRefreshToken, policy: &TokenPolicy) -> RefreshDecision {
        let PresentedRefreshToken { generation, from, now, .. } = presented;
        if generation > self.generation {
            return RefreshDecision::UnknownGeneration;
        }
        if now >= self.expires_at || now >= self.idle_expires_at {
            return RefreshDecision::Expired;
        }
        if generation == self.generation {
            let idle = now.checked_add(policy.refresh_idle).unwrap_or(Timestamp::MAX);
            let next = self.generation.saturating_add(1);
            let compared = from.filter(|_| !presented.authenticated);
            let entry = AuditedRefresh { generation: next, at: now, from: compared };
            return RefreshDecision::Rotate(Self {
                generation: next,
                rotated_at: now,
                idle_expires_at: idle.min(self.expires_at),
                rotated_from: from,
                repeats: 0,
                last_audited: self.last_audited.filter(|before| before.covers(&entry)).or(Some(entry)),
                ..self
            });
        }
        let just_rotated = now.duration_since(self.rotated_at) <= policy.refresh_retry;
        let elsewhere = !presented.authenticated && are_apart(self.rotated_from, from);
        let refused = elsewhere && policy.repeat_elsewhere == RepeatFromOtherNetwork::Refuse;
        let is_previous = generation.saturating_add(1) == self.generation;
        if is_previous && just_rotated && self.repeats < MOST_REPEATS && !refused {
            return RefreshDecision::Repeat { family: self, from_other_network: elsewhere };
        }
        RefreshDecision::Replay
    }
}

/// Whether both addresses are known and lie in different networks.
fn are_apart(first: Option<IpAddr>, second: Option<IpAddr>) -> bool {
    match (first, second) {
        (Some(first), Some(second)) => AddressPrefix::of(first) != AddressPrefix::of(second),
        _ => false,
    }
}

impl AuditedRefresh {
    /// After the clock was set back the time between is negative; then the refresh has an entry.
    fn covers(&self, next: &Self) -> bool {
        let since = next.at.duration_since(self.at);
        !are_apart(self.from, next.from) && !since.is_negative() && since < COUNTED_FOR
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

    const HOME: &str = "203.0.113.9";
    const ELSEWHERE: &str = "198.51.100.7";

    fn presented(generation: u32, seconds: i64) -> PresentedRefreshToken {
        let from = Some(HOME.parse().unwrap());
        PresentedRefreshToken { generation, from, authenticated: false, now: at(seconds) }
    }

    fn name(decision: RefreshDecision) -> &'static str {
        match decision {
            RefreshDecision::Rotate(_) => "rotate",
            RefreshDecision::Repeat { from_other_network: false, .. } => "repeat",
            RefreshDecision::Repeat { from_other_network: true, .. } => "repeat elsewhere",
            RefreshDecision::Replay => "replay",
            RefreshDecision::Expired => "expired",
            RefreshDecision::UnknownGeneration => "ahead",
        }
    }

    #[test]
    fn each_presentation_has_its_answer() {
        let tokens = Policy::default().tokens;
        for (generation, seconds, expected) in [
            (3, 0, "rotate"),
            (3, 86_400, "rotate"),
            (2, 60, "repeat"),
            (2, 61, "replay"),
            (1, 1, "replay"),
            (0, 86_400, "replay"),
            (4, 0, "ahead"),
            // Also where the family is over: what was lost stays lost.
            (4, 30 * 86_400, "ahead"),
            (3, 30 * 86_400, "expired"),
        ] {
            let decision = family(3).decide(presented(generation, seconds), &tokens);
            assert_eq!(name(decision), expected, "generation {generation} after {seconds} s");
        }
    }

    #[test]
    fn a_rotation_notes_its_address_and_begins_to_count_anew() {
        let repeated = RefreshFamily { repeats: 3, ..family(3) };
        let RefreshDecision::Rotate(next) = repeated.decide(presented(3, 5), &Policy::default().tokens)
        else {
            panic!("not rotated")
        };
        let noted = (next.generation, next.repeats, next.rotated_from, next.rotated_at);
        assert_eq!(noted, (4, 0, Some(HOME.parse().unwrap()), at(5)));
    }

    #[test]
    fn a_successor_is_repeated_three_times_and_elsewhere_as_the_policy_says() {
        use RepeatFromOtherNetwork::{Allow, Refuse};
        for (repeats, first, from, authenticated, elsewhere, expected) in [
            (2, Some(HOME), HOME, false, Refuse, "repeat"),
            (3, Some(HOME), HOME, false, Allow, "replay"),
            (3, Some(HOME), HOME, true, Allow, "replay"),
            (0, Some(HOME), ELSEWHERE, false, Allow, "repeat elsewhere"),
            (0, Some(HOME), ELSEWHERE, false, Refuse, "replay"),
            (0, Some(HOME), ELSEWHERE, true, Refuse, "repeat"),
            // Handed out by release 0.1.0, which notes no address.
            (0, None, ELSEWHERE, false, Refuse, "repeat"),
            (0, Some("2001:db8:0:1::1"), "2001:db8:0:1::2", false, Refuse, "repeat"),
            (0, Some("2001:db8:0:1::1"), "2001:db8:0:2::1", false, Allow, "repeat elsewhere"),
        ] {
            let rotated_from = first.map(|first| first.parse().unwrap());
            let family = RefreshFamily { rotated_from, repeats, ..family(3) };
            let from = Some(from.parse().unwrap());
            let tokens = TokenPolicy { repeat_elsewhere: elsewhere, ..Policy::default().tokens };
            let decision =
                family.decide(PresentedRefreshToken { from, authenticated, ..presented(2, 1) }, &tokens);
            assert_eq!(name(decision), expected, "{repeats} {first:?} {from:?} {elsewhere:?}");
        }
    }

    #[test]
    fn a_refresh_has_an_entry_once_an_hour_and_where_its_address_is_another() {
        let tokens = Policy::default().tokens;
        let mut state = family(0);
        let mut entries = Vec::new();
        for (seconds, from) in [
            (0, HOME),
            (600, HOME),
            (3_599, HOME),
            (3_600, HOME),
            (3_700, ELSEWHERE),
            (3_800, ELSEWHERE),
            (3_900, HOME),
            // The clock was set back.
            (3_000, HOME),
            (6_599, HOME),
        ] {
            let from = Some(from.parse().unwrap());
            let presented = PresentedRefreshToken { from, ..presented(state.generation, seconds) };
            let RefreshDecision::Rotate(next) = state.decide(presented, &tokens) else { panic!("{seconds}") };
            if next.has_entry() {
                entries.push((seconds, state.counted_before(next.generation).map_or(0, NonZeroU32::get)));
            }
            state = next;
        }
        assert_eq!(entries, [(0, 0), (3_600, 2), (3_700, 0), (3_900, 1), (3_000, 0)]);
    }

    #[test]
    fn addresses_are_compared_by_their_network_and_not_where_the_client_has_proven_who_it_is() {
        let tokens = Policy::default().tokens;
        let (one, other) = ("2001:db8:0:1::1", "2001:db8:0:2::1");
        for (first, second, authenticated, expected) in [
            (HOME, ELSEWHERE, false, 2),
            (HOME, ELSEWHERE, true, 1),
            (one, "2001:db8:0:1::2", false, 1),
            (one, other, false, 2),
            (one, other, true, 1),
        ] {
            let (mut state, mut entries) = (family(0), 0);
            for from in [first, second] {
                let from = Some(from.parse().unwrap());
                let presented =
                    PresentedRefreshToken { from, authenticated, ..presented(state.generation, 1) };
                let RefreshDecision::Rotate(next) = state.decide(presented, &tokens) else {
                    panic!("{first} {second}")
                };
                assert_eq!(next.rotated_from, from, "a repeat is told with it");
                entries += u32::from(next.has_entry());
                state = next;
            }
            assert_eq!(entries, expected, "{first} {second} {authenticated}");
        }
    }

    #[test]
    fn no_number_of_refreshes_outlives_the_absolute_end() {
        let tokens = Policy::default().tokens;
        let mut state = family(0);
        let mut now = at(0);
        while let RefreshDecision::Rotate(next) =
            state.decide(PresentedRefreshToken { now, ..presented(state.generation, 0) }, &tokens)
        {
            state = next;
            now += SignedDuration::from_hours(24 * 20);
        }
        assert!(now >= state.expires_at);
        assert!(now.duration_since(at(0)) <= tokens.refresh_absolute + SignedDuration::from_hours(24 * 20));
    }
}
