//! A code that was entered, and the results of entering it.

use jiff::Timestamp;

use crate::interaction::step::{Next, StepPage};
use crate::sessions::new_session::NewCookies;

#[derive(Debug)]
pub enum EnterOutcome {
    Next(Next),
    /// The session has passed a second factor, and has a new secret.
    SteppedUp {
        cookies: NewCookies,
        next: Next,
    },
    Problem {
        problem: EntryProblem,
        page: Box<StepPage>,
    },
    InteractionNotFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryProblem {
    /// Nothing was entered, and nothing is counted.
    Missing,
    Wrong {
        left: u32,
    },
    /// It was never sent, has expired, or a newer one was sent since.
    Expired,
    /// The app's code was used before; its next code will be accepted. Nothing is counted.
    Used,
    LimitReached(Timestamp),
}

/// What was entered: a code that was sent, or one that an authenticator app shows.
#[derive(Clone, Copy, Debug)]
pub enum EnteredCode<'a> {
    Sent(&'a str),
    FromApp(&'a str),
}

impl EnteredCode<'_> {
    pub(super) const fn text(&self) -> &str {
        match self {
            Self::Sent(text) | Self::FromApp(text) => text,
        }
    }
}
