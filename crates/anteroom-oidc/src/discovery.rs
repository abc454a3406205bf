//! The metadata document: OpenID Connect Discovery 1.0 §3, RFC 8414 §2. One document serves both well-known paths.

use serde::Serialize;
use url::Url;

use crate::{
    capabilities::Capabilities,
    claims::CLAIMS_SUPPORTED,
    protocol_values::{
        Acr, ClientAlgorithm, ContentEncryption, Display, GrantType, Issuer, KeyManagementAlgorithm, Prompt,
        RequestObjectAlgorithm, ResponseMode, ResponseType, SigningAlgorithm, SubjectType,
        TokenEndpointAuthMethod,
    },
};

/// Where the endpoints are, under the issuer. The router and the document read the same names.
pub mod paths {
    pub const CONFIGURATION: &str = "/.well-known/openid-configuration";
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
    pub const WEBFINGER: &str = "/.well-known/webfinger";
    pub const AUTHORIZATION: &str = "/authorize";
    pub const TOKEN: &str = "/token";
    pub const USERINFO: &str = "/userinfo";
    pub const JWKS: &str = "/jwks";
    pub const REVOCATION: &str = "/revoke";
    pub const INTROSPECTION: &str = "/introspect";
    pub const PUSHED_AUTHORIZATION: &str = "/par";
    pub const END_SESSION: &str = "/end-session";
    /// A registered client's own address is below it.
    pub const REGISTRATION: &str = "/clients";
    pub const CHECK_SESSION: &str = "/check-session";
}

/// Only names from the IANA registry "OAuth Authorization Server Metadata".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderMetadata {
    pub issuer: Issuer,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub userinfo_endpoint: Url,
    pub jwks_uri: Url,
    pub revocation_endpoint: Url,
    pub introspection_endpoint: Url,
    pub pushed_authorization_request_endpoint: Url,
    pub end_session_endpoint: Url,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<Url>,
    pub check_session_iframe: Url,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<ResponseType>,
    pub response_modes_supported: Vec<ResponseMode>,
    pub grant_types_supported: Vec<GrantType>,
    pub acr_values_supported: Vec<Acr>,
    pub subject_types_supported: Vec<SubjectType>,
    pub id_token_signing_alg_values_supported: Vec<SigningAlgorithm>,
    pub id_token_encryption_alg_values_supported: &'static [KeyManagementAlgorithm],
    pub id_token_encryption_enc_values_supported: &'static [ContentEncryption],
    pub userinfo_signing_alg_values_supported: Vec<SigningAlgorithm>,
    pub userinfo_encryption_alg_values_supported: &'static [KeyManagementAlgorithm],
    pub userinfo_encryption_enc_values_supported: &'static [ContentEncryption],
    pub token_endpoint_auth_methods_supported: Vec<TokenEndpointAuthMethod>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<ClientAlgorithm>,
    pub revocation_endpoint_auth_methods_supported: Vec<TokenEndpointAuthMethod>,
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<ClientAlgorithm>,
    pub introspection_endpoint_auth_methods_supported: Vec<TokenEndpointAuthMethod>,
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<ClientAlgorithm>,
    pub code_challenge_methods_supported: [&'static str; 1],
    pub prompt_values_supported: &'static [Prompt],
    pub display_values_supported: [Display; 1],
    pub claim_types_supported: [&'static str; 1],
    pub claims_supported: &'static [&'static str],
    pub ui_locales_supported: Vec<String>,
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub require_request_uri_registration: bool,
    pub request_object_signing_alg_values_supported: &'static [RequestObjectAlgorithm],
    pub request_object_encryption_alg_values_supported: &'static [KeyManagementAlgorithm],
    pub request_object_encryption_enc_values_supported: &'static [ContentEncryption],
    pub authorization_response_iss_parameter_supported: bool,
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
    pub frontchannel_logout_supported: bool,
    pub frontchannel_logout_session_supported: bool,
}

impl ProviderMetadata {
    pub fn new(issuer: &Issuer, offered: &Capabilities) -> Self {
        let auth_methods = &offered.token_endpoint_auth_methods;
        // RFC 7662 §2.1: introspection is for those who can authenticate.
        let with_secret = auth_methods.contains(&TokenEndpointAuthMethod::ClientSecretJwt);
        let algorithms = ClientAlgorithm::ALL.iter().copied();
        let algorithms: Vec<_> = algorithms.filter(|alg| with_secret || !alg.is_symmetric()).collect();
        let confidential = auth_methods.iter().copied().filter(|method| method.is_confidential()).collect();
        Self {
            issuer: issuer.clone(),
            authorization_endpoint: issuer.endpoint(paths::AUTHORIZATION),
            token_endpoint: issuer.endpoint(paths::TOKEN),
            userinfo_endpoint: issuer.endpoint(paths::USERINFO),
            jwks_uri: issuer.endpoint(paths::JWKS),
            revocation_endpoint: issuer.endpoint(paths::REVOCATION),
            introspection_endpoint: issuer.endpoint(paths::INTROSPECTION),
            pushed_authorization_request_endpoint: issuer.endpoint(paths::PUSHED_AUTHORIZATION),
            end_session_endpoint: issuer.endpoint(paths::END_SESSION),
            registration_endpoint: offered.registration.then(|| issuer.endpoint(paths::REGISTRATION)),
            check_session_iframe: issuer.endpoint(paths::CHECK_SESSION),
            scopes_supported: offered.scopes.iter().map(ToString::to_string).collect(),
            response_types_supported: offered.response_types.clone(),
            response_modes_supported: offered.response_modes.clone(),
            grant_types_supported: offered.grant_types.clone(),
            acr_values_supported: offered.acr_values.clone(),
            subject_types_supported: offered.subject_types.clone(),
            id_token_signing_alg_values_supported: offered.signing_algorithms.clone(),
            id_token_encryption_alg_values_supported: KeyManagementAlgorithm::ALL,
            id_token_encryption_enc_values_supported: ContentEncryption::ALL,
            userinfo_signing_alg_values_supported: offered.signing_algorithms.clone(),
            userinfo_encryption_alg_values_supported: KeyManagementAlgorithm::ALL,
            userinfo_encryption_enc_values_supported: ContentEncryption::ALL,
            token_endpoint_auth_methods_supported: auth_methods.clone(),
            token_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            revocation_endpoint_auth_methods_supported: auth_methods.clone(),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            introspection_endpoint_auth_methods_supported: confidential,
            introspection_endpoint_auth_signing_alg_values_supported: algorithms,
            code_challenge_methods_supported: ["S256"],
            prompt_values_supported: Prompt::ALL,
            display_values_supported: [Display::Page],
            claim_types_supported: ["normal"],
            claims_supported: CLAIMS_SUPPORTED,
            ui_locales_supported: offered.ui_locales.clone(),
            claims_parameter_supported: true,
            request_parameter_supported: true,
            request_uri_parameter_supported: true,
            require_request_uri_registration: true,
            request_object_signing_alg_values_supported: RequestObjectAlgorithm::ALL,
            request_object_encryption_alg_values_supported: KeyManagementAlgorithm::ALL,
            request_object_encryption_enc_values_supported: ContentEncryption::ALL,
            authorization_response_iss_parameter_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
        }
    }
}

/// The paths, from the root of the host, that the document is served under. Discovery §4 appends to the issuer; RFC
/// 8414 §3 puts the well-known part before the issuer's own path.
pub fn document_paths(issuer: &Issuer) -> [String; 2] {
    [
        format!("{}{}", issuer.path(), paths::CONFIGURATION),
        format!("{}{}", paths::AUTHORIZATION_SERVER, issuer.path()),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(issuer: &str) -> Value {
        let offered = Capabilities::of_this_release(vec!["en".to_owned(), "es".to_owned()]);
        serde_json::to_value(ProviderMetadata::new(&Issuer::parse(issuer).unwrap(), &offered)).unwrap()
    }

    #[test]
    fn discovery_3_required_members() {
        let document = document("https://id.example");
        assert_eq!(document["issuer"], "https://id.example");
        for (name, value) in [
            ("authorization_endpoint", json!("https://id.example/authorize")),
            ("token_endpoint", json!("https://id.example/token")),
            ("check_session_iframe", json!("https://id.example/check-session")),
            ("jwks_uri", json!("https://id.example/jwks")),
            (
                "response_types_supported",
                json!([
                    "code",
                    "id_token",
                    "id_token token",
                    "code id_token",
                    "code token",
                    "code id_token token"
                ]),
            ),
            ("subject_types_supported", json!(["public", "pairwise"])),
            (
                "id_token_signing_alg_values_supported",
                json!(["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]),
            ),
            (
                "id_token_encryption_alg_values_supported",
                json!([
                    "RSA-OAEP",
                    "RSA-OAEP-256",
                    "ECDH-ES",
                    "ECDH-ES+A128KW",
                    "ECDH-ES+A192KW",
                    "ECDH-ES+A256KW"
                ]),
            ),
            (
                "request_object_encryption_enc_values_supported",
                json!(["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]),
            ),
            ("request_uri_parameter_supported", json!(true)),
            ("require_request_uri_registration", json!(true)),
            ("acr_values_supported", json!(["urn:anteroom:acr:pwd", "urn:anteroom:acr:mfa"])),
            ("ui_locales_supported", json!(["en", "es"])),
        ] {
            assert_eq!(document[name], value, "{name}");
        }
        assert!(document["scopes_supported"].as_array().unwrap().contains(&json!("openid")));
    }

    #[test]
    fn discovery_3_every_endpoint_lies_under_the_issuer() {
        let document = document("https://id.example/practice");
        let mut endpoints = 0;
        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") || name.ends_with("_uri") {
                assert!(value.as_str().unwrap().starts_with("https://id.example/practice/"), "{name}");
                endpoints += 1;
            }
        }
        assert_eq!(endpoints, 8);
    }

    #[test]
    fn discovery_3_algorithms_of_secrets_stand_beside_the_method_that_uses_them() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let mut offered = Capabilities::of_this_release(Vec::new());
        let announced = |offered: &Capabilities| {
            let document = ProviderMetadata::new(&issuer, offered);
            [
                document.token_endpoint_auth_signing_alg_values_supported,
                document.revocation_endpoint_auth_signing_alg_values_supported,
                document.introspection_endpoint_auth_signing_alg_values_supported,
            ]
        };
        assert!(announced(&offered).iter().all(|algs| algs == ClientAlgorithm::ALL));
        offered
            .token_endpoint_auth_methods
            .retain(|method| *method != TokenEndpointAuthMethod::ClientSecretJwt);
        for algorithms in announced(&offered) {
            assert!(algorithms.contains(&ClientAlgorithm::Rs256));
            assert!(algorithms.iter().all(|algorithm| !algorithm.is_symmetric()));
        }
    }

    #[test]
    fn rfc8414_2_registration_endpoint_is_named_where_clients_may_register() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let mut offered = Capabilities::of_this_release(Vec::new());
        assert_eq!(ProviderMetadata::new(&issuer, &offered).registration_endpoint, None);
        offered.registration = true;
        let endpoint = ProviderMetadata::new(&issuer, &offered).registration_endpoint;
        assert_eq!(endpoint.as_ref().map(Url::as_str), Some("https://id.example/clients"));
    }

    /// As registered with IANA for RFC 8414, by the specifications that this provider follows.
    const REGISTERED: &[&str] = &[
        "acr_values_supported",
        "authorization_endpoint",
        "authorization_response_iss_parameter_supported",
        "backchannel_logout_session_supported",
        "backchannel_logout_supported",
        "check_session_iframe",
        "claim_types_supported",
        "claims_locales_supported",
        "claims_parameter_supported",
        "claims_supported",
        "code_challenge_methods_supported",
        "display_values_supported",
        "end_session_endpoint",
        "frontchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "grant_types_supported",
        "id_token_encryption_alg_values_supported",
        "id_token_encryption_enc_values_supported",
        "id_token_signing_alg_values_supported",
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "issuer",
        "jwks_uri",
        "op_policy_uri",
        "op_tos_uri",
        "prompt_values_supported",
        "pushed_authorization_request_endpoint",
        "registration_endpoint",
        "request_object_encryption_alg_values_supported",
        "request_object_encryption_enc_values_supported",
        "request_object_signing_alg_values_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "require_pushed_authorization_requests",
        "require_request_uri_registration",
        "require_signed_request_object",
        "response_modes_supported",
        "response_types_supported",
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "scopes_supported",
        "service_documentation",
        "subject_types_supported",
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "ui_locales_supported",
        "userinfo_encryption_alg_values_supported",
        "userinfo_encryption_enc_values_supported",
        "userinfo_endpoint",
        "userinfo_signing_alg_values_supported",
    ];

    #[test]
    fn rfc8414_7_1_2_every_name_is_a_registered_one() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let mut offered = Capabilities::of_this_release(vec!["en".to_owned()]);
        offered.registration = true;
        let document = serde_json::to_value(ProviderMetadata::new(&issuer, &offered)).unwrap();
        for name in document.as_object().unwrap().keys() {
            assert!(REGISTERED.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn rfc8414_2_no_member_is_empty() {
        for (name, value) in document("https://id.example").as_object().unwrap() {
            assert!(!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()), "{name}");
        }
    }

    #[test]
    fn rfc8414_3_well_known_path_comes_before_the_issuers_own() {
        let issuer = Issuer::parse("https://id.example/practice").unwrap();
        assert_eq!(
            document_paths(&issuer),
            [
                "/practice/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/practice"
            ]
        );
    }
}
