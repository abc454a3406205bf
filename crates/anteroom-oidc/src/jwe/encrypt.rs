use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    EncryptionKey, Entropy,
    agreement::{DerivedKeyUse, PartyInfo, agree, ephemeral, wrap},
    content::ContentCipher,
    keys::Public,
};
use crate::{
    keys::JwkMaterial,
    protocol_values::{ContentEncryption, Encryption, Issuer, KeyManagementAlgorithm},
};

/// The plaintext of a JWE.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// A signed JWT. The header says so (RFC 7519 §5.2), or the client would not look for its signature.
    Jwt(&'a str),
    /// The same, of an issuer whose name its reader may look for before it can decrypt (RFC 7519 §5.3).
    JwtOf(&'a str, &'a Issuer),
    /// Claims as JSON, under no signature.
    Claims(&'a [u8]),
}

/// The key is of another kind than the algorithm, or the cryptographic library failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the token could not be encrypted")]
pub struct EncryptionFailed;

#[derive(Serialize)]
struct Header<'a> {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryption,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a Issuer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<JwkMaterial>,
}

/// RFC 7516 §5.1: a JWE in compact form that the holder of `key` alone can read.
pub fn encrypt(
    key: &EncryptionKey,
    encryption: Encryption,
    payload: Payload<'_>,
    entropy: &Entropy,
) -> Result<String, EncryptionFailed> {
    if !key.fits(encryption.alg) {
        return Err(EncryptionFailed);
    }
    try_encrypt(key, encryption, payload, entropy).ok_or(EncryptionFailed)
}

fn try_encrypt(
    key: &EncryptionKey,
    encryption: Encryption,
    payload: Payload<'_>,
    entropy: &Entropy,
) -> Option<String> {
    let Encryption { alg, enc } = encryption;
    let (cty, iss, plaintext) = match payload {
        Payload::Jwt(token) => (Some("JWT"), None, token.as_bytes()),
        Payload::JwtOf(token, issuer) => (Some("JWT"), Some(issuer), token.as_bytes()),
        Payload::Claims(json) => (None, None, json),
    };
    let content_key = WrappedContentKey::new(key.public(), encryption, entropy)?;
    let header = Header { alg, enc, kid: key.kid(), cty, iss, epk: content_key.epk };
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
    let iv = entropy.iv(enc);
    let sealed = ContentCipher { enc, key: &content_key.key, iv, aad: header.as_bytes() }.seal(plaintext)?;
    let mut token = header;
    for part in [content_key.encrypted_key.as_slice(), iv, &sealed.ciphertext, &sealed.tag] {
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(part, &mut token);
    }
    Some(token)
}

/// The key of the content, and how the recipient comes by it.
struct WrappedContentKey {
    key: Zeroizing<Vec<u8>>,
    encrypted_key: Vec<u8>,
    epk: Option<JwkMaterial>,
}

impl WrappedContentKey {
    fn new(public: &Public, encryption: Encryption, entropy: &Entropy) -> Option<Self> {
        let drawn = || Zeroizing::new(entropy.key(encryption.enc).to_vec());
        match (public, DerivedKeyUse::of(encryption.alg)) {
            (Public::Rsa(recipient), None) => {
                let (key, mut encrypted_key) = (drawn(), vec![0; recipient.ciphertext_size()]);
                recipient.encrypt(oaep(encryption.alg)?, &key, &mut encrypted_key, None).ok()?;
                Some(Self { key, encrypted_key, epk: None })
            }
            (Public::Ec(crv, recipient), Some(derived)) => {
                let (private, epk) = ephemeral(*crv)?;
                let agreed = agree(&private, recipient, encryption, PartyInfo::default())?;
                let (key, encrypted_key) = match derived {
                    DerivedKeyUse::Content => (agreed, Vec::new()),
                    DerivedKeyUse::Wrapping(by) => {
                        let key = drawn();
                        let wrapped = wrap(by, &agreed, &key)?;
                        (key, wrapped)
                    }
                };
                Some(Self { key, encrypted_key, epk: Some(epk) })
            }
            (Public::Rsa(_), Some(_)) | (Public::Ec(..), None) => None,
        }
    }
}

/// RFC 7518 §4.3.
pub(super) const fn oaep(alg: KeyManagementAlgorithm) -> Option<&'static OaepAlgorithm> {
    match alg {
        KeyManagementAlgorithm::RsaOaep => Some(&OAEP_SHA1_MGF1SHA1),
        KeyManagementAlgorithm::RsaOaep256 => Some(&OAEP_SHA256_MGF1SHA256),
        KeyManagementAlgorithm::EcdhEs
        | KeyManagementAlgorithm::EcdhEsA128Kw
        | KeyManagementAlgorithm::EcdhEsA192Kw
        | KeyManagementAlgorithm::EcdhEsA256Kw => None,
    }
}
