//! From an authorization request, or the dashboard, to the answer: how an interaction is stored between two requests of the
//! browser, and which step the person must take next.
//!
//! ```text
//!   authorize ─┐                                        ┌─► page (sign in, choose, verify, consent, refusal …)
//!   a form ────┼─► reopen ─► next ─► domain::next_step ─┼─► answered ─► protocol::authorization_response
//!   dashboard ─┘              ▲                         └─► dashboard
//!                             └── target, account_selection, requirements, authentication_state
//! ```

pub(crate) mod account_selection;
pub mod answered;
pub(crate) mod authentication_state;
pub mod authenticator_apps;
pub mod authorize;
pub mod choose_account;
pub mod consent;
pub mod consent_decision_record;
pub(crate) mod end_pushed_request;
pub mod error_return;
pub mod expired_password;
pub mod form_limits;
pub(crate) mod missing_consent;
pub mod next;
pub mod not_entitled;
pub mod open_interaction;
pub(crate) mod persist_for_redirect;
pub mod phones;
pub(crate) mod prompt_none;
pub mod pushed_request;
pub mod reopen;
pub(crate) mod requirements;
pub(crate) mod step;
pub(crate) mod step_page;
pub(crate) mod target;
pub mod verification;
pub mod verification_model;
