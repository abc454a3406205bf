//! Sessions in a browser: found by the secrets in its cookie, begun, kept active, ended.
//!
//! ```text
//!   cookie ─► browser_sessions ─► ActiveSession   new_session ─► ActiveSession, with new cookies
//!   sign-out, disablement, lapse ─► end_sessions ─► deliveries of back-channel logout
//! ```

pub mod browser_sessions;
pub mod end_sessions;
pub(crate) mod form_effect;
pub mod new_session;
pub mod repeated_form;
pub mod session_time;
