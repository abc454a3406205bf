//! One-time codes: six digits sent to a phone, and how often they may be guessed and sent.
//!
//! Invariants:
//! - a code is bound to one account, purpose, phone and interaction, lives ten minutes and is used once;
//! - a new code makes the old one of the same interaction worthless;
//! - five wrong entries in any 24 hours, counted for account, purpose and share together: neither a new code nor a second
//!   recovery resets the count, only time does; for codes requested after the password was verified, a new password does too;
//! - devices that have passed a second factor before have a share of their own ([`CodeQuota`]): five more, and no further one.

use crate::device::KnownDevice;
use crate::ids::{AccountId, MessageId, OneTimeCodeId, PhoneId};
use crate::phone::DeliveryMethod;
use crate::rate::Wait;
use anteroom_crypto::KeyedDigest;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub const DIGITS: u32 = 6;

/// What a code opens. Each has its own quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodePurpose {
    Recovery,
    ExpiredPassword,
    StepUp,
    Registration,
}

impl CodePurpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::ExpiredPassword => "expired_password",
            Self::StepUp => "step_up",
            Self::Registration => "registration",
        }
    }

    /// Whether the account's password comes before the code. Sends and wrong entries from before the last password change are
    /// then not counted: otherwise someone who knew the old password could use up the owner's quota even after a reset. Setting a
    /// new password itself needs a code where the account has a usable factor, so this gives no extra guesses.
    pub const fn is_behind_password(self) -> bool {
        match self {
            Self::StepUp | Self::ExpiredPassword => true,
            Self::Recovery | Self::Registration => false,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Recovery, Self::ExpiredPassword, Self::StepUp, Self::Registration]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

/// An attacker who has only the password signs in on a device that never passed a second factor. So that they cannot
/// use up the owner's codes and guesses, devices that have passed one have a separate quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeQuota {
    SteppedUpDevice,
    OtherDevice,
}

impl CodeQuota {
    /// `device` is the one at which the account is signed in, or has proven its password.
    pub fn of(device: Option<&KnownDevice>, account: AccountId) -> Self {
        let own = device.filter(|device| device.account == account);
        if own.is_some_and(KnownDevice::passed_second_factor) {
            Self::SteppedUpDevice
        } else {
            Self::OtherDevice
        }
    }
}

/// A code as it is kept: its digest alone. The interaction it is bound to is named when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeCode {
    pub id: OneTimeCodeId,
    pub account: AccountId,
    pub purpose: CodePurpose,
    pub phone: PhoneId,
    pub method: DeliveryMethod,
    pub digest: KeyedDigest,
    /// The message that carries it: what became of that is told to the person.
    pub message: MessageId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl OneTimeCode {
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePolicy {
    pub lifetime: SignedDuration,
    /// So many wrong entries are forgiven within `window`.
    pub wrong_entries: u32,
    pub window: SignedDuration,
    /// The first one, one re-send and one change of method are sent at once.
    pub free_sends: u32,
    /// After those, each waits twice as long as the one before.
    pub first_wait: SignedDuration,
    pub longest_wait: SignedDuration,
    /// Codes of an account in a day.
    pub sends_a_day: u32,
}

impl Default for CodePolicy {
    fn default() -> Self {
        Self {
            lifetime: SignedDuration::from_mins(10),
            wrong_entries: 5,
            window: DAY,
            free_sends: 3,
            first_wait: SignedDuration::from_secs(30),
            longest_wait: SignedDuration::from_mins(15),
            sends_a_day: 20,
        }
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Sends before this no longer make the next one wait.
pub const SENDS_REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// The budget is used up until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptsExhausted {
    pub until: Timestamp,
}

impl CodePolicy {
    /// How many wrong entries are left. `wrong` are those of the account, purpose and share, in any order.
    pub fn entries_left(&self, wrong: &[Timestamp], now: Timestamp) -> Result<u32, AttemptsExhausted> {
        let mut counted: Vec<Timestamp> =
            wrong.iter().copied().filter(|at| now.duration_since(*at) < self.window).collect();
        let used = u32::try_from(counted.len()).unwrap_or(u32::MAX);
        if used < self.wrong_entries {
            return Ok(self.wrong_entries - used);
        }
        // The first is given back when the oldest of those that fill the budget is out of the window.
        counted.sort_unstable_by(|a, b| b.cmp(a));
        let place = usize::try_from(self.wrong_entries.max(1)).unwrap_or(usize::MAX) - 1;
        let oldest = counted.get(place).or(counted.last()).copied().unwrap_or(now);
        Err(AttemptsExhausted { until: oldest.checked_add(self.window).unwrap_or(Timestamp::MAX) })
    }

    /// Whether another code may be sent now. `sent` are those of the account, purpose and share of the last day, in
    /// any order.
    pub fn may_send(&self, sent: &[Timestamp], now: Timestamp) -> Result<(), Wait> {
        let within = |length: SignedDuration| sent.iter().filter(move |at| now.duration_since(**at) < length);
        let day = within(DAY).count();
        if u32::try_from(day).unwrap_or(u32::MAX) >= self.sends_a_day {
            let oldest = within(DAY).min().copied().unwrap_or(now);
            return Err(Wait((DAY - now.duration_since(oldest)).max(SignedDuration::from_secs(1))));
        }
        let recent = u32::try_from(within(SENDS_REMEMBERED).count()).unwrap_or(u32::MAX);
        let Some(over) = recent.checked_sub(self.free_sends) else { return Ok(()) };
        let factor = 2_i32.saturating_pow(over.min(16));
        let wait = self.first_wait.checked_mul(factor).unwrap_or(self.longest_wait).min(self.longest_wait);
        let last = sent.iter().max().copied().unwrap_or(now);
        let left = wait - now.duration_since(last);
        if left.is_positive() { Err(Wait(left)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1_000_000 + minutes)
    }

    fn policy() -> CodePolicy {
        CodePolicy::default()
    }

    #[test]
    fn a_device_has_the_other_share_once_it_has_passed_a_second_factor_for_the_account() {
        let [own, another] = [1, 2].map(|id| AccountId(uuid::Uuid::from_u128(id)));
        let device = |stepped_up_at| KnownDevice {
            id: crate::ids::DeviceId(uuid::Uuid::from_u128(3)),
            account: own,
            failures: 0,
            stepped_up_at,
            label: String::new(),
            created_at: at(0),
            last_seen_at: at(0),
            reset_at: None,
            password_epoch: None,
        };
        for (device, account, expected) in [
            (None, own, CodeQuota::OtherDevice),
            (Some(device(None)), own, CodeQuota::OtherDevice),
            (Some(device(Some(at(1)))), own, CodeQuota::SteppedUpDevice),
            (Some(device(Some(at(1)))), another, CodeQuota::OtherDevice),
        ] {
            assert_eq!(CodeQuota::of(device.as_ref(), account), expected, "{device:?}");
        }
    }

    #[test]
    fn five_wrong_entries_in_any_24_hours_and_time_gives_them_back() {
        let day = 24 * 60;
        for (wrong, now, left) in [
            (vec![], 0, Ok(5)),
            (vec![0, 1, 2, 3], 4, Ok(1)),
            (vec![0, 1, 2, 3, 4], 5, Err(day)),
            // Recoveries far apart share the budget.
            (vec![0, 300, 600, 900, 1200], 1300, Err(day)),
            (vec![0, 300, 600, 900, 1200], day, Ok(1)),
            (vec![0, 1, 2, 3, 4], day + 4, Ok(5)),
            // More than were ever allowed (the policy was tightened): all of them have to age.
            (vec![0, 1, 2, 3, 4, 5, 6], 7, Err(day + 2)),
        ] {
            let wrong: Vec<Timestamp> = wrong.into_iter().map(at).collect();
            let expected = left.map_err(|until| AttemptsExhausted { until: at(until) });
            assert_eq!(policy().entries_left(&wrong, at(now)), expected, "{wrong:?} at {now}");
        }
    }

    #[test]
    fn a_re_send_and_a_change_of_method_are_served_at_once_and_later_ones_wait_longer_each_time() {
        let seconds = SignedDuration::from_secs;
        let start = at(0);
        let mut sent = Vec::new();
        let mut now = start;
        for waits in [0, 0, 0, 30, 60, 120, 240, 480, 900, 900] {
            let asked = policy().may_send(&sent, now);
            if waits == 0 {
                assert_eq!(asked, Ok(()));
            } else {
                assert_eq!(asked, Err(Wait(seconds(waits))));
                now += seconds(waits);
                assert_eq!(policy().may_send(&sent, now), Ok(()));
            }
            sent.push(now);
        }
    }

    #[test]
    fn a_day_has_an_end() {
        let sent: Vec<Timestamp> = (0..20).map(|n| at(n * 70)).collect();
        assert!(policy().may_send(&sent, at(20 * 70)).is_err());
        assert!(policy().may_send(&sent, at(24 * 60)).is_ok());
    }

    proptest! {
        #[test]
        fn no_order_of_entries_allows_a_sixth_within_a_day(minutes in proptest::collection::vec(0..3000_i64, 0..40)) {
            let mut minutes = minutes;
            minutes.sort_unstable();
            let mut wrong: Vec<Timestamp> = Vec::new();
            for minute in minutes {
                if policy().entries_left(&wrong, at(minute)).is_ok() {
                    wrong.push(at(minute));
                }
            }
            for start in &wrong {
                let within = wrong.iter().filter(|at| **at >= *start && at.duration_since(*start) < policy().window);
                prop_assert!(within.count() <= 5);
            }
        }
    }
}
