//! From an authorization request, or the dashboard, to its end: what carries it from page to page, and the one decision on
//! what the person must do next.
//!
//! ```text
//!   authorize ─┐                                        ┌─► page (sign in, choose, verify, consent, refusal …)
//!   a form ────┼─► reopen ─► next ─► domain::next_step ─┼─► answered ─► protocol::authorization_response
//!   dashboard ─┘              ▲                         └─► dashboard
//!                             └── target, account_selection, authentication_state, missing_consent
//! ```

pub(crate) mod account_selection;
pub mod answered;
pub mod apps;
pub(crate) mod authentication_state;
pub mod authorize;
pub mod choose_account;
pub mod consent;
pub mod consent_answer;
pub mod error_return;
pub mod expired_password;
pub mod form_limits;
pub(crate) mod missing_consent;
pub mod next;
pub mod not_entitled;
pub mod open_interaction;
pub mod phones;
pub(crate) mod prompt_none;
pub mod pushed_request;
pub mod reopen;
pub(crate) mod step;
pub(crate) mod target;
pub mod verification;
pub mod verification_model;
