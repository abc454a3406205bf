//! What this provider offers, in one place: discovery announces it, registration and the authorization rules hold
//! clients to it.

use crate::protocol_values::{
    Acr, GrantType, ResponseMode, ResponseType, ScopeSet, SigningAlgorithm, SubjectType,
    TokenEndpointAuthMethod,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    pub response_types: Vec<ResponseType>,
    pub response_modes: Vec<ResponseMode>,
    pub grant_types: Vec<GrantType>,
    pub subject_types: Vec<SubjectType>,
    pub signing_algorithms: Vec<SigningAlgorithm>,
    pub token_endpoint_auth_methods: Vec<TokenEndpointAuthMethod>,
    pub acr_values: Vec<Acr>,
    /// The scopes announced to everyone: the standard ones and those of the operator's APIs.
    pub scopes: ScopeSet,
    /// BCP 47 tags of the languages that the pages speak.
    pub ui_locales: Vec<String>,
    /// Whether clients may register themselves (RFC 7591).
    pub registration: bool,
}

impl Capabilities {
    /// What this release implements, with the standard scopes and the given languages.
    pub fn of_this_release(ui_locales: Vec<String>) -> Self {
        Self {
            response_types: ResponseType::ALL.to_vec(),
            response_modes: ResponseMode::ALL.to_vec(),
            grant_types: vec![
                GrantType::AuthorizationCode,
                GrantType::Implicit,
                GrantType::RefreshToken,
                GrantType::ClientCredentials,
            ],
            subject_types: SubjectType::ALL.to_vec(),
            signing_algorithms: SigningAlgorithm::ALL.to_vec(),
            token_endpoint_auth_methods: vec![
                TokenEndpointAuthMethod::ClientSecretBasic,
                TokenEndpointAuthMethod::ClientSecretPost,
                TokenEndpointAuthMethod::ClientSecretJwt,
                TokenEndpointAuthMethod::PrivateKeyJwt,
                TokenEndpointAuthMethod::None,
            ],
            acr_values: Acr::ALL.to_vec(),
            scopes: ScopeSet::standard(),
            ui_locales,
            registration: false,
        }
    }
}
