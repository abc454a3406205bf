//! Keys that are always the same, and what is signed with them.

use anteroom_oidc::keys::{ClientJwks, Jwks, SigningKey};
use anteroom_oidc::{Issuer, SigningAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use std::sync::LazyLock;

pub(crate) const ISSUER: &str = "https://id.practice.example";
/// The client that signs.
pub(crate) const CLIENT: &str = "app";

pub(crate) fn issuer() -> Issuer {
    Issuer::parse(ISSUER).unwrap()
}

/// When everything happens.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// An Ed25519 key in PKCS#8 (RFC 8410 §7): its signatures are the same each time, so that seeds can be files.
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let mut pkcs8 = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    pkcs8.extend([7; 32]);
    SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, &pkcs8).unwrap()
});

/// As the client publishes it.
pub(crate) static CLIENT_KEYS: LazyLock<ClientJwks> = LazyLock::new(|| {
    let document = serde_json::json!({ "keys": [KEY.public_jwk()] });
    ClientJwks::parse(&document).unwrap()
});

/// The same key as one of ours.
pub(crate) static OUR_KEYS: LazyLock<Jwks> = LazyLock::new(|| Jwks::new(vec![KEY.public().clone()]).unwrap());

/// A JWT of these very bytes, be they claims or not.
pub(crate) fn sign(typ: &str, claims: &[u8]) -> String {
    let header = format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"{}"}}"#, KEY.kid().as_str());
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(KEY.sign(message.as_bytes()).unwrap());
    format!("{message}.{signature}")
}

/// What a signature is over.
pub(crate) fn message(jwt: &str) -> &str {
    jwt.rsplit_once('.').map_or(jwt, |(message, _)| message)
}
