//! The issuer identifier: OpenID Connect Discovery 1.0 §3, RFC 8414 §2.

use std::{fmt, str::FromStr};

use thiserror::Error;
use url::{Host, Url};

use crate::wire::serde_as_text;

/// An https URL without query or fragment; http only on loopback, for development.
///
/// The text is kept as it was written, because relying parties compare issuers as strings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: String,
    url: Url,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IssuerError {
    #[error("{0:?} is not an absolute URL")]
    NotAUrl(String),
    #[error("{0:?} is not https (http is accepted for a loopback host only)")]
    NotHttps(String),
    #[error("{0:?} has a query or a fragment")]
    QueryOrFragment(String),
    #[error("{0:?} has a user name or password")]
    UserInfo(String),
    #[error(
        "{received:?} is not written in its normal form, {normal:?}: relying parties compare issuers as text"
    )]
    NotNormal { received: String, normal: String },
}

impl Issuer {
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let owned = || text.to_owned();
        let url = Url::parse(text).map_err(|_| IssuerError::NotAUrl(owned()))?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => url.host().is_some_and(|host| is_loopback_host(&host)),
            _ => false,
        };
        if !secure {
            return Err(IssuerError::NotHttps(owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(IssuerError::QueryOrFragment(owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(IssuerError::UserInfo(owned()));
        }
        // `Url` writes the empty path as "/", which is the one difference that does not matter.
        if url.as_str() != text && url.as_str().strip_suffix('/') != Some(text) {
            let normal = url.as_str().strip_suffix('/').unwrap_or(url.as_str()).to_owned();
            return Err(IssuerError::NotNormal { received: owned(), normal });
        }
        Ok(Self { text: owned(), url })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The path that every endpoint lies under, without its last slash: empty for most.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// `path` under the issuer: `/token` becomes `https://issuer.example/token`.
    pub fn endpoint(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{}", self.path(), path.trim_start_matches('/')));
        url
    }

    /// Scheme, host and port as browsers write them in `Origin`.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Plain http on this machine: the only place where cookies go without `Secure`.
    pub fn is_loopback_http(&self) -> bool {
        self.url.scheme() == "http"
    }
}

/// Whether a host is a name of the DNS or an IP address. URLs may have others, with characters that mean something in a
/// Content-Security-Policy, where hosts of applications are written.
pub(crate) fn is_plain_host(host: &Host<&str>) -> bool {
    const LONGEST_NAME: usize = 253;
    match host {
        Host::Domain(name) => {
            name.len() <= LONGEST_NAME
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

pub(crate) fn is_loopback_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

serde_as_text!(Issuer);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn discovery_3_issuer_is_https_without_query_or_fragment() {
        for good in [
            "https://id.example",
            "https://id.example/",
            "https://id.example:8443",
            "https://id.example/practice",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert_eq!(Issuer::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "id.example",
            "ftp://id.example",
            "http://id.example",
            "http://localhost.id.example",
            "https://id.example?tenant=1",
            "https://id.example#top",
            "https://user@id.example",
            "https://ID.example",
            "https://id.example:443",
            "https://id.example/a/../b",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn discovery_4_1_endpoints_lie_under_the_issuer() {
        let plain = Issuer::parse("https://id.example").unwrap();
        assert_eq!(plain.endpoint("/token").as_str(), "https://id.example/token");
        assert_eq!(plain.path(), "");
        let slash = Issuer::parse("https://id.example/practice/").unwrap();
        assert_eq!(slash.endpoint("token").as_str(), "https://id.example/practice/token");
        assert_eq!(slash.path(), "/practice");
        assert_eq!(slash.origin(), "https://id.example");
    }

    #[test]
    fn loopback_http_is_told_apart() {
        assert!(Issuer::parse("http://localhost:1").unwrap().is_loopback_http());
        assert!(!Issuer::parse("https://localhost:1").unwrap().is_loopback_http());
    }

    proptest! {
        #[test]
        fn an_issuer_is_never_rewritten(text in "https?://[a-zA-Z0-9.:/?#@\\[\\]_-]{0,40}") {
            if let Ok(issuer) = Issuer::parse(&text) {
                prop_assert_eq!(issuer.as_str(), text.as_str());
                prop_assert!(issuer.endpoint("/token").as_str().starts_with(text.trim_end_matches('/')));
            }
        }
    }
}
