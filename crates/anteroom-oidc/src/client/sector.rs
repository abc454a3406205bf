//! Pairwise clients and their sector (OpenID Connect Core §8.1, Registration §5).
//!
//! The sector is the host of `sector_identifier_uri`, and without one the only host of the redirect URIs. The caller fetches the
//! document at `sector_identifier_uri`; here it is parsed and compared with the redirect URIs.

use url::Url;

use super::{ClientMetadata, MetadataError, MetadataProblem, read::Reader};
use crate::protocol_values::{RedirectUri, Sector, SubjectType};

/// What is published at a `sector_identifier_uri`: a JSON array of redirect URIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectorDocument(Vec<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON array of strings")]
pub struct InvalidSectorDocument;

impl SectorDocument {
    pub fn from_json(bytes: &[u8]) -> Result<Self, InvalidSectorDocument> {
        serde_json::from_slice(bytes).map(Self).map_err(|_| InvalidSectorDocument)
    }

    /// Registration §5: each redirect URI must be there, character for character. The first that is not.
    pub fn first_unlisted<'a>(&self, redirect_uris: &'a [RedirectUri]) -> Option<&'a RedirectUri> {
        redirect_uris.iter().find(|uri| !self.0.iter().any(|listed| uri.matches_exactly(listed)))
    }
}

impl Reader<'_> {
    /// `None` of a client whose `sub` is the public one, and of one whose sector cannot be told, which is an error.
    pub(super) fn sector(&mut self, client: &ClientMetadata) -> Option<Sector> {
        if client.subject_type != SubjectType::Pairwise {
            return None;
        }
        if let Some(url) = &client.sector_identifier_uri {
            return Sector::of(url);
        }
        let hosts = client.redirect_uris.iter().map(|uri| self.host_of(uri));
        let mut hosts: Vec<Option<Sector>> = hosts.collect();
        hosts.dedup();
        let why = match hosts.as_mut_slice() {
            [Some(_)] => return hosts.pop().flatten(),
            [] => "pairwise needs a sector_identifier_uri, or redirect_uris whose host is the sector",
            [None] => {
                "pairwise needs a sector_identifier_uri: no host of the redirect_uris is this client's alone"
            }
            _ => "pairwise needs a sector_identifier_uri, because the redirect_uris have several hosts",
        };
        let problem = MetadataProblem::Conflict(why);
        self.errors.push(MetadataError::new("sector_identifier_uri", "", problem));
        None
    }

    /// Every native application redirects to loopback, so loopback identifies none of them; it is accepted only under a loopback
    /// issuer, for development.
    fn host_of(&self, uri: &RedirectUri) -> Option<Sector> {
        let url = Url::parse(uri.as_str()).ok()?;
        let own = url.scheme() == "https" || self.rules.issuer.is_loopback_http();
        Sector::of(&url).filter(|_| own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capabilities, ClientMetadataInput, Issuer, MetadataRules, ScopeSet};

    fn sector_under(issuer: &str, text: &str) -> Result<Option<String>, String> {
        let mut input: ClientMetadataInput = serde_json::from_str(text).unwrap();
        input.subject_type.get_or_insert_with(|| "pairwise".to_owned());
        let (capabilities, scope) = (Capabilities::of_this_release(Vec::new()), ScopeSet::standard());
        let issuer = &Issuer::parse(issuer).unwrap();
        let rules = MetadataRules { issuer, capabilities: &capabilities, require_pkce: true, scope: &scope };
        let metadata = ClientMetadata::parse("a".parse().unwrap(), &input, rules);
        let metadata = metadata.map_err(|errors| errors.0[0].parameter.to_owned())?;
        Ok(metadata.sector.map(|sector| sector.to_string()))
    }

    #[test]
    fn core_8_1_the_sector_is_one_host_or_is_named() {
        let needed = || Err("sector_identifier_uri".to_owned());
        for (text, expected) in [
            (
                r#"{"redirect_uris": ["https://A.example/1", "https://a.example:444/2"]}"#,
                Ok(Some("a.example")),
            ),
            (r#"{"redirect_uris": ["https://a.example/", "https://b.example/"]}"#, needed()),
            (
                r#"{"redirect_uris": ["https://a.example/", "https://b.example/"],
                    "sector_identifier_uri": "https://s.example/uris.json"}"#,
                Ok(Some("s.example")),
            ),
            (r#"{"application_type": "native", "redirect_uris": ["com.example.app:/cb"]}"#, needed()),
            (r#"{"application_type": "native", "redirect_uris": ["http://127.0.0.1/cb"]}"#, needed()),
            (
                r#"{"application_type": "native", "redirect_uris": ["https://a.example/", "com.example.app:/cb"]}"#,
                needed(),
            ),
            (
                r#"{"application_type": "native", "redirect_uris": ["com.example.app:/cb"],
                    "sector_identifier_uri": "https://s.example/"}"#,
                Ok(Some("s.example")),
            ),
            (r#"{"redirect_uris": [], "grant_types": ["client_credentials"]}"#, needed()),
            (
                r#"{"redirect_uris": ["https://a.example/"], "sector_identifier_uri": "http://s.example/"}"#,
                needed(),
            ),
            (r#"{"redirect_uris": ["https://a.example/"], "subject_type": "public"}"#, Ok(None)),
        ] {
            let expected = expected.map(|sector: Option<&str>| sector.map(str::to_owned));
            assert_eq!(sector_under("https://id.example", text), expected, "{text}");
        }
        let local = r#"{"redirect_uris": ["http://localhost:9000/cb"]}"#;
        assert_eq!(sector_under("http://localhost:8080", local), Ok(Some("localhost".to_owned())));
    }

    #[test]
    fn registration_5_every_redirect_uri_is_in_the_document() {
        let uri = |text: &str| RedirectUri::parse(text).unwrap();
        let ours = [uri("https://a.example/cb"), uri("https://b.example/cb")];
        for (document, missed) in [
            (r#"["https://b.example/cb", "https://a.example/cb", "https://c.example/"]"#, None),
            (r#"["https://a.example/cb"]"#, Some("https://b.example/cb")),
            (r#"["https://a.example/cb/", "https://b.example/cb"]"#, Some("https://a.example/cb")),
            ("[]", Some("https://a.example/cb")),
        ] {
            let document = SectorDocument::from_json(document.as_bytes()).unwrap();
            assert_eq!(document.first_unlisted(&ours).map(RedirectUri::as_str), missed);
        }
        for text in [r#"{"redirect_uris": []}"#, "[1]", "", "null", r#""https://a.example/cb""#] {
            assert_eq!(SectorDocument::from_json(text.as_bytes()), Err(InvalidSectorDocument), "{text}");
        }
    }
}
