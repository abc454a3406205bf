//! Whether a callback comes from Twilio: `X-Twilio-Signature` (https://www.twilio.com/docs/usage/security).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// HMAC-SHA1 over the address as Twilio called it and the form's fields, sorted by name; compared in constant time.
pub(super) fn verify_signature(
    auth_token: &SecretString,
    url: &str,
    params: &[(String, String)],
    signature: &str,
) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let mut sorted: Vec<&(String, String)> = params.iter().collect();
    sorted.sort();
    let mut signed = url.to_owned();
    for (name, value) in sorted {
        signed.push_str(name);
        signed.push_str(value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.expose_secret().as_bytes());
    hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_twilios_documentation_verifies_and_nothing_else_does() {
        let params: Vec<(String, String)> = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let (url, signature) =
            ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let token = SecretString::from("12345");
        let reversed: Vec<_> = params.iter().rev().cloned().collect();
        assert!(verify_signature(&token, url, &params, signature));
        assert!(verify_signature(&token, url, &reversed, signature));
        let fewer = params.get(1..).unwrap_or_default();
        assert!(!verify_signature(&token, url, fewer, signature));
        assert!(!verify_signature(&token, "https://mycompany.com/myapp.php?foo=1", &params, signature));
        assert!(!verify_signature(&SecretString::from("12346"), url, &params, signature));
        assert!(!verify_signature(&token, url, &params, "not base64"));
        assert!(!verify_signature(&token, url, &params, ""));
    }
}
