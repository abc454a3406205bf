//! The edge cases of the use cases: decisions and races, on a real store and without HTTP. What the wire shows of them
//! (status, cookies, pages, headers) is tested in `anteroom-testkit`.
//!
//! Time stands still until a test moves it, and random values come from a seed. A race is made of calls that run at once on the
//! store; the test asserts what must hold whichever comes first.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod application;
mod browser;
mod installation;
mod steps;

mod audit;
mod client_registration;
mod code;
mod consent;
mod end_session;
mod hybrid;
mod keys;
mod limits;
mod locks;
mod new_password;
mod next_steps;
mod recovery;
mod refresh;
mod registration;
mod sent_twice;
mod sign_in;
mod sign_ins_at_once;
mod verification;

pub(crate) const ALICE: &str = "alice@practice.example";
pub(crate) const BOB: &str = "bob@practice.example";
pub(crate) const CELL: &str = "+12025550143";
/// A password that is good enough for a new one.
pub(crate) const NEW: &str = "lemon-tide-harbor-92";
