//! Values without inner structure: identifiers, and values that are returned to the client unchanged.

use crate::wire::wire_text;

/// RFC 6749 appendix A: `VSCHAR`, visible ASCII and the space.
const fn is_vschar(c: char) -> bool {
    matches!(c, ' '..='~')
}

wire_text! {
    /// RFC 6749 §2.2, appendix A.1.
    pub struct ClientId("a client identifier (1 to 255 characters of printable ASCII)", max 255 bytes, is_vschar)
}

wire_text! {
    /// OpenID Connect Core §2 `sub`: at most 255 ASCII characters, never reassigned.
    pub struct Subject("a subject identifier (1 to 255 characters of printable ASCII)", max 255 bytes, is_vschar)
}

wire_text! {
    /// OpenID Connect Core §3.1.2.1 `nonce`: returned unchanged in the ID token.
    pub struct Nonce("a nonce (1 to 512 bytes without control characters)", max 512 bytes, |c| !c.is_control())
}

wire_text! {
    /// RFC 6749 §4.1.1 `state`: returned byte for byte. Wider than the RFC's `VSCHAR`, since echoing costs nothing;
    /// control characters are out because a form post would not return a line break unchanged.
    pub struct State("a state (1 to 4096 bytes without control characters)", max 4096 bytes, |c| !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_appendix_a_1_client_id_is_vschar() {
        assert!("demo-web".parse::<ClientId>().is_ok());
        assert!("".parse::<ClientId>().is_err());
        assert!("a\nb".parse::<ClientId>().is_err());
        assert!("é".parse::<ClientId>().is_err());
        assert!("x".repeat(256).parse::<ClientId>().is_err());
    }

    #[test]
    fn rfc6749_4_1_1_state_keeps_every_byte() {
        let odd = "~!@#$%^&*()_+-=[]{}|;':\",./<>? ünïcode";
        assert_eq!(odd.parse::<State>().unwrap().as_str(), odd);
        let json = serde_json::to_string(&odd.parse::<State>().unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<State>(&json).unwrap().as_str(), odd);
    }
}
