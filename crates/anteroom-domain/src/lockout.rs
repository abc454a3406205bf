//! Lockout: more than five wrong passwords, counted apart for each known device and, together, for all unknown ones.
//!
//! Invariants:
//! - the sixth failure locks; a lock has no timer and only a completed reset lifts it;
//! - failures from unknown devices lock unknown devices out and spare the person at their own desk;
//! - the sixth failure on a known device locks the account everywhere, if the present password was right there before; else it
//!   locks that device alone: a thief of an earlier password must not lock its owner out;
//! - a right password clears the counter it came by and no other.

use crate::ids::DeviceId;
use jiff::Timestamp;

/// How many wrong passwords are forgiven, and whether known devices count apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutPolicy {
    /// This many failures do not lock; one more does.
    pub forgiven_failures: u32,
    pub known_devices_count_apart: bool,
}

/// What is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockScope {
    /// Only browsers that have never signed in to the account.
    UnknownDevices,
    /// The known device that is asking, where the present password was never right.
    ThisDevice,
    Everywhere,
}

impl LockScope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownDevices => "unknown_devices",
            Self::ThisDevice => "this_device",
            Self::Everywhere => "everywhere",
        }
    }
}

/// The lock as it rests on the account's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lockout {
    pub unknown_failures: u32,
    pub unknown_locked_at: Option<Timestamp>,
    pub locked_at: Option<Timestamp>,
}

/// The counter of one known device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceFailures {
    pub device: DeviceId,
    pub failures: u32,
    /// The account's present password was right there before.
    pub proven: bool,
}

/// Account lock and the counter of the device that is asking, together: what one attempt reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    pub lockout: Lockout,
    pub device: Option<DeviceFailures>,
}

impl Counters {
    /// Under a policy without the distinction every device is an unknown one.
    pub fn new(lockout: Lockout, device: Option<DeviceFailures>, policy: LockoutPolicy) -> Self {
        Self { lockout, device: device.filter(|_| policy.known_devices_count_apart) }
    }

    /// The lock that stands in the way of this attempt.
    pub fn lock_in_the_way(&self, policy: LockoutPolicy) -> Option<LockScope> {
        if self.lockout.locked_at.is_some() {
            return Some(LockScope::Everywhere);
        }
        match self.device {
            None => self.lockout.unknown_locked_at.map(|_| LockScope::UnknownDevices),
            Some(device) => {
                let too_many = !device.proven && device.failures > policy.forgiven_failures;
                too_many.then_some(LockScope::ThisDevice)
            }
        }
    }

    /// Counts a wrong password; says what it has locked, if this was the one too many.
    #[must_use]
    pub fn failed(mut self, policy: LockoutPolicy, now: Timestamp) -> (Self, Option<LockScope>) {
        let counter = match &mut self.device {
            Some(device) => &mut device.failures,
            None => &mut self.lockout.unknown_failures,
        };
        *counter = counter.saturating_add(1);
        if *counter <= policy.forgiven_failures {
            return (self, None);
        }
        let scope = match self.device {
            None if policy.known_devices_count_apart => {
                self.lockout.unknown_locked_at = Some(now);
                LockScope::UnknownDevices
            }
            // Its own count says that it is locked.
            Some(device) if !device.proven => LockScope::ThisDevice,
            None | Some(_) => {
                self.lockout.locked_at = Some(now);
                LockScope::Everywhere
            }
        };
        (self, Some(scope))
    }

    /// A right password clears the counter of where it came from.
    #[must_use]
    pub fn succeeded(mut self) -> Self {
        match &mut self.device {
            Some(device) => device.failures = 0,
            None => self.lockout.unknown_failures = 0,
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const POLICY: LockoutPolicy = LockoutPolicy { forgiven_failures: 5, known_devices_count_apart: true };
    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn unknown() -> Counters {
        Counters::new(Lockout::default(), None, POLICY)
    }

    fn known() -> Counters {
        on_device(true)
    }

    fn on_device(proven: bool) -> Counters {
        let device = DeviceFailures { device: DeviceId(Uuid::nil()), failures: 0, proven };
        Counters::new(Lockout::default(), Some(device), POLICY)
    }

    fn fail(mut counters: Counters, times: u32, policy: LockoutPolicy) -> (Counters, Option<LockScope>) {
        let mut scope = None;
        for _ in 0..times {
            (counters, scope) = counters.failed(policy, NOW);
        }
        (counters, scope)
    }

    #[test]
    fn five_failures_do_not_lock_and_the_sixth_does() {
        for (start, locks) in [
            (unknown(), LockScope::UnknownDevices),
            (known(), LockScope::Everywhere),
            (on_device(false), LockScope::ThisDevice),
        ] {
            let (after_five, scope) = fail(start, 5, POLICY);
            assert_eq!(scope, None);
            assert_eq!(after_five.lock_in_the_way(POLICY), None);
            let (after_six, scope) = after_five.failed(POLICY, NOW);
            assert_eq!(scope, Some(locks));
            assert_eq!(after_six.lock_in_the_way(POLICY), Some(locks));
        }
    }

    #[test]
    fn a_strangers_failures_spare_the_known_device() {
        let (locked, _) = fail(unknown(), 6, POLICY);
        let at_own_desk = Counters::new(locked.lockout, known().device, POLICY);
        assert_eq!(at_own_desk.lock_in_the_way(POLICY), None);
    }

    #[test]
    fn a_device_of_an_earlier_password_locks_itself_alone() {
        let (locked, _) = fail(on_device(false), 6, POLICY);
        assert_eq!(locked.lockout, Lockout::default());
        for elsewhere in [unknown(), known(), on_device(false)] {
            let there = Counters { lockout: locked.lockout, ..elsewhere };
            assert_eq!(there.lock_in_the_way(POLICY), None, "{there:?}");
        }
        assert_eq!(locked.succeeded().lock_in_the_way(POLICY), None, "a reset there takes the lock off");
    }

    #[test]
    fn without_the_distinction_a_known_device_is_like_any_other() {
        let policy = LockoutPolicy { known_devices_count_apart: false, ..POLICY };
        let start = Counters::new(Lockout::default(), known().device, policy);
        let (locked, scope) = fail(start, 6, policy);
        assert_eq!(scope, Some(LockScope::Everywhere));
        assert_eq!(
            Counters::new(locked.lockout, known().device, policy).lock_in_the_way(policy),
            Some(LockScope::Everywhere)
        );
    }

    #[test]
    fn a_right_password_clears_only_the_counter_it_came_by() {
        let (from_unknown, _) = fail(unknown(), 3, POLICY);
        let at_desk = Counters::new(from_unknown.lockout, known().device, POLICY);
        let (at_desk, _) = at_desk.failed(POLICY, NOW);
        let after = at_desk.succeeded();
        assert_eq!(after.device.map(|d| d.failures), Some(0));
        assert_eq!(after.lockout.unknown_failures, 3);
        assert_eq!(from_unknown.succeeded().lockout.unknown_failures, 0);
    }

    proptest! {
        #[test]
        fn a_lock_is_never_lifted_by_attempts(steps in proptest::collection::vec(any::<(bool, bool)>(), 0..60)) {
            let mut lockout = Lockout::default();
            let mut device = known().device;
            let mut locked = (false, false);
            for (from_known, right) in steps {
                let counters = Counters::new(lockout, device.filter(|_| from_known), POLICY);
                let after = if counters.lock_in_the_way(POLICY).is_some() {
                    counters
                } else if right {
                    counters.succeeded()
                } else {
                    counters.failed(POLICY, NOW).0
                };
                lockout = after.lockout;
                device = after.device.or(device);
                let now_locked = (lockout.locked_at.is_some(), lockout.unknown_locked_at.is_some());
                prop_assert!(now_locked.0 >= locked.0 && now_locked.1 >= locked.1);
                locked = now_locked;
            }
        }
    }
}
