//! What clients sign: assertions (RFC 7523 §3) and request objects (RFC 9101).
//!
//! Raw: whatever is accepted was signed with the registered key, and the fuzzer does not have it. As claims: whatever is
//! signed, what is accepted keeps the rules.

use anteroom_oidc::authorization::{
    Parameter, Parameters, RequestObject, RequestObjectRules, RequestObjectSource,
};
use anteroom_oidc::jwt::ClientVerificationKeys;
use anteroom_oidc::token::{AssertionRules, ClientAssertion, VerifiedAssertion};
use anteroom_oidc::{ClientId, ClientMetadata};
use jiff::SignedDuration;
use serde_json::{Map, Value};
use std::sync::LazyLock;

use crate::keys::{CLIENT, CLIENT_KEYS, ISSUER, issuer, message, now, sign};
use crate::{Verdict, text};

const GOOD_ASSERTION: &str = r#"{"iss":"app","sub":"app","aud":"https://id.practice.example","exp":1800000060,"iat":1800000000,"jti":"1"}"#;
const GOOD_REQUEST: &str = r#"{"iss":"app","client_id":"app","aud":"https://id.practice.example","exp":1800000060,"response_type":"code","max_age":60,"claims":{"id_token":{"acr":null}},"resource":["https://api.example/"]}"#;

/// The one assertion that was ever signed.
pub(crate) fn good_assertion() -> String {
    static SIGNED: LazyLock<String> = LazyLock::new(|| sign("JWT", GOOD_ASSERTION.as_bytes()));
    SIGNED.clone()
}

/// The one request object that was ever signed.
pub(crate) fn good_request() -> String {
    static SIGNED: LazyLock<String> = LazyLock::new(|| sign("oauth-authz-req+jwt", GOOD_REQUEST.as_bytes()));
    SIGNED.clone()
}

fn prove(jwt: &str) -> Option<(ClientId, VerifiedAssertion)> {
    let assertion = ClientAssertion::parse(jwt).ok()?;
    let audiences = [ISSUER.to_owned(), format!("{ISSUER}/token")];
    let rules = AssertionRules {
        registered: None,
        audiences: &audiences,
        now: now(),
        replays_known_since: jiff::Timestamp::UNIX_EPOCH,
    };
    let proven = assertion.verify(ClientVerificationKeys::Keys(&CLIENT_KEYS), rules).ok()?;
    Some((assertion.client_id().clone(), proven))
}

pub(crate) fn client_assertion(input: &[u8]) -> Verdict {
    let Some(jwt) = text(input) else { return Verdict::Refused };
    let proven = prove(jwt);
    if proven.is_some() {
        assert_eq!(message(jwt), message(&good_assertion()), "nobody signed this");
    }
    Verdict::of(proven.is_some())
}

pub(crate) fn client_assertion_claims(input: &[u8]) -> Verdict {
    let Some((client, proven)) = prove(&sign("JWT", input)) else { return Verdict::Refused };
    let claims: Map<String, Value> = serde_json::from_slice(input).unwrap();
    for name in ["iss", "sub"] {
        assert_eq!(claims[name], client.as_str());
    }
    let audience = &claims["aud"];
    let ours = |value: &Value| value.as_str().is_some_and(|aud| aud.strip_prefix(ISSUER).is_some());
    assert!(ours(audience) || audience.as_array().is_some_and(|several| several.iter().any(ours)));
    let left = proven.expires_at.duration_since(now());
    assert!(left.is_positive() && left <= SignedDuration::from_mins(62), "{left}");
    assert_eq!(claims["jti"], proven.jti);
    assert!((1..=255).contains(&proven.jti.len()));
    Verdict::Accepted
}

fn open(jwt: &str, client: &ClientMetadata) -> Option<Parameters> {
    let issuer = issuer();
    let rules = RequestObjectRules { client, issuer: &issuer, now: now() };
    match RequestObject::parse(jwt).ok()? {
        RequestObject::Signed(jwt) => {
            let accepted =
                RequestObject::verify(&jwt, ClientVerificationKeys::Keys(&CLIENT_KEYS), rules).ok();
            accepted.map(|accepted| accepted.parameters)
        }
        RequestObject::Unsigned(claims) => {
            let accepted = RequestObject::accept_unsigned(&claims, RequestObjectSource::ByValue, rules);
            assert!(accepted.is_err(), "not what was registered");
            None
        }
    }
}

/// What came out of a request object names its client, holds no other, and meets the rules like any request.
fn check_inner(parameters: &Parameters) {
    assert!(parameters.get(Parameter::Request).is_none() && parameters.get(Parameter::RequestUri).is_none());
    if let Some(client) = parameters.get(Parameter::ClientId) {
        assert_eq!(client, CLIENT);
    }
    for name in Parameter::ALL.iter().filter(|name| **name != Parameter::Resource) {
        assert!(!parameters.is_repeated(*name), "{name}");
    }
    crate::authorization::check(parameters);
}

pub(crate) fn request_object(input: &[u8]) -> Verdict {
    let Some(jwt) = text(input) else { return Verdict::Refused };
    let opened = open(jwt, crate::authorization::client());
    if let Some(parameters) = &opened {
        assert_eq!(message(jwt), message(&good_request()), "nobody signed this");
        check_inner(parameters);
    }
    Verdict::of(opened.is_some())
}

pub(crate) fn request_object_claims(input: &[u8]) -> Verdict {
    let jwt = sign("oauth-authz-req+jwt", input);
    let Some(parameters) = open(&jwt, crate::authorization::client()) else { return Verdict::Refused };
    check_inner(&parameters);
    // Where it stands in a request, what is inside counts.
    let outside = Parameters::from_pairs([("client_id", CLIENT), ("state", "outside"), ("request", &jwt)]);
    let whole = outside.superseded_by(parameters.clone());
    assert_eq!(whole.get(Parameter::Request), None);
    let state = parameters.get(Parameter::State).unwrap_or("outside");
    assert_eq!(whole.get(Parameter::State), Some(state));
    Verdict::Accepted
}
