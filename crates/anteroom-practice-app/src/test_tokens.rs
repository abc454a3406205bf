//! Tokens for the unit tests, signed with keys of no provider.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};

pub(crate) struct Signer {
    key: CoreEdDsaPrivateSigningKey,
    kid: String,
}

impl Signer {
    /// An Ed25519 key of 32 equal bytes, in the PKCS #8 form of RFC 8410 section 7.
    pub(crate) fn new(seed: u8) -> Self {
        let mut der = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ];
        der.extend_from_slice(&[seed; 32]);
        let label = "PRIVATE KEY";
        let pem =
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der));
        let kid = format!("key-{seed}");
        let key =
            CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(kid.clone()))).unwrap();
        Self { key, kid }
    }

    pub(crate) fn public(&self) -> CoreJsonWebKey {
        self.key.as_verification_key()
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "EdDSA", "kid": self.kid, "typ": "logout+jwt"})
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(&CoreJwsSigningAlgorithm::EdDsa, message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}
