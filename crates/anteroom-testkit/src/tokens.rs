//! Reading tokens as an application does, with a library that is not the provider's own code.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;

/// A token whose signature, issuer and audience are good.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub header: Value,
    pub claims: Value,
}

/// Times are left to the test, whose clock is not the machine's.
pub(crate) fn verified(jwks: &str, token: &str, issuer: &str, audience: &str) -> VerifiedToken {
    let keys: JwkSet = serde_json::from_str(jwks).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation);
    VerifiedToken { header: part(token, 0), claims: decoded.unwrap().claims }
}

/// The claims of a token, whatever its signature is worth.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

pub fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// `at_hash` for algorithms with SHA-256 (OpenID Connect Core §3.1.3.6).
pub fn left_half_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, token.as_bytes()).as_ref()[..16])
}
