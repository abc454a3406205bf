use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{MalformedJwt, UnverifiedJwt};
use crate::jwe::{DecryptionKey, Entropy, Jwe};

/// An ID token that a client hands back as a hint: the signed one, or that encrypted again, to us. As we encrypted it for the
/// client only the client can read it, so its client decrypts it first (OpenID Connect Core §3.1.2.1, RP-Initiated
/// Logout §2).
///
/// Its text may still be a valid credential, so it does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct UnverifiedHint(String);

impl UnverifiedHint {
    /// The signed token, decrypted where it must be.
    pub fn signed<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a DecryptionKey>,
        spare: &Entropy,
    ) -> Option<UnverifiedJwt> {
        if !Jwe::is_jwe(&self.0) {
            return self.0.parse().ok();
        }
        let inner = Jwe::parse(&self.0).ok()?.decrypt(keys, None, spare).ok()?;
        std::str::from_utf8(&inner).ok()?.parse().ok()
    }
}

impl FromStr for UnverifiedHint {
    type Err = MalformedJwt;

    fn from_str(text: &str) -> Result<Self, MalformedJwt> {
        if Jwe::is_jwe(text) {
            Jwe::parse(text).map_err(|_| MalformedJwt)?;
        } else {
            text.parse::<UnverifiedJwt>()?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for UnverifiedHint {
    type Error = MalformedJwt;

    fn try_from(text: String) -> Result<Self, MalformedJwt> {
        text.parse()
    }
}

impl fmt::Debug for UnverifiedHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedHint(..)")
    }
}
