//! The use cases of Anteroom.
//!
//! A use case takes its [`context::call::Call`] (that of a person in a browser takes a [`context::call::Visit`]) and parsed
//! input; it reads, asks the pure rules of `anteroom-domain`, writes once and returns an outcome for the web to render. None
//! renders, sets a cookie or reads a header. What a person must do next is decided in one place ([`interaction::next`]),
//! whichever step came before.
//!
//! ```text
//!   people ──► interaction ──► protocol ──► sessions ──► messages ──► context ──► keys ──► audit
//!   node ────────────────────────────────────────────────────────────► context
//! ```
//!
//! An arrow leads to what is used, and none leads back: no two modules of this crate use each other.

pub mod audit;
pub mod context;
pub mod error;
pub mod interaction;
pub mod keys;
pub mod messages;
pub mod node;
pub mod people;
pub mod protocol;
pub mod readiness;
pub mod sessions;
