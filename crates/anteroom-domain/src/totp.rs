//! Authenticator apps: the shared secret, and which of its codes count (RFC 6238).
//!
//! Invariants:
//! - a code counts in its own half minute and in the one before and after it (§5.2), and once only: of two codes the later
//!   step alone is taken;
//! - an app counts once its first code was entered; one that was added by a password alone waits like an added phone.

use crate::ids::{AccountId, AuthenticatorAppId};
use anteroom_crypto::Random;
use jiff::{SignedDuration, Timestamp};
use totp_rs::{Builder, Secret, Totp, TotpError};
use zeroize::Zeroizing;

/// RFC 4226 §4 recommends 160 bits.
const SECRET_LEN: usize = 20;

/// So long the page with the secret may stay open: an app has to be found and installed.
pub const ENROLMENT_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Most authenticator apps of one account.
pub const MOST_APPS: usize = 5;

/// What the app and we share.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_LEN]>);

/// A half minute since 1970: what a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeStep(pub i64);

/// The X of RFC 6238 §4.1.
const STEP_SECONDS: i64 = 30;

impl TimeStep {
    pub fn at(now: Timestamp) -> Self {
        Self(now.as_second().div_euclid(STEP_SECONDS))
    }
}

/// An app as it is kept. Its secret is sealed at rest.
#[derive(Clone, Debug)]
pub struct AuthenticatorApp {
    pub id: AuthenticatorAppId,
    pub account: AccountId,
    pub secret_sealed: Vec<u8>,
    pub confirmed_at: Option<Timestamp>,
    pub usable_from: Timestamp,
    /// Codes of this step and before are spent.
    pub last_step: Option<TimeStep>,
    pub created_at: Timestamp,
}

impl AuthenticatorApp {
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.confirmed_at.is_some() && self.usable_from <= now
    }

    /// Whether its first code may still be entered.
    pub fn may_be_confirmed(&self, now: Timestamp) -> bool {
        self.confirmed_at.is_none() && now.duration_since(self.created_at) < ENROLMENT_LIFETIME
    }

    /// Associated data (AAD) with which the secret is encrypted.
    pub fn associated_data(id: AuthenticatorAppId) -> Vec<u8> {
        format!("totp_factors\nsecret_sealed\n{id}").into_bytes()
    }
}

impl TotpSecret {
    pub fn generate(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes()))
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    fn totp(&self) -> Builder {
        // SHA-1, six digits, half a minute, one step of drift: what every app takes. Some ignore any other choice.
        Builder::new().with_secret(Secret::from(*self.0))
    }

    /// The step that a code belongs to, if it is one of those that count now. Apps show spaces between the digits, and people
    /// write hyphens there.
    pub fn step_of(&self, entered: &str, now: Timestamp) -> Option<TimeStep> {
        let digits: String = entered.chars().filter(|c| !c.is_whitespace() && *c != '-').take(16).collect();
        let seconds = u64::try_from(now.as_second()).ok()?;
        let step = self.totp().build().ok()?.check(&digits, seconds)?;
        i64::try_from(step).ok().map(TimeStep)
    }

    /// For a person who types it: Base32 in groups of four.
    pub fn typed(&self) -> String {
        let base32 = Secret::from(*self.0).to_base32();
        let letters: Vec<char> = base32.chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// The content of the QR code: an `otpauth:` URL with the practice and the account that the app shows beside the code.
    pub fn url(&self, practice: &str, account: &str) -> Result<String, TotpError> {
        let plain = |text: &str| text.replace(':', " ");
        let totp: Totp =
            self.totp().with_issuer(Some(plain(practice))).with_account_name(plain(account)).build()?;
        totp.to_url()
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret([redacted])")
    }
}

/// Whether an app may be removed: not where its codes are taken now and no other app or phone could prove the next change.
pub fn may_remove(
    apps: &[AuthenticatorApp],
    id: AuthenticatorAppId,
    has_phone: bool,
    now: Timestamp,
) -> bool {
    let serves = apps.iter().any(|app| app.id == id && app.is_usable(now));
    let another = apps.iter().any(|app| app.id != id && app.is_usable(now));
    !serves || has_phone || another
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn secret() -> TotpSecret {
        TotpSecret::from_slice(b"12345678901234567890").unwrap()
    }

    #[test]
    fn rfc6238_appendix_b_its_codes_count() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().step_of(code, at(seconds)), Some(TimeStep(seconds / 30)), "{code}");
        }
    }

    #[test]
    fn rfc6238_5_2_one_step_of_drift_and_no_more() {
        let step = TimeStep(1_111_111_111 / 30);
        for (seconds, counts) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let found = secret().step_of("050471", at(1_111_111_111 + seconds));
            assert_eq!(found, counts.then_some(step), "{seconds} s away");
        }
    }

    #[test]
    fn what_is_entered_may_be_spaced_and_anything_else_is_no_code() {
        let now = at(1_111_111_111);
        for text in [" 050 471 ", "050-471", "050\u{a0}471"] {
            assert!(secret().step_of(text, now).is_some(), "{text}");
        }
        for text in ["", "05047", "0504710", "05047a", "+50471", "０５０４７１", "050471050471050471"] {
            assert_eq!(secret().step_of(text, now), None, "{text}");
        }
        assert_eq!(secret().step_of("050471", at(-1)), None);
    }

    #[test]
    fn the_app_is_told_practice_account_and_secret() {
        let url = secret().url("Riverside: Dental & Medical", "alice@demo.example").unwrap();
        assert!(url.starts_with("otpauth://totp/Riverside"), "{url}");
        assert!(url.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{url}");
        assert!(url.contains("issuer=Riverside"), "{url}");
        assert_eq!(secret().typed(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(format!("{:?}", secret()), "TotpSecret([redacted])");
    }

    #[test]
    fn an_app_serves_once_confirmed_and_not_before_its_time() {
        let app = |confirmed_at, usable_from| AuthenticatorApp {
            id: AuthenticatorAppId(uuid::Uuid::nil()),
            account: AccountId(uuid::Uuid::nil()),
            secret_sealed: Vec::new(),
            confirmed_at,
            usable_from,
            last_step: None,
            created_at: at(0),
        };
        assert!(!app(None, at(0)).is_usable(at(1)));
        assert!(app(Some(at(0)), at(1)).is_usable(at(1)));
        assert!(!app(Some(at(0)), at(2)).is_usable(at(1)));
        assert!(app(None, at(0)).may_be_confirmed(at(899)));
        assert!(!app(None, at(0)).may_be_confirmed(at(900)));
        assert!(!app(Some(at(1)), at(0)).may_be_confirmed(at(2)));
    }
}
