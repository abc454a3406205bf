//! The master key: the one secret that lives outside the database.

use std::fmt;

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::random::Random;

/// 256 random bits under which every other key is sealed.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    #[error("the master key is not base64")]
    NotBase64,
    #[error("the master key has {0} bytes where 32 are needed")]
    WrongLength(usize),
}

impl MasterKey {
    pub fn generate(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes()))
    }

    /// Either alphabet of base64, padded or not, white space around it allowed: what `openssl rand -base64 32` puts
    /// into a file is a key too.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let engines = [BASE64_URL_SAFE_NO_PAD, BASE64_URL_SAFE, BASE64_STANDARD_NO_PAD, BASE64_STANDARD];
        let bytes = engines
            .iter()
            .find_map(|engine| engine.decode(text).ok())
            .map(Zeroizing::new)
            .ok_or(MasterKeyError::NotBase64)?;
        <[u8; 32]>::try_from(bytes.as_slice())
            .map(|bytes| Self(Zeroizing::new(bytes)))
            .map_err(|_| MasterKeyError::WrongLength(bytes.len()))
    }

    pub fn encode(&self) -> SecretString {
        BASE64_URL_SAFE_NO_PAD.encode(*self.0).into()
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn every_usual_spelling_of_a_key_is_read() {
        let key = MasterKey(Zeroizing::new([0xfb; 32]));
        let spellings = [
            key.encode().expose_secret().to_owned(),
            format!(" {}\r\n", BASE64_STANDARD.encode(*key.0)),
            BASE64_STANDARD_NO_PAD.encode(*key.0),
            BASE64_URL_SAFE.encode(*key.0),
        ];
        for spelling in spellings {
            assert_eq!(MasterKey::parse(&spelling).unwrap().as_bytes(), key.as_bytes(), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(MasterKey::parse("not a key").unwrap_err(), MasterKeyError::NotBase64);
        assert_eq!(MasterKey::parse("").unwrap_err(), MasterKeyError::WrongLength(0));
        assert_eq!(MasterKey::parse(&"A".repeat(42)).unwrap_err(), MasterKeyError::WrongLength(31));
        assert_eq!(MasterKey::parse(&"A".repeat(44)).unwrap_err(), MasterKeyError::WrongLength(33));
    }

    #[test]
    fn does_not_print() {
        let key = MasterKey::generate(&Random::seeded(1));
        assert_eq!(format!("{key:?}"), "MasterKey([redacted])");
        assert_eq!(format!("{:?}", key.encode()), "SecretBox<str>([REDACTED])");
    }
}
