use serde_json::{Value, json};

use super::*;
use crate::{jwt::testing::Signer, keys::ClientJwks};

const ISSUER: &str = "https://id.example";
const TOKEN_ENDPOINT: &str = "https://id.example/token";
const NOW: i64 = 1_700_000_000;

fn good() -> Value {
    json!({"iss": "app", "sub": "app", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verify_text(signer: &Signer, text: &str) -> Result<VerifiedAssertion, AssertionError> {
    verify_where_uses_are_known(signer, text, 0)
}

fn verify_where_uses_are_known(
    signer: &Signer,
    text: &str,
    from: i64,
) -> Result<VerifiedAssertion, AssertionError> {
    let keys = ClientJwks::parse(&json!({ "keys": [signer.jwk] })).unwrap();
    let audiences = [ISSUER.to_owned(), TOKEN_ENDPOINT.to_owned()];
    let now = Timestamp::from_second(NOW).unwrap();
    let rules = AssertionRules {
        registered: None,
        audiences: &audiences,
        now,
        replays_known_since: Timestamp::from_second(from).unwrap(),
    };
    ClientAssertion::parse(text)?.verify(ClientVerificationKeys::Keys(&keys), rules)
}

fn verify(claims: &Value) -> Result<VerifiedAssertion, AssertionError> {
    let signer = Signer::new(ClientAlgorithm::Es256);
    verify_text(&signer, &signer.sign(claims))
}

#[test]
fn core_9_a_good_assertion_says_what_is_to_be_remembered() {
    let proven = verify(&good()).unwrap();
    assert_eq!(proven.jti, "1");
    assert_eq!(proven.expires_at.as_second(), NOW + 60 + CLOCK_SKEW.as_secs());
    assert!(verify(&without("iat")).is_ok());
}

#[test]
fn rfc7523_3_one_that_may_have_been_used_before_is_none() {
    let signer = Signer::new(ClientAlgorithm::Es256);
    let verify = |claims: &Value, from: i64| verify_where_uses_are_known(&signer, &signer.sign(claims), from);
    let mut nbf = without("iat");
    nbf["nbf"] = json!(NOW);
    for claims in [good(), nbf] {
        assert!(verify(&claims, NOW - 61).is_ok());
        assert_eq!(verify(&claims, NOW - 60).unwrap_err(), AssertionError::ReplayUndetectable);
    }
    // Its client's clock may go before ours.
    let ahead = with("iat", json!(NOW + 60));
    assert!(verify(&ahead, NOW - 1).is_ok());
    assert_eq!(verify(&ahead, NOW).unwrap_err(), AssertionError::ReplayUndetectable);
    // It can be an hour old.
    let silent = without("iat");
    assert!(verify(&silent, NOW - 3_601).is_ok());
    assert_eq!(verify(&silent, NOW - 3_600).unwrap_err(), AssertionError::ReplayUndetectable);
}

#[test]
fn rfc7523_3_each_claim_is_checked() {
    for (claims, expected) in [
        (with("iss", json!("other")), AssertionError::Subject),
        (with("iss", json!("other")), AssertionError::Subject),
        (with("sub", json!("other")), AssertionError::Subject),
        (
            with("aud", json!("https://other.example")),
            AssertionError::Audience("https://other.example".into()),
        ),
        (with("aud", json!([])), AssertionError::Audience(String::new())),
        (with("exp", json!(NOW - 61)), AssertionError::Expired),
        (with("exp", json!(NOW + 3600 + 61)), AssertionError::TooLong),
        (with("exp", json!("soon")), AssertionError::Claims),
        (with("iat", json!(NOW + 61)), AssertionError::FromTheFuture),
        (with("nbf", json!(NOW + 61)), AssertionError::FromTheFuture),
        (with("jti", json!("")), AssertionError::Jti),
        (with("jti", json!("a\u{0}b")), AssertionError::Jti),
        (with("jti", json!("x".repeat(256))), AssertionError::Jti),
    ] {
        assert_eq!(verify(&claims).unwrap_err(), expected, "{claims}");
    }
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        assert_eq!(verify(&without(name)).unwrap_err(), AssertionError::Claims, "{name}");
    }
}

#[test]
fn rfc7523_3_clocks_may_be_off_by_a_minute() {
    for claims in [
        with("exp", json!(NOW - 59)),
        with("exp", json!(NOW + 3600)),
        with("iat", json!(NOW + 59)),
        with("nbf", json!(NOW + 60)),
        with("exp", json!(f64::from(1_700_000_000) + 30.5)),
    ] {
        assert!(verify(&claims).is_ok(), "{claims}");
    }
}

#[test]
fn core_9_the_audience_is_the_issuer_or_the_token_endpoint() {
    for aud in [json!(ISSUER), json!(TOKEN_ENDPOINT), json!([ISSUER]), json!(["x", TOKEN_ENDPOINT])] {
        assert!(verify(&with("aud", aud.clone())).is_ok(), "{aud}");
    }
    for aud in [json!("https://id.example/"), json!("https://id.example/jwks"), json!(["x"])] {
        assert!(matches!(verify(&with("aud", aud)).unwrap_err(), AssertionError::Audience(_)));
    }
}

#[test]
fn rfc8725_3_11_what_is_signed_for_something_else_is_no_assertion() {
    let signer = Signer::new(ClientAlgorithm::Es256);
    let of_type = |typ: &str| verify_text(&signer, &signer.sign_under(&json!({ "typ": typ }), &good()));
    for typ in [
        "oauth-authz-req+jwt",
        "application/OAUTH-authz-req+jwt",
        "at+jwt",
        "application/at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "id_token+jwt",
        "secevent+jwt",
        "JWTs",
        "application/",
        "application/application/jwt",
        "text/jwt",
        "é",
        "",
    ] {
        assert_eq!(of_type(typ).unwrap_err(), AssertionError::Type(typ.to_owned()), "{typ:?}");
    }
    for typ in [
        "JWT",
        "jwt",
        "application/jwt",
        "Application/JWT",
        "client-authentication+jwt",
        "Client-Authentication+JWT",
        "application/client-authentication+jwt",
    ] {
        assert!(of_type(typ).is_ok(), "{typ}");
    }
    assert!(verify_text(&signer, &signer.sign_under(&json!({}), &good())).is_ok());
}
