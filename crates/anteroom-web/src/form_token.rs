//! Form tokens: every form that changes state has one, sign-in included (login CSRF).
//!
//! A token has the time, the browser's identifier, the session and account that the page showed, and a random number of
//! the page, under a MAC that also covers the form's name. A token is bound to the browser's identifier. If that
//! identifier was lost meanwhile (two tabs restored at once, cookies cleared) the token is still accepted when
//! `Sec-Fetch-Site` says that the form is same-origin. The account that the page showed is compared with the one for
//! which the form would act: by the extractor (`forms.rs`) if that is the current session, else by
//! `anteroom_flows::interaction::next`.
//!
//! A token of release 0.1.0 has only the time and the browser's identifier. It is accepted, and names no account: it comes from
//! a page that was open when its node was replaced, or from a node of 0.1.0 that serves the same database. While such a node
//! serves, this release makes tokens of that kind too, because 0.1.0 reads no others and may get the form.

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring};
use anteroom_domain::ids::{AccountId, BrowserId, SessionId};
use anteroom_flows::context::call::FormOwner;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::origin::FormOrigin;

/// The forms. The name is part of the MAC, so a token of one form is invalid for another.
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
    MailedCode,
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
            Self::MailedCode => "form:recovery-code",
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
const ID_LEN: usize = 16;
const BODY_LEN: usize = TIME_LEN + 4 * ID_LEN;
const RELEASE_0_1_BODY_LEN: usize = TIME_LEN + ID_LEN;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidFormToken;

/// The browser and the time at which a form is made or submitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormContext {
    pub browser: BrowserId,
    pub now: Timestamp,
}

/// The page that a form is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormPage {
    pub at: FormContext,
    /// The session and account that the page shows.
    pub owner: FormOwner,
    /// Random, because a wrong password is stored as a digest together with the token, and could be guessed offline if
    /// the token were predictable.
    pub number: [u8; ID_LEN],
}

/// What a submitted token is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenCheck {
    pub at: FormContext,
    pub lifetime: SignedDuration,
    pub origin: FormOrigin,
}

/// Makes a token. Without a session or an account its part is all zeros.
pub(crate) fn make(keyring: &Keyring, form: FormName, page: FormPage) -> String {
    let FormPage { at, owner, number } = page;
    let session = owner.session.map_or(Uuid::nil(), |session| session.0);
    let account = owner.account.map_or(Uuid::nil(), |account| account.0);
    let mut bytes = at.now.as_millisecond().to_be_bytes().to_vec();
    for id in [at.browser.0, session, account] {
        bytes.extend_from_slice(id.as_bytes());
    }
    bytes.extend_from_slice(&number);
    authenticated(keyring, form, bytes)
}

/// Makes a token that release 0.1.0 reads as well.
pub(crate) fn make_for_release_0_1(keyring: &Keyring, form: FormName, at: FormContext) -> String {
    let mut bytes = at.now.as_millisecond().to_be_bytes().to_vec();
    bytes.extend_from_slice(at.browser.0.as_bytes());
    authenticated(keyring, form, bytes)
}

fn authenticated(keyring: &Keyring, form: FormName, mut body: Vec<u8>) -> String {
    let mac = keyring.mac(KeyPurpose::FormMac).digest(form.context(), &body);
    body.extend_from_slice(mac.as_bytes());
    URL_SAFE_NO_PAD.encode(body)
}

/// Verifies a token. Returns the session and account that the form's page showed.
pub(crate) fn check(
    keyring: &Keyring,
    form: FormName,
    token: &str,
    returned: TokenCheck,
) -> Result<FormOwner, InvalidFormToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidFormToken)?;
    let body_len = bytes.len().checked_sub(KeyedDigest::LEN).ok_or(InvalidFormToken)?;
    if ![BODY_LEN, RELEASE_0_1_BODY_LEN].contains(&body_len) {
        return Err(InvalidFormToken);
    }
    let (body, mac) = bytes.split_at_checked(body_len).ok_or(InvalidFormToken)?;
    let mac = KeyedDigest::from_slice(mac).ok_or(InvalidFormToken)?;
    if !keyring.mac(KeyPurpose::FormMac).verify(form.context(), body, &mac) {
        return Err(InvalidFormToken);
    }
    let (time, ids) = body.split_at_checked(TIME_LEN).ok_or(InvalidFormToken)?;
    let mut ids = ids.chunks_exact(ID_LEN).filter_map(|id| Uuid::from_slice(id).ok());
    let browser = ids.next().ok_or(InvalidFormToken)?;
    // A token of release 0.1.0 has neither of these.
    let (session, account) = (ids.next().unwrap_or_default(), ids.next().unwrap_or_default());
    let millis = i64::from_be_bytes(time.try_into().map_err(|_| InvalidFormToken)?);
    let made = Timestamp::from_millisecond(millis).map_err(|_| InvalidFormToken)?;
    let TokenCheck { at, lifetime, origin } = returned;
    let same_browser = browser == at.browser.0;
    let fresh = at.now.duration_since(made) < lifetime;
    if !fresh || !(same_browser || origin == FormOrigin::SameOrigin) {
        return Err(InvalidFormToken);
    }
    let named = |id: Uuid| Some(id).filter(|id| !id.is_nil());
    Ok(FormOwner { session: named(session).map(SessionId), account: named(account).map(AccountId) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);
    const OURS: FormOrigin = FormOrigin::SameOrigin;

    fn at(browser: u128, minutes: i64) -> FormContext {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        FormContext { browser: BrowserId(Uuid::from_u128(browser)), now }
    }

    fn page_of(owner: FormOwner) -> FormPage {
        FormPage { at: at(1, 0), owner, number: [5; ID_LEN] }
    }

    fn returned(at: FormContext, origin: FormOrigin) -> TokenCheck {
        TokenCheck { at, lifetime: HOUR, origin }
    }

    #[test]
    fn a_token_serves_its_form_its_browser_and_its_time() {
        let keyring = Keyring::for_tests(1);
        let owner = FormOwner::default();
        let token = make(&keyring, FormName::SignIn, page_of(owner));
        for (form, moment, origin, expected) in [
            (FormName::SignIn, at(1, 59), FormOrigin::Unknown, Ok(owner)),
            (FormName::SignIn, at(1, 60), OURS, Err(InvalidFormToken)),
            (FormName::SignIn, at(2, 1), FormOrigin::Unknown, Err(InvalidFormToken)),
            (FormName::SignIn, at(2, 1), OURS, Ok(owner)),
            (FormName::Consent, at(1, 1), OURS, Err(InvalidFormToken)),
        ] {
            let got = check(&keyring, form, &token, returned(moment, origin));
            assert_eq!(got, expected, "{form:?} {moment:?}");
        }
        let back = returned(at(1, 1), OURS);
        assert_eq!(check(&Keyring::for_tests(2), FormName::SignIn, &token, back), Err(InvalidFormToken));
        for text in ["", "x", "AAAA", token.strip_prefix(|_: char| true).unwrap(), &format!("{token}A")] {
            assert_eq!(check(&keyring, FormName::SignIn, text, back), Err(InvalidFormToken));
        }
    }

    #[test]
    fn a_token_of_release_0_1_0_is_valid_and_names_no_account() {
        let keyring = Keyring::for_tests(1);
        let token = make_for_release_0_1(&keyring, FormName::SignIn, at(1, 0));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        // This is how 0.1.0 reads it.
        let (body, mac) = bytes.split_at(24);
        let (time, browser) = body.split_at(8);
        assert_eq!((time, browser), (&[0; 8][..], Uuid::from_u128(1).as_bytes().as_slice()));
        let mac = KeyedDigest::from_slice(mac).unwrap();
        assert!(keyring.mac(KeyPurpose::FormMac).verify("form:sign-in", body, &mac));
        for (form, moment, origin, expected) in [
            (FormName::SignIn, at(1, 59), FormOrigin::Unknown, Ok(FormOwner::default())),
            (FormName::SignIn, at(1, 60), OURS, Err(InvalidFormToken)),
            (FormName::SignIn, at(2, 1), FormOrigin::Unknown, Err(InvalidFormToken)),
            (FormName::Consent, at(1, 1), OURS, Err(InvalidFormToken)),
        ] {
            assert_eq!(
                check(&keyring, form, &token, returned(moment, origin)),
                expected,
                "{form:?} {moment:?}"
            );
        }
    }

    #[test]
    fn a_token_says_whom_the_page_showed_and_cannot_be_made_to_say_another() {
        let keyring = Keyring::for_tests(1);
        let session = Some(SessionId(Uuid::from_u128(3)));
        let account = Some(AccountId(Uuid::from_u128(4)));
        let back = returned(at(1, 1), FormOrigin::Unknown);
        for owner in
            [FormOwner::default(), FormOwner { session: None, account }, FormOwner { session, account }]
        {
            let token = make(&keyring, FormName::Profile, page_of(owner));
            assert_eq!(check(&keyring, FormName::Profile, &token, back), Ok(owner));
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            for place in TIME_LEN + ID_LEN..BODY_LEN {
                bytes[place] ^= 1;
                let forged = URL_SAFE_NO_PAD.encode(&bytes);
                assert_eq!(
                    check(&keyring, FormName::Profile, &forged, back),
                    Err(InvalidFormToken),
                    "{place}"
                );
                bytes[place] ^= 1;
            }
        }
    }
}
