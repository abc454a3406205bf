//! Sessions: one account signed in at one browser.
//!
//! Invariants: a session lives only as long as its idle and absolute limits, its account's epoch and the account
//! itself allow; signing in again to the same account keeps the session (and its `sid`, which applications know) but gives
//! it a new secret; the cookie's secret is not the session's identifier. Where several accounts are signed in at one browser,
//! one session is the current one; another can be made current without a proof only for a short time after it was.

use crate::account::{Account, AccountEpoch, AccountStatus};
use crate::ids::{AccountId, BrowserId, DeviceId, SessionId};
use anteroom_oidc::{Acr, AmrSet};
use jiff::{SignedDuration, Timestamp};

/// Sessions of one account that are alive at once: what ends them all is one transaction.
pub const MAX_OF_ACCOUNT: u32 = 100;

/// A browser has one session per account, but one closed without signing out leaves another behind when it loses its
/// cookie; so a device may have up to five.
pub const MAX_OF_DEVICE: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub epoch: AccountEpoch,
    pub browser: BrowserId,
    pub device: Option<DeviceId>,
    pub auth_time: Timestamp,
    pub acr: Acr,
    pub amr: AmrSet,
    pub created_at: Timestamp,
    pub last_active_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Whether pairwise clients know it by a `sid` of their sector ([`crate::subject::sid`]). Sessions of release 0.1.0 are
    /// known to all by the same one, to their end.
    pub sid_by_sector: bool,
    /// When another account became the current one of the browser. `None`: it is the current one itself.
    pub not_current_since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    pub idle: SignedDuration,
    pub absolute: SignedDuration,
    /// How long after another account became the current one of the browser a session can still be chosen without its password.
    pub switch_proof_after: SignedDuration,
}

impl SessionPolicy {
    /// So long before the end of a session its person is warned: time enough to answer (WCAG 2.2.1 asks for 20 seconds), and
    /// never more than a third of the time that a session may be idle.
    pub fn warn_before(self) -> SignedDuration {
        SignedDuration::from_mins(5).min(self.idle / 3)
    }
}

/// How long a session still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRemaining {
    pub left: SignedDuration,
    /// Activity gives it no more: the absolute limit comes first.
    pub fixed: bool,
}

/// Activity is written at most this often: a read must not become a write.
pub const ACTIVITY_UPDATE_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    Live,
    Ended,
    Idle,
    TooOld,
    /// The password changed, or the account was disabled, since.
    EpochChanged,
    AccountInactive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    SignedOut,
    Idle,
    TooOld,
    PasswordChanged,
    Disabled,
    /// An operator accepted a database that had gone back.
    DatabaseAccepted,
    /// A client asked for it with an ID token of the session, without the session's browser.
    RequestedByClient,
    /// The account, or its device, had as many sessions as it may, and another one began.
    TooMany,
}

impl SessionEnd {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Idle => "idle",
            Self::TooOld => "too_old",
            Self::PasswordChanged => "password_changed",
            Self::Disabled => "disabled",
            Self::DatabaseAccepted => "database_accepted",
            Self::RequestedByClient => "client",
            Self::TooMany => "too_many",
        }
    }
}

/// What an `id_token_hint` may do to a live session when the request comes without that session's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutHintEffect {
    /// It ends the session.
    Ends,
    /// It ends the session once the person at the browser has confirmed that.
    Asks,
    /// It says nothing: the session stays.
    Nothing,
}

impl Session {
    pub fn current_status(&self, account: &Account, policy: SessionPolicy, now: Timestamp) -> SessionStatus {
        // A clock set back makes durations negative: such a session is young, not old.
        if self.ended_at.is_some() {
            SessionStatus::Ended
        } else if account.status != AccountStatus::Active {
            SessionStatus::AccountInactive
        } else if self.epoch != account.epoch {
            SessionStatus::EpochChanged
        } else if now.duration_since(self.auth_time) >= policy.absolute {
            SessionStatus::TooOld
        } else if now.duration_since(self.last_active_at) >= policy.idle {
            SessionStatus::Idle
        } else {
            SessionStatus::Live
        }
    }

    /// Of a session that is alive.
    pub fn left(&self, policy: SessionPolicy, now: Timestamp) -> SessionRemaining {
        let idle = policy.idle - now.duration_since(self.last_active_at).max(SignedDuration::ZERO);
        let absolute = policy.absolute - now.duration_since(self.auth_time).max(SignedDuration::ZERO);
        SessionRemaining { left: idle.min(absolute).max(SignedDuration::ZERO), fixed: absolute < idle }
    }

    /// Which limit ended it; `None` where it is alive or something else did. Housekeeping may have noted the end already.
    pub fn expiry_reason(&self, policy: SessionPolicy, now: Timestamp) -> Option<SessionEnd> {
        let end = self.ended_at.unwrap_or(now);
        if end.duration_since(self.auth_time) >= policy.absolute {
            Some(SessionEnd::TooOld)
        } else if end.duration_since(self.last_active_at) >= policy.idle {
            Some(SessionEnd::Idle)
        } else {
            None
        }
    }

    /// Whether the person must prove who they are before this session is used at the browser: another account has
    /// been the current one for too long, and the person at the browser may be that other one.
    pub fn requires_reauthentication(&self, policy: SessionPolicy, now: Timestamp) -> bool {
        self.not_current_since.is_some_and(|left| now.duration_since(left) >= policy.switch_proof_after)
    }

    /// On a shared workstation a proof left open by one person must not serve the next. True if this session belongs to
    /// another account and was used after `at`, so that proofs of `account` before then are void.
    pub fn is_of_another_since(&self, account: AccountId, at: Timestamp) -> bool {
        self.account != account && self.auth_time.max(self.last_active_at) > at
    }

    /// What an ID token is worth as a hint in a request without the cookie of this session, which is alive. The client
    /// itself may end the session with an ID token of the present sign-in (RP-Initiated Logout §2). An older token may come from a log or a URL, so it only leads to the
    /// question "sign out?", and only in the session's own browser: anywhere else the finder of the token would answer
    /// it.
    pub fn logout_hint_effect(
        &self,
        issued_at: Timestamp,
        expires_at: Timestamp,
        browser: BrowserId,
        now: Timestamp,
    ) -> LogoutHintEffect {
        // Tokens count in whole seconds.
        let is_of_this_sign_in = issued_at.as_second() >= self.auth_time.as_second();
        if is_of_this_sign_in && now < expires_at {
            LogoutHintEffect::Ends
        } else if browser == self.browser {
            LogoutHintEffect::Asks
        } else {
            LogoutHintEffect::Nothing
        }
    }

    pub fn needs_activity_update(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_active_at) >= ACTIVITY_UPDATE_INTERVAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_oidc::Amr;
    use uuid::Uuid;

    const POLICY: SessionPolicy = SessionPolicy {
        idle: SignedDuration::from_mins(30),
        absolute: SignedDuration::from_hours(12),
        switch_proof_after: SignedDuration::from_mins(5),
    };

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn session(last_active: i64, ended: Option<i64>) -> Session {
        Session {
            id: SessionId(Uuid::from_u128(1)),
            account: AccountId(Uuid::from_u128(2)),
            epoch: AccountEpoch(0),
            browser: BrowserId(Uuid::from_u128(3)),
            device: None,
            auth_time: at(0),
            acr: Acr::Pwd,
            amr: AmrSet::from_iter([Amr::Pwd]),
            created_at: at(0),
            last_active_at: at(last_active),
            ended_at: ended.map(at),
            sid_by_sector: true,
            not_current_since: None,
        }
    }

    #[test]
    fn rp_initiated_2_what_a_hint_is_worth_without_the_cookie_of_its_session() {
        let (own, another) = (BrowserId(Uuid::from_u128(3)), BrowserId(Uuid::from_u128(4)));
        for (signed_in, issued, expires, now, in_own, in_another) in [
            (0, 0, 10, 0, LogoutHintEffect::Ends, LogoutHintEffect::Ends),
            (0, 5, 15, 14, LogoutHintEffect::Ends, LogoutHintEffect::Ends),
            (0, 5, 15, 15, LogoutHintEffect::Asks, LogoutHintEffect::Nothing),
            (0, 5, 15, 60, LogoutHintEffect::Asks, LogoutHintEffect::Nothing),
            // The person has proven who they are again since.
            (6, 5, 15, 7, LogoutHintEffect::Asks, LogoutHintEffect::Nothing),
            (6, 5, 15, 60, LogoutHintEffect::Asks, LogoutHintEffect::Nothing),
            (6, 6, 16, 7, LogoutHintEffect::Ends, LogoutHintEffect::Ends),
        ] {
            let session = Session { auth_time: at(signed_in), ..session(0, None) };
            for (browser, expected) in [(own, in_own), (another, in_another)] {
                let worth = session.logout_hint_effect(at(issued), at(expires), browser, at(now));
                assert_eq!(worth, expected, "{signed_in} {issued} {expires} {now} {browser:?}");
            }
        }
        let auth_time = at(0) + SignedDuration::from_millis(900);
        let session = Session { auth_time, ..session(0, None) };
        let worth = session.logout_hint_effect(at(0), at(10), another, at(1));
        assert_eq!(worth, LogoutHintEffect::Ends, "the same second");
    }

    #[test]
    fn what_is_left_is_the_nearer_of_two_limits() {
        for (last_active, now, left, fixed) in [
            (0, 0, 30, false),
            (10, 15, 25, false),
            (10, 40, 0, false),
            (10, 50, 0, false),
            (690, 690, 30, false),
            (700, 700, 20, true),
            (719, 720, 0, true),
            // A clock set back.
            (10, 5, 30, false),
        ] {
            let expected = SessionRemaining { left: SignedDuration::from_mins(left), fixed };
            assert_eq!(session(last_active, None).left(POLICY, at(now)), expected, "{last_active} {now}");
        }
    }

    #[test]
    fn a_session_says_which_limit_ended_it() {
        for (last_active, ended, now, expected) in [
            (0, None, 29, None),
            (0, None, 30, Some(SessionEnd::Idle)),
            (0, Some(31), 300, Some(SessionEnd::Idle)),
            // Signed out, or ended by a new password.
            (0, Some(10), 300, None),
            (700, None, 719, None),
            (700, None, 720, Some(SessionEnd::TooOld)),
            (700, Some(721), 900, Some(SessionEnd::TooOld)),
        ] {
            assert_eq!(
                session(last_active, ended).expiry_reason(POLICY, at(now)),
                expected,
                "{last_active} {now}"
            );
        }
    }

    #[test]
    fn a_session_that_was_left_wants_a_proof_after_a_while() {
        for (left, now, expected) in [
            (None, 600, false),
            (Some(10), 10, false),
            (Some(10), 14, false),
            (Some(10), 15, true),
            (Some(10), 600, true),
            // A clock set back.
            (Some(10), 5, false),
        ] {
            let session = Session { not_current_since: left.map(at), ..session(0, None) };
            assert_eq!(session.requires_reauthentication(POLICY, at(now)), expected, "{left:?} {now}");
        }
    }

    #[test]
    fn what_was_proven_before_another_person_signed_in_is_overtaken() {
        let [own, another] = [2, 4].map(|id| AccountId(Uuid::from_u128(id)));
        for (account, signed_in, used, ended, proven, expected) in [
            (another, 10, 10, None, 9, true),
            (another, 10, 10, Some(11), 9, true),
            // Who was there before helps, as people do at one workstation, and has not used a session of their own.
            (another, 10, 10, None, 10, false),
            (another, 10, 10, None, 11, false),
            (another, 10, 11, None, 11, false),
            // And has come back to it.
            (another, 10, 12, None, 11, true),
            (another, 10, 12, Some(13), 11, true),
            (own, 10, 12, None, 9, false),
        ] {
            let session =
                Session { auth_time: at(signed_in), last_active_at: at(used), ..session(signed_in, ended) };
            let found = session.is_of_another_since(account, at(proven));
            assert_eq!(found, expected, "{signed_in} {used} {proven}");
        }
    }

    #[test]
    fn the_warning_leaves_time_to_answer() {
        for (idle, warned) in [(1, 20), (6, 120), (15, 300), (30, 300), (720, 300)] {
            let policy = SessionPolicy { idle: SignedDuration::from_mins(idle), ..POLICY };
            assert_eq!(policy.warn_before(), SignedDuration::from_secs(warned), "{idle}");
        }
    }
}
