//! The channels by which messages are sent.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    Text,
    Call,
}

impl Channel {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Text => "text",
            Self::Call => "call",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Email, Self::Text, Self::Call].into_iter().find(|channel| channel.as_str() == text)
    }
}
