//! Form tokens: every state-changing form carries one, sign-in included (login CSRF).
//!
//! A token names when and for which browser the form was made, under a MAC that also names the form. It must come back from
//! that browser; where the browser itself vouches that the form was sent from our own page (`Sec-Fetch-Site`), a token made
//! for an identifier that was lost meanwhile (two tabs restored at once, cookies cleared) is as good.

use anteroom_crypto::{Digest, KeyPurpose, Keyring};
use anteroom_domain::ids::BrowserId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::origin::Vouched;

/// The forms there are. The name is part of the MAC: a token of one form is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormName {
    SignIn,
    SignOut,
    Stay,
    ChooseAccount,
    Consent,
    NotEntitled,
    ExpiredPassword,
    ForgotPassword,
    RecoveryCode,
    Recover,
    VerifySend,
    VerifyCode,
    NewPassword,
    CompleteRegistration,
    Register,
    RegisterPhone,
    PhonesDone,
    Factors,
    Profile,
}

impl FormName {
    const fn context(self) -> &'static str {
        match self {
            Self::SignIn => "form:sign-in",
            Self::SignOut => "form:sign-out",
            Self::Stay => "form:stay",
            Self::ChooseAccount => "form:choose-account",
            Self::Consent => "form:consent",
            Self::NotEntitled => "form:not-entitled",
            Self::ExpiredPassword => "form:expired-password",
            Self::ForgotPassword => "form:forgot-password",
            Self::RecoveryCode => "form:recovery-code",
            Self::Recover => "form:recover",
            Self::VerifySend => "form:verify-send",
            Self::VerifyCode => "form:verify-code",
            Self::NewPassword => "form:new-password",
            Self::CompleteRegistration => "form:complete-registration",
            Self::Register => "form:register",
            Self::RegisterPhone => "form:register-phone",
            Self::PhonesDone => "form:phones-done",
            Self::Factors => "form:factors",
            Self::Profile => "form:profile",
        }
    }
}

const TIME_LEN: usize = 8;
const BROWSER_LEN: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stale;

/// Where and when a form is made or comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub browser: BrowserId,
    pub now: Timestamp,
}

pub(crate) fn make(keyring: &Keyring, form: FormName, at: Moment) -> String {
    let mut bytes = at.now.as_millisecond().to_be_bytes().to_vec();
    bytes.extend_from_slice(at.browser.0.as_bytes());
    let mac = keyring.mac(KeyPurpose::FormMac).digest(form.context(), &bytes);
    bytes.extend_from_slice(mac.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn check(
    keyring: &Keyring,
    (form, token): (FormName, &str),
    at: Moment,
    (lifetime, vouched): (SignedDuration, Vouched),
) -> Result<(), Stale> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Stale)?;
    let (body, mac) = bytes.split_at_checked(TIME_LEN + BROWSER_LEN).ok_or(Stale)?;
    let mac = Digest::from_slice(mac).ok_or(Stale)?;
    if !keyring.mac(KeyPurpose::FormMac).verify(form.context(), body, &mac) {
        return Err(Stale);
    }
    let (time, browser) = body.split_at_checked(TIME_LEN).ok_or(Stale)?;
    let millis = i64::from_be_bytes(time.try_into().map_err(|_| Stale)?);
    let made = Timestamp::from_millisecond(millis).map_err(|_| Stale)?;
    let same_browser = browser == at.browser.0.as_bytes();
    let fresh = at.now.duration_since(made) < lifetime;
    if fresh && (same_browser || vouched == Vouched::ByTheBrowser) { Ok(()) } else { Err(Stale) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(browser: u128, minutes: i64) -> Moment {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        Moment { browser: BrowserId(Uuid::from_u128(browser)), now }
    }

    #[test]
    fn a_token_serves_its_form_its_browser_and_its_time() {
        let keyring = Keyring::for_tests(1);
        let token = make(&keyring, FormName::SignIn, at(1, 0));
        let ours = Vouched::ByTheBrowser;
        let unknown = Vouched::Not;
        for (form, moment, vouched, expected) in [
            (FormName::SignIn, at(1, 59), unknown, Ok(())),
            (FormName::SignIn, at(1, 60), ours, Err(Stale)),
            (FormName::SignIn, at(2, 1), unknown, Err(Stale)),
            (FormName::SignIn, at(2, 1), ours, Ok(())),
            (FormName::Consent, at(1, 1), ours, Err(Stale)),
        ] {
            assert_eq!(
                check(&keyring, (form, &token), moment, (HOUR, vouched)),
                expected,
                "{form:?} {moment:?}"
            );
        }
        let other_key = Keyring::for_tests(2);
        assert_eq!(check(&other_key, (FormName::SignIn, &token), at(1, 1), (HOUR, ours)), Err(Stale));
        for text in ["", "x", "AAAA"] {
            assert_eq!(check(&keyring, (FormName::SignIn, text), at(1, 1), (HOUR, ours)), Err(Stale));
        }
    }
}
