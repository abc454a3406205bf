//! OpenID Connect Session Management 1.0 §2 and §3: what an application learns of the state of the browser at the
//! provider, so that its script can ask the provider's frame whether that is still so.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;

use crate::protocol_values::ClientId;

/// The state itself: a random value that changes with each sign-in and sign-out. A script may read it, since it
/// opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpBrowserState([u8; 16]);

#[derive(Debug, Error)]
#[error("not the state of a browser")]
pub struct InvalidBrowserState;

impl OpBrowserState {
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// §3: a hash over client, the origin that its script runs under, this state and a salt, appended after a dot. The value has
    /// no space, because the client's script sends "client_id session_state", separated by one.
    pub fn session_state(&self, client: &ClientId, origin: &str, salt: [u8; 16]) -> String {
        let salt = URL_SAFE_NO_PAD.encode(salt);
        let text = format!("{} {origin} {self} {salt}", client.as_str());
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        format!("{}.{salt}", URL_SAFE_NO_PAD.encode(hash))
    }
}

impl fmt::Display for OpBrowserState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for OpBrowserState {
    type Err = InvalidBrowserState;

    fn from_str(text: &str) -> Result<Self, InvalidBrowserState> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(InvalidBrowserState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_management_3_a_hash_and_its_salt() {
        let state = OpBrowserState::from_random([0; 16]);
        let salt = [4, 16, 65, 4, 16, 65, 4, 16, 65, 4, 16, 65, 4, 16, 65, 4];
        let made = state.session_state(&"app".parse().unwrap(), "https://app.example", salt);
        // As the frame's script computes it: SHA-256 of "app https://app.example AAAA… BBBB…".
        assert_eq!(made, "QVU43Ocb2LSZD6ezQtp9l5oz_2Yld-AA387eQJI9FNQ.BBBBBBBBBBBBBBBBBBBBBA");
        assert!(!made.contains(' '));
    }

    #[test]
    fn a_state_is_read_back_and_nothing_else_is() {
        let state = OpBrowserState::from_random([7; 16]);
        assert_eq!(state.to_string().parse::<OpBrowserState>().unwrap(), state);
        for bad in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA A"] {
            assert!(bad.parse::<OpBrowserState>().is_err(), "{bad}");
        }
    }
}
