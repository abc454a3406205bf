//! What rests in the database or in sealed values, as releases wrote it: each release still reads the forms of all before,
//! and writes what nodes of the release before can read, for both run beside each other while an installation is upgraded.
//!
//! A new variant does not compile here until it has a sample, and its sample needs a file: `UPDATE_STORED=1` makes it.
//! A new field takes its default in the samples that are there, and gets a sample of its own in which it has a value.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

mod accounts;
mod clients;
mod events;
mod golden;
mod interactions;
mod messages;
mod tokens;

use jiff::Timestamp;
use uuid::Uuid;

/// A variant that is missing here does not compile: every one has a sample.
macro_rules! samples {
    ($enum:ident { $($name:literal: $variant:ident = $value:expr,)+ }) => {{
        let exhaustive = |value: &$enum| match value { $($enum::$variant { .. } => (),)+ };
        let samples = vec![$(($name, $value),)+];
        for (_, value) in &samples {
            exhaustive(value);
        }
        samples
    }};
}
pub(crate) use samples;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}
