use anteroom_oidc::ClientMetadataInput;
use anteroom_oidc::authorization::Parameters;
use serde_json::{Value, json};

use crate::golden::Form;

const CLIENTS: Form = Form { name: "registered_clients", objects: &[""] };
const PUSHED: Form = Form { name: "pushed_requests", objects: &[] };

#[test]
fn registered_clients_of_every_release_are_read() {
    let least = ClientMetadataInput {
        redirect_uris: texts(&["https://app.example/callback"]),
        ..ClientMetadataInput::default()
    };
    let deleted = ClientMetadataInput::default();
    let signed = ClientMetadataInput { require_signed_request_object: Some(true), ..least.clone() };
    CLIENTS.check(&[
        ("deleted", deleted),
        ("least", least),
        ("everything", everything()),
        ("signed requests", signed),
    ]);
}

/// Every member that may be registered; as clients send it, so not all of it goes together.
fn everything() -> ClientMetadataInput {
    let all = json!({
        "client_name": "Application \"ü\"",
        "application_type": "web",
        "redirect_uris": ["https://app.example/callback", "https://app.example/other"],
        "response_types": ["code", "code id_token"],
        "grant_types": ["authorization_code", "refresh_token", "implicit"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ", "kid": "one"}]},
        "jwks_uri": "https://app.example/jwks",
        "request_object_signing_alg": "RS256",
        "request_object_encryption_alg": "RSA-OAEP",
        "request_object_encryption_enc": "A256GCM",
        "request_uris": ["https://app.example/request#1"],
        "require_pushed_authorization_requests": true,
        "scope": "openid email offline_access",
        "id_token_signed_response_alg": "ES256",
        "id_token_encrypted_response_alg": "RSA-OAEP",
        "id_token_encrypted_response_enc": "A128CBC-HS256",
        "userinfo_signed_response_alg": "RS256",
        "userinfo_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_enc": "A256GCM",
        "subject_type": "pairwise",
        "sector_identifier_uri": "https://app.example/sector",
        "default_max_age": 3_600,
        "require_auth_time": true,
        "default_acr_values": ["urn:anteroom:acr:mfa"],
        "initiate_login_uri": "https://app.example/login",
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/backchannel",
        "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://app.example/frontchannel",
        "frontchannel_logout_session_required": false,
        "client_uri": "https://app.example/",
        "logo_uri": "https://app.example/logo.png",
        "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/terms",
        "require_pkce": true,
        "audience": ["https://api.example/a"],
        "access_token_format": "opaque",
        "access_token_signed_response_alg": "RS256"
    });
    serde_json::from_value(all).unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A request that was pushed rests as a query.
#[test]
fn pushed_requests_of_every_release_are_read() {
    let pairs = [
        ("client_id", "web"),
        ("redirect_uri", "https://web.example/callback"),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "a b&c=ü+%"),
        ("resource", "https://api.example/a"),
        ("resource", "https://api.example/b"),
        ("claims", r#"{"userinfo":{"email":null}}"#),
    ];
    let parameters = Parameters::from_pairs(pairs);
    let stored = PUSHED.stored("query", &Value::from(parameters.to_query()));
    let read = url::form_urlencoded::parse(stored.as_str().unwrap().as_bytes());
    assert_eq!(Parameters::from_pairs(read.into_owned()).to_query(), parameters.to_query());
    PUSHED.check_that_no_file_has_more_than(&["query"]);
}
