//! Why a command or a step failed, as a sentence for the person at the terminal. No failure is recovered from, so a
//! sentence is all a caller needs.

use std::fmt::{self, Display};

#[derive(Debug)]
pub(crate) struct Failure(String);

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// For `map_err`: says what was attempted when the error occurred.
    pub(crate) fn during<E: Display>(attempt: impl Display) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{attempt}: {error}"))
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
