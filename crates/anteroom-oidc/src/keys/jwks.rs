use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde::Serialize;
use thiserror::Error;

use super::{EncryptionJwk, Jwk, KeyId, PublicKey};
use crate::protocol_values::SigningAlgorithm;

/// The published keys of one moment (RFC 7517 §5): those that sign, those that soon will, those whose signatures may still
/// be alive, and those that others encrypt to. What we signed is verified with these and no others. Immutable; a rotation makes a new one.
#[derive(Debug)]
pub struct Jwks {
    keys: Vec<PublicKey>,
    document: String,
    etag: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("two keys have the id {0}")]
pub struct DuplicateKeyId(pub KeyId);

#[derive(Serialize)]
struct Document<'a> {
    keys: Vec<Published<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Published<'a> {
    Signature(&'a Jwk),
    Encryption(&'a EncryptionJwk),
}

impl Published<'_> {
    fn kid(&self) -> &KeyId {
        match self {
            Self::Signature(key) => &key.kid,
            Self::Encryption(key) => &key.kid,
        }
    }
}

impl Jwks {
    /// How long clients may keep the document without asking again. A key that is to sign has been in it for longer.
    pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

    pub fn new(keys: Vec<PublicKey>) -> Result<Self, DuplicateKeyId> {
        Self::with_encryption(keys, &[])
    }

    pub fn with_encryption(
        keys: Vec<PublicKey>,
        encryption: &[&EncryptionJwk],
    ) -> Result<Self, DuplicateKeyId> {
        let mut by_use: Vec<&PublicKey> = keys.iter().collect();
        // A stable sort: of one algorithm, the order stays.
        by_use.sort_by_key(|key| sort_rank(key.algorithm()));
        let signature = by_use.into_iter().map(|key| Published::Signature(key.jwk()));
        let encryption = encryption.iter().map(|key| Published::Encryption(key));
        let document = Document { keys: signature.chain(encryption).collect() };
        for (i, key) in document.keys.iter().enumerate() {
            if document.keys.iter().skip(i + 1).any(|other| other.kid() == key.kid()) {
                return Err(DuplicateKeyId(key.kid().clone()));
            }
        }
        // Text and enums only: there is nothing in it that could fail to serialise.
        let document = serde_json::to_string(&document).unwrap_or_default();
        let hash = digest::digest(&digest::SHA256, document.as_bytes());
        let etag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(hash.as_ref()));
        Ok(Self { keys, document, etag })
    }

    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid().as_str() == kid)
    }

    /// The document as it is served, `application/jwk-set+json`, serialised once.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// RFC 9110 §8.8.3: the same on every node that has the same keys. Weak, for the document may travel compressed.
    pub fn etag(&self) -> &str {
        &self.etag
    }
}

/// Some clients try the keys one after the other, whatever `kid` and `kty` say, and give up at the first that does not fit
/// the token's algorithm (python-jose does). Most tokens are signed with RS256, so its keys come first, and those of
/// other kinds after every RSA key.
const fn sort_rank(algorithm: SigningAlgorithm) -> u8 {
    match algorithm {
        SigningAlgorithm::Rs256 => 0,
        SigningAlgorithm::Rs384 | SigningAlgorithm::Rs512 | SigningAlgorithm::Ps256 => 1,
        SigningAlgorithm::Es256 | SigningAlgorithm::Es384 | SigningAlgorithm::EdDsa => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jwe::{DecryptionKey, EncryptionKeyType},
        keys::SigningKey,
        protocol_values::SigningAlgorithm,
    };

    fn key(alg: SigningAlgorithm) -> PublicKey {
        SigningKey::generate(alg).unwrap().0.public().clone()
    }

    #[test]
    fn rfc7517_5_every_key_is_published_with_an_id_of_its_own_and_without_its_private_part() {
        let keys = vec![
            key(SigningAlgorithm::Rs256),
            key(SigningAlgorithm::Ps256),
            key(SigningAlgorithm::Es256),
            key(SigningAlgorithm::EdDsa),
            key(SigningAlgorithm::EdDsa),
        ];
        let jwks = Jwks::new(keys.clone()).unwrap();
        assert_eq!(jwks.etag(), Jwks::new(keys).unwrap().etag());
        assert_ne!(jwks.etag(), Jwks::new(vec![key(SigningAlgorithm::EdDsa)]).unwrap().etag());
        let document: serde_json::Value = serde_json::from_str(jwks.document()).unwrap();
        let published = document["keys"].as_array().unwrap();
        assert_eq!(published.len(), 5);
        for key in published {
            assert_eq!(key["use"], "sig");
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(private).is_none());
            }
            assert!(jwks.find(key["kid"].as_str().unwrap()).is_some());
        }
    }

    #[test]
    fn rfc7517_4_2_keys_to_encrypt_to_say_so_and_name_no_algorithm() {
        let (rsa, ec) = (EncryptionKeyType::Rsa, EncryptionKeyType::Ec);
        let keys = [rsa, ec].map(|kind| DecryptionKey::generate(kind).unwrap().0);
        let published = [keys[0].public_jwk(), keys[1].public_jwk()];
        let jwks = Jwks::with_encryption(vec![key(SigningAlgorithm::EdDsa)], &published).unwrap();
        let document: serde_json::Value = serde_json::from_str(jwks.document()).unwrap();
        let uses: Vec<_> = document["keys"].as_array().unwrap().iter().map(|key| &key["use"]).collect();
        assert_eq!(uses, ["sig", "enc", "enc"]);
        for (key, kty) in document["keys"].as_array().unwrap().iter().skip(1).zip(["RSA", "EC"]) {
            assert_eq!((&key["kty"], key.get("alg"), key.get("d")), (&kty.into(), None, None));
            // What is encrypted to verifies nothing.
            assert!(jwks.find(key["kid"].as_str().unwrap()).is_none());
        }
        assert!(Jwks::with_encryption(Vec::new(), &[published[0], published[0]]).is_err());
    }

    #[test]
    fn rfc7517_5_keys_of_rs256_come_first_and_those_to_encrypt_to_last() {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Ps256, Rs256};
        let keys: Vec<_> = [EdDsa, Es256, Rs256, Ps256, Es384, Rs256].map(key).into();
        let encryption = DecryptionKey::generate(EncryptionKeyType::Rsa).unwrap().0;
        let jwks = Jwks::with_encryption(keys.clone(), &[encryption.public_jwk()]).unwrap();
        let document: serde_json::Value = serde_json::from_str(jwks.document()).unwrap();
        let published: Vec<_> = document["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
        let order = [2, 5, 3, 0, 1, 4].map(|place: usize| keys[place].kid());
        let order: Vec<&KeyId> = order.into_iter().chain([&encryption.public_jwk().kid]).collect();
        assert_eq!(published, order.iter().map(|kid| kid.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn rfc7517_4_5_two_keys_of_one_id_are_refused() {
        let one = key(SigningAlgorithm::EdDsa);
        assert_eq!(Jwks::new(vec![one.clone(), one.clone()]).err(), Some(DuplicateKeyId(one.kid().clone())));
    }

    #[test]
    fn keys_are_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Jwks>();
        shared::<SigningKey>();
    }
}
