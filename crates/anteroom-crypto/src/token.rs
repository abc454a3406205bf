//! Opaque secrets handed to a browser or a client.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// 256 secret bits. Stored only as a keyed hash, written on the wire as 43 characters of base64url.
#[derive(Clone)]
pub struct OpaqueToken(Zeroizing<[u8; 32]>);

impl OpaqueToken {
    /// For tokens that are derived from a keyed hash instead of being random.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(*self.0)
    }

    /// Exactly what [`OpaqueToken::encode`] writes: one spelling for each token.
    pub fn parse(text: &str) -> Option<Self> {
        // One byte of room more than needed, as the decoder asks for whole groups.
        let mut bytes = [0; 33];
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        bytes.get(..length)?.try_into().ok().map(Self::from_bytes)
    }
}

impl PartialEq for OpaqueToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for OpaqueToken {}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    #[test]
    fn rfc4648_5_encodes_in_43_characters_and_back() {
        let random = Random::seeded(1);
        for _ in 0..50 {
            let token = random.token();
            let text = token.encode();
            assert_eq!(text.len(), 43);
            assert_eq!(OpaqueToken::parse(&text), Some(token));
        }
    }

    #[test]
    fn anything_else_is_no_token() {
        let good = OpaqueToken::from_bytes([0; 32]).encode();
        let last_bits_set = format!("{}B", good.get(..42).unwrap());
        let cases = [
            "",
            "A",
            good.get(..42).unwrap(),
            &format!("{good}="),
            &format!("{good}A"),
            &format!("{good}\n"),
            &last_bits_set,
            &good.replacen('A', "+", 1),
            &good.replacen('A', "é", 1),
            &"A".repeat(100_000),
        ];
        for case in cases {
            assert_eq!(OpaqueToken::parse(case), None, "{case:.60}");
        }
    }

    #[test]
    fn does_not_print() {
        assert_eq!(format!("{:?}", OpaqueToken::from_bytes([7; 32])), "Token([redacted])");
    }
}
