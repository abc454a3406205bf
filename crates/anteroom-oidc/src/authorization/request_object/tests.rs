use serde_json::json;

use super::*;
use crate::{authorization::testing, client::ClientMetadataInput, jwt::testing::Signer, keys::ClientJwks};

const ISSUER: &str = "https://id.example";
const NOW: i64 = 1_700_000_000;

fn client(alg: Option<&str>) -> ClientMetadata {
    let jwks_uri = Some("https://app.example/jwks".to_owned());
    let request_object_signing_alg = alg.map(str::to_owned);
    testing::client_from(&ClientMetadataInput { jwks_uri, request_object_signing_alg, ..testing::input() })
}

fn read(text: &str, signer: &Signer, client: &ClientMetadata) -> Result<Parameters, RequestObjectError> {
    read_as(RequestObjectSource::ByValue, text, signer, client)
}

fn read_as(
    passed: RequestObjectSource,
    text: &str,
    signer: &Signer,
    client: &ClientMetadata,
) -> Result<Parameters, RequestObjectError> {
    let issuer = Issuer::parse(ISSUER).unwrap();
    let rules = RequestObjectRules { client, issuer: &issuer, now: Timestamp::from_second(NOW).unwrap() };
    let keys = ClientJwks::parse(&json!({ "keys": [signer.jwk] })).unwrap();
    let accepted = match RequestObject::parse(text)? {
        RequestObject::Unsigned(claims) => RequestObject::accept_unsigned(&claims, passed, rules),
        RequestObject::Signed(jwt) => RequestObject::verify(&jwt, ClientVerificationKeys::Keys(&keys), rules),
    };
    accepted.map(|accepted| accepted.parameters)
}

fn signed(claims: &Value) -> Result<Parameters, RequestObjectError> {
    let signer = Signer::new(ClientAlgorithm::Es256);
    read(&signer.sign(claims), &signer, &client(None))
}

fn without_signature(claims: &Value) -> String {
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.", encode(r#"{"alg":"none"}"#.to_owned()), encode(claims.to_string()))
}

#[test]
fn core_6_1_what_is_inside_wins() {
    let inner = signed(&json!({
        "iss": "app", "aud": ISSUER, "client_id": "app", "exp": NOW + 60, "scope": "openid email", "max_age": 60,
        "claims": {"userinfo": {"email": null}}, "nonce": null, "resource": ["https://a/", "https://b/"], "x": [1],
    }))
    .unwrap();
    let outer = Parameters::from_pairs([
        ("client_id", "app"),
        ("scope", "openid"),
        ("state", "s"),
        ("request", "e30.e30.c2ln"),
        ("resource", "https://c/"),
    ]);
    let expected = Parameters::from_pairs([
        ("client_id", "app"),
        ("scope", "openid email"),
        ("state", "s"),
        ("max_age", "60"),
        ("claims", r#"{"userinfo":{"email":null}}"#),
        ("resource", "https://a/"),
        ("resource", "https://b/"),
    ]);
    assert!(outer.superseded_by(inner) == expected);
}

#[test]
fn rfc9101_6_3_claims_are_checked_where_they_are_present() {
    assert!(signed(&json!({})).is_ok());
    for (claims, expected) in [
        (json!({"client_id": "other"}), RequestObjectError::AnotherClient("client_id \"other\"".to_owned())),
        (json!({"iss": 1}), RequestObjectError::AnotherClient("iss 1".to_owned())),
        (json!({"aud": "https://other.example"}), RequestObjectError::Audience),
        (json!({"aud": 1}), RequestObjectError::Value("aud".to_owned())),
        (json!({"exp": NOW - 60}), RequestObjectError::Expired),
        (json!({"exp": "soon"}), RequestObjectError::Value("exp".to_owned())),
        (json!({"nbf": NOW + 61}), RequestObjectError::NotYetValid),
        (json!({"request": "e30.e30.c2ln"}), RequestObjectError::Nested),
        (json!({"request_uri": "https://app.example/r"}), RequestObjectError::Nested),
        (json!({"scope": ["openid"]}), RequestObjectError::Value("scope".to_owned())),
        (json!({"resource": [1]}), RequestObjectError::Value("resource".to_owned())),
    ] {
        assert_eq!(signed(&claims).err(), Some(expected), "{claims}");
    }
    assert!(signed(&json!({"exp": NOW - 59, "nbf": NOW + 60, "aud": ["x", ISSUER]})).is_ok());
}

#[test]
fn registration_2_request_objects_are_signed_as_registered() {
    let signer = Signer::new(ClientAlgorithm::Es256);
    let (text, bare) = (signer.sign(&json!({})), without_signature(&json!({})));
    for (registered, signed_ok, unsigned_ok) in [
        (None, true, false),
        (Some("ES256"), true, false),
        (Some("PS256"), false, false),
        (Some("none"), false, true),
    ] {
        let client = client(registered);
        assert_eq!(read(&text, &signer, &client).is_ok(), signed_ok, "{registered:?}");
        assert_eq!(read(&bare, &signer, &client).is_ok(), unsigned_ok, "{registered:?}");
    }
    // Where the registration leaves it open, it counts whose the place is that it came from.
    for (registered, ok) in [(None, true), (Some("ES256"), false), (Some("none"), true)] {
        let read = read_as(RequestObjectSource::ByReference, &bare, &signer, &client(registered));
        assert_eq!(read.is_ok(), ok, "{registered:?}");
    }
    // Neither half of the trick: `none` with a signature, or a signature left out.
    let client = client(Some("none"));
    let stripped = text.rsplit_once('.').map(|(message, _)| format!("{message}.")).unwrap();
    for forged in [format!("{bare}c2ln"), stripped] {
        assert!(read(&forged, &signer, &client).is_err(), "{forged}");
    }
}

#[test]
fn rfc9101_6_2_a_signature_of_another_key_does_not_hold() {
    let (own, other) = (Signer::new(ClientAlgorithm::Es256), Signer::new(ClientAlgorithm::Es256));
    let error = read(&other.sign(&json!({})), &own, &client(None)).err();
    assert!(error.is_some_and(|error| error.needs_key_refresh()));
    let mac = Signer::new(ClientAlgorithm::Hs256).sign(&json!({}));
    assert!(read(&mac, &own, &client(None)).is_err());
}
