use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};

use super::{KeyError, KeyId};
use crate::{protocol_values::SigningAlgorithm, wire::wire_enum};

wire_enum! {
    /// RFC 7517 §4.2 `use`: a key that signs does nothing else.
    pub enum KeyUse("the use of a signing key (sig)") {
        Signature = "sig",
    }
}

/// The public half of a signing key as it is published: RFC 7517 §4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kid: KeyId,
    pub alg: SigningAlgorithm,
    #[serde(rename = "use")]
    pub key_use: KeyUse,
    #[serde(flatten)]
    pub material: JwkMaterial,
}

/// The public half of a key that others encrypt to, as it is published. It names no algorithm, since it serves several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EncryptionJwk {
    pub kid: KeyId,
    #[serde(rename = "use")]
    key_use: &'static str,
    #[serde(flatten)]
    pub material: JwkMaterial,
}

impl EncryptionJwk {
    pub(crate) fn new(material: JwkMaterial) -> Self {
        Self { kid: material.thumbprint(), key_use: "enc", material }
    }
}

/// The members that make up the key itself, in base64url: RFC 7518 §6, RFC 8037 §2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum JwkMaterial {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: EcCurve, x: String, y: String },
    #[serde(rename = "OKP")]
    Okp { crv: OkpCurve, x: String },
}

wire_enum! {
    /// RFC 7518 §6.2.1.1.
    pub enum EcCurve("a supported elliptic curve") {
        P256 = "P-256",
        P384 = "P-384",
    }
}

impl EcCurve {
    /// Of one coordinate, in bytes: RFC 7518 §6.2.1.2.
    pub(crate) const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

wire_enum! {
    /// RFC 8037 §2.
    pub enum OkpCurve("a supported Edwards curve") {
        Ed25519 = "Ed25519",
    }
}

impl JwkMaterial {
    /// From an uncompressed point: 4, x, y (SEC 1 §2.3.3).
    pub(crate) fn of_point(crv: EcCurve, point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(crv.coordinate_bytes())?;
        if y.len() != x.len() {
            return None;
        }
        Some(Self::Ec { crv, x: URL_SAFE_NO_PAD.encode(x), y: URL_SAFE_NO_PAD.encode(y) })
    }

    /// RFC 7638 §3: the hash of the required members in lexicographic order. Every value is base64url or a
    /// registered name, so that none needs escaping.
    pub fn thumbprint(&self) -> KeyId {
        let members = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        };
        let hash = digest::digest(&digest::SHA256, members.as_bytes());
        KeyId(URL_SAFE_NO_PAD.encode(hash.as_ref()))
    }

    fn fits(&self, alg: SigningAlgorithm) -> bool {
        match alg {
            SigningAlgorithm::Rs256
            | SigningAlgorithm::Rs384
            | SigningAlgorithm::Rs512
            | SigningAlgorithm::Ps256 => matches!(self, Self::Rsa { .. }),
            SigningAlgorithm::Es256 => matches!(self, Self::Ec { crv: EcCurve::P256, .. }),
            SigningAlgorithm::Es384 => matches!(self, Self::Ec { crv: EcCurve::P384, .. }),
            SigningAlgorithm::EdDsa => matches!(self, Self::Okp { .. }),
        }
    }
}

/// A public key that verifies. One that no longer signs is kept as this, without its private half.
#[derive(Debug, Clone)]
pub struct PublicKey {
    jwk: Jwk,
    decoding: DecodingKey,
}

impl PublicKey {
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    pub fn kid(&self) -> &KeyId {
        &self.jwk.kid
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        self.jwk.alg
    }

    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    pub(super) fn from_material(alg: SigningAlgorithm, material: JwkMaterial) -> Result<Self, KeyError> {
        Self::try_from(Jwk { kid: material.thumbprint(), alg, key_use: KeyUse::Signature, material })
    }
}

impl TryFrom<Jwk> for PublicKey {
    type Error = KeyError;

    fn try_from(jwk: Jwk) -> Result<Self, KeyError> {
        if !jwk.material.fits(jwk.alg) {
            return Err(KeyError::Unusable(jwk.alg));
        }
        let decoding = match &jwk.material {
            JwkMaterial::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            JwkMaterial::Ec { x, y, .. } => DecodingKey::from_ec_components(x, y),
            JwkMaterial::Okp { x, .. } => DecodingKey::from_ed_components(x),
        };
        let decoding = decoding.map_err(|_| KeyError::Unusable(jwk.alg))?;
        Ok(Self { jwk, decoding })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7638_3_1_example() {
        let material = JwkMaterial::Rsa {
            n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR\
                XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqz\
                s8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G\
                _xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
                .to_owned(),
            e: "AQAB".to_owned(),
        };
        assert_eq!(material.thumbprint().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn rfc8037_appendix_a_3_thumbprint() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned();
        let material = JwkMaterial::Okp { crv: OkpCurve::Ed25519, x };
        assert_eq!(material.thumbprint().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn rfc7517_4_members() {
        let text = r#"{"kid":"1","alg":"ES256","use":"sig","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        let jwk: Jwk = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&jwk).unwrap(), text);
        assert!(PublicKey::try_from(jwk.clone()).is_ok());
        let mismatched = Jwk { alg: SigningAlgorithm::Rs256, ..jwk };
        assert!(PublicKey::try_from(mismatched).is_err());
    }
}
