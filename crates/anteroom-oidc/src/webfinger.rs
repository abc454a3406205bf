//! WebFinger for the issuer: OpenID Connect Discovery 1.0 §2, RFC 7033.
//!
//! A client that knows an identifier at this host learns which provider speaks for it. The answer is the same for every
//! identifier, so that it does not tell whether an account exists.

use serde::Serialize;
use thiserror::Error;
use url::Url;

use crate::{
    form::{Repeated, UrlEncodedForm},
    protocol_values::Issuer,
};

const ISSUER_RELATION: &str = "http://openid.net/specs/connect/1.0/issuer";

/// A JSON Resource Descriptor (RFC 7033 §4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceDescriptor {
    pub subject: String,
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    pub rel: &'static str,
    pub href: Issuer,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WebFingerError {
    #[error("resource is missing")]
    Missing,
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("resource is neither an acct: nor an http(s) URI")]
    Malformed,
    #[error("resource is not at this host")]
    OtherHost,
}

/// RFC 7033 §4.2: 400 where the question is wrong, 404 where there is nothing to say.
pub fn describe(form: &UrlEncodedForm, issuer: &Issuer) -> Result<ResourceDescriptor, WebFingerError> {
    let resource = form.once("resource")?.ok_or(WebFingerError::Missing)?;
    let (host, port) = authority(resource).ok_or(WebFingerError::Malformed)?;
    let url = issuer.url();
    let same_host = url.host_str().is_some_and(|ours| ours.eq_ignore_ascii_case(&host));
    // An `acct:` has no port by itself, so one that is not named is any.
    if !same_host || port.is_some_and(|port| url.port_or_known_default() != Some(port)) {
        return Err(WebFingerError::OtherHost);
    }
    // §4.3: with `rel`, only the links that were asked for.
    let mut wanted = form.all("rel").peekable();
    let wants_issuer = wanted.peek().is_none() || wanted.any(|rel| rel == ISSUER_RELATION);
    let link = wants_issuer.then(|| Link { rel: ISSUER_RELATION, href: issuer.clone() });
    Ok(ResourceDescriptor { subject: resource.to_owned(), links: link.into_iter().collect() })
}

fn authority(resource: &str) -> Option<(String, Option<u16>)> {
    let url = match resource.split_once(':')? {
        (scheme, account) if scheme.eq_ignore_ascii_case("acct") => {
            let (user, host) = account.rsplit_once('@')?;
            // RFC 7565 §7: a host and nothing after it.
            let bare = !user.is_empty() && !host.contains(['/', '?', '#', '\\']);
            Url::parse(&format!("https://{host}")).ok().filter(|_| bare)?
        }
        _ => Url::parse(resource).ok().filter(|url| ["http", "https"].contains(&url.scheme()))?,
    };
    Some((url.host_str()?.to_owned(), url.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str, issuer: &str) -> Result<ResourceDescriptor, WebFingerError> {
        describe(&UrlEncodedForm::decode(query.as_bytes()).unwrap(), &Issuer::parse(issuer).unwrap())
    }

    #[test]
    fn discovery_2_1_every_identifier_of_the_host_is_led_to_the_issuer() {
        for (resource, issuer) in [
            ("acct:alice@id.example", "https://id.example"),
            ("acct:nobody%40other.example@ID.example", "https://id.example"),
            ("ACCT:alice@id.example:443", "https://id.example"),
            ("https://id.example/alice", "https://id.example"),
            ("https://id.example", "https://id.example"),
            ("acct:alice@localhost:8080", "http://localhost:8080"),
            ("acct:alice@localhost", "http://localhost:8080"),
            ("http://localhost:8080/alice", "http://localhost:8080"),
        ] {
            let query = crate::form::encode([("resource", resource), ("rel", ISSUER_RELATION)]);
            let found = ask(&query, issuer).unwrap();
            assert_eq!(found.subject, resource);
            let links: Vec<(&str, &str)> =
                found.links.iter().map(|link| (link.rel, link.href.as_str())).collect();
            assert_eq!(links, [(ISSUER_RELATION, issuer)], "{resource}");
        }
    }

    #[test]
    fn rfc7033_4_2_what_is_not_here_and_what_is_no_question() {
        use WebFingerError::{Malformed, Missing, OtherHost};
        for (query, error) in [
            ("", Missing),
            ("resource=", Missing),
            ("resource=alice", Malformed),
            ("resource=acct:alice", Malformed),
            ("resource=acct:@id.example", Malformed),
            ("resource=acct:alice@id.example/x", Malformed),
            ("resource=mailto:alice@id.example", Malformed),
            ("resource=acct:alice@other.example", OtherHost),
            ("resource=acct:alice@id.example@other.example", OtherHost),
            ("resource=acct:alice@id.example:8443", OtherHost),
            ("resource=https://other.example/id.example", OtherHost),
        ] {
            assert_eq!(ask(query, "https://id.example"), Err(error), "{query}");
        }
        let twice = "resource=acct:a@id.example&resource=acct:a@id.example";
        assert_eq!(ask(twice, "https://id.example"), Err(WebFingerError::Repeated(Repeated("resource"))));
    }

    #[test]
    fn rfc7033_4_3_only_the_relations_that_were_asked_for() {
        let links = |rels: &str| {
            ask(&format!("resource=acct:a@id.example{rels}"), "https://id.example").unwrap().links.len()
        };
        assert_eq!(links(""), 1);
        assert_eq!(links("&rel=avatar"), 0);
        assert_eq!(links("&rel=avatar&rel=http://openid.net/specs/connect/1.0/issuer"), 1);
    }
}
