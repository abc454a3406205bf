//! The decision on one attempt to sign in with a password.
//!
//! It runs on the account row read again under the lock, after the hash was computed, and never on the row that was
//! read before. A credential that changed in between makes the verdict worthless: it is neither believed nor counted.

use crate::account::AccountStatus;
use crate::lockout::{FailureCounters, LockScope, LockoutPolicy};
use jiff::Timestamp;

/// Everything the decision looks at.
#[derive(Clone, Copy, Debug)]
pub struct SignInAttempt {
    pub status: AccountStatus,
    pub counters: FailureCounters,
    /// Whether the password that was typed matches the hash that was verified.
    pub password_matches: bool,
    /// Whether that hash is still of the account's password.
    pub credential_unchanged: bool,
    /// Whether the same wrong password in the same form, sent twice by one click too many, was counted a moment ago.
    pub counted_before: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInRefusal {
    WrongPassword,
    Locked(LockScope),
    Disabled,
    NotRegistered,
    /// The password was changed while its hash was being verified.
    CredentialChanged,
}

impl SignInRefusal {
    /// For the trail and the log; never for the person.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::Locked(LockScope::UnknownDevices) => "locked_for_unknown_devices",
            Self::Locked(LockScope::EarlierDevices) => "locked_for_earlier_devices",
            Self::Locked(LockScope::ThisDevice) => "locked_for_this_device",
            Self::Locked(LockScope::Everywhere) => "locked",
            Self::Disabled => "disabled",
            Self::NotRegistered => "not_registered",
            Self::CredentialChanged => "credential_changed",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInDecision {
    pub verdict: Result<(), SignInRefusal>,
    pub counters: FailureCounters,
    /// Failures in the counter that this attempt belongs to, after the decision.
    pub failures: u32,
    /// Set when this very attempt locked something.
    pub locks: Option<LockScope>,
}

pub fn decide(attempt: SignInAttempt, policy: LockoutPolicy, now: Timestamp) -> SignInDecision {
    let counter = attempt.counters.counter(policy);
    let decision = |verdict, counters: FailureCounters, locks| SignInDecision {
        verdict,
        failures: counters.failures(counter),
        counters,
        locks,
    };
    let refuse = |refusal| decision(Err(refusal), attempt.counters, None);
    match attempt.status {
        AccountStatus::Disabled => return refuse(SignInRefusal::Disabled),
        AccountStatus::Invited => return refuse(SignInRefusal::NotRegistered),
        AccountStatus::Active => {}
    }
    if let Some(scope) = attempt.counters.blocking_lock(policy) {
        return refuse(SignInRefusal::Locked(scope));
    }
    if !attempt.credential_unchanged {
        return refuse(SignInRefusal::CredentialChanged);
    }
    if attempt.password_matches {
        return decision(Ok(()), attempt.counters.succeeded(policy), None);
    }
    if attempt.counted_before {
        return refuse(SignInRefusal::WrongPassword);
    }
    let (counters, locks) = attempt.counters.failed(policy, now);
    decision(Err(SignInRefusal::WrongPassword), counters, locks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockout::Lockout;

    const POLICY: LockoutPolicy = LockoutPolicy { forgiven_failures: 5, known_devices_count_apart: true };
    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn attempt() -> SignInAttempt {
        SignInAttempt {
            status: AccountStatus::Active,
            counters: FailureCounters::new(Lockout::default(), None, POLICY),
            password_matches: true,
            credential_unchanged: true,
            counted_before: false,
        }
    }

    fn locked() -> FailureCounters {
        let lockout = Lockout { unknown_locked_at: Some(NOW), unknown_failures: 6, ..Lockout::default() };
        FailureCounters::new(lockout, None, POLICY)
    }

    #[test]
    fn each_state_of_the_account_has_its_verdict() {
        let wrong = SignInAttempt { password_matches: false, ..attempt() };
        for (attempt, verdict) in [
            (attempt(), Ok(())),
            (wrong, Err(SignInRefusal::WrongPassword)),
            (SignInAttempt { status: AccountStatus::Disabled, ..attempt() }, Err(SignInRefusal::Disabled)),
            (
                SignInAttempt { status: AccountStatus::Invited, ..attempt() },
                Err(SignInRefusal::NotRegistered),
            ),
            (
                SignInAttempt { counters: locked(), ..attempt() },
                Err(SignInRefusal::Locked(LockScope::UnknownDevices)),
            ),
            (
                SignInAttempt { credential_unchanged: false, ..attempt() },
                Err(SignInRefusal::CredentialChanged),
            ),
        ] {
            assert_eq!(decide(attempt, POLICY, NOW).verdict, verdict);
        }
    }

    #[test]
    fn only_a_wrong_password_that_was_looked_at_is_counted() {
        let wrong = SignInAttempt { password_matches: false, ..attempt() };
        assert_eq!(decide(wrong, POLICY, NOW).counters.lockout.unknown_failures, 1);
        for uncounted in [
            SignInAttempt { counters: locked(), ..wrong },
            SignInAttempt { status: AccountStatus::Disabled, ..wrong },
            SignInAttempt { credential_unchanged: false, ..wrong },
            SignInAttempt { counted_before: true, ..wrong },
        ] {
            assert_eq!(decide(uncounted, POLICY, NOW).counters, uncounted.counters);
        }
    }
}
