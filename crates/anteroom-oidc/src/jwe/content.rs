//! The content: AES-GCM (RFC 7518 §5.3) and AES-CBC with HMAC (§5.2). What does not authenticate is not decrypted.

use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{
        self, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
        UnboundCipherKey,
    },
    constant_time::verify_slices_are_equal,
    hmac,
};
use zeroize::Zeroizing;

use crate::protocol_values::ContentEncryption;

/// What the key of the content, the initialization vector and the header are for one message.
#[derive(Clone, Copy)]
pub(super) struct ContentCipher<'a> {
    pub(super) enc: ContentEncryption,
    pub(super) key: &'a [u8],
    pub(super) iv: &'a [u8],
    pub(super) aad: &'a [u8],
}

pub(super) struct Sealed {
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

enum Scheme {
    Gcm(&'static aead::Algorithm),
    /// Half of the key authenticates, the other half encrypts (§5.2.2.1).
    Cbc(&'static cipher::Algorithm, hmac::Algorithm),
}

impl ContentEncryption {
    pub(super) const fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm | Self::A128CbcHs256 => 32,
            Self::A256CbcHs512 => 64,
        }
    }

    pub(super) const fn iv_bytes(self) -> usize {
        match self {
            Self::A128Gcm | Self::A256Gcm => 12,
            Self::A128CbcHs256 | Self::A256CbcHs512 => 16,
        }
    }

    const fn tag_bytes(self) -> usize {
        match self {
            Self::A128Gcm | Self::A256Gcm | Self::A128CbcHs256 => 16,
            Self::A256CbcHs512 => 32,
        }
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::A128Gcm => Scheme::Gcm(&aead::AES_128_GCM),
            Self::A256Gcm => Scheme::Gcm(&aead::AES_256_GCM),
            Self::A128CbcHs256 => Scheme::Cbc(&cipher::AES_128, hmac::HMAC_SHA256),
            Self::A256CbcHs512 => Scheme::Cbc(&cipher::AES_256, hmac::HMAC_SHA512),
        }
    }
}

impl ContentCipher<'_> {
    fn fits(&self) -> bool {
        self.key.len() == self.enc.key_bytes() && self.iv.len() == self.enc.iv_bytes()
    }

    pub(super) fn seal(&self, plaintext: &[u8]) -> Option<Sealed> {
        if !self.fits() {
            return None;
        }
        let mut text = plaintext.to_vec();
        match self.enc.scheme() {
            Scheme::Gcm(algorithm) => {
                let (key, nonce) = self.gcm(algorithm)?;
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(self.aad), &mut text).ok()?;
                Some(Sealed { ciphertext: text, tag: tag.as_ref().to_vec() })
            }
            Scheme::Cbc(algorithm, mac) => {
                let (mac_key, key) = self.halves(algorithm)?;
                let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
                let context = EncryptionContext::Iv128(self.iv.try_into().ok()?);
                key.less_safe_encrypt(&mut text, context).ok()?;
                let tag = self.tag(mac, mac_key, &text)?;
                Some(Sealed { ciphertext: text, tag })
            }
        }
    }

    pub(super) fn open(&self, ciphertext: &[u8], tag: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if !self.fits() || tag.len() != self.enc.tag_bytes() {
            return None;
        }
        let mut text = Zeroizing::new(ciphertext.to_vec());
        let length = match self.enc.scheme() {
            Scheme::Gcm(algorithm) => {
                let (key, nonce) = self.gcm(algorithm)?;
                key.open_in_place_separate_tag(nonce, Aad::from(self.aad), tag, &mut text).ok()?.len()
            }
            Scheme::Cbc(algorithm, mac) => {
                let (mac_key, key) = self.halves(algorithm)?;
                // Before anything is decrypted, so that no padding is looked at that its sender did not make.
                verify_slices_are_equal(&self.tag(mac, mac_key, ciphertext)?, tag).ok()?;
                let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
                let context = DecryptionContext::Iv128(self.iv.try_into().ok()?);
                key.decrypt(&mut text, context).ok()?.len()
            }
        };
        text.truncate(length);
        Some(text)
    }

    fn gcm(&self, algorithm: &'static aead::Algorithm) -> Option<(LessSafeKey, Nonce)> {
        let key = LessSafeKey::new(UnboundKey::new(algorithm, self.key).ok()?);
        Some((key, Nonce::try_assume_unique_for_key(self.iv).ok()?))
    }

    fn halves(&self, algorithm: &'static cipher::Algorithm) -> Option<(&[u8], UnboundCipherKey)> {
        let (mac, encryption) = self.key.split_at_checked(self.key.len() / 2)?;
        Some((mac, UnboundCipherKey::new(algorithm, encryption).ok()?))
    }

    /// §5.2.2.1: the first half of the MAC over header, vector, ciphertext and the header's length in bits.
    fn tag(&self, algorithm: hmac::Algorithm, key: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let header_bits = u64::try_from(self.aad.len()).ok()?.checked_mul(8)?;
        let mut mac = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
        for part in [self.aad, self.iv, ciphertext, &header_bits.to_be_bytes()] {
            mac.update(part);
        }
        mac.sign().as_ref().get(..self.enc.tag_bytes()).map(<[u8]>::to_vec)
    }
}
