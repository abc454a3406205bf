//! Clients that register themselves (RFC 7591): what the operator lets them be. They are strangers: never first-party, so
//! that people are asked before such a client learns anything, and never with an API or a token of their own.

use crate::client::{ClientPolicy, Entitlement};
use crate::rate::RateLimit;
use anteroom_oidc::claims::{ClaimMapping, ScopeClaims};
use anteroom_oidc::jwt::AccessTokenTyp;
use anteroom_oidc::{ClientMetadataInput, GrantType, Scope, ScopeSet, TokenEndpointAuthMethod};
use jiff::SignedDuration;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// No client registers, and those that did before are not known.
    Closed,
    /// A client registers with a token that the operator gave out.
    InitialAccessToken,
    Open,
}

impl RegistrationMode {
    pub const ALL: &'static [Self] = &[Self::Closed, Self::InitialAccessToken, Self::Open];
}

impl fmt::Display for RegistrationMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::InitialAccessToken => "initial_access_token",
            Self::Open => "open",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationPolicy {
    pub mode: RegistrationMode,
    /// Of confidential clients; public ones always need a code challenge.
    pub require_pkce: bool,
    /// What they may ask for, and do where they name nothing.
    pub scope: ScopeSet,
    pub admission: Entitlement,
    /// Every node keeps all of them in memory.
    pub max_clients: u32,
    /// Registrations and updates of one address prefix.
    pub rate: RateLimit,
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        Self {
            mode: RegistrationMode::Closed,
            require_pkce: false,
            scope: [Scope::OpenId, Scope::Profile, Scope::Email].into_iter().collect(),
            admission: Entitlement::Everyone,
            max_clients: 1_000,
            rate: RateLimit { max: 30, window: SignedDuration::from_hours(1) },
        }
    }
}

impl RegistrationPolicy {
    pub fn is_closed(&self) -> bool {
        self.mode == RegistrationMode::Closed
    }

    /// Client credentials are only for configured clients.
    pub fn offers(&self, grant: GrantType) -> bool {
        grant != GrantType::ClientCredentials
    }

    /// Only digests of their secrets are kept, and those verify no MAC.
    pub fn offers_method(&self, method: TokenEndpointAuthMethod) -> bool {
        method != TokenEndpointAuthMethod::ClientSecretJwt
    }

    /// The requested metadata, with the values that only the operator decides replaced by the policy's.
    #[must_use]
    pub fn overrule(&self, mut asked: ClientMetadataInput) -> ClientMetadataInput {
        // An API is the practice's: a client that could name one would get tokens that it believes.
        asked.audience = Vec::new();
        if self.require_pkce {
            asked.require_pkce = None;
        }
        asked
    }

    /// What the operator decides about every one of them.
    pub fn client_policy(&self) -> ClientPolicy {
        ClientPolicy {
            offline_access_consent: true,
            first_party: false,
            entitlement: self.admission.clone(),
            min_acr: None,
            tile: None,
            refresh_is_activity: false,
            logout_on_idle: false,
            claims: ClaimMapping::default(),
            id_token_claims: ScopeClaims::None,
            access_token_typ: AccessTokenTyp::AtJwt,
            any_secret_method: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_names_no_api_and_cannot_do_without_a_challenge_that_is_required() {
        let asked = ClientMetadataInput {
            audience: vec!["https://api.example/".to_owned()],
            require_pkce: Some(false),
            ..ClientMetadataInput::default()
        };
        let lenient = RegistrationPolicy::default().overrule(asked.clone());
        assert_eq!((lenient.audience, lenient.require_pkce), (Vec::new(), Some(false)));
        let strict = RegistrationPolicy { require_pkce: true, ..RegistrationPolicy::default() };
        assert_eq!(strict.overrule(asked).require_pkce, None);
    }

    #[test]
    fn a_stranger_is_never_the_practices_own() {
        let policy = RegistrationPolicy::default();
        assert!(policy.is_closed() && !policy.client_policy().first_party);
        assert!(!policy.offers_method(TokenEndpointAuthMethod::ClientSecretJwt));
        assert!(!policy.offers(GrantType::ClientCredentials) && policy.offers(GrantType::RefreshToken));
    }
}
