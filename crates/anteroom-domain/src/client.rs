//! Clients: applications that rely on Anteroom, whether described in TOML or registered over the wire; one model for
//! both. Entitlement is one rule, asked by the dashboard, the authorization endpoint, refresh, userinfo and
//! introspection alike: a tile is visible exactly where its application admits the person.

use crate::account::{Account, GroupName};
use anteroom_crypto::KeyedDigest;
use anteroom_oidc::claims::{ClaimMapping, ScopeClaims};
use anteroom_oidc::jwt::AccessTokenTyp;
use anteroom_oidc::{
    Acr, ClientId, ClientMetadata, GrantType, RedirectUri, Scope, ScopeSet, TokenEndpointAuthMethod,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

#[derive(Clone, Debug)]
pub struct Client {
    pub metadata: ClientMetadata,
    pub secrets: ClientSecrets,
    /// The secrets themselves, of a client that signs with them (`client_secret_jwt`) and of no other: no digest of one
    /// verifies a MAC.
    pub signing_secrets: Vec<SecretString>,
    pub policy: ClientPolicy,
    pub version: ClientVersion,
}

/// A fingerprint of everything else about the client: a sealed code made under another one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientVersion(pub u64);

impl ClientVersion {
    /// Of a client that registered itself: the number of its last change.
    pub const fn of_revision(revision: i64) -> Self {
        Self(revision.unsigned_abs())
    }
}

/// What the operator decides about a client; no part of its registration metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPolicy {
    /// The practice's own: no consent page.
    pub first_party: bool,
    /// First-party clients show no consent page. A public client answered on the person's machine can be impersonated
    /// by any program there, so `offline_access` still asks for consent unless this is false.
    pub offline_access_consent: bool,
    pub entitlement: Entitlement,
    /// The least that must have been proven at sign-in.
    pub min_acr: Option<Acr>,
    pub tile: Option<Tile>,
    /// Whether a refresh counts as activity of the session.
    pub refresh_is_activity: bool,
    /// Whether the idle end of a session is announced over the back channel.
    pub logout_on_idle: bool,
    /// The client's own claim names, group names and constant claims.
    pub claims: ClaimMapping,
    /// Which claims of the granted scopes its ID tokens from the token endpoint have.
    pub id_token_claims: ScopeClaims,
    /// The `typ` of its JWT access tokens, which the APIs that it calls may insist on.
    pub access_token_typ: AccessTokenTyp,
    /// Libraries differ in how they send a client secret. A client registered without `token_endpoint_auth_method` may
    /// therefore use `client_secret_basic` or `client_secret_post`.
    pub any_secret_method: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entitlement {
    Everyone,
    /// Members of any of these.
    Groups(BTreeSet<GroupName>),
}

/// The secrets a client may prove itself with: several while one is being replaced.
#[derive(Clone, Debug, Default)]
pub struct ClientSecrets(pub Vec<KeyedDigest>);

/// The icon of an application on the dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    pub name: String,
    pub description: String,
    /// Name of an icon of the theme.
    pub icon: String,
    pub order: i32,
    /// Where the tile leads when the client has no `initiate_login_uri`.
    pub launch_url: Option<Url>,
}

impl Client {
    pub fn id(&self) -> &ClientId {
        &self.metadata.client_id
    }

    pub fn is_entitled(&self, account: &Account) -> bool {
        match &self.policy.entitlement {
            Entitlement::Everyone => true,
            Entitlement::Groups(admitted) => !admitted.is_disjoint(&account.groups),
        }
    }

    /// A public client with a loopback or private-use redirect URI cannot be told from another program on the same machine, which
    /// would otherwise get refresh tokens without consent (RFC 8252 §8.6). So a first-party client of this kind needs consent for
    /// `offline_access` too. Which of its redirect URIs a request names is the program's own choice, so that only this one
    /// counts.
    pub fn needs_offline_access_consent_at(&self, redirect_uri: &RedirectUri) -> bool {
        self.policy.offline_access_consent && self.metadata.may_be_impersonated_at(redirect_uri)
    }

    /// The scopes that the client may have now, for a person who has agreed to `agreed`.
    pub fn scope_for(&self, agreed: &ScopeSet) -> ScopeSet {
        let registered = &self.metadata.scope;
        if !self.policy.first_party {
            return registered.intersection(agreed);
        }
        // A client may have redirect URIs of both kinds, and a grant does not record which one was used; so its
        // `offline_access` is not withdrawn later.
        let asks = self.policy.offline_access_consent && self.metadata.may_be_impersonated_everywhere();
        let without_asking =
            |scope: &&Scope| **scope != Scope::OfflineAccess || !asks || agreed.contains(scope);
        registered.iter().filter(without_asking).cloned().collect()
    }

    /// How it may prove who it is. A named method is the only one (OpenID Connect Registration §2).
    pub fn accepted_methods(&self) -> &'static [TokenEndpointAuthMethod] {
        use TokenEndpointAuthMethod::{
            ClientSecretBasic, ClientSecretJwt, ClientSecretPost, None, PrivateKeyJwt,
        };
        match self.metadata.token_endpoint_auth_method {
            ClientSecretBasic if self.policy.any_secret_method => &[ClientSecretBasic, ClientSecretPost],
            ClientSecretBasic => &[ClientSecretBasic],
            ClientSecretPost => &[ClientSecretPost],
            ClientSecretJwt => &[ClientSecretJwt],
            PrivateKeyJwt => &[PrivateKeyJwt],
            None => &[None],
        }
    }

    /// People sign in to it.
    pub fn signs_people_in(&self) -> bool {
        let flows = [GrantType::AuthorizationCode, GrantType::Implicit];
        flows.iter().any(|flow| self.metadata.allows_grant(*flow))
    }

    /// What people call the application.
    pub fn display_name(&self) -> &str {
        let tile = self.policy.tile.as_ref().map(|tile| tile.name.as_str());
        self.metadata.client_name.as_deref().or(tile).unwrap_or(self.id().as_str())
    }
}
