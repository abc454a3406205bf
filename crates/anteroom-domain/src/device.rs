//! Known devices: browsers that have signed in to an account before. Being known is worth nothing as proof of identity;
//! it only keeps a stranger's failures from locking the person out.

use crate::account::AccountEpoch;
use crate::ids::{AccountId, DeviceId};
use crate::lockout::{DeviceFailures, KnownBy};
use crate::new_password::NewPasswordReason;
use jiff::{SignedDuration, Timestamp};

/// How long the cookie that names a device is kept from the last sign-in on: what browsers keep one for at most. A device that
/// was not seen for so long is known to no browser any more.
pub const COOKIE_LIFE: SignedDuration = SignedDuration::from_hours(400 * 24);

/// An attacker who has the password can create known devices without limit. So an account keeps at most 50; devices
/// that passed a second factor are dropped last, and of the others the older half and the most recently used stay, so
/// that new ones cannot displace the owner's. Of those that passed a second factor, the ones that were not seen for
/// longest go.
pub const MAX_DEVICES: u32 = 50;

/// Private windows and browsers that clear cookies leave devices that are never used again: one that was used once and
/// not for 30 days is dropped first.
pub const UNUSED_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    pub id: DeviceId,
    pub account: AccountId,
    pub failures: u32,
    /// When this very device last passed a second factor.
    pub stepped_up_at: Option<Timestamp>,
    /// What the person sees in a list of their devices, from the browser's own description.
    pub label: String,
    pub created_at: Timestamp,
    /// When the password, or the password and a second factor, was last right here.
    pub last_seen_at: Timestamp,
    /// Time of the last password reset that this device survived; `None` once it has passed a second factor again.
    pub reset_at: Option<Timestamp>,
    /// The account's epoch when its password was last right here, kept under the lock of the account. Two nodes, or two requests
    /// of one moment, have no common clock; the epoch is raised in the very transaction that sets a password. Release 0.1.0 writes
    /// none: then the present password counts as never right here, until it is.
    pub password_epoch: Option<AccountEpoch>,
}

impl KnownDevice {
    /// `current_epoch`: of the account as it is under its lock.
    pub fn counter(&self, current_epoch: AccountEpoch) -> DeviceFailures {
        let known_by = if self.password_epoch == Some(current_epoch) {
            KnownBy::PresentPassword
        } else if self.stepped_up_at.is_some() {
            KnownBy::SecondFactor
        } else {
            KnownBy::EarlierPassword
        };
        DeviceFailures { device: self.id, failures: self.failures, known_by }
    }

    /// Whether its sign-ins have their own queue and rate limit. Not if only an earlier password was right on it: it may be the
    /// attacker's, because of whom the password was changed.
    pub fn has_own_rate_limit(&self, current_epoch: AccountEpoch) -> bool {
        self.counter(current_epoch).known_by != KnownBy::EarlierPassword
    }

    /// Whether it needs no second factor for being new. What it passed before a reset says nothing of who uses it now: the reset
    /// may be because of that person.
    pub fn passed_second_factor(&self) -> bool {
        self.stepped_up_at.is_some() && self.reset_at.is_none()
    }

    /// Whether it is still known after a new password was set at the device `at`.
    ///
    /// A reset is for an owner whose password a thief may know: what that password alone has made known is forgotten.
    /// A device that passed a second factor, or at which a reset was completed, stays: otherwise strangers' failures would lock the
    /// owner out of every desk but the one of the last reset. After a change nothing is forgotten: devices of an owner without a
    /// second factor would be lost, and those of a thief have few failures together, and lock no other ([`crate::lockout`]).
    pub fn stays_known(&self, at: DeviceId, reason: NewPasswordReason) -> bool {
        match reason {
            NewPasswordReason::Recovery => self.id == at || self.stepped_up_at.is_some(),
            NewPasswordReason::Expired | NewPasswordReason::Chosen | NewPasswordReason::Registration => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;
    use uuid::Uuid;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + minutes.minutes()
    }

    fn device(id: u128, stepped_up_at: Option<Timestamp>) -> KnownDevice {
        KnownDevice {
            id: DeviceId(Uuid::from_u128(id)),
            account: AccountId(Uuid::from_u128(7)),
            failures: 2,
            stepped_up_at,
            label: String::new(),
            created_at: at(0),
            last_seen_at: at(5),
            reset_at: None,
            password_epoch: Some(AccountEpoch(5)),
        }
    }

    #[test]
    fn a_reset_leaves_known_what_the_password_alone_has_not_made_known() {
        use NewPasswordReason::{Chosen, Expired, Recovery, Registration};
        let (this, passed, password_alone) = (device(1, None), device(2, Some(at(1))), device(3, None));
        for (device, reason, stays) in [
            (&this, Recovery, true),
            (&passed, Recovery, true),
            (&password_alone, Recovery, false),
            (&password_alone, Chosen, true),
            (&password_alone, Expired, true),
            (&passed, Registration, true),
        ] {
            assert_eq!(device.stays_known(this.id, reason), stays, "{device:?} {reason:?}");
        }
    }

    #[test]
    fn what_was_passed_before_a_reset_waives_no_second_factor() {
        // Whichever clock was ahead: a second factor that is passed after the reset takes its time away.
        for (passed, reset, waives) in [
            (None, None, false),
            (Some(1), None, true),
            (Some(1), Some(2), false),
            (Some(3), Some(2), false),
            (None, Some(2), false),
        ] {
            let device = KnownDevice { reset_at: reset.map(at), ..device(1, passed.map(at)) };
            assert_eq!(device.passed_second_factor(), waives, "{passed:?} {reset:?}");
        }
    }

    #[test]
    fn a_device_is_proven_by_the_present_password() {
        for (passed, right, known_by) in [
            (None, Some(5), KnownBy::EarlierPassword),
            (None, Some(6), KnownBy::PresentPassword),
            (Some(at(1)), Some(6), KnownBy::PresentPassword),
            (Some(at(1)), Some(5), KnownBy::SecondFactor),
            // Of release 0.1.0.
            (None, None, KnownBy::EarlierPassword),
            (Some(at(1)), None, KnownBy::SecondFactor),
        ] {
            let device = KnownDevice { password_epoch: right.map(AccountEpoch), ..device(1, passed) };
            assert_eq!(device.counter(AccountEpoch(6)).known_by, known_by, "{right:?} {passed:?}");
        }
    }
}
