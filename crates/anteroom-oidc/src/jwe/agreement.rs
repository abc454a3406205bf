//! Key agreement with an ephemeral key: ECDH-ES, direct and with key wrapping (RFC 7518 §4.6).

use aes_kw::{KeyInit as _, KwAes128, KwAes192, KwAes256};
use aws_lc_rs::{
    agreement::{self, ECDH_P256, ECDH_P384, ParsedPublicKey, PrivateKey},
    kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    keys::{EcCurve, JwkMaterial},
    protocol_values::{Encryption, KeyManagementAlgorithm},
};

pub(crate) fn curve(crv: EcCurve) -> &'static agreement::Algorithm {
    match crv {
        EcCurve::P256 => &ECDH_P256,
        EcCurve::P384 => &ECDH_P384,
    }
}

/// RFC 7518 §6.2.1, SEC 1 §2.3.3: whether the point is on its curve is for AWS-LC to say, and said before it is used.
pub(crate) fn parse_point(crv: EcCurve, x: &str, y: &str) -> Option<ParsedPublicKey> {
    let mut point = vec![4];
    for coordinate in [x, y] {
        let bytes = URL_SAFE_NO_PAD.decode(coordinate).ok()?;
        if bytes.len() != crv.coordinate_bytes() {
            return None;
        }
        point.extend(bytes);
    }
    agreement::UnparsedPublicKey::new(curve(crv), point).try_into().ok()
}

/// What `alg` derives: the key of the content itself, or one that wraps it.
#[derive(Clone, Copy)]
pub(super) enum DerivedKeyUse {
    Content,
    Wrapping(KeyWrap),
}

/// RFC 7518 §4.4: AES key wrap, by the length of the key that wraps.
#[derive(Clone, Copy)]
pub(super) enum KeyWrap {
    Aes128,
    Aes192,
    Aes256,
}

impl KeyWrap {
    const fn kek_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }
}

impl DerivedKeyUse {
    pub(super) const fn of(alg: KeyManagementAlgorithm) -> Option<Self> {
        match alg {
            KeyManagementAlgorithm::EcdhEs => Some(Self::Content),
            KeyManagementAlgorithm::EcdhEsA128Kw => Some(Self::Wrapping(KeyWrap::Aes128)),
            KeyManagementAlgorithm::EcdhEsA192Kw => Some(Self::Wrapping(KeyWrap::Aes192)),
            KeyManagementAlgorithm::EcdhEsA256Kw => Some(Self::Wrapping(KeyWrap::Aes256)),
            KeyManagementAlgorithm::RsaOaep | KeyManagementAlgorithm::RsaOaep256 => None,
        }
    }
}

/// Whom the derived key is for: in the header, and part of the derivation (§4.6.1.2, §4.6.1.3).
#[derive(Clone, Copy, Default)]
pub(super) struct PartyInfo<'a> {
    pub(super) apu: &'a [u8],
    pub(super) apv: &'a [u8],
}

/// The agreed key, as `alg` and `enc` want it.
pub(super) fn agree(
    private: &PrivateKey,
    public: &ParsedPublicKey,
    encryption: Encryption,
    parties: PartyInfo<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let (name, length) = match DerivedKeyUse::of(encryption.alg)? {
        DerivedKeyUse::Content => (encryption.enc.as_str(), encryption.enc.key_bytes()),
        DerivedKeyUse::Wrapping(wrap) => (encryption.alg.as_str(), wrap.kek_bytes()),
    };
    agreement::agree(private, public.clone(), None, |secret| {
        derive(secret, name, parties, length).ok_or(None::<()>)
    })
    .ok()
}

/// §4.6.2: the Concat KDF of NIST SP 800-56A over SHA-256, which AWS-LC calls the single-step one.
fn derive(
    secret: &[u8],
    algorithm: &str,
    parties: PartyInfo<'_>,
    length: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut info = Vec::with_capacity(64);
    for part in [algorithm.as_bytes(), parties.apu, parties.apv] {
        info.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        info.extend(part);
    }
    info.extend(u32::try_from(length.checked_mul(8)?).ok()?.to_be_bytes());
    let mut key = Zeroizing::new(vec![0; length]);
    let digest = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256)?;
    sskdf_digest(digest, secret, &info, &mut key).ok()?;
    Some(key)
}

/// An ephemeral key for one message. It is drawn by AWS-LC, as every private key here.
pub(super) fn ephemeral(crv: EcCurve) -> Option<(PrivateKey, JwkMaterial)> {
    let private = PrivateKey::generate(curve(crv)).ok()?;
    let public = JwkMaterial::of_point(crv, private.compute_public_key().ok()?.as_ref())?;
    Some((private, public))
}

/// RFC 3394.
pub(super) fn wrap(wrap: KeyWrap, kek: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; key.len().checked_add(8)?];
    match wrap {
        KeyWrap::Aes128 => KwAes128::new_from_slice(kek).ok()?.wrap_key(key, &mut wrapped),
        KeyWrap::Aes192 => KwAes192::new_from_slice(kek).ok()?.wrap_key(key, &mut wrapped),
        KeyWrap::Aes256 => KwAes256::new_from_slice(kek).ok()?.wrap_key(key, &mut wrapped),
    }
    .ok()?;
    Some(wrapped)
}

pub(super) fn unwrap(wrap: KeyWrap, kek: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; wrapped.len().checked_sub(8)?]);
    match wrap {
        KeyWrap::Aes128 => KwAes128::new_from_slice(kek).ok()?.unwrap_key(wrapped, &mut key),
        KeyWrap::Aes192 => KwAes192::new_from_slice(kek).ok()?.unwrap_key(wrapped, &mut key),
        KeyWrap::Aes256 => KwAes256::new_from_slice(kek).ok()?.unwrap_key(wrapped, &mut key),
    }
    .ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{jwe::tests::hex, protocol_values::ContentEncryption};

    #[test]
    fn rfc7518_appendix_c_derived_key() {
        let alice = URL_SAFE_NO_PAD.decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").unwrap();
        let alice = PrivateKey::from_private_key(&ECDH_P256, &alice).unwrap();
        let bob = parse_point(
            EcCurve::P256,
            "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
            "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        );
        let encryption = Encryption { alg: KeyManagementAlgorithm::EcdhEs, enc: ContentEncryption::A128Gcm };
        let parties = PartyInfo { apu: b"Alice", apv: b"Bob" };
        let derived = agree(&alice, &bob.unwrap(), encryption, parties).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(&*derived), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn rfc7518_6_2_1_a_point_off_its_curve_is_none() {
        let x = "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ";
        assert!(parse_point(EcCurve::P256, x, x).is_none());
        assert!(parse_point(EcCurve::P384, x, x).is_none());
        assert!(parse_point(EcCurve::P256, x, "AQ").is_none());
        assert!(parse_point(EcCurve::P256, x, "%").is_none());
    }

    /// §4.1, §4.4 and §4.6: sixteen bytes or more under keys of each length.
    #[test]
    fn rfc3394_4_wrapped_keys() {
        let counted = |bytes: u8| (0..bytes).collect::<Vec<u8>>();
        let data: Vec<u8> = (0..16).map(|byte| byte * 0x11).chain(0..16).collect();
        for (by, length, wrapped) in [
            (KeyWrap::Aes128, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
            (KeyWrap::Aes192, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
            (
                KeyWrap::Aes256,
                32,
                "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
            ),
        ] {
            let kek = counted(length);
            let key = &data[..usize::from(length)];
            let found = wrap(by, &kek, key).unwrap();
            assert_eq!(found, hex(wrapped));
            assert_eq!(unwrap(by, &kek, &found).unwrap().as_slice(), key);
            assert!(unwrap(by, &counted(length + 8), &found).is_none());
            let mut changed = found.clone();
            changed[0] ^= 1;
            assert!(unwrap(by, &kek, &changed).is_none());
            assert!(unwrap(by, &kek, &found[..found.len() - 1]).is_none());
        }
    }
}
