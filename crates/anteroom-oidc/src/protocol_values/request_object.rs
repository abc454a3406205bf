use std::{fmt, str::FromStr};

use super::{ClientAlgorithm, InvalidValue};
use crate::wire::serde_as_text;

/// OpenID Connect Registration §2 `request_object_signing_alg`: how request objects are signed, or that they are not. HMAC
/// algorithms are not offered: for most clients only a hash of the secret is stored, so the signature could not be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestObjectAlgorithm {
    Unsigned,
    Signed(ClientAlgorithm),
}

impl RequestObjectAlgorithm {
    pub const ALL: &'static [Self] = &[
        Self::Unsigned,
        Self::Signed(ClientAlgorithm::Rs256),
        Self::Signed(ClientAlgorithm::Rs384),
        Self::Signed(ClientAlgorithm::Rs512),
        Self::Signed(ClientAlgorithm::Ps256),
        Self::Signed(ClientAlgorithm::Es256),
        Self::Signed(ClientAlgorithm::Es384),
        Self::Signed(ClientAlgorithm::EdDsa),
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "none",
            Self::Signed(algorithm) => algorithm.as_str(),
        }
    }
}

impl fmt::Display for RequestObjectAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RequestObjectAlgorithm {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let found = Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == text);
        found.ok_or_else(|| InvalidValue::new("a signing algorithm for request objects", text))
    }
}

serde_as_text!(RequestObjectAlgorithm);
