//! How the names of the specifications become types: an enum for a closed set, a newtype for free text, both
//! written in serde and `Display` exactly as on the wire.

use crate::display_text::shorten;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A value that is none of those its parameter knows, or not of its form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{received:?} is not {expected}")]
pub struct InvalidValue {
    pub expected: &'static str,
    pub received: String,
}

impl InvalidValue {
    pub(crate) fn new(expected: &'static str, received: &str) -> Self {
        Self { expected, received: shorten(received) }
    }
}

/// RFC 7519 §7.2: UTF-8, and completely valid JSON. serde does not validate members that it skips. So the whole text is
/// parsed as JSON first, and again into the type, which also rejects duplicate members.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let _: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    serde_json::from_slice(bytes).ok()
}

/// `Serialize` and `Deserialize` through `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// An enum whose variants are the words of a registry.
macro_rules! wire_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident ($expected:literal) { $( $(#[$variant_meta:meta])* $variant:ident = $text:literal ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[$variant_meta])* $variant ),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::wire::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $( $text => Ok(Self::$variant), )+
                    _ => Err($crate::wire::InvalidValue::new($expected, text)),
                }
            }
        }

        $crate::wire::serde_as_text!($name);
    };
}

/// A newtype over text of bounded length whose characters a predicate admits.
macro_rules! wire_text {
    (
        $(#[$meta:meta])*
        pub struct $name:ident ($expected:literal, max $max:literal bytes, $admits:expr)
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            pub const MAX_BYTES: usize = $max;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::wire::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let admits: fn(char) -> bool = $admits;
                if text.is_empty() || text.len() > Self::MAX_BYTES || !text.chars().all(admits) {
                    return Err($crate::wire::InvalidValue::new($expected, text));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        $crate::wire::serde_as_text!($name);
    };
}

pub(crate) use {serde_as_text, wire_enum, wire_text};
