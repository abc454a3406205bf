//! Sessions: one account signed in at one browser.
//!
//! Invariants: a session lives only as long as its idle and absolute limits, its account's epoch and the account
//! itself allow; signing in again to the same account keeps the session (and its `sid`, which applications know) but gives
//! it a new secret; the cookie's secret is not the session's identifier.

use crate::account::{Account, AccountStatus, Epoch};
use crate::ids::{AccountId, BrowserId, DeviceId, SessionId};
use anteroom_oidc::{Acr, AmrSet};
use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub epoch: Epoch,
    pub browser: BrowserId,
    pub device: Option<DeviceId>,
    pub auth_time: Timestamp,
    pub acr: Acr,
    pub amr: AmrSet,
    pub created_at: Timestamp,
    pub last_active_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    pub idle: SignedDuration,
    pub absolute: SignedDuration,
}

/// Activity is written at most this often: a read must not become a write.
pub const TOUCH_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStanding {
    Live,
    Ended,
    Idle,
    TooOld,
    /// The password changed, or the account was disabled, since.
    EpochPassed,
    AccountInactive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    SignedOut,
    Idle,
    TooOld,
    PasswordChanged,
    Disabled,
}

impl SessionEnd {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Idle => "idle",
            Self::TooOld => "too_old",
            Self::PasswordChanged => "password_changed",
            Self::Disabled => "disabled",
        }
    }
}

impl Session {
    pub fn standing(&self, account: &Account, policy: SessionPolicy, now: Timestamp) -> SessionStanding {
        // A clock set back makes durations negative: such a session is young, not old.
        if self.ended_at.is_some() {
            SessionStanding::Ended
        } else if account.status != AccountStatus::Active {
            SessionStanding::AccountInactive
        } else if self.epoch != account.epoch {
            SessionStanding::EpochPassed
        } else if now.duration_since(self.auth_time) >= policy.absolute {
            SessionStanding::TooOld
        } else if now.duration_since(self.last_active_at) >= policy.idle {
            SessionStanding::Idle
        } else {
            SessionStanding::Live
        }
    }

    pub fn wants_touch(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_active_at) >= TOUCH_INTERVAL
    }
}
