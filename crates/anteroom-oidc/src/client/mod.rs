//! A client's metadata: OAuth 2.0 Dynamic Client Registration (RFC 7591 §2), OpenID Connect Registration §2 and the
//! logout specifications. Clients from TOML and registered ones are the same model: both arrive as
//! [`ClientMetadataInput`], and [`ClientMetadata::parse`] is the only way to a [`ClientMetadata`].

mod check;
mod encryption;
mod error;
mod input;
mod read;
mod registration;
mod reserved_hosts;
mod resource;
mod rules;
mod sector;

use std::collections::BTreeSet;

use serde::Serialize;
use url::Url;

pub use self::{
    error::{MetadataError, MetadataErrors, MetadataProblem},
    input::ClientMetadataInput,
    registration::{RegistrationRefusal, RegistrationRequest},
    reserved_hosts::ReservedHosts,
    resource::InvalidTarget,
    rules::MetadataRules,
    sector::{InvalidSectorDocument, SectorDocument},
};
use crate::{
    keys::ClientJwks,
    protocol_values::{
        Acr, ClientAlgorithm, ClientId, Encryption, GrantType, RedirectUri, RedirectUriKind,
        RequestObjectAlgorithm, ResponseType, Scope, ScopeSet, Sector, SigningAlgorithm, SubjectType,
        TokenEndpointAuthMethod,
    },
    wire::wire_enum,
};

wire_enum! {
    /// OpenID Connect Registration §2 `application_type`.
    pub enum ApplicationType("an application type (web or native)") {
        Web = "web",
        Native = "native",
    }
}

wire_enum! {
    /// Whether resource servers read access tokens themselves (RFC 9068) or ask us (RFC 7662).
    pub enum AccessTokenFormat("an access token format (jwt or opaque)") {
        Jwt = "jwt",
        Opaque = "opaque",
    }
}

/// A client whose metadata has been checked as a whole. Serialises to the registration response's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientMetadata {
    pub client_id: ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    pub application_type: ApplicationType,
    pub redirect_uris: Vec<RedirectUri>,
    pub response_types: BTreeSet<ResponseType>,
    pub grant_types: BTreeSet<GrantType>,
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// What assertions must be signed with; if absent, any algorithm that fits the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<ClientAlgorithm>,
    /// The client's own keys, where they are known here; they are at `jwks_uri` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<ClientJwks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Url>,
    /// How its request objects are signed; with any algorithm that fits a key without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectAlgorithm>,
    /// How it encrypts request objects, if it registered that; otherwise any algorithm offered. Unencrypted ones are accepted
    /// either way.
    #[serde(flatten, serialize_with = "encryption::members::request_object")]
    pub request_object_encryption: Option<Encryption>,
    /// Where its request objects may be.
    pub request_uris: Vec<Url>,
    /// RFC 9126 §6: whether it is held to pushing its requests.
    pub require_pushed_authorization_requests: bool,
    /// RFC 9101 §10.5: whether it is held to signed request objects, in which all that counts is inside.
    pub require_signed_request_object: bool,
    /// The scopes that the client may ask for.
    pub scope: ScopeSet,
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// ID tokens, and logout tokens like them, are encrypted after they were signed.
    #[serde(flatten, serialize_with = "encryption::members::id_token")]
    pub id_token_encryption: Option<Encryption>,
    /// Userinfo as a signed JWT; plain JSON without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    #[serde(flatten, serialize_with = "encryption::members::userinfo")]
    pub userinfo_encryption: Option<Encryption>,
    pub subject_type: SubjectType,
    /// Where redirect URIs of several hosts are listed as one sector's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<Url>,
    /// Within which people have one pairwise `sub`; `None` exactly where `sub` is the public one.
    #[serde(skip)]
    pub sector: Option<Sector>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    pub require_auth_time: bool,
    pub default_acr_values: Vec<Acr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<Url>,
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<Url>,
    pub backchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<Url>,
    pub frontchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Url>,
    /// Not in a specification: whether a code challenge is required of this client. Always true of a public one.
    pub require_pkce: bool,
    /// Ours: the APIs that the client's access tokens are for. Without a `resource` parameter a token is for all of
    /// them; with one, for that one, which must be here. Empty: tokens are for the issuer's own userinfo.
    pub audience: Vec<String>,
    /// Ours. Where the client does not say, it follows from `audience`: a JWT for an API, opaque for the issuer alone, which
    /// needs no signature to know its own token.
    pub access_token_format: AccessTokenFormat,
    /// Ours: what a JWT access token is signed with.
    pub access_token_signed_response_alg: SigningAlgorithm,
}

impl ClientMetadata {
    /// `None` where its access tokens are opaque.
    pub fn access_token_signature(&self) -> Option<SigningAlgorithm> {
        let is_signed = self.access_token_format == AccessTokenFormat::Jwt;
        is_signed.then_some(self.access_token_signed_response_alg)
    }

    pub fn is_public(&self) -> bool {
        !self.token_endpoint_auth_method.is_confidential()
    }

    pub fn allows_grant(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    pub fn may_ask_for(&self, scope: &Scope) -> bool {
        self.scope.contains(scope)
    }

    /// What a person can know the application by, whatever it calls itself: each host, or scheme of a native app, that its
    /// redirect URIs lead to, once.
    pub fn redirect_uri_hosts(&self) -> Vec<String> {
        let mut hosts = Vec::new();
        for host in self.redirect_uris.iter().map(RedirectUri::display_host) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// Each host, or scheme of a native app, that an answer of this provider leads the person's browser to: after a request,
    /// after a sign-out, and to begin a sign-in there. Once each. `frontchannel_logout_uri` has the host of a redirect URI.
    pub fn browser_hosts(&self) -> BTreeSet<String> {
        let redirects = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        let begins = self.initiate_login_uri.as_ref().and_then(Url::host_str).map(str::to_owned);
        redirects.map(RedirectUri::display_host).chain(begins).collect()
    }

    /// What a person is shown of [`Self::browser_hosts`]: the hosts of the redirect URIs first.
    pub fn shown_hosts(&self) -> Vec<String> {
        let mut hosts = self.redirect_uri_hosts();
        let others: Vec<String> =
            self.browser_hosts().into_iter().filter(|host| !hosts.contains(host)).collect();
        hosts.extend(others);
        hosts
    }

    /// RFC 8252 §8.6: any program on the person's machine can impersonate a public client whose redirect URI is
    /// loopback or a private-use scheme (§7.1, §7.3), whatever its `application_type`.
    pub fn may_be_impersonated_at(&self, redirect_uri: &RedirectUri) -> bool {
        self.is_public() && redirect_uri.kind() != RedirectUriKind::Https
    }

    /// Whether [`Self::may_be_impersonated_at`] holds for at least one redirect URI.
    pub fn may_be_impersonated(&self) -> bool {
        self.redirect_uris.iter().any(|uri| self.may_be_impersonated_at(uri))
    }

    /// Whether [`Self::may_be_impersonated_at`] holds for every redirect URI.
    pub fn may_be_impersonated_everywhere(&self) -> bool {
        !self.redirect_uris.is_empty()
            && self.redirect_uris.iter().all(|uri| self.may_be_impersonated_at(uri))
    }

    /// `requested`, if it is a registered redirect URI.
    pub fn find_redirect_uri(&self, requested: &str) -> Option<RedirectUri> {
        self.find(&self.redirect_uris, requested)
    }

    /// RP-Initiated Logout §3: where a logout may lead is compared alike.
    pub fn find_post_logout_redirect_uri(&self, requested: &str) -> Option<RedirectUri> {
        self.find(&self.post_logout_redirect_uris, requested)
    }

    /// Where to fetch the request object that `requested` names, if it is a registered place. The fragment only says which
    /// version of it is meant, and is no part of the comparison (OpenID Connect Core §6.2).
    pub fn find_request_uri(&self, requested: &str) -> Option<Url> {
        let place = |mut url: Url| {
            url.set_fragment(None);
            url
        };
        let requested = place(Url::parse(requested).ok()?);
        self.request_uris.iter().any(|known| place(known.clone()) == requested).then_some(requested)
    }

    /// Loopback ports are free for native clients only (RFC 8252 §7.3); everyone else is compared character for
    /// character (RFC 9700 §4.1.3). What comes back is what was requested, with the port that the client listens on.
    fn find(&self, registered: &[RedirectUri], requested: &str) -> Option<RedirectUri> {
        let matches = |uri: &&RedirectUri| match self.application_type {
            ApplicationType::Native => uri.matches_on_any_loopback_port(requested),
            ApplicationType::Web => uri.matches_exactly(requested),
        };
        registered.iter().find(matches)?;
        RedirectUri::parse(requested).ok()
    }
}
