use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::test_tokens::Signer;

const NOW: i64 = 1_800_000_000;

fn claims() -> Value {
    json!({
        "iss": "http://localhost:8080",
        "aud": "schedule",
        "iat": NOW - 1,
        "exp": NOW + 120,
        "jti": "j-1",
        "events": { (LOGOUT_EVENT): {} },
        "sid": "s-1",
        "sub": "alice",
    })
}

/// The claims of a good token with some changed, and those that are null left out.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn verify_with(keys: &[CoreJsonWebKey], token: &str) -> Result<LogoutNotice, LogoutTokenError> {
    let expected = Expected {
        issuer: &IssuerUrl::new("http://localhost:8080".to_owned()).unwrap(),
        client_id: &ClientId::new("schedule".to_owned()),
        keys,
        algorithms: &[CoreJwsSigningAlgorithm::EdDsa, CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256],
        now: Timestamp::from_second(NOW).unwrap(),
    };
    expected.verify(token)
}

fn verify(changes: &Value) -> Result<LogoutNotice, LogoutTokenError> {
    let signer = Signer::new(1);
    verify_with(&[signer.public()], &signer.sign(&signer.header(), &with(changes)))
}

fn verify_header(header: &Value) -> Result<LogoutNotice, LogoutTokenError> {
    let signer = Signer::new(1);
    verify_with(&[signer.public()], &signer.sign(header, &claims()))
}

#[test]
fn backchannel_2_6_a_good_token_names_its_sessions() {
    let notice = verify(&json!({})).unwrap();
    let expected = LogoutNotice { jti: "j-1".into(), sid: Some("s-1".into()), sub: Some("alice".into()) };
    assert_eq!(notice, expected);
    assert_eq!(verify(&json!({"sub": null})).unwrap().sub, None);
    assert_eq!(verify(&json!({"sid": null})).unwrap().sid, None);
    assert!(verify(&json!({"aud": ["schedule"]})).is_ok());
}

#[test]
fn backchannel_2_6_each_claim_is_checked() {
    let cases = [
        ("iss", json!({"iss": "http://localhost:8080/"})),
        ("aud", json!({"aud": "imaging"})),
        ("aud", json!({"aud": ["schedule", "imaging"]})),
        ("aud", json!({"aud": []})),
        ("iat", json!({"iat": NOW + 61})),
        ("iat", json!({"iat": NOW - 600})),
        ("exp", json!({"exp": NOW - 60})),
        ("jti", json!({"jti": ""})),
        ("events", json!({"events": {}})),
        ("events", json!({"events": {(LOGOUT_EVENT): true}})),
        ("nonce", json!({"nonce": "n"})),
        ("sid", json!({"sid": null, "sub": null})),
    ];
    for (claim, changes) in cases {
        match verify(&changes) {
            Err(LogoutTokenError::Claim(refused)) => assert_eq!(refused, claim, "{changes}"),
            other => panic!("{changes}: {other:?}"),
        }
    }
}

#[test]
fn backchannel_2_4_required_claims_must_be_there_and_of_their_kind() {
    for name in ["iss", "aud", "iat", "exp", "jti", "events"] {
        assert!(matches!(verify(&json!({name: null})), Err(LogoutTokenError::Claims(_))), "{name}");
        assert!(matches!(verify(&json!({name: 1.5})), Err(LogoutTokenError::Claims(_))), "{name}");
    }
    assert!(matches!(verify(&json!({"exp": i64::MAX})), Err(LogoutTokenError::Claim("exp"))));
}

#[test]
fn a_clock_that_is_seconds_off_does_no_harm() {
    assert!(verify(&json!({"iat": NOW + 60})).is_ok());
    assert!(verify(&json!({"exp": NOW - 59})).is_ok());
}

#[test]
fn rfc8725_3_11_another_kind_of_token_is_refused() {
    for typ in ["at+jwt", "application/at+jwt", "secevent+jwt", ""] {
        let header = json!({"alg": "EdDSA", "kid": "key-1", "typ": typ});
        assert!(matches!(verify_header(&header), Err(LogoutTokenError::Header("typ"))), "{typ}");
    }
    for typ in ["JWT", "logout+jwt", "application/logout+JWT"] {
        assert!(verify_header(&json!({"alg": "EdDSA", "kid": "key-1", "typ": typ})).is_ok(), "{typ}");
    }
    assert!(verify_header(&json!({"alg": "EdDSA", "kid": "key-1"})).is_ok());
}

#[test]
fn rfc7515_4_1_11_critical_headers_are_refused() {
    let header = json!({"alg": "EdDSA", "kid": "key-1", "crit": ["b64"]});
    assert!(matches!(verify_header(&header), Err(LogoutTokenError::Header("crit"))));
}

#[test]
fn backchannel_2_6_the_algorithm_is_the_providers_and_never_none() {
    for algorithm in ["none", "HS256"] {
        let header = json!({"alg": algorithm, "kid": "key-1"});
        let refused = verify_header(&header);
        assert!(matches!(refused, Err(LogoutTokenError::Algorithm)), "{algorithm}: {refused:?}");
    }
    // One of the provider's algorithms, but not this key's.
    let header = json!({"alg": "RS256", "kid": "key-1"});
    assert!(matches!(verify_header(&header), Err(LogoutTokenError::UnknownKey)));
    assert!(matches!(verify_header(&json!({"alg": "XX"})), Err(LogoutTokenError::Malformed)));
}

#[test]
fn core_10_1_the_key_is_found_by_its_id_or_is_the_only_one() {
    let (first, second) = (Signer::new(1), Signer::new(2));
    let both = [first.public(), second.public()];
    let anonymous = json!({"alg": "EdDSA"});
    assert!(verify_with(&both, &second.sign(&second.header(), &claims())).is_ok());
    assert!(verify_with(&both[..1], &first.sign(&anonymous, &claims())).is_ok());
    for (keys, token) in [
        (&both[..1], second.sign(&second.header(), &claims())),
        (&both[..], first.sign(&anonymous, &claims())),
        (&[][..], first.sign(&first.header(), &claims())),
    ] {
        assert!(matches!(verify_with(keys, &token), Err(LogoutTokenError::UnknownKey)));
    }
}

#[test]
fn rfc7515_5_2_a_signature_must_hold() {
    let (first, second) = (Signer::new(1), Signer::new(2));
    let forged = second.sign(&first.header(), &claims());
    assert!(matches!(verify_with(&[first.public()], &forged), Err(LogoutTokenError::Signature(_))));
    let token = first.sign(&first.header(), &claims());
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = rest.split_once('.').unwrap();
    let other = BASE64_URL_SAFE_NO_PAD.encode(with(&json!({"sub": "bob"})).to_string());
    let swapped = format!("{header}.{other}.{signature}");
    assert!(matches!(verify_with(&[first.public()], &swapped), Err(LogoutTokenError::Signature(_))));
}

#[test]
fn what_is_no_token_is_refused() {
    let key = [Signer::new(1).public()];
    for text in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", "ey\u{e9}.e30.e30"] {
        assert!(matches!(verify_with(&key, text), Err(LogoutTokenError::Malformed)), "{text}");
    }
}
