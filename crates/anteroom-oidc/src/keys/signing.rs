use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SecureRandom,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{
    Jwk, KeyError, KeyId, PublicKey,
    jwk::{EcCurve, JwkMaterial, OkpCurve},
};
use crate::protocol_values::SigningAlgorithm;

/// A private key, parsed, with the one algorithm it signs with.
pub struct SigningKey {
    private: PrivateKey,
    public: PublicKey,
}

enum PrivateKey {
    Rsa(rsa::KeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, EcCurve),
    Ed(Ed25519KeyPair),
}

/// What kind of key an algorithm signs with, and how (RFC 7518 §3.3 to §3.5, RFC 8037 §3.1).
enum Scheme {
    Rsa(&'static dyn RsaEncoding),
    Ec(&'static EcdsaSigningAlgorithm, EcCurve),
    Ed25519,
}

impl Scheme {
    fn of(alg: SigningAlgorithm) -> Self {
        match alg {
            SigningAlgorithm::Rs256 => Self::Rsa(&RSA_PKCS1_SHA256),
            SigningAlgorithm::Rs384 => Self::Rsa(&RSA_PKCS1_SHA384),
            SigningAlgorithm::Rs512 => Self::Rsa(&RSA_PKCS1_SHA512),
            SigningAlgorithm::Ps256 => Self::Rsa(&RSA_PSS_SHA256),
            SigningAlgorithm::Es256 => Self::Ec(&ECDSA_P256_SHA256_FIXED_SIGNING, EcCurve::P256),
            SigningAlgorithm::Es384 => Self::Ec(&ECDSA_P384_SHA384_FIXED_SIGNING, EcCurve::P384),
            SigningAlgorithm::EdDsa => Self::Ed25519,
        }
    }
}

impl SigningKey {
    /// A new key and its PKCS#8 form, which the caller must encrypt before it is stored. RSA keys have 2048 bits, which is what
    /// every client accepts; they live for months, not for years.
    pub fn generate(alg: SigningAlgorithm) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let failed = |_| KeyError::Generation(alg);
        let pkcs8 = match Scheme::of(alg) {
            Scheme::Rsa(_) => {
                let key = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let der: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            Scheme::Ec(kind, _) => {
                let key = EcdsaKeyPair::generate(kind).map_err(failed)?;
                Zeroizing::new(key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
            }
            Scheme::Ed25519 => {
                let key = Ed25519KeyPair::generate().map_err(failed)?;
                Zeroizing::new(key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
            }
        };
        Ok((Self::from_pkcs8(alg, &pkcs8)?, pkcs8))
    }

    pub fn from_pkcs8(alg: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let private = PrivateKey::parse(alg, pkcs8).ok_or(KeyError::Unusable(alg))?;
        let material = private.public_material().ok_or(KeyError::Unusable(alg))?;
        Ok(Self { private, public: PublicKey::from_material(alg, material)? })
    }

    pub fn kid(&self) -> &KeyId {
        self.public.kid()
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public.algorithm()
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub fn public_jwk(&self) -> &Jwk {
        self.public.jwk()
    }

    /// The signature in the form that JWS wants (RFC 7518 §3).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |_| KeyError::Signing(self.algorithm());
        match &self.private {
            PrivateKey::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, library_randomness(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            PrivateKey::Ec(key, _) => {
                Ok(key.sign(library_randomness(), message).map_err(failed)?.as_ref().to_vec())
            }
            PrivateKey::Ed(key) => Ok(key.try_sign(message).map_err(failed)?.as_ref().to_vec()),
        }
    }
}

impl PrivateKey {
    fn parse(alg: SigningAlgorithm, pkcs8: &[u8]) -> Option<Self> {
        Some(match Scheme::of(alg) {
            Scheme::Rsa(encoding) => Self::Rsa(rsa::KeyPair::from_pkcs8(pkcs8).ok()?, encoding),
            Scheme::Ec(kind, curve) => Self::Ec(EcdsaKeyPair::from_pkcs8(kind, pkcs8).ok()?, curve),
            Scheme::Ed25519 => Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8).ok()?),
        })
    }

    fn public_material(&self) -> Option<JwkMaterial> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Some(match self {
            Self::Rsa(key, _) => JwkMaterial::Rsa {
                n: encode(key.public_key().modulus().big_endian_without_leading_zero()),
                e: encode(key.public_key().exponent().big_endian_without_leading_zero()),
            },
            Self::Ec(key, curve) => JwkMaterial::of_point(*curve, key.public_key().as_ref())?,
            Self::Ed(key) => {
                JwkMaterial::Okp { crv: OkpCurve::Ed25519, x: encode(key.public_key().as_ref()) }
            }
        })
    }
}

/// What AWS-LC's signing functions have a parameter for and do not use: salts and nonces come from inside.
#[expect(
    clippy::disallowed_types,
    reason = "the signing interface asks for it; nothing is drawn from it here"
)]
pub(crate) fn library_randomness() -> &'static dyn SecureRandom {
    static UNUSED: std::sync::LazyLock<aws_lc_rs::rand::SystemRandom> =
        std::sync::LazyLock::new(aws_lc_rs::rand::SystemRandom::new);
    &*UNUSED
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", self.kid())
            .field("alg", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeyPairComponents;

    use super::*;

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn rfc8037_appendix_a_4_ed25519_signature() {
        let key = Ed25519KeyPair::from_seed_unchecked(&decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
        let pkcs8 = key.unwrap().to_pkcs8v1().unwrap();
        let key = SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, pkcs8.as_ref()).unwrap();
        assert_eq!(key.kid().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn rfc7515_appendix_a_2_rs256_signature() {
        let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
                 T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS\
                 -UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2et\
                 hFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
        let components = KeyPairComponents {
            public_key: rsa::PublicKeyComponents { n: decode(n), e: decode("AQAB") },
            d: decode(
                "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46su\
                 i395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdG\
                 copV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2S\
                 R_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
            ),
            p: decode(
                "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8\
                 cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
            ),
            q: decode(
                "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t\
                 62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
            ),
            dP: decode(
                "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCj\
                 n12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
            ),
            dQ: decode(
                "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnw\
                 gjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
            ),
            qInv: decode(
                "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93\
                 IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
            ),
        };
        let der: Pkcs8V1Der<'_> = rsa::KeyPair::from_components(&components).unwrap().as_der().unwrap();
        let key = SigningKey::from_pkcs8(SigningAlgorithm::Rs256, der.as_ref()).unwrap();
        let JwkMaterial::Rsa { n: published, e } = &key.public_jwk().material else { panic!() };
        assert_eq!((published.as_str(), e.as_str()), (n, "AQAB"));
        let message = b"eyJhbGciOiJSUzI1NiJ9\
                        .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        assert_eq!(
            URL_SAFE_NO_PAD.encode(key.sign(message).unwrap()),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb\
             F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383\
             LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy\
             wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
    }

    #[test]
    fn keys_read_back_from_their_pkcs8() {
        for alg in SigningAlgorithm::ALL {
            let (key, pkcs8) = SigningKey::generate(*alg).unwrap();
            let again = SigningKey::from_pkcs8(*alg, &pkcs8).unwrap();
            assert_eq!(again.public_jwk(), key.public_jwk());
            assert!(!key.sign(b"message").unwrap().is_empty());
            assert!(!format!("{key:?}").contains("private"));
        }
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let (_, ed) = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        for alg in SigningAlgorithm::ALL.iter().copied().filter(|alg| *alg != SigningAlgorithm::EdDsa) {
            assert_eq!(SigningKey::from_pkcs8(alg, &ed).err(), Some(KeyError::Unusable(alg)));
        }
        // RFC 7518 §3.4: each algorithm has its own curve.
        let (_, p256) = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        assert!(SigningKey::from_pkcs8(SigningAlgorithm::Es384, &p256).is_err());
        assert!(SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, b"").is_err());
    }
}
