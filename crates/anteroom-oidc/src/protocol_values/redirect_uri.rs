//! Redirect URIs: RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §4.1.3, OpenID Connect Registration §2.

use std::{fmt, str::FromStr};

use thiserror::Error;
use url::Url;

use super::{is_loopback_host, is_plain_host};
use crate::display_text::shorten;
use crate::wire::serde_as_text;

/// A redirect URI as a client registered it, kept and compared as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedirectUri {
    text: String,
    kind: RedirectUriKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RedirectUriKind {
    Https,
    /// `http` on `localhost`, `127.0.0.0/8` or `[::1]` (RFC 8252 §7.3 and §8.3).
    LoopbackHttp,
    /// A reverse-domain scheme of a native app, such as `com.example.app:/callback` (RFC 8252 §7.1).
    PrivateUse,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RedirectUriError {
    #[error("{0:?} is not an absolute URI")]
    NotAbsolute(String),
    #[error("{0:?} has a fragment")]
    Fragment(String),
    #[error("{0:?} has a user name or password")]
    UserInfo(String),
    #[error("{0:?} has a host that is neither a name nor an IP address; a wildcard is neither")]
    Host(String),
    #[error("{0:?} is plain http to another machine: use https")]
    PlainHttp(String),
    #[error("{0:?} has a scheme that is neither https nor a reverse-domain one such as com.example.app")]
    Scheme(String),
}

impl RedirectUri {
    const MAX_BYTES: usize = 2000;

    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let shown = || shorten(text);
        if text.len() > Self::MAX_BYTES || !text.chars().all(is_uri_char) {
            return Err(RedirectUriError::NotAbsolute(shown()));
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute(shown()))?;
        if text.contains('#') {
            return Err(RedirectUriError::Fragment(shown()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::UserInfo(shown()));
        }
        let kind = match url.scheme() {
            // `Url` also reads "https:host", which a browser would follow, and which is a slip.
            "https" if text.starts_with("https://") => RedirectUriKind::Https,
            "http" if text.starts_with("http://") => {
                if !url.host().is_some_and(|host| is_loopback_host(&host)) {
                    return Err(RedirectUriError::PlainHttp(shown()));
                }
                RedirectUriKind::LoopbackHttp
            }
            scheme if scheme.contains('.') => RedirectUriKind::PrivateUse,
            _ => return Err(RedirectUriError::Scheme(shown())),
        };
        if kind != RedirectUriKind::PrivateUse && !url.host().is_some_and(|host| is_plain_host(&host)) {
            return Err(RedirectUriError::Host(shown()));
        }
        Ok(Self { text: text.to_owned(), kind })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn kind(&self) -> RedirectUriKind {
        self.kind
    }

    /// The origin that scripts of this client run under, for CORS; a private-use scheme has none.
    pub fn origin(&self) -> Option<String> {
        match self.kind {
            RedirectUriKind::PrivateUse => None,
            _ => Some(Url::parse(&self.text).ok()?.origin().ascii_serialization()),
        }
    }

    /// Whether it leads to the machine that the browser runs on.
    pub fn is_on_loopback(&self) -> bool {
        let url = Url::parse(&self.text).ok();
        self.kind != RedirectUriKind::PrivateUse
            && url.is_some_and(|url| url.host().is_some_and(|host| is_loopback_host(&host)))
    }

    /// What a person can know the application by, whatever it calls itself: the host, or the scheme of a native app.
    pub fn display_host(&self) -> String {
        let url = Url::parse(&self.text).ok();
        let known = url.as_ref().map(|url| match self.kind {
            RedirectUriKind::PrivateUse => url.scheme(),
            _ => url.host_str().unwrap_or_default(),
        });
        known.unwrap_or_default().to_owned()
    }

    /// RFC 9700 §4.1.3: the same text, character for character.
    pub fn matches_exactly(&self, requested: &str) -> bool {
        self.text == requested
    }

    /// RFC 8252 §7.3: a native app listens on whatever port is free, so for loopback the port may be any.
    pub fn matches_on_any_loopback_port(&self, requested: &str) -> bool {
        self.matches_exactly(requested)
            || (self.kind == RedirectUriKind::LoopbackHttp
                && without_port(&self.text)
                    .is_some_and(|registered| without_port(requested) == Some(registered)))
    }
}

/// Host and everything after the port of an http URI, as text: normalising would let different URIs match.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let Some((host, port)) = authority.rsplit_once(':').filter(|(host, _)| !host.ends_with(':')) else {
        return Some((authority, tail));
    };
    if authority.ends_with(']') {
        return Some((authority, tail)); // the colon was one of an IPv6 address without a port
    }
    let is_port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    is_port.then_some((host, tail))
}

/// RFC 3986 §2: unreserved, reserved and the percent sign.
const fn is_uri_char(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '-' | '.'
                | '_'
                | '~'
                | ':'
                | '/'
                | '?'
                | '#'
                | '['
                | ']'
                | '@'
                | '!'
                | '$'
                | '&'
                | '\''
                | '('
                | ')'
                | '*'
                | '+'
                | ','
                | ';'
                | '='
                | '%'
        )
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

serde_as_text!(RedirectUri);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The host is written into policies and pages.
    #[test]
    fn a_host_is_a_name_or_an_address() {
        for good in [
            "https://app_1.example/cb",
            "https://192.0.2.1/cb",
            "https://[2001:db8::1]/cb",
            "https://ex%C3%A4mple/cb",
        ] {
            assert!(RedirectUri::parse(good).is_ok(), "{good}");
        }
        let long = format!("https://{}example/cb", "a.".repeat(130));
        for bad in [
            "https://evil.example,frame-src/cb",
            "https://evil.example;sandbox/cb",
            "https://*/cb",
            "https://*.example/cb",
            "https://a'b.example/cb",
            "https://a(b).example/cb",
            &long,
        ] {
            assert!(matches!(RedirectUri::parse(bad), Err(RedirectUriError::Host(_))), "{bad}");
        }
    }

    #[test]
    fn rfc6749_3_1_2_absolute_without_fragment() {
        use RedirectUriKind::{Https, LoopbackHttp, PrivateUse};
        for (good, kind) in [
            ("https://app.example/cb", Https),
            ("https://app.example/cb?a=b&c=d", Https),
            ("http://localhost/cb", LoopbackHttp),
            ("http://127.0.0.1:9000/cb", LoopbackHttp),
            ("http://[::1]/cb", LoopbackHttp),
            ("com.example.app:/cb", PrivateUse),
            ("com.example.app://cb", PrivateUse),
        ] {
            let parsed = RedirectUri::parse(good).unwrap();
            assert_eq!((parsed.as_str(), parsed.kind()), (good, kind));
        }
        for bad in [
            "",
            "/cb",
            "https://app.example/cb#x",
            "https://app.example/cb#",
            "https://user:pw@app.example/cb",
            "http://app.example/cb",
            "http://localhost.app.example/cb",
            "https:app.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/cb",
            "https://app.example/a b",
            "https://app.example\\@evil.example/",
            "https://app.example/cb\n",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn rfc9700_4_1_3_comparison_is_of_characters() {
        let registered = RedirectUri::parse("https://app.example/cb?a=b").unwrap();
        assert!(registered.matches_exactly("https://app.example/cb?a=b"));
        for other in [
            "https://app.example/cb",
            "https://app.example/cb?a=b&c",
            "https://APP.example/cb?a=b",
            "https://app.example:443/cb?a=b",
            "https://app.example/./cb?a=b",
            "https://app.example/cb?a=%62",
        ] {
            assert!(!registered.matches_on_any_loopback_port(other), "{other}");
        }
    }

    #[test]
    fn rfc8252_7_3_loopback_port_is_free() {
        for (registered, requested, fits) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback", true),
            ("http://127.0.0.1:8000/callback", "http://127.0.0.1:51004/callback", true),
            ("http://127.0.0.1/callback", "http://127.0.0.1/callback", true),
            ("http://localhost/callback", "http://localhost:1/callback", true),
            ("http://[::1]/callback", "http://[::1]:51004/callback", true),
            ("http://[::1]:80/callback", "http://[::1]/callback", true),
            ("http://127.0.0.1/callback", "http://localhost:51004/callback", false),
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/other", false),
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback?x", false),
            ("http://127.0.0.1/callback", "http://127.0.0.1:99999/callback", false),
            ("http://127.0.0.1/callback", "http://127.0.0.1:0/callback", false),
            ("http://127.0.0.1/callback", "http://127.0.0.1:/callback", false),
            ("http://127.0.0.1/callback", "http://127.0.0.1:80@evil.example/callback", false),
            ("http://127.0.0.1/callback", "https://127.0.0.1:51004/callback", false),
            ("https://127.0.0.1/callback", "https://127.0.0.1:51004/callback", false),
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback#f", false),
        ] {
            let uri = RedirectUri::parse(registered).unwrap();
            assert_eq!(uri.matches_on_any_loopback_port(requested), fits, "{registered} {requested}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,80}") {
            let _ = RedirectUri::parse(&text);
        }

        #[test]
        fn rfc8252_7_3_nothing_but_the_port_is_free(
            uri in "http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:[0-9]{1,5})?(/[a-z.%?#@:0-9]{0,6})?"
        ) {
            let registered = RedirectUri::parse("http://127.0.0.1/cb").unwrap();
            if registered.matches_on_any_loopback_port(&uri) {
                let url = Url::parse(&uri).unwrap();
                prop_assert_eq!((url.host_str(), url.path()), (Some("127.0.0.1"), "/cb"));
                prop_assert_eq!((url.query(), url.fragment()), (None, None));
            }
        }

        #[test]
        fn rfc9700_4_1_3_https_matches_nothing_but_itself(other in "https://app\\.example(:443)?/[a-z/.?%]{0,4}") {
            let registered = RedirectUri::parse("https://app.example/cb").unwrap();
            prop_assert_eq!(registered.matches_on_any_loopback_port(&other), other == registered.as_str());
        }
    }
}
