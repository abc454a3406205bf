//! Clients' keys: what their assertions and request objects are held against, and what their tokens are encrypted to (OpenID
//! Connect Core §10.1, §10.2, RFC 7517 §5).
//!
//! A set is read as its client wrote it. Keys that nothing here can use are passed over, as RFC 7517 §5 has it; a
//! private key is refused, since what was published is no secret any more.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::ops::RangeInclusive;
use thiserror::Error;

use super::{EcCurve, JwkMaterial};
use crate::{
    jwe::EncryptionKey,
    protocol_values::{ClientAlgorithm, KeyManagementAlgorithm},
};

/// The keys that a client publishes, with the document they stood in.
#[derive(Debug, Clone)]
pub struct ClientJwks {
    document: Value,
    /// Those that verify.
    keys: Vec<ClientKey>,
    /// Keys to encrypt to; those with `use` "enc" come first.
    encryption: Vec<EncryptionKey>,
}

#[derive(Debug, Clone)]
struct ClientKey {
    kid: Option<String>,
    /// RFC 7517 §4.4: the one algorithm it is for, where its client says so.
    alg: Option<String>,
    kind: Kind,
    decoding: DecodingKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClientJwksError {
    #[error("not a JWK set")]
    NotASet,
    #[error("a JWK set with a private or symmetric key in it")]
    PrivateKey,
    #[error(
        "a JWK set without a key that can be used here (RSA of 2048 to 4096 bits, P-256, P-384, Ed25519)"
    )]
    NoKey,
    #[error("a JWK set of more than {} keys", ClientJwks::MAX_KEYS)]
    TooMany,
    #[error(
        "a JWK set with an RSA key of {0} bits; keys have {min} to {max}",
        min = RSA_BITS.start(),
        max = RSA_BITS.end()
    )]
    RsaSize(usize),
}

#[derive(Deserialize)]
struct JwkFields {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// RFC 7518 §6.2.2, §6.3.2, §6.4.1.
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// Shorter ones can be broken, and one of 8,192 bits takes five times as long to verify with as one of 4,096, and unauthenticated
/// requests can cause verifications.
const RSA_BITS: RangeInclusive<usize> = 2_048..=4_096;

impl ClientJwks {
    /// More would only make a signature without `kid` expensive.
    pub const MAX_KEYS: usize = 10;

    /// What is out of bounds is not used: keys of another size, and those beyond the first [`Self::MAX_KEYS`] that are good
    /// for something. A client that registers a set is told, by [`Self::check_bounds`].
    pub fn parse(document: &Value) -> Result<Self, ClientJwksError> {
        let listed = document.get("keys").and_then(Value::as_array).ok_or(ClientJwksError::NotASet)?;
        if listed.iter().any(|key| PRIVATE_MEMBERS.iter().any(|member| key.get(member).is_some())) {
            return Err(ClientJwksError::PrivateKey);
        }
        let members = || listed.iter().filter_map(|jwk| JwkFields::deserialize(jwk).ok());
        let keys: Vec<ClientKey> = members().filter_map(ClientKey::read).take(Self::MAX_KEYS).collect();
        let of_use = |key_use: Option<&'static str>| {
            members().filter(move |member| member.key_use.as_deref() == key_use)
        };
        let encryption = of_use(Some("enc")).chain(of_use(None));
        let encryption: Vec<_> =
            encryption.filter_map(JwkFields::encryption_key).take(Self::MAX_KEYS).collect();
        if keys.is_empty() && encryption.is_empty() {
            return Err(ClientJwksError::NoKey);
        }
        Ok(Self { document: document.clone(), keys, encryption })
    }

    /// For a set that is registered now: nothing in it may be out of bounds.
    pub fn check_bounds(&self) -> Result<(), ClientJwksError> {
        let listed = self.document.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if listed.len() > Self::MAX_KEYS {
            return Err(ClientJwksError::TooMany);
        }
        let sizes = listed.iter().filter_map(|jwk| JwkFields::deserialize(jwk).ok()?.rsa_bits());
        let out_of_bounds = |bits: &usize| !RSA_BITS.contains(bits);
        sizes.into_iter().find(out_of_bounds).map_or(Ok(()), |bits| Err(ClientJwksError::RsaSize(bits)))
    }

    pub fn from_json(text: &[u8]) -> Result<Self, ClientJwksError> {
        let document = serde_json::from_slice(text).map_err(|_| ClientJwksError::NotASet)?;
        Self::parse(&document)
    }

    /// The keys that may have made a signature of `alg`: that of the `kid`, or all where none is named.
    pub(crate) fn candidates(
        &self,
        kid: Option<&str>,
        alg: ClientAlgorithm,
    ) -> impl Iterator<Item = &DecodingKey> {
        let named = move |key: &&ClientKey| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        self.keys.iter().filter(named).filter(move |key| key.fits(alg)).map(|key| &key.decoding)
    }
}

impl ClientJwks {
    /// Whether a signature can be held against it at all.
    pub(crate) fn verifies(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The key that tokens are encrypted to with `alg` (OpenID Connect Core §10.2): the first that fits it, by its kind, and by
    /// `use` and `alg` where its client gave them.
    pub fn encryption_key(&self, alg: KeyManagementAlgorithm) -> Option<&EncryptionKey> {
        self.encryption.iter().find(|key| key.fits(alg))
    }
}

impl JwkFields {
    fn rsa_bits(&self) -> Option<usize> {
        let modulus = self.n.as_ref().filter(|_| self.kty == "RSA")?;
        Some(bits(&URL_SAFE_NO_PAD.decode(modulus).ok()?))
    }

    fn encryption_key(self) -> Option<EncryptionKey> {
        // RFC 7517 §4.3. RFC 7517 names no operation for the public key of a key agreement, so its `key_ops` may be empty; some
        // clients write deriveKey or deriveBits.
        const OPERATIONS: [&str; 4] = ["encrypt", "wrapKey", "deriveKey", "deriveBits"];
        let may =
            |ops: &Vec<String>| ops.is_empty() || ops.iter().any(|op| OPERATIONS.contains(&op.as_str()));
        if !self.key_ops.as_ref().is_none_or(may) {
            return None;
        }
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = rsa(self.n, self.e)?;
                JwkMaterial::Rsa { n, e }
            }
            ("EC", Some(crv)) => {
                JwkMaterial::Ec { crv: crv.parse::<EcCurve>().ok()?, x: self.x?, y: self.y? }
            }
            _ => return None,
        };
        EncryptionKey::new(&material, self.kid, self.alg)
    }
}

/// RFC 8017 §3.1: an odd modulus, and an odd exponent from 3. The exponent has at most 32 bits, because verification time grows
/// with it and unauthenticated requests can cause verifications.
fn rsa(n: Option<String>, e: Option<String>) -> Option<(String, String)> {
    let (n, e) = (n?, e?);
    let modulus = URL_SAFE_NO_PAD.decode(&n).ok()?;
    let exponent = URL_SAFE_NO_PAD.decode(&e).ok()?;
    let value = |bytes: &[u8]| bytes.iter().fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
    let is_odd = modulus.last().is_some_and(|last| last & 1 == 1);
    let fits = exponent.len() <= 4 && value(&exponent) >= 3 && value(&exponent) & 1 == 1;
    (is_odd && fits && RSA_BITS.contains(&bits(&modulus))).then_some((n, e))
}

/// Of a number, its most significant byte first.
fn bits(number: &[u8]) -> usize {
    let digits = number.iter().position(|byte| *byte != 0).and_then(|first| number.get(first..));
    let Some((first, rest)) = digits.and_then(<[u8]>::split_first) else { return 0 };
    rest.len() * 8 + first.checked_ilog2().map_or(0, |log| log as usize + 1)
}

impl ClientKey {
    fn read(member: JwkFields) -> Option<Self> {
        let verifies = member.key_use.as_deref().is_none_or(|key_use| key_use == "sig")
            && member.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !verifies {
            return None;
        }
        let (kind, decoding) = match (member.kty.as_str(), member.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = rsa(member.n, member.e)?;
                (Kind::Rsa, DecodingKey::from_rsa_components(&n, &e))
            }
            ("EC", Some("P-256")) => (Kind::P256, DecodingKey::from_ec_components(&member.x?, &member.y?)),
            ("EC", Some("P-384")) => (Kind::P384, DecodingKey::from_ec_components(&member.x?, &member.y?)),
            ("OKP", Some("Ed25519")) => (Kind::Ed25519, DecodingKey::from_ed_components(&member.x?)),
            _ => return None,
        };
        Some(Self { kid: member.kid, alg: member.alg, kind, decoding: decoding.ok()? })
    }

    fn fits(&self, alg: ClientAlgorithm) -> bool {
        let kind_fits = match alg {
            ClientAlgorithm::Rs256
            | ClientAlgorithm::Rs384
            | ClientAlgorithm::Rs512
            | ClientAlgorithm::Ps256 => self.kind == Kind::Rsa,
            ClientAlgorithm::Es256 => self.kind == Kind::P256,
            ClientAlgorithm::Es384 => self.kind == Kind::P384,
            ClientAlgorithm::EdDsa => self.kind == Kind::Ed25519,
            ClientAlgorithm::Hs256 | ClientAlgorithm::Hs384 | ClientAlgorithm::Hs512 => false,
        };
        // RFC 9864 §2.2 names EdDSA by its curve.
        let own = |own: &str| own == alg.as_str() || (own == "Ed25519" && alg == ClientAlgorithm::EdDsa);
        kind_fits && self.alg.as_deref().is_none_or(own)
    }
}

impl PartialEq for ClientJwks {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

impl Eq for ClientJwks {}

impl Serialize for ClientJwks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    #[test]
    fn rfc7517_5_keys_that_cannot_be_used_are_passed_over() {
        let good = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "a"});
        for other in [
            json!({"kty": "post-quantum"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": X, "y": Y}),
            json!({"kty": "EC", "crv": "P-256", "x": X}),
            json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "use": "other"}),
            json!({"kty": "EC", "crv": "P-256", "x": X, "y": X, "use": "enc"}),
            json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "key_ops": ["sign"]}),
            json!("nonsense"),
        ] {
            let one = ClientJwks::parse(&json!({ "keys": [other] }));
            assert_eq!(one.err(), Some(ClientJwksError::NoKey), "{other}");
            let both = ClientJwks::parse(&json!({ "keys": [other, good] })).unwrap();
            assert_eq!(both.candidates(None, ClientAlgorithm::Es256).count(), 1);
        }
    }

    #[test]
    fn rfc8017_3_1_an_rsa_key_has_an_odd_modulus_and_an_odd_exponent_that_is_no_great_work() {
        let rsa =
            |n: &[u8], e: &[u8]| super::rsa(Some(URL_SAFE_NO_PAD.encode(n)), Some(URL_SAFE_NO_PAD.encode(e)));
        let odd = [0x81; 256];
        for (n, e, usable) in [
            (&odd[..], &[1, 0, 1][..], true),
            (&odd, &[3], true),
            (&odd, &[1], false),
            (&odd, &[0, 1], false),
            (&odd, &[1, 0], false),
            (&odd, &[1, 0, 0, 0, 1], false),
            (&odd, &[], false),
            (&[0x80; 256], &[1, 0, 1], false),
            (&[0x81; 512], &[1, 0, 1], true),
            (&[0x81; 64], &[1, 0, 1], false),
            (&[0x41; 256], &[1, 0, 1], false),
            (&[0x81; 1_024], &[1, 0, 1], false),
        ] {
            assert_eq!(rsa(n, e).is_some(), usable, "{} bits, {e:?}", super::bits(n));
        }
    }

    #[test]
    fn rfc7517_4_2_a_key_for_encryption_verifies_nothing_and_one_for_signatures_is_not_encrypted_to() {
        let key = |kid: &str, members: Value| {
            let mut key = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": kid});
            key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            key
        };
        let kid = |keys: &[Value], alg| {
            let keys = ClientJwks::parse(&json!({ "keys": keys })).unwrap();
            keys.encryption_key(alg).map(|key| key.kid().unwrap().to_owned())
        };
        let (es, es_kw) = (KeyManagementAlgorithm::EcdhEs, KeyManagementAlgorithm::EcdhEsA128Kw);
        let (sig, any) = (key("sig", json!({"use": "sig"})), key("any", json!({})));
        let (enc, one) = (key("enc", json!({"use": "enc"})), key("one", json!({"alg": "ECDH-ES+A128KW"})));
        let only = ClientJwks::parse(&json!({ "keys": [enc] })).unwrap();
        assert!(!only.verifies() && only.candidates(None, ClientAlgorithm::Es256).count() == 0);
        assert_eq!(kid(std::slice::from_ref(&sig), es), None);
        // One that is for nothing else goes before one that is for everything.
        assert_eq!(kid(&[sig.clone(), any.clone(), enc], es).as_deref(), Some("enc"));
        assert_eq!(kid(&[sig, one.clone(), any], es).as_deref(), Some("any"));
        assert_eq!(kid(std::slice::from_ref(&one), es_kw).as_deref(), Some("one"));
        assert_eq!(kid(std::slice::from_ref(&one), KeyManagementAlgorithm::RsaOaep), None);
    }

    #[test]
    fn rfc7517_9_2_private_and_symmetric_keys_are_refused() {
        for key in [
            json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "d": "AA"}),
            json!({"kty": "RSA", "n": "AA", "e": "AQAB", "p": "AA"}),
            json!({"kty": "oct", "k": "AA"}),
        ] {
            let error = ClientJwks::parse(&json!({ "keys": [key] })).err();
            assert_eq!(error, Some(ClientJwksError::PrivateKey), "{key}");
        }
        for text in ["", "[]", "{}", r#"{"keys": {}}"#] {
            assert_eq!(
                ClientJwks::from_json(text.as_bytes()).err(),
                Some(ClientJwksError::NotASet),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_not_used_and_not_registered() {
        let set = |keys: &[Value]| ClientJwks::parse(&json!({ "keys": keys }));
        let good = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y});
        let keys = set(&vec![good.clone(); ClientJwks::MAX_KEYS + 1]).unwrap();
        assert_eq!(keys.candidates(None, ClientAlgorithm::Es256).count(), ClientJwks::MAX_KEYS);
        assert_eq!(keys.check_bounds(), Err(ClientJwksError::TooMany));
        assert_eq!(set(&vec![good.clone(); ClientJwks::MAX_KEYS]).unwrap().check_bounds(), Ok(()));
        for (bytes, bits) in [(64, 512), (255, 2_040), (513, 4_104), (1_024, 8_192)] {
            let rsa = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(vec![0x81; bytes]), "e": "AQAB"});
            assert_eq!(set(std::slice::from_ref(&rsa)).err(), Some(ClientJwksError::NoKey), "{bits}");
            let both = set(&[rsa, good.clone()]).unwrap();
            assert_eq!(both.candidates(None, ClientAlgorithm::Rs256).count(), 0, "{bits}");
            assert_eq!(both.check_bounds(), Err(ClientJwksError::RsaSize(bits)));
        }
        let message = ClientJwksError::RsaSize(512).to_string();
        assert_eq!(message, "a JWK set with an RSA key of 512 bits; keys have 2048 to 4096");
    }

    #[test]
    fn rfc7517_4_4_a_key_serves_its_own_algorithm_and_its_own_kid() {
        let n = URL_SAFE_NO_PAD.encode([0x81; 256]);
        let keys = ClientJwks::parse(&json!({ "keys": [
            {"kty": "RSA", "n": n, "e": "AQAB", "kid": "any"},
            {"kty": "RSA", "n": n, "e": "AQAB", "kid": "one", "alg": "PS256", "use": "sig"},
        ]}))
        .unwrap();
        for (kid, alg, count) in [
            (None, ClientAlgorithm::Rs256, 1),
            (None, ClientAlgorithm::Ps256, 2),
            (Some("one"), ClientAlgorithm::Ps256, 1),
            (Some("one"), ClientAlgorithm::Rs512, 0),
            (Some("other"), ClientAlgorithm::Ps256, 0),
            (None, ClientAlgorithm::Es256, 0),
            (None, ClientAlgorithm::Hs256, 0),
        ] {
            assert_eq!(keys.candidates(kid, alg).count(), count, "{kid:?} {alg}");
        }
    }
}
