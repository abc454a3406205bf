//! A key of an application's own, for what it signs: assertions (OpenID Connect Core §9) and request objects (§6).

use anteroom_oidc::SigningAlgorithm;
use anteroom_oidc::keys::SigningKey;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub struct AppKey {
    alg: &'static str,
    kid: String,
    kind: Kind,
}

enum Kind {
    Own(Box<SigningKey>),
    Secret(&'static str),
}

impl AppKey {
    /// A new key for any algorithm but those of secrets.
    pub fn new(alg: &'static str, kid: &str) -> Self {
        let (key, _) = SigningKey::generate(alg.parse::<SigningAlgorithm>().unwrap()).unwrap();
        Self { alg, kid: kid.to_owned(), kind: Kind::Own(Box::new(key)) }
    }

    /// The application's secret, as the key of HS256.
    pub fn secret(secret: &'static str) -> Self {
        Self { alg: "HS256", kid: String::new(), kind: Kind::Secret(secret) }
    }

    /// The public half, as the application publishes it.
    pub fn jwk(&self) -> Value {
        let Kind::Own(key) = &self.kind else { panic!("a secret is not published") };
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk["kid"] = json!(self.kid);
        jwk
    }

    /// A set with these keys in it.
    pub fn set(keys: &[&Self]) -> Value {
        json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
    }

    /// A JWT with these claims, and these members in its header or (null) not.
    pub fn sign_under(&self, members: &Value, claims: &Value) -> String {
        let mut header = json!({ "alg": self.alg, "kid": self.kid });
        for (name, value) in members.as_object().unwrap() {
            header[name] = value.clone();
        }
        header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signature = match &self.kind {
            Kind::Own(key) => key.sign(message.as_bytes()).unwrap(),
            Kind::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_under(&json!({}), claims)
    }
}
