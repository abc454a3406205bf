//! Links that mails carry, and the code that can be typed instead.
//!
//! Mail scanners open links, so opening one changes nothing; the button on its page does. The button works once, and
//! again only in the browser that used it (a double click). Up to five links of an account are valid at once, so that a
//! stranger who keeps requesting cannot invalidate the owner's; a completed reset ends them all.

use crate::ids::{AccountId, BrowserId, InteractionId, LinkId};
use crate::rate::RateLimit;
use anteroom_crypto::KeyedDigest;
use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    Recovery,
    Invitation,
}

impl LinkKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::Invitation => "invitation",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Recovery, Self::Invitation].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailedLink {
    pub id: LinkId,
    pub kind: LinkKind,
    /// `None`: no account has the requested address. The row exists so that both cases cost the same; the link is
    /// always refused.
    pub account: Option<AccountId>,
    pub token: KeyedDigest,
    pub mailed_code: Option<KeyedDigest>,
    /// Who asked, and what waits there.
    pub browser: Option<BrowserId>,
    pub interaction: Option<InteractionId>,
    pub mailed_code_attempts: u32,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    /// The browser in which the link was followed.
    pub followed_in: Option<BrowserId>,
    pub ended_at: Option<Timestamp>,
    /// A reset or registration was completed behind this very link.
    pub completed_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryPolicy {
    pub link_lifetime: SignedDuration,
    /// So many links of an account are alive at once.
    pub max_links: u32,
    /// Tries of the typed code.
    pub max_mailed_code_attempts: u32,
    /// Requests of one address prefix.
    pub rate: RateLimit,
    /// Waiting time before codes are sent to a phone that was added to a registered account.
    pub new_phone_delay: SignedDuration,
}

impl Default for RecoveryPolicy {
    fn default() -> Self {
        Self {
            link_lifetime: SignedDuration::from_mins(30),
            max_links: 5,
            max_mailed_code_attempts: 10,
            rate: RateLimit { max: 60, window: SignedDuration::from_mins(5) },
            new_phone_delay: SignedDuration::from_hours(72),
        }
    }
}

/// Why a link opens nothing. The person is told the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidLink {
    Expired,
    /// The link was used before: in another browser, or in this one before a different account signed in.
    Used,
    /// By a completed reset.
    Ended,
    /// No account has the address.
    NoAccount,
}

impl InvalidLink {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Ended => "ended",
            Self::NoAccount => "no_account",
        }
    }
}

impl EmailedLink {
    /// Whose it is, if it can be followed in this browser now.
    pub fn follow(&self, browser: BrowserId, now: Timestamp) -> Result<AccountId, InvalidLink> {
        let account = self.account.ok_or(InvalidLink::NoAccount)?;
        if self.ended_at.is_some() {
            return Err(InvalidLink::Ended);
        }
        if now >= self.expires_at {
            return Err(InvalidLink::Expired);
        }
        match self.used_at {
            Some(_) if self.followed_in != Some(browser) => Err(InvalidLink::Used),
            _ => Ok(account),
        }
    }

    /// Whether the code of its mail may still be tried in this browser.
    pub fn accepts_mailed_code(&self, browser: BrowserId, policy: RecoveryPolicy, now: Timestamp) -> bool {
        self.browser == Some(browser)
            && self.mailed_code_attempts < policy.max_mailed_code_attempts
            && self.ended_at.is_none()
            && self.used_at.is_none()
            && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn browser(n: u128) -> BrowserId {
        BrowserId(Uuid::from_u128(n))
    }

    fn link() -> EmailedLink {
        EmailedLink {
            id: LinkId(Uuid::from_u128(1)),
            kind: LinkKind::Recovery,
            account: Some(AccountId(Uuid::from_u128(7))),
            token: anteroom_crypto::KeyedDigest::from_slice(&[0; 32]).unwrap(),
            mailed_code: None,
            browser: Some(browser(1)),
            interaction: None,
            mailed_code_attempts: 0,
            created_at: at(0),
            expires_at: at(30),
            used_at: None,
            followed_in: None,
            ended_at: None,
            completed_at: None,
        }
    }

    #[test]
    fn a_link_is_pressed_once_in_any_browser_and_again_only_there() {
        let pressed = EmailedLink { used_at: Some(at(1)), followed_in: Some(browser(2)), ..link() };
        let theirs = Ok(AccountId(Uuid::from_u128(7)));
        for (link, by, now, expected) in [
            (link(), 1, 0, theirs),
            (link(), 2, 29, theirs),
            (link(), 2, 30, Err(InvalidLink::Expired)),
            (pressed.clone(), 2, 2, theirs),
            (pressed.clone(), 1, 2, Err(InvalidLink::Used)),
            (EmailedLink { ended_at: Some(at(3)), ..pressed }, 2, 4, Err(InvalidLink::Ended)),
            (EmailedLink { account: None, ..link() }, 1, 0, Err(InvalidLink::NoAccount)),
        ] {
            assert_eq!(link.follow(browser(by), at(now)), expected, "{link:?} by {by} at {now}");
        }
    }

    #[test]
    fn its_code_is_typed_only_where_it_was_asked_for_and_ten_times_at_most() {
        let policy = RecoveryPolicy::default();
        assert!(link().accepts_mailed_code(browser(1), policy, at(29)));
        assert!(!link().accepts_mailed_code(browser(2), policy, at(0)));
        assert!(!link().accepts_mailed_code(browser(1), policy, at(30)));
        assert!(EmailedLink { mailed_code_attempts: 9, ..link() }.accepts_mailed_code(
            browser(1),
            policy,
            at(0)
        ));
        assert!(!EmailedLink { mailed_code_attempts: 10, ..link() }.accepts_mailed_code(
            browser(1),
            policy,
            at(0)
        ));
        assert!(!EmailedLink { used_at: Some(at(1)), ..link() }.accepts_mailed_code(
            browser(1),
            policy,
            at(2)
        ));
    }
}
