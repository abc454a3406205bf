//! Names and addresses: redirect URIs, the resources of WebFinger, what people type, and the words of the protocol.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::phone::E164;
use anteroom_domain::telephony::parse_number;
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::protocol_values::RedirectUriKind;
use anteroom_oidc::webfinger;
use anteroom_oidc::{
    ClientId, CodeChallenge, CodeVerifier, Issuer, Nonce, PromptSet, RedirectUri, ResponseMode, ResponseType,
    ScopeSet, State, Subject,
};
use std::fmt::{Debug, Display};
use std::str::FromStr;
use url::{Host, Url};

use crate::keys::issuer;
use crate::{Verdict, text};

/// A redirect URI, and on a second line what is asked for in its name (RFC 9700 §4.1.3, RFC 8252 §7.3): what matches is
/// the same text, or differs in the port of a loopback address alone.
pub(crate) fn redirect_uri(input: &[u8]) -> Verdict {
    let Some(text) = text(input) else { return Verdict::Refused };
    let (registered, requested) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(registered) = RedirectUri::parse(registered) else { return Verdict::Refused };
    check_redirect_uri(&registered);
    assert_eq!(registered.matches_exactly(requested), registered.as_str() == requested);
    if registered.matches_on_any_loopback_port(requested) && registered.as_str() != requested {
        assert_eq!(registered.kind(), RedirectUriKind::LoopbackHttp);
        let mut ours = Url::parse(registered.as_str()).unwrap();
        let mut theirs = Url::parse(requested).unwrap();
        ours.set_port(None).unwrap();
        theirs.set_port(None).unwrap();
        assert_eq!(ours, theirs);
        check_redirect_uri(&RedirectUri::parse(requested).unwrap());
    }
    Verdict::Accepted
}

pub(crate) fn check_redirect_uri(uri: &RedirectUri) {
    let text = uri.as_str();
    assert!(text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains(['#', '\\']), "{text}");
    assert_eq!(RedirectUri::parse(text).as_ref(), Ok(uri));
    assert!(uri.matches_exactly(text) && uri.matches_on_any_loopback_port(text));
    let url = Url::parse(text).unwrap();
    assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none());
    match uri.kind() {
        RedirectUriKind::Https => {
            assert_eq!(url.scheme(), "https");
            assert!(uri.origin().is_some_and(|origin| origin.starts_with("https://")));
        }
        RedirectUriKind::LoopbackHttp => {
            assert_eq!(url.scheme(), "http");
            assert!(match url.host().unwrap() {
                Host::Domain(name) => name == "localhost",
                Host::Ipv4(address) => address.is_loopback(),
                Host::Ipv6(address) => address.is_loopback(),
            });
        }
        RedirectUriKind::PrivateUse => {
            assert!(url.scheme().contains('.'), "{text}");
            assert!(uri.origin().is_none());
        }
    }
}

/// RFC 7033: what is described is what was asked for, and always with our issuer alone.
pub(crate) fn webfinger(input: &[u8]) -> Verdict {
    let Ok(form) = UrlEncodedForm::decode(input) else { return Verdict::Refused };
    let issuer = issuer();
    let Ok(described) = webfinger::describe(&form, &issuer) else { return Verdict::Refused };
    assert_eq!(form.once("resource").unwrap(), Some(described.subject.as_str()));
    assert!(described.links.len() <= 1 && described.links.iter().all(|link| link.href == issuer));
    Verdict::Accepted
}

/// What people type: addresses and numbers. What is stored reads back, and no header can be made of it.
pub(crate) fn people(input: &[u8]) -> Verdict {
    let Some(text) = text(input) else { return Verdict::Refused };
    let address = EmailAddress::parse(text);
    if let Ok(address) = &address {
        assert!(!address.as_str().contains(|c: char| c.is_control() || c.is_whitespace()));
        assert!(!address.as_str().contains(['<', '>', ',', ';', '"']));
        assert_eq!(EmailAddress::parse(address.as_str()).as_ref(), Ok(address));
        let folded = address.folded();
        assert_eq!(EmailAddress::parse(folded.as_str()).unwrap().folded(), folded);
        let _ = address.masked();
    }
    let region = "US".parse().ok();
    let number = parse_number(text, region);
    if let Ok(number) = &number {
        assert_eq!(E164::parse(number.as_str()).as_ref(), Ok(number));
        assert_eq!(parse_number(number.as_str(), region).as_ref(), Ok(number));
    }
    Verdict::of(address.is_ok() || number.is_ok())
}

/// Each word of the protocol is written as it was read, or at least read again as the same.
pub(crate) fn wire_names(input: &[u8]) -> Verdict {
    let Some(text) = text(input) else { return Verdict::Refused };
    let verbatim = [
        verbatim::<ClientId>(text),
        verbatim::<Subject>(text),
        verbatim::<Nonce>(text),
        verbatim::<State>(text),
        verbatim::<ResponseMode>(text),
        verbatim::<Issuer>(text),
    ];
    let again = [again::<ScopeSet>(text), again::<PromptSet>(text), again::<ResponseType>(text)];
    let challenge = text.parse::<CodeChallenge>();
    let verifier = text.parse::<CodeVerifier>();
    assert!(verifier.is_err() || (43..=128).contains(&text.len()));
    let read = [challenge.is_ok(), verifier.is_ok()];
    Verdict::of(verbatim.into_iter().chain(again).chain(read).any(|is_read| is_read))
}

fn verbatim<T: FromStr + Display>(text: &str) -> bool {
    let read = text.parse::<T>();
    if let Ok(read) = &read {
        assert_eq!(read.to_string(), text);
    }
    read.is_ok()
}

fn again<T: FromStr + Display + Debug + PartialEq>(text: &str) -> bool
where
    T::Err: Debug,
{
    let read = text.parse::<T>();
    if let Ok(read) = &read {
        assert_eq!(&read.to_string().parse::<T>().unwrap(), read);
    }
    read.is_ok()
}
