//! Response types and modes: OAuth 2.0 Multiple Response Type Encoding Practices, Form Post Response Mode.

use std::{fmt, str::FromStr};

use crate::wire::{InvalidValue, serde_as_text, wire_enum};

/// What the authorization endpoint returns. The six combinations of OpenID Connect Core §3 and no others: `token`
/// alone is not OpenID Connect and `none` returns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResponseType {
    Code,
    IdToken,
    IdTokenToken,
    CodeIdToken,
    CodeToken,
    CodeIdTokenToken,
}

impl ResponseType {
    pub const ALL: &'static [Self] = &[
        Self::Code,
        Self::IdToken,
        Self::IdTokenToken,
        Self::CodeIdToken,
        Self::CodeToken,
        Self::CodeIdTokenToken,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
            Self::CodeIdToken => "code id_token",
            Self::CodeToken => "code token",
            Self::CodeIdTokenToken => "code id_token token",
        }
    }

    pub const fn has_code(self) -> bool {
        matches!(self, Self::Code | Self::CodeIdToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    pub const fn has_id_token(self) -> bool {
        matches!(self, Self::IdToken | Self::IdTokenToken | Self::CodeIdToken | Self::CodeIdTokenToken)
    }

    pub const fn has_token(self) -> bool {
        matches!(self, Self::IdTokenToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    /// Multiple Response Types §2.1: a response with tokens in it goes into the fragment.
    pub const fn default_mode(self) -> ResponseMode {
        match self {
            Self::Code => ResponseMode::Query,
            _ => ResponseMode::Fragment,
        }
    }
}

impl FromStr for ResponseType {
    type Err = InvalidValue;

    /// Order does not matter (Multiple Response Types §3); a word given twice does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || InvalidValue::new("a response type of OpenID Connect", text);
        let (mut code, mut id_token, mut token) = (false, false, false);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let seen = match word {
                "code" => &mut code,
                "id_token" => &mut id_token,
                "token" => &mut token,
                _ => return Err(refuse()),
            };
            if std::mem::replace(seen, true) {
                return Err(refuse());
            }
        }
        match (code, id_token, token) {
            (true, false, false) => Ok(Self::Code),
            (false, true, false) => Ok(Self::IdToken),
            (false, true, true) => Ok(Self::IdTokenToken),
            (true, true, false) => Ok(Self::CodeIdToken),
            (true, false, true) => Ok(Self::CodeToken),
            (true, true, true) => Ok(Self::CodeIdTokenToken),
            (false, false, _) => Err(refuse()),
        }
    }
}

impl fmt::Display for ResponseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(ResponseType);

wire_enum! {
    /// Multiple Response Types §2.1, Form Post Response Mode §2.
    pub enum ResponseMode("a response mode of this provider") {
        Query = "query",
        Fragment = "fragment",
        FormPost = "form_post",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiple_response_types_3_order_does_not_matter() {
        for kind in ResponseType::ALL {
            let mut words: Vec<_> = kind.as_str().split(' ').collect();
            words.reverse();
            assert_eq!(words.join(" ").parse::<ResponseType>().unwrap(), *kind);
        }
        for bad in ["", "token", "none", "code code", "CODE", "code,token"] {
            assert!(bad.parse::<ResponseType>().is_err(), "{bad}");
        }
    }

    #[test]
    fn multiple_response_types_2_1_tokens_default_to_the_fragment() {
        for kind in ResponseType::ALL {
            let bears_tokens = kind.has_token() || kind.has_id_token();
            assert_eq!(kind.default_mode() == ResponseMode::Fragment, bears_tokens);
        }
    }
}
