//! Keys of clients, of every kind, for tests that sign with them.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    hmac,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{keys::library_randomness, protocol_values::ClientAlgorithm};

pub(crate) const SECRET: &str = "a-secret-that-is-long-enough-for-a-mac";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A new key for the algorithm: how it signs, and its public JWK.
pub(crate) struct Signer {
    pub(crate) jwk: Value,
    alg: ClientAlgorithm,
    sign: Sign,
}

impl Signer {
    pub(crate) fn new(alg: ClientAlgorithm) -> Self {
        match alg {
            ClientAlgorithm::Rs256 => Self::rsa(alg, &RSA_PKCS1_SHA256),
            ClientAlgorithm::Rs384 => Self::rsa(alg, &RSA_PKCS1_SHA384),
            ClientAlgorithm::Rs512 => Self::rsa(alg, &RSA_PKCS1_SHA512),
            ClientAlgorithm::Ps256 => Self::rsa(alg, &RSA_PSS_SHA256),
            ClientAlgorithm::Es256 => Self::ec(alg, "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
            ClientAlgorithm::Es384 => Self::ec(alg, "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
            ClientAlgorithm::EdDsa => {
                let key = Ed25519KeyPair::generate().unwrap();
                let x = encode(key.public_key());
                let sign = move |message: &[u8]| key.sign(message).as_ref().to_vec();
                Self { jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": x}), alg, sign: Box::new(sign) }
            }
            ClientAlgorithm::Hs256 => Self::mac(alg, hmac::HMAC_SHA256),
            ClientAlgorithm::Hs384 => Self::mac(alg, hmac::HMAC_SHA384),
            ClientAlgorithm::Hs512 => Self::mac(alg, hmac::HMAC_SHA512),
        }
    }

    fn rsa(alg: ClientAlgorithm, encoding: &'static dyn RsaEncoding) -> Self {
        let key = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let key = rsa::KeyPair::from_pkcs8(der.as_ref()).unwrap();
        let n = encode(key.public_key().modulus().big_endian_without_leading_zero());
        let e = encode(key.public_key().exponent().big_endian_without_leading_zero());
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(encoding, library_randomness(), message, &mut signature).unwrap();
            signature
        };
        Self { jwk: json!({"kty": "RSA", "n": n, "e": e}), alg, sign: Box::new(sign) }
    }

    fn ec(alg: ClientAlgorithm, crv: &str, kind: &'static EcdsaSigningAlgorithm) -> Self {
        let key = EcdsaKeyPair::generate(kind).unwrap();
        let point = key.public_key().as_ref()[1..].to_vec();
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({"kty": "EC", "crv": crv, "x": encode(x), "y": encode(y)});
        let sign = move |message: &[u8]| key.sign(library_randomness(), message).unwrap().as_ref().to_vec();
        Self { jwk, alg, sign: Box::new(sign) }
    }

    fn mac(alg: ClientAlgorithm, kind: hmac::Algorithm) -> Self {
        let key = hmac::Key::new(kind, SECRET.as_bytes());
        let sign = move |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
        Self { jwk: Value::Null, alg, sign: Box::new(sign) }
    }

    /// The same key under a `kid`.
    pub(crate) fn jwk_named(&self, kid: &str) -> Value {
        let mut jwk = self.jwk.clone();
        jwk["kid"] = json!(kid);
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_under(&json!({}), claims)
    }

    /// With these members put into the header.
    pub(crate) fn sign_under(&self, members: &Value, claims: &Value) -> String {
        let mut header = json!({ "alg": self.alg });
        header.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = encode((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }
}
