//! Keys to encrypt to, which clients publish, and keys to decrypt with, which are ours.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    agreement::{ECDH_P256, ParsedPublicKey, PrivateKey},
    encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der},
    rsa::{
        KeyPair, KeySize, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey, PublicKeyComponents,
    },
    signature::KeyPair as _,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;
use zeroize::Zeroizing;

use super::agreement::{curve, parse_point};
use crate::{
    keys::{EcCurve, EncryptionJwk, JwkMaterial, KeyId},
    protocol_values::KeyManagementAlgorithm,
    wire::wire_enum,
};

/// A client's public key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EncryptionKey {
    kid: Option<String>,
    /// RFC 7517 §4.4: the one algorithm it is for, where its client says so.
    alg: Option<String>,
    public: Public,
}

#[derive(Debug, Clone)]
pub(super) enum Public {
    Rsa(Arc<OaepPublicEncryptingKey>),
    Ec(EcCurve, ParsedPublicKey),
}

impl EncryptionKey {
    /// `None`: nothing here could encrypt to it. RSA keys have 2048 bits or more (RFC 7518 §4.3), points are on their curve.
    pub(crate) fn new(material: &JwkMaterial, kid: Option<String>, alg: Option<String>) -> Option<Self> {
        let public = match material {
            JwkMaterial::Rsa { n, e } => {
                let (n, e) = (URL_SAFE_NO_PAD.decode(n).ok()?, URL_SAFE_NO_PAD.decode(e).ok()?);
                let key: PublicEncryptingKey = PublicKeyComponents { n, e }.try_into().ok()?;
                Public::Rsa(Arc::new(OaepPublicEncryptingKey::new(key).ok()?))
            }
            JwkMaterial::Ec { crv, x, y } => Public::Ec(*crv, parse_point(*crv, x, y)?),
            JwkMaterial::Okp { .. } => return None,
        };
        Some(Self { kid, alg, public })
    }

    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn fits(&self, alg: KeyManagementAlgorithm) -> bool {
        let kind = match self.public {
            Public::Rsa(_) => EncryptionKeyType::Rsa,
            Public::Ec(..) => EncryptionKeyType::Ec,
        };
        EncryptionKeyType::of(alg) == kind && self.alg.as_deref().is_none_or(|own| own == alg.as_str())
    }

    pub(super) fn public(&self) -> &Public {
        &self.public
    }
}

wire_enum! {
    /// RFC 7517 §4.1 `kty`: the kinds of keys that are encrypted to, one of each being ours. EC keys of ours are on P-256.
    pub enum EncryptionKeyType("a kind of decryption key (RSA or EC)") {
        Rsa = "RSA",
        Ec = "EC",
    }
}

impl EncryptionKeyType {
    pub(super) const fn of(alg: KeyManagementAlgorithm) -> Self {
        match alg {
            KeyManagementAlgorithm::RsaOaep | KeyManagementAlgorithm::RsaOaep256 => Self::Rsa,
            KeyManagementAlgorithm::EcdhEs
            | KeyManagementAlgorithm::EcdhEsA128Kw
            | KeyManagementAlgorithm::EcdhEsA192Kw
            | KeyManagementAlgorithm::EcdhEsA256Kw => Self::Ec,
        }
    }
}

/// A private key of ours, parsed. Its `kid` is its thumbprint.
pub struct DecryptionKey {
    private: Private,
    public: EncryptionJwk,
}

pub(super) enum Private {
    Rsa(OaepPrivateDecryptingKey),
    Ec(EcCurve, PrivateKey),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecryptionKeyError {
    #[error("a decryption key of the kind {0} could not be made")]
    Generation(EncryptionKeyType),
    #[error("the key is no decryption key of the kind {0}")]
    Unusable(EncryptionKeyType),
}

impl DecryptionKey {
    /// A new key and its DER form, which is to be sealed before it rests anywhere.
    pub fn generate(kind: EncryptionKeyType) -> Result<(Self, Zeroizing<Vec<u8>>), DecryptionKeyError> {
        let failed = |_| DecryptionKeyError::Generation(kind);
        let der = match kind {
            EncryptionKeyType::Rsa => {
                let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(failed)?;
                let der: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            EncryptionKeyType::Ec => {
                let key = PrivateKey::generate(&ECDH_P256).map_err(failed)?;
                let der: EcPrivateKeyRfc5915Der<'_> = key.as_der().map_err(failed)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
        };
        Ok((Self::from_der(kind, &der)?, der))
    }

    /// PKCS#8 for RSA, RFC 5915 for EC: as [`Self::generate`] gave it.
    pub fn from_der(kind: EncryptionKeyType, der: &[u8]) -> Result<Self, DecryptionKeyError> {
        let parsed = match kind {
            EncryptionKeyType::Rsa => Self::rsa(der),
            EncryptionKeyType::Ec => Self::ec(EcCurve::P256, der),
        };
        parsed.ok_or(DecryptionKeyError::Unusable(kind))
    }

    fn rsa(pkcs8: &[u8]) -> Option<Self> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
        let pair = KeyPair::from_pkcs8(pkcs8).ok()?;
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let material = JwkMaterial::Rsa {
            n: encode(pair.public_key().modulus().big_endian_without_leading_zero()),
            e: encode(pair.public_key().exponent().big_endian_without_leading_zero()),
        };
        let private = Private::Rsa(OaepPrivateDecryptingKey::new(key).ok()?);
        Some(Self { private, public: EncryptionJwk::new(material) })
    }

    pub(super) fn ec(crv: EcCurve, der: &[u8]) -> Option<Self> {
        let key = PrivateKey::from_private_key_der(curve(crv), der).ok()?;
        let material = JwkMaterial::of_point(crv, key.compute_public_key().ok()?.as_ref())?;
        Some(Self { private: Private::Ec(crv, key), public: EncryptionJwk::new(material) })
    }

    pub fn kid(&self) -> &KeyId {
        &self.public.kid
    }

    pub fn kind(&self) -> EncryptionKeyType {
        match self.private {
            Private::Rsa(_) => EncryptionKeyType::Rsa,
            Private::Ec(..) => EncryptionKeyType::Ec,
        }
    }

    pub fn public_jwk(&self) -> &EncryptionJwk {
        &self.public
    }

    /// The same under another name, as another issuer would have called it.
    #[cfg(test)]
    pub(super) fn named(mut self, kid: &str) -> Self {
        self.public.kid = kid.parse().unwrap();
        self
    }

    pub(super) fn private(&self) -> &Private {
        &self.private
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey")
            .field("kid", self.kid())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}
