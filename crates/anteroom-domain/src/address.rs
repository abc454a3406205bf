//! Email addresses. The address is the username: compared folded (ASCII case, surrounding space), mailed as stored.
//!
//! Folding is ASCII only: Unicode folding makes two people's addresses equal that their mail servers keep apart.

use serde::{Deserialize, Serialize};
use std::fmt;

/// RFC 5321 §4.5.3.1.3: a path of 256 octets with its angle brackets leaves 254 for the address.
const MAX_LEN: usize = 254;
const MAX_LOCAL_LEN: usize = 64;

/// An address that mail can be sent to, in the spelling its owner gave.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct NotAnAddress;

impl EmailAddress {
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        let plain =
            |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
        let labels_ok = domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        let forbidden = |c: char| matches!(c, '@' | '<' | '>' | '"' | ',' | ';' | '(' | ')' | '\\');
        if text.len() > MAX_LEN || local.len() > MAX_LOCAL_LEN || !plain(local) || !labels_ok {
            return Err(NotAnAddress);
        }
        if local.chars().any(forbidden) {
            return Err(NotAnAddress);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn folded(&self) -> FoldedAddress {
        FoldedAddress(self.0.to_ascii_lowercase())
    }

    /// For pages seen by someone who has proven nothing: `a•••@demo.example`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let first = local.chars().next().unwrap_or('•');
        format!("{first}•••@{domain}")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NotAnAddress;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The form in which addresses are compared and indexed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FoldedAddress(String);

impl FoldedAddress {
    /// Whatever was typed: a thing that is no address simply matches no account. Not all of it may be asked for, either: to
    /// PostgreSQL a text with a NUL is an error.
    pub fn from_entered(text: &str) -> Self {
        let mut folded = text.trim().to_ascii_lowercase();
        if folded.len() > MAX_LEN || folded.contains(char::is_control) {
            folded.clear();
        }
        Self(folded)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_spelling_and_compares_folded() {
        let address = EmailAddress::parse("  Alice.Example@Demo.Example ").unwrap();
        assert_eq!(address.as_str(), "Alice.Example@Demo.Example");
        assert_eq!(address.folded(), FoldedAddress::from_entered("\talice.EXAMPLE@demo.example "));
    }

    #[test]
    fn folding_is_ascii_only() {
        // U+212A KELVIN SIGN lower-cases to "k" in Unicode: another mailbox must not become ours.
        assert_ne!(
            FoldedAddress::from_entered("\u{212A}im@demo.example"),
            FoldedAddress::from_entered("kim@demo.example")
        );
    }

    #[test]
    fn what_no_address_has_is_asked_of_no_database() {
        for text in ["alice\0@demo.example", "alice@demo.example\0", "\u{7f}", &"a".repeat(255)] {
            assert_eq!(FoldedAddress::from_entered(text).as_str(), "", "{text:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@demo.example", "a".repeat(65));
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c.d ",
            "a@b..c",
            "a@-b.c",
            "<a@b.c>",
            "a@b.c\r\nBcc: x",
            &long,
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
    }
}
