use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    DecryptionKey, Entropy,
    agreement::{DerivedKeyUse, PartyInfo, agree, parse_point, unwrap},
    content::ContentCipher,
    encrypt::oaep,
    keys::{EncryptionKeyType, Private},
};
use crate::{display_text::shorten, protocol_values::Encryption, wire::from_json};

/// A JWE whose header could be read; its content is still encrypted. It may hold a credential, so it has no `Debug`.
pub struct Jwe {
    header: Header,
    /// As it stood there: it is what the content is authenticated with.
    aad: String,
    encryption: Encryption,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JweError {
    #[error("it cannot be read")]
    Malformed,
    #[error("it has critical extensions")]
    Critical,
    #[error("it is compressed")]
    Compressed,
    #[error("it is encrypted with {0:?}, which is not offered here")]
    UnknownAlgorithm(String),
    #[error("it is encrypted with {received}, and the client is registered for {registered}")]
    WrongAlgorithm { registered: &'static str, received: &'static str },
    /// Deliberately all that is said.
    #[error("it cannot be decrypted")]
    Undecipherable,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    epk: Option<Epk>,
    apu: Option<String>,
    apv: Option<String>,
    zip: Option<IgnoredAny>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Epk {
    kty: String,
    crv: String,
    x: String,
    y: Option<String>,
}

impl Jwe {
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Whether the text has the five parts of a JWE (RFC 7516 §7.1, §9).
    pub fn is_jwe(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 4
    }

    pub fn parse(text: &str) -> Result<Self, JweError> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(JweError::Malformed);
        let (aad, encrypted_key, iv, ciphertext, tag) = (next()?, next()?, next()?, next()?, next()?);
        if text.len() > Self::MAX_BYTES || parts.next().is_some() {
            return Err(JweError::Malformed);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JweError::Malformed);
        let header: Header = from_json(&decode(aad)?).ok_or(JweError::Malformed)?;
        // RFC 7516 §4.1.13: an extension that must be understood and is not.
        if header.crit.is_some() {
            return Err(JweError::Critical);
        }
        // Compression is refused: a small token could expand without bound, and the compressed length reveals the
        // content (RFC 8725 §3.6).
        if header.zip.is_some() {
            return Err(JweError::Compressed);
        }
        let encryption = Encryption {
            alg: header.alg.parse().map_err(|_| JweError::UnknownAlgorithm(shorten(&header.alg)))?,
            enc: header.enc.parse().map_err(|_| JweError::UnknownAlgorithm(shorten(&header.enc)))?,
        };
        Ok(Self {
            aad: aad.to_owned(),
            encryption,
            encrypted_key: decode(encrypted_key)?,
            iv: decode(iv)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?,
            header,
        })
    }

    /// The content of the token. `registered` is the client's registered `alg` and `enc`, if any. `spare` is the random
    /// content key used when the real one cannot be decrypted, so that both failures take the same time.
    pub fn decrypt<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a DecryptionKey>,
        registered: Option<Encryption>,
        spare: &Entropy,
    ) -> Result<Zeroizing<Vec<u8>>, JweError> {
        let received = self.encryption;
        if let Some(registered) = registered {
            let held = [
                (registered.alg.as_str(), received.alg.as_str()),
                (registered.enc.as_str(), received.enc.as_str()),
            ];
            if let Some((registered, received)) = held.into_iter().find(|(said, sent)| said != sent) {
                return Err(JweError::WrongAlgorithm { registered, received });
            }
        }
        let named = |key: &&DecryptionKey| {
            self.header.kid.as_deref().is_none_or(|kid| kid == key.kid().as_str())
                && key.kind() == EncryptionKeyType::of(received.alg)
        };
        let opened = keys.into_iter().filter(named).find_map(|key| self.open(key, spare));
        opened.ok_or(JweError::Undecipherable)
    }

    fn open(&self, key: &DecryptionKey, spare: &Entropy) -> Option<Zeroizing<Vec<u8>>> {
        let enc = self.encryption.enc;
        // RFC 7516 §11.5: errors in format, padding and length of a wrapped key must be indistinguishable.
        let recovered = self.content_key(key).filter(|key| key.len() == enc.key_bytes());
        let key = recovered.unwrap_or_else(|| Zeroizing::new(spare.key(enc).to_vec()));
        let envelope = ContentCipher { enc, key: &key, iv: &self.iv, aad: self.aad.as_bytes() };
        envelope.open(&self.ciphertext, &self.tag)
    }

    fn content_key(&self, key: &DecryptionKey) -> Option<Zeroizing<Vec<u8>>> {
        match key.private() {
            Private::Rsa(key) => {
                let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
                let algorithm = oaep(self.encryption.alg)?;
                let length = key.decrypt(algorithm, &self.encrypted_key, &mut plain, None).ok()?.len();
                plain.truncate(length);
                Some(plain)
            }
            Private::Ec(crv, key) => {
                let epk =
                    self.header.epk.as_ref().filter(|epk| epk.kty == "EC" && epk.crv == crv.as_str())?;
                let point = parse_point(*crv, &epk.x, epk.y.as_deref()?)?;
                let decode =
                    |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref().unwrap_or_default()).ok();
                let (apu, apv) = (decode(&self.header.apu)?, decode(&self.header.apv)?);
                let agreed = agree(key, &point, self.encryption, PartyInfo { apu: &apu, apv: &apv })?;
                match DerivedKeyUse::of(self.encryption.alg)? {
                    // RFC 7516 §5.2 step 10: nothing is sent of a key that both sides derive.
                    DerivedKeyUse::Content => self.encrypted_key.is_empty().then_some(agreed),
                    DerivedKeyUse::Wrapping(by) => unwrap(by, &agreed, &self.encrypted_key),
                }
            }
        }
    }
}
