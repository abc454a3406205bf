//! Keys that sign tokens and keys that clients encrypt to, with one rule of rotation for both kinds.
//!
//! ```text
//!   schedule ─► rotation (pure) ─┬► signing_keys ────┬► key_set, which each node loads when it changes
//!                                └► encryption_keys ─┘
//! ```

pub(crate) mod encryption_keys;
pub mod key_rotation;
pub mod key_set;
pub(crate) mod rotation;
pub mod schedule;
pub mod signing_keys;
