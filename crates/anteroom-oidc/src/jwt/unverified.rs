use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Three parts of base64url, and nothing known about any of them.
///
/// Its text may still be a valid credential, so it does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct UnverifiedJwt(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a JWT in compact form")]
pub struct MalformedJwt;

impl UnverifiedJwt {
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The token's own text, for the verifier and for handing it on.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UnverifiedJwt {
    type Err = MalformedJwt;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let mut parts = text.split('.');
        let three = parts.by_ref().take(3).filter(|part| is_part(part)).count() == 3;
        if text.len() > Self::MAX_BYTES || !three || parts.next().is_some() {
            return Err(MalformedJwt);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for UnverifiedJwt {
    type Error = MalformedJwt;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Debug for UnverifiedJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedJwt(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7515_7_1_compact_form_has_three_parts() {
        assert!("e30.e30.c2ln".parse::<UnverifiedJwt>().is_ok());
        for bad in ["", "e30", "e30.e30", "e30.e30.", "e30.e30.c2ln.x", "e30.e3 0.c2ln", "..", "a.b=.c"] {
            assert!(bad.parse::<UnverifiedJwt>().is_err(), "{bad}");
        }
    }
}
