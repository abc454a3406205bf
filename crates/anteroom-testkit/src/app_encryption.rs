//! Encryption as an application has it: a key of its own that others encrypt to, and encrypting to the provider's.

use anteroom_oidc::Encryption;
use anteroom_oidc::jwe::{DecryptionKey, EncryptionKeyType, Entropy, Jwe, Payload, encrypt};
use anteroom_oidc::keys::ClientJwks;
use serde_json::Value;

pub struct AppDecryptionKey(DecryptionKey);

impl AppDecryptionKey {
    pub fn new(kind: EncryptionKeyType) -> Self {
        Self(DecryptionKey::generate(kind).unwrap().0)
    }

    /// The public half, as the application publishes it.
    pub fn jwk(&self) -> Value {
        serde_json::to_value(self.0.public_jwk()).unwrap()
    }

    /// What was encrypted for it.
    pub fn open(&self, token: &str) -> String {
        let jwe = Jwe::parse(token).unwrap();
        let plain = jwe.decrypt([&self.0], None, &Entropy::new([0; Entropy::BYTES])).unwrap();
        String::from_utf8(plain.to_vec()).unwrap()
    }
}

/// Encrypted to whatever key of this set fits.
pub fn encrypted_to(jwks: &Value, encryption: Encryption, payload: Payload<'_>) -> String {
    let keys = ClientJwks::parse(jwks).unwrap();
    let key = keys.encryption_key(encryption.alg).unwrap();
    encrypt(key, encryption, payload, &Entropy::new([7; Entropy::BYTES])).unwrap()
}
