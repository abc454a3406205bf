//! Sign-ins that are on their way: from the redirect to the provider until the answer comes back.
//!
//! Keyed by `state`, so that two tabs do not disturb each other, and bound to the browser by a cookie, so that an
//! answer cannot be planted in another person's browser (RFC 6749 section 10.12).

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};
use url::Url;

use crate::shelf::Shelf;

/// Long, because a forgotten password leads through mail and telephone before the answer comes.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
const CAPACITY: usize = 10_000;

/// Names a browser for the length of its sign-ins. A caller that presents it is believed to be that browser.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct BrowserId(String);

impl BrowserId {
    /// The browser's id from its cookie, or a new one.
    pub(crate) fn known_or_new(cookie: Option<String>) -> Self {
        cookie.and_then(Self::parse).unwrap_or_else(|| Self(random_id()))
    }

    pub(crate) fn parse(value: String) -> Option<Self> {
        (value.len() == RANDOM_ID_LENGTH).then_some(Self(value))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

const RANDOM_ID_LENGTH: usize = 43;

/// 256 bits, base64url.
pub(crate) fn random_id() -> String {
    CsrfToken::new_random_len(32).into_secret()
}

pub(crate) struct PendingSignIn {
    pub(crate) browser: BrowserId,
    pub(crate) nonce: Nonce,
    pub(crate) verifier: PkceCodeVerifier,
    /// A page of this origin.
    pub(crate) target: Url,
}

pub(crate) struct SignIns(Mutex<Shelf<String, PendingSignIn>>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NotPending {
    /// Never begun, already finished, or begun too long ago.
    Unknown,
    /// Begun in another browser, or its cookie is lost.
    OtherBrowser,
}

impl SignIns {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Shelf::new(LIFETIME, CAPACITY)))
    }

    pub(crate) fn begin(&self, state: &CsrfToken, pending: PendingSignIn, now: Timestamp) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.put(state.secret().clone(), pending, now);
    }

    /// Takes the sign-in of this `state`, once. An answer in the wrong browser leaves it for the right one.
    pub(crate) fn finish(
        &self,
        state: &str,
        browser: Option<&BrowserId>,
        now: Timestamp,
    ) -> Result<PendingSignIn, NotPending> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = shelf.get(state, now).ok_or(NotPending::Unknown)?;
        if Some(&pending.browser) != browser {
            return Err(NotPending::OtherBrowser);
        }
        shelf.take(state).ok_or(NotPending::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use openidconnect::PkceCodeChallenge;

    use super::*;

    fn begin(sign_ins: &SignIns, state: &str, browser: &BrowserId, now: Timestamp) {
        let pending = PendingSignIn {
            browser: browser.clone(),
            nonce: Nonce::new("n".into()),
            verifier: PkceCodeChallenge::new_random_sha256().1,
            target: format!("http://127.0.0.1/{state}").parse().unwrap(),
        };
        sign_ins.begin(&CsrfToken::new(state.into()), pending, now);
    }

    #[test]
    fn two_tabs_finish_each_their_own_and_each_once() {
        let (sign_ins, now, browser) = (SignIns::new(), Timestamp::UNIX_EPOCH, BrowserId::known_or_new(None));
        begin(&sign_ins, "one", &browser, now);
        begin(&sign_ins, "two", &browser, now);
        assert_eq!(sign_ins.finish("one", Some(&browser), now).unwrap().target.path(), "/one");
        assert_eq!(sign_ins.finish("one", Some(&browser), now).err(), Some(NotPending::Unknown));
        assert_eq!(sign_ins.finish("two", Some(&browser), now).unwrap().target.path(), "/two");
    }

    #[test]
    fn rfc6749_10_12_another_browser_cannot_finish_it_nor_spoil_it() {
        let (sign_ins, now, browser) = (SignIns::new(), Timestamp::UNIX_EPOCH, BrowserId::known_or_new(None));
        begin(&sign_ins, "state", &browser, now);
        let other_browser = BrowserId::known_or_new(None);
        assert_eq!(sign_ins.finish("state", Some(&other_browser), now).err(), Some(NotPending::OtherBrowser));
        assert_eq!(sign_ins.finish("state", None, now).err(), Some(NotPending::OtherBrowser));
        assert!(sign_ins.finish("state", Some(&browser), now).is_ok());
    }

    #[test]
    fn a_browser_keeps_its_id_and_nonsense_is_replaced() {
        let first = BrowserId::known_or_new(None);
        assert!(BrowserId::known_or_new(Some(first.as_str().into())) == first);
        assert!(BrowserId::known_or_new(Some("x".into())).as_str().len() == RANDOM_ID_LENGTH);
    }
}
