//! Lockout: more than five wrong passwords, counted apart for each known device and, together, for all unknown ones.
//!
//! Invariants:
//! - the sixth failure locks; a lock has no timer and only a completed reset lifts it;
//! - failures from unknown devices lock unknown devices out and spare the person at their own desk;
//! - the sixth failure on a known device locks the account everywhere, if the present password was right there before; else a
//!   thief of an earlier password could lock its owner out;
//! - such a thief has signed in to any number of browsers: all devices that only an earlier password made known have five
//!   failures together, and count as unknown ones beyond that. They are not locked, since the owner's are among them;
//! - a device that passed a second factor before, which a password alone does not reach, has five of its own, and locks itself;
//! - a right password clears only the counter of its own device (or of unknown devices). The counter that devices known by an
//!   earlier password share is cleared only by a new password.

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
    /// Browsers that have never signed in to the account, and those that count as such.
    UnknownDevices,
    /// Devices that only an earlier password made known: with the last failure that they have together they are not locked, and
    /// count as unknown ones from then on. A lock of unknown devices locks them as well.
    EarlierDevices,
    /// The known device that is asking, where the present password was never right, and a second factor was.
    ThisDevice,
    Everywhere,
}

impl LockScope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownDevices => "unknown_devices",
            Self::EarlierDevices => "earlier_devices",
            Self::ThisDevice => "this_device",
            Self::Everywhere => "everywhere",
        }
    }
}

/// The lock as stored in the account's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lockout {
    pub unknown_failures: u32,
    pub unknown_locked_at: Option<Timestamp>,
    pub locked_at: Option<Timestamp>,
    /// Since the present password was set, at all devices that only an earlier one made known.
    pub earlier_failures: u32,
}

impl Lockout {
    /// Whether devices that only an earlier password made known count as unknown ones.
    pub const fn earlier_devices_are_unknown(&self, forgiven_failures: u32) -> bool {
        self.earlier_failures > forgiven_failures
    }
}

/// The counter of one known device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceFailures {
    pub device: DeviceId,
    pub failures: u32,
    pub known_by: KnownBy,
}

/// What was right at a known device before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownBy {
    /// The account's present password.
    PresentPassword,
    /// An earlier one, and a second factor.
    SecondFactor,
    /// An earlier one alone.
    EarlierPassword,
}

/// Where a failure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    Unknown,
    Earlier,
    Device(DeviceFailures),
}

/// Account lock and the counter of the device that is asking, together: what one attempt reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCounters {
    pub lockout: Lockout,
    pub device: Option<DeviceFailures>,
}

impl FailureCounters {
    /// Under a policy without the distinction every device is an unknown one.
    pub fn new(lockout: Lockout, device: Option<DeviceFailures>, policy: LockoutPolicy) -> Self {
        Self { lockout, device: device.filter(|_| policy.known_devices_count_apart) }
    }

    /// The lock that stands in the way of this attempt.
    pub fn blocking_lock(&self, policy: LockoutPolicy) -> Option<LockScope> {
        if self.lockout.locked_at.is_some() {
            return Some(LockScope::Everywhere);
        }
        match self.counter(policy) {
            Counter::Unknown => self.lockout.unknown_locked_at.map(|_| match self.device {
                None => LockScope::UnknownDevices,
                Some(_) => LockScope::EarlierDevices,
            }),
            Counter::Earlier => None,
            Counter::Device(device) => {
                let too_many = device.failures > policy.forgiven_failures;
                (too_many && device.known_by == KnownBy::SecondFactor).then_some(LockScope::ThisDevice)
            }
        }
    }

    /// Where the failures of this attempt are counted.
    pub fn counter(&self, policy: LockoutPolicy) -> Counter {
        match self.device {
            Some(device) if device.known_by != KnownBy::EarlierPassword => Counter::Device(device),
            Some(_) if !self.lockout.earlier_devices_are_unknown(policy.forgiven_failures) => {
                Counter::Earlier
            }
            Some(_) | None => Counter::Unknown,
        }
    }

    /// What such a counter says.
    pub fn failures(&self, counter: Counter) -> u32 {
        match counter {
            Counter::Unknown => self.lockout.unknown_failures,
            Counter::Earlier => self.lockout.earlier_failures,
            Counter::Device(device) => self.device.map_or(device.failures, |device| device.failures),
        }
    }

    /// Counts a wrong password; says what it has locked, if this was the one too many.
    #[must_use]
    pub fn failed(mut self, policy: LockoutPolicy, now: Timestamp) -> (Self, Option<LockScope>) {
        let counter = self.counter(policy);
        let failures = self.failures(counter).saturating_add(1);
        let is_too_many = failures > policy.forgiven_failures;
        let locks = match counter {
            Counter::Unknown => {
                self.lockout.unknown_failures = failures;
                locks_unknown(policy)
            }
            Counter::Earlier => {
                self.lockout.earlier_failures = failures;
                LockScope::EarlierDevices
            }
            Counter::Device(device) => {
                self.device = Some(DeviceFailures { failures, ..device });
                // Its own count says that it is locked.
                if device.known_by == KnownBy::SecondFactor {
                    LockScope::ThisDevice
                } else {
                    LockScope::Everywhere
                }
            }
        };
        if !is_too_many {
            return (self, None);
        }
        match locks {
            LockScope::UnknownDevices => self.lockout.unknown_locked_at = Some(now),
            LockScope::Everywhere => self.lockout.locked_at = Some(now),
            LockScope::EarlierDevices | LockScope::ThisDevice => {}
        }
        (self, Some(locks))
    }

    /// A right password clears the counter of where it came from. The one that devices share it leaves: the owner's sign-ins would
    /// give the thief of an earlier password new guesses.
    #[must_use]
    pub fn succeeded(mut self, policy: LockoutPolicy) -> Self {
        if self.counter(policy) == Counter::Unknown {
            self.lockout.unknown_failures = 0;
        }
        if let Some(device) = &mut self.device {
            device.failures = 0;
        }
        self
    }
}

const fn locks_unknown(policy: LockoutPolicy) -> LockScope {
    if policy.known_devices_count_apart { LockScope::UnknownDevices } else { LockScope::Everywhere }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const POLICY: LockoutPolicy = LockoutPolicy { forgiven_failures: 5, known_devices_count_apart: true };
    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn unknown() -> FailureCounters {
        FailureCounters::new(Lockout::default(), None, POLICY)
    }

    fn known() -> FailureCounters {
        on_device(KnownBy::PresentPassword)
    }

    fn on_device(known_by: KnownBy) -> FailureCounters {
        let device = DeviceFailures { device: DeviceId(Uuid::nil()), failures: 0, known_by };
        FailureCounters::new(Lockout::default(), Some(device), POLICY)
    }

    fn fail(
        mut counters: FailureCounters,
        times: u32,
        policy: LockoutPolicy,
    ) -> (FailureCounters, Option<LockScope>) {
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
            (on_device(KnownBy::SecondFactor), LockScope::ThisDevice),
        ] {
            let (after_five, scope) = fail(start, 5, POLICY);
            assert_eq!(scope, None);
            assert_eq!(after_five.blocking_lock(POLICY), None);
            let (after_six, scope) = after_five.failed(POLICY, NOW);
            assert_eq!(scope, Some(locks));
            assert_eq!(after_six.blocking_lock(POLICY), Some(locks));
        }
    }

    #[test]
    fn a_strangers_failures_spare_the_known_device() {
        let (locked, _) = fail(unknown(), 6, POLICY);
        let at_own_desk = FailureCounters::new(locked.lockout, known().device, POLICY);
        assert_eq!(at_own_desk.blocking_lock(POLICY), None);
    }

    #[test]
    fn a_device_of_a_second_factor_and_an_earlier_password_locks_itself_alone() {
        let (locked, _) = fail(on_device(KnownBy::SecondFactor), 6, POLICY);
        assert_eq!(locked.lockout, Lockout::default());
        for elsewhere in [unknown(), known(), on_device(KnownBy::SecondFactor)] {
            let there = FailureCounters { lockout: locked.lockout, ..elsewhere };
            assert_eq!(there.blocking_lock(POLICY), None, "{there:?}");
        }
        assert_eq!(locked.succeeded(POLICY).blocking_lock(POLICY), None, "a new password takes the lock off");
    }

    #[test]
    fn devices_of_an_earlier_password_have_five_failures_together_and_count_as_unknown_beyond() {
        let mut lockout = Lockout::default();
        let mut locks = Vec::new();
        let fresh = |lockout| FailureCounters { lockout, ..on_device(KnownBy::EarlierPassword) };
        for _ in 0..12 {
            // Another one each time.
            let there = fresh(lockout);
            assert_eq!(there.blocking_lock(POLICY), None, "{there:?}");
            let (after, locked) = there.failed(POLICY, NOW);
            assert_eq!(after.device, there.device);
            lockout = after.lockout;
            locks.extend(locked);
        }
        assert_eq!(locks, [LockScope::EarlierDevices, LockScope::UnknownDevices]);
        assert_eq!((lockout.earlier_failures, lockout.unknown_failures), (6, 6));
        assert_eq!(fresh(lockout).blocking_lock(POLICY), Some(LockScope::EarlierDevices));
        assert_eq!(
            FailureCounters { lockout, ..unknown() }.blocking_lock(POLICY),
            Some(LockScope::UnknownDevices)
        );
        assert_eq!(FailureCounters { lockout, ..known() }.blocking_lock(POLICY), None);
    }

    #[test]
    fn a_right_password_gives_devices_of_an_earlier_one_no_new_failures() {
        let (there, _) = fail(on_device(KnownBy::EarlierPassword), 5, POLICY);
        assert_eq!(there.succeeded(POLICY).lockout.earlier_failures, 5);
        let (there, _) = fail(on_device(KnownBy::EarlierPassword), 8, POLICY);
        let after = there.succeeded(POLICY).lockout;
        assert_eq!((after.earlier_failures, after.unknown_failures), (6, 0));
    }

    #[test]
    fn without_the_distinction_a_known_device_is_like_any_other() {
        let policy = LockoutPolicy { known_devices_count_apart: false, ..POLICY };
        let start = FailureCounters::new(Lockout::default(), known().device, policy);
        let (locked, scope) = fail(start, 6, policy);
        assert_eq!(scope, Some(LockScope::Everywhere));
        assert_eq!(
            FailureCounters::new(locked.lockout, known().device, policy).blocking_lock(policy),
            Some(LockScope::Everywhere)
        );
    }

    #[test]
    fn a_right_password_clears_only_the_counter_it_came_by() {
        let (from_unknown, _) = fail(unknown(), 3, POLICY);
        let at_desk = FailureCounters::new(from_unknown.lockout, known().device, POLICY);
        let (at_desk, _) = at_desk.failed(POLICY, NOW);
        let after = at_desk.succeeded(POLICY);
        assert_eq!(after.device.map(|d| d.failures), Some(0));
        assert_eq!(after.lockout.unknown_failures, 3);
        assert_eq!(from_unknown.succeeded(POLICY).lockout.unknown_failures, 0);
    }

    proptest! {
        #[test]
        fn a_lock_is_never_lifted_by_attempts(steps in proptest::collection::vec(any::<(bool, bool)>(), 0..60)) {
            let mut lockout = Lockout::default();
            let mut device = known().device;
            let mut locked = (false, false);
            for (from_known, right) in steps {
                let counters = FailureCounters::new(lockout, device.filter(|_| from_known), POLICY);
                let after = if counters.blocking_lock(POLICY).is_some() {
                    counters
                } else if right {
                    counters.succeeded(POLICY)
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
