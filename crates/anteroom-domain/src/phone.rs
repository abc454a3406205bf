//! Phones: the numbers on file, to which one-time codes go.
//!
//! A number is what its library makes of what was typed: E.164, in a region, without an extension (no text reaches one, and
//! a call would have to dial on). People see their numbers masked.

use crate::account::PhoneKind;
use crate::channel::Channel;
use crate::ids::PhoneId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Phones of one account, at most. A thief would like to add many.
pub const MAX_PHONES: usize = 5;

/// A number in E.164: a plus and 8 to 15 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number in E.164")]
pub struct InvalidPhoneNumber;

impl E164 {
    pub fn parse(text: &str) -> Result<Self, InvalidPhoneNumber> {
        let digits = text.strip_prefix('+').ok_or(InvalidPhoneNumber)?;
        let well_formed = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidPhoneNumber) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What may be shown before anything is proven, and kept in the trail: the last two digits.
    pub fn masked(&self) -> String {
        let last: String = self.0.chars().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect();
        format!("•••-•••-••{last}")
    }
}

impl TryFrom<String> for E164 {
    type Error = InvalidPhoneNumber;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A phone on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    pub id: PhoneId,
    pub number: E164,
    pub kind: PhoneKind,
    /// When a code that was sent to it was first entered. A number that an operator took down in person has none yet.
    pub verified_at: Option<Timestamp>,
    /// A number added to a registered account waits before it serves.
    pub usable_from: Timestamp,
}

/// How a code travels to a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMethod {
    Text,
    Call,
}

impl DeliveryMethod {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Call => "call",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Text, Self::Call].into_iter().find(|method| method.as_str() == text)
    }

    pub const fn channel(self) -> Channel {
        match self {
            Self::Text => Channel::Text,
            Self::Call => Channel::Call,
        }
    }
}

impl PhoneKind {
    /// Texts go to a cell phone only: a landline drops them without an error.
    pub const fn methods(self) -> &'static [DeliveryMethod] {
        match self {
            Self::Cell => &[DeliveryMethod::Text, DeliveryMethod::Call],
            Self::Landline => &[DeliveryMethod::Call],
        }
    }
}

impl Phone {
    /// Whether codes of a registered account may go to it. One that was never verified is there only because an operator
    /// added it and everyone was told; the code that is sent to it verifies it.
    pub fn accepts_codes(&self, now: Timestamp) -> bool {
        self.usable_from <= now
    }

    pub fn takes(&self, method: DeliveryMethod) -> bool {
        self.kind.methods().contains(&method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_e164_and_shown_masked() {
        assert_eq!(E164::parse("+12025550143").map(|number| number.masked()), Ok("•••-•••-••43".to_owned()));
        for text in ["", "+", "12025550143", "+1202555014x", "+0123456789", "+1234567", "+1234567890123456"] {
            assert_eq!(E164::parse(text), Err(InvalidPhoneNumber), "{text}");
        }
    }
}
