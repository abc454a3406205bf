//! Which hosts a client that registers itself may name (OpenID Connect Registration §9.1). Nothing proves that they are its own:
//! one that named an application's host could pass for that application, or be told who its people are.
//!
//! The hosts of the redirect URIs are the client's own in so far as everything that it is told in a browser arrives there. The
//! `sector_identifier_uri` is fetched, and what is there lists the redirect URIs.

use std::collections::HashSet;

use url::Url;

use super::{ClientMetadata, MetadataError, MetadataErrors, MetadataProblem};
use crate::protocol_values::{Issuer, RedirectUri, SubjectType, is_loopback_host};

/// Hosts, and schemes of native applications, that are the provider's own or those of clients whose hosts the operator knows.
/// Loopback is never reserved: in development every client uses it.
#[derive(Debug, Clone, Default)]
pub struct ReservedHosts(HashSet<String>);

impl ReservedHosts {
    pub fn of(issuer: &Issuer) -> Self {
        Self(owner(issuer.url()).into_iter().collect())
    }

    /// Those of a client as well: all that it names, shown or not.
    pub fn add(&mut self, client: &ClientMetadata) {
        let shown = [&client.client_uri, &client.logo_uri, &client.policy_uri, &client.tos_uri];
        let urls = client
            .navigation_and_logout_uris()
            .into_iter()
            .map(|(_, url)| url)
            .chain(shown.into_iter().flatten().cloned());
        self.0.extend(urls.filter_map(|url| owner(&url)));
    }

    pub fn add_url(&mut self, url: &Url) {
        self.0.extend(owner(url));
    }

    fn have(&self, url: &Url) -> bool {
        owner(url).is_some_and(|owner| self.0.contains(&owner))
    }
}

/// What stands for whom an address belongs to: the host, or the scheme of a native application. `None`: the machine itself.
fn owner(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "https" | "http") {
        return Some(format!("{}:", url.scheme()));
    }
    let is_loopback = url.host().is_some_and(|host| is_loopback_host(&host));
    host(url).filter(|_| !is_loopback)
}

/// A name with a dot at its end is the same host.
fn host(url: &Url) -> Option<String> {
    url.host_str().map(|host| host.trim_end_matches('.').to_owned())
}

fn url_of(uri: &RedirectUri) -> Option<Url> {
    Url::parse(uri.as_str()).ok()
}

impl ClientMetadata {
    /// What a client that registers itself is held to besides [`Self::check_as_new`]. One that was accepted before these rules
    /// goes on until it changes its registration.
    pub fn check_as_registered(&self, reserved: &ReservedHosts) -> Result<(), MetadataErrors> {
        const TAKEN: &str = "its host is the provider's own or that of an application in its configuration: \
                             name another one, or have the operator configure the client";
        const PAIRWISE: &str = "is told the sub and the sid of the client's sector: \
                                put it on a host of the redirect_uris or of the sector_identifier_uri";
        const FOREIGN: &str = "must be on a host of the redirect_uris or of the sector_identifier_uri";
        let refuse = |parameter, url: &Url, why| {
            MetadataError::new(parameter, url.as_str(), MetadataProblem::Conflict(why))
        };
        let mut errors = Vec::new();
        for (parameter, url) in self.navigation_and_logout_uris() {
            if reserved.have(&url) {
                errors.push(refuse(parameter, &url, TAKEN));
            }
        }
        if let Some(url) = self.backchannel_logout_uri.as_ref().filter(|_| self.logout_leaves_sector()) {
            errors.push(refuse("backchannel_logout_uri", url, PAIRWISE));
        }
        // Registration §9.1 names `logo_uri` and `policy_uri`. Terms of service are often those of a platform.
        let shown = [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
        ];
        for (parameter, url) in shown {
            if let Some(url) = url.as_ref().filter(|url| !self.is_own(url)) {
                errors.push(refuse(parameter, url, FOREIGN));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(MetadataErrors(errors)) }
    }

    /// The first address that leads to one of these hosts.
    pub fn uses_reserved_host(&self, taken: &ReservedHosts) -> Option<Url> {
        self.navigation_and_logout_uris().into_iter().map(|(_, url)| url).find(|url| taken.have(url))
    }

    /// Whether logout tokens would say the `sub` and `sid` of a sector to another host. Each host of the redirect URIs is of the
    /// sector: it is the only one, or what the sector publishes lists it.
    pub fn logout_leaves_sector(&self) -> bool {
        let is_pairwise = self.subject_type == SubjectType::Pairwise;
        is_pairwise && self.backchannel_logout_uri.as_ref().is_some_and(|url| !self.is_own(url))
    }

    /// The host that is told of sign-outs, where it is none of those that the client is known by ([`Self::redirect_uri_hosts`]).
    pub fn logout_host(&self) -> Option<String> {
        let told = self.backchannel_logout_uri.as_ref().and_then(host)?;
        let known = self.redirect_uris.iter().filter_map(url_of).filter_map(|url| host(&url));
        known.into_iter().all(|known| known != told).then_some(told)
    }

    /// Whether logout requests or frames go to a host to which none went under `before`. The host counts as new even if
    /// the old registration listed it for something else: a client can add it just before, and the consent page showed
    /// neither.
    pub fn changes_logout_hosts(&self, before: &Self) -> bool {
        let known = before.logout_hosts();
        self.logout_hosts().iter().any(|host| !known.contains(host))
    }

    fn logout_hosts(&self) -> HashSet<String> {
        let told = [&self.backchannel_logout_uri, &self.frontchannel_logout_uri];
        told.into_iter().flatten().filter_map(host).collect()
    }

    fn is_own(&self, url: &Url) -> bool {
        let redirects = self.redirect_uris.iter().filter_map(url_of);
        let own = redirects.chain(self.sector_identifier_uri.clone()).filter_map(|own| host(&own));
        host(url).is_some_and(|host| own.into_iter().any(|own| own == host))
    }

    /// Where browsers are led and sign-outs are told, and what names the sector, with the parameter that says so.
    fn navigation_and_logout_uris(&self) -> Vec<(&'static str, Url)> {
        let lists = [
            ("redirect_uris", &self.redirect_uris),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ];
        let addresses = [
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("initiate_login_uri", &self.initiate_login_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
        ];
        let mut led_to = Vec::new();
        for (parameter, uris) in lists {
            led_to.extend(uris.iter().filter_map(url_of).map(|url| (parameter, url)));
        }
        led_to.extend(addresses.into_iter().filter_map(|(parameter, url)| Some((parameter, url.clone()?))));
        led_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capabilities, ClientMetadataInput, MetadataRules, ScopeSet};

    fn client(text: &str) -> ClientMetadata {
        let input: ClientMetadataInput = serde_json::from_str(text).unwrap();
        let issuer = Issuer::parse("https://id.example").unwrap();
        let (capabilities, scope) = (Capabilities::of_this_release(Vec::new()), ScopeSet::standard());
        let rules = MetadataRules {
            issuer: &issuer,
            capabilities: &capabilities,
            require_pkce: false,
            scope: &scope,
        };
        ClientMetadata::parse("a".parse().unwrap(), &input, rules).unwrap()
    }

    /// The parameters that are refused.
    fn refused(text: &str) -> Vec<&'static str> {
        let configured = [
            client(
                r#"{"redirect_uris": ["https://charts.example/cb", "http://127.0.0.1/cb"],
                    "backchannel_logout_uri": "https://gateway.example/out",
                    "client_uri": "https://www.charts.example/", "logo_uri": "https://cdn.charts.example/l",
                    "policy_uri": "https://policy.charts.example/", "tos_uri": "https://tos.charts.example/"}"#,
            ),
            client(
                r#"{"redirect_uris": ["https://lab.example/cb"], "subject_type": "pairwise",
                    "sector_identifier_uri": "https://sector.example/uris.json"}"#,
            ),
            client(r#"{"application_type": "native", "redirect_uris": ["com.example.app:/cb"]}"#),
        ];
        let mut taken = ReservedHosts::of(&Issuer::parse("https://id.example").unwrap());
        for client in &configured {
            taken.add(client);
        }
        taken.add_url(&"https://launch.example/start".parse().unwrap());
        let errors = client(text).check_as_registered(&taken).err().map(|errors| errors.0);
        errors.unwrap_or_default().iter().map(|error| error.parameter).collect()
    }

    #[test]
    fn registration_9_1_a_host_that_was_taken_later_is_known() {
        let mut taken = ReservedHosts::of(&Issuer::parse("https://id.example").unwrap());
        let registered =
            client(r#"{"redirect_uris": ["https://a.example/cb", "https://charts.example/cb"]}"#);
        assert_eq!(registered.uses_reserved_host(&taken), None);
        taken.add(&client(r#"{"redirect_uris": ["https://charts.example/other"]}"#));
        assert_eq!(registered.uses_reserved_host(&taken).unwrap().as_str(), "https://charts.example/cb");
    }

    #[test]
    fn registration_9_1_hosts_of_others_are_refused() {
        for (text, expected) in [
            (r#"{"redirect_uris": ["https://a.example/cb"]}"#, &[][..]),
            (r#"{"redirect_uris": ["https://id.example/cb"]}"#, &["redirect_uris"]),
            (r#"{"redirect_uris": ["https://ID.example.:8443/cb"]}"#, &["redirect_uris"]),
            (r#"{"redirect_uris": ["https://charts.example/other"]}"#, &["redirect_uris"]),
            (r#"{"redirect_uris": ["https://sub.charts.example/cb"]}"#, &[]),
            (r#"{"redirect_uris": ["http://127.0.0.1/cb", "http://localhost/cb"]}"#, &[]),
            (
                r#"{"application_type": "native", "redirect_uris": ["com.example.app:/other"]}"#,
                &["redirect_uris"],
            ),
            (r#"{"application_type": "native", "redirect_uris": ["com.example.other:/cb"]}"#, &[]),
            (
                r#"{"redirect_uris": ["https://a.example/cb"],
                    "post_logout_redirect_uris": ["https://id.example/"],
                    "backchannel_logout_uri": "https://gateway.example/other"}"#,
                &["post_logout_redirect_uris", "backchannel_logout_uri"],
            ),
            (
                r#"{"redirect_uris": ["https://a.example/cb"], "logo_uri": "https://cdn.example/logo",
                    "policy_uri": "https://www.example/policy", "client_uri": "https://www.example/",
                    "tos_uri": "https://www.example/terms"}"#,
                &["client_uri", "logo_uri", "policy_uri"],
            ),
            (
                r#"{"redirect_uris": ["https://a.example/cb"], "logo_uri": "https://a.example:444/logo",
                    "policy_uri": "https://s.example/policy",
                    "sector_identifier_uri": "https://s.example/uris.json"}"#,
                &[],
            ),
        ] {
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    #[test]
    fn registration_9_1_all_that_a_configured_client_names_is_taken() {
        for host in [
            "sector.example",
            "launch.example",
            "www.charts.example",
            "cdn.charts.example",
            "policy.charts.example",
            "tos.charts.example",
        ] {
            let redirect = format!(r#"{{"redirect_uris": ["https://{host}/cb"]}}"#);
            assert_eq!(refused(&redirect), ["redirect_uris"], "{host}");
            let sector = format!(
                r#"{{"redirect_uris": ["https://a.example/cb"], "subject_type": "pairwise",
                    "sector_identifier_uri": "https://{host}/uris.json"}}"#
            );
            assert_eq!(refused(&sector), ["sector_identifier_uri"], "{host}");
        }
    }

    #[test]
    fn core_8_1_logout_tokens_of_a_sector_go_to_its_hosts_alone() {
        let at = |kind: &str, told: &str, more: &str| {
            refused(&format!(
                r#"{{"redirect_uris": ["https://a.example/cb"], "subject_type": "{kind}",
                    "backchannel_logout_uri": "https://{told}/out"{more}}}"#
            ))
        };
        let sector = r#", "sector_identifier_uri": "https://s.example/uris.json""#;
        for (told, more, is_refused) in [
            ("a.example", "", false),
            ("a.example:8443", "", false),
            ("b.example", "", true),
            ("x.a.example", "", true),
            ("a.example", sector, false),
            ("s.example", sector, false),
            ("b.example", sector, true),
        ] {
            let expected: &[_] = if is_refused { &["backchannel_logout_uri"] } else { &[] };
            assert_eq!(at("pairwise", told, more), expected, "{told} {more}");
            assert_eq!(at("public", told, more), [""; 0], "{told} {more}");
        }
    }

    #[test]
    fn a_host_that_is_told_of_sign_outs_is_named_where_it_is_another() {
        let told = |uri: &str| {
            let text = format!(
                r#"{{"redirect_uris": ["https://a.example/cb"], "backchannel_logout_uri": "{uri}"}}"#
            );
            client(&text).logout_host()
        };
        assert_eq!(told("https://a.example:8443/out"), None);
        assert_eq!(told("https://b.example/out").as_deref(), Some("b.example"));
    }
}
