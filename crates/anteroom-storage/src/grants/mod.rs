//! Grants with their families of refresh tokens, and the tokens that must not be used again. They are read in `frequent_queries`.
//!
//! Rows of grants are locked last, after those of account, device and session. A mark for a token (`revoked_jti`,
//! `assertion_jti`) is one row, and its insertion says whether there was one.

pub(crate) mod grant;
mod tokens;

pub use grant::{CodeRecord, GrantRecord, InsertGrantResult};
