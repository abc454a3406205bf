//! Who a client says it is and what it brings: the `Authorization` header (RFC 7617, RFC 6750 §2.1) and the body of a
//! token request (RFC 6749 §2.3.1, §4.1.3), of one about a token (RFC 7009 §2.1), and of one for a resource.
//!
//! The header is the first line of the input, the body the rest; an empty line is no header. Credentials that were read are
//! written and read again as the same. No secret shows in an error or in what is printed.

use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::token::{PresentedCredentials, TokenLookup, TokenRequest, bearer_token};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;

use crate::{Verdict, text};

pub(crate) fn credentials(input: &[u8]) -> Verdict {
    let (header, body) = split(input);
    let (Some(header), Ok(form)) = (text(header), UrlEncodedForm::decode(body)) else {
        return Verdict::Refused;
    };
    let header = Some(header).filter(|header| !header.is_empty());
    let read = PresentedCredentials::parse(header, &form);
    let request = TokenRequest::parse(&form);
    let reference = TokenLookup::parse(&form);
    let bearer = bearer_token(header, Some(&form), text(body));
    if let Ok(read) = &read {
        check_credentials(read);
    }
    if let Ok(TokenRequest::AuthorizationCode(grant)) = &request {
        assert!(!grant.code.expose_secret().is_empty());
    }
    if let Ok(bearer) = &bearer {
        let token = bearer.expose_secret();
        assert!(!token.is_empty());
        let in_header = header.is_some_and(|header| header.to_ascii_lowercase().starts_with("bearer"));
        assert!(in_header || form.all("access_token").any(|given| given == token));
        assert!(
            bearer_token(Some(&format!("Bearer {token}")), None, None).is_ok() || token.trim().is_empty()
        );
    }
    Verdict::of(read.is_ok() || request.is_ok() || reference.is_ok() || bearer.is_ok())
}

fn check_credentials(read: &PresentedCredentials) {
    let shown = format!("{read:?}");
    if let Some(secret) = read.secret().map(ExposeSecret::expose_secret) {
        assert!(!secret.is_empty());
        // Short ones are part of every word.
        assert!(secret.len() < 24 || !shown.contains(secret) || read.client_id().as_str().contains(secret));
    }
    if let PresentedCredentials::Basic { client_id, secret } = read {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(client_id.as_str()), encode(secret.expose_secret()));
        let header = format!("Basic {}", STANDARD.encode(pair));
        let again = PresentedCredentials::parse(Some(&header), &UrlEncodedForm::default()).unwrap();
        assert_eq!(again.client_id(), client_id);
        assert_eq!(again.secret().map(ExposeSecret::expose_secret), Some(secret.expose_secret()));
    }
}

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    (lines.next().unwrap_or_default(), lines.next().unwrap_or_default())
}
