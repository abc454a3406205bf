//! Sessions, the interactions that come before them, and the forms that were answered with one.
//!
//! A session's row is locked after the rows of its account and device, and before those of its grants. An interaction is one
//! row, which a statement with a condition changes.

mod interactions;
mod repeats;
pub(crate) mod session;

pub use repeats::{FormWindow, SessionBySecret};
pub use session::{SessionClient, SessionSecret};
