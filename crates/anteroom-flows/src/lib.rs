//! The use cases of Anteroom, one file each.
//!
//! A use case takes who is asking ([`visitor::Visitor`]), parsed input and the [`provider::Provider`]; it reads, asks the
//! pure rules of `anteroom-domain`, writes once and returns an outcome for the web to render. None renders, sets a cookie
//! or reads a header. What a person must do next is decided in one place ([`onward`]), whichever step came before.
//!
//! ```text
//!   authorize ─┐                                   ┌─► page (sign in, choose, consent, refusal …)
//!   sign_in ───┼─► onward ─► domain::next_step ────┼─► the application, with a code (release)
//!   choose ────┤                                   └─► the dashboard
//!   consent ───┘
//!   token ─► client_auth ─► {code, refresh, client_credentials} ─► mint
//! ```

pub mod absent_clients;
mod access_token;
pub mod addresses;
pub mod admin;
mod ahead;
pub mod answered;
pub mod apps;
pub mod asked;
pub mod audit_context;
pub mod authenticated_client;
pub mod authenticator_apps;
pub mod authorize;
pub mod backchannel;
pub mod browser;
pub mod call;
pub mod chain;
pub mod choose_account;
pub mod client_auth;
pub mod client_keys;
pub mod code;
pub mod configured_clients;
pub mod confirmed;
pub mod consent;
pub mod consent_answer;
pub mod dashboard;
pub mod database_history;
mod differing;
mod encryption;
mod encryption_keys;
pub mod end_session;
pub mod error;
pub mod error_return;
pub mod expired_password;
pub mod expiry_warnings;
pub mod fetched_keys;
pub mod followed_clients;
pub mod forms;
pub mod front_channel;
mod front_tokens;
pub mod health;
pub mod history;
mod id_token_hint;
pub mod introspect;
pub mod journey;
pub mod key_schedule;
pub mod key_set;
pub mod keys;
mod known_client;
mod languages;
pub mod leave;
pub mod limits;
mod links;
pub mod live;
mod memory_counters;
mod missing_consent;
pub mod new_password;
mod new_session;
pub mod not_entitled;
mod notices;
pub mod onward;
pub mod open_interaction;
pub mod outgoing;
mod person;
mod person_in_question;
pub mod phones;
pub mod profile;
pub mod provider;
pub mod pruning;
pub mod push;
pub mod pushed_request;
pub mod readiness;
pub mod recover;
pub mod register;
pub mod registered;
pub mod registration;
pub mod release;
pub mod repeated;
mod request_object;
mod request_uri;
pub mod revoke;
pub mod sector;
mod session_state;
pub mod session_time;
pub mod sign_in;
pub mod sign_out;
mod standing;
mod step;
mod succession;
pub mod support;
mod tallies;
pub mod token;
pub mod trail;
pub mod undefined_groups;
pub mod userinfo;
pub mod usernames;
pub mod verification;
pub mod verification_model;
pub mod visitor;
mod without_a_page;
