//! Proof Key for Code Exchange: RFC 7636. Only `S256`: the `plain` method shows the verifier to a thief who sees
//! the request, against whom it should protect.

use std::{fmt, str::FromStr};

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

use crate::wire::{InvalidValue, serde_as_text};

/// RFC 7636 §4.2 with `S256`: the hash of a verifier, which only its maker knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// RFC 7636 §4.2: `BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))`.
    pub fn of(verifier: &CodeVerifier) -> Self {
        let hash = digest::digest(&digest::SHA256, verifier.0.expose_secret().as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        Self(bytes)
    }

    /// RFC 7636 §4.6, in constant time.
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &Self::of(verifier).0).is_ok()
    }
}

impl FromStr for CodeChallenge {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(InvalidValue::new("an S256 code challenge (43 characters of base64url)", text)),
        }
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeChallenge({self})")
    }
}

serde_as_text!(CodeChallenge);

/// RFC 7636 §4.1: the secret that redeems a code.
#[derive(Debug, Clone)]
pub struct CodeVerifier(SecretString);

impl FromStr for CodeVerifier {
    type Err = InvalidCodeVerifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&text.len()) || !text.bytes().all(unreserved) {
            return Err(InvalidCodeVerifier);
        }
        Ok(Self(SecretString::from(text)))
    }
}

/// Does not carry what was received: it is close to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code verifier has 43 to 128 unreserved characters")]
pub struct InvalidCodeVerifier;

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc7636_appendix_b_example() {
        let verifier: CodeVerifier = VERIFIER.parse().unwrap();
        let challenge: CodeChallenge = CHALLENGE.parse().unwrap();
        assert_eq!(CodeChallenge::of(&verifier), challenge);
        assert_eq!(challenge.to_string(), CHALLENGE);
        assert!(challenge.is_met_by(&verifier));
    }

    #[test]
    fn rfc7636_4_6_wrong_verifier_is_refused() {
        let challenge: CodeChallenge = CHALLENGE.parse().unwrap();
        let wrong: CodeVerifier = VERIFIER.replace('d', "e").parse().unwrap();
        assert!(!challenge.is_met_by(&wrong));
    }

    #[test]
    fn rfc7636_4_1_verifier_has_43_to_128_unreserved_characters() {
        for (text, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~._-".repeat(32), true),
            ("a".repeat(129), false),
            (format!("{}+", "a".repeat(43)), false),
            (format!("{}é", "a".repeat(43)), false),
        ] {
            assert_eq!(text.parse::<CodeVerifier>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn rfc7636_4_2_challenge_is_43_characters_of_base64url() {
        for bad in
            ["", "short", VERIFIER.trim_end_matches('k'), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"]
        {
            assert!(bad.parse::<CodeChallenge>().is_err(), "{bad}");
        }
        assert!(format!("{CHALLENGE}=").parse::<CodeChallenge>().is_err());
        assert!(format!("{CHALLENGE}AA").parse::<CodeChallenge>().is_err());
    }

    #[test]
    fn verifiers_do_not_print() {
        let verifier: CodeVerifier = VERIFIER.parse().unwrap();
        assert!(!format!("{verifier:?}").contains(VERIFIER));
    }
}
