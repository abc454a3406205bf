//! The pure rules of Anteroom: who an account is, when it locks, how old a password may be, what a person must do
//! next, what a grant still allows. Nothing here reads a clock, draws a random number or touches a store: `now` is a
//! parameter and every decision is a value, so that each can be tested as a table.

pub mod account;
pub mod address;
pub mod audit;
pub mod audit_trail;
pub mod authorization_code;
pub mod channel;
pub mod client;
pub mod client_registration;
pub mod clock;
pub mod database_rollback;
pub mod device;
pub mod gateway;
pub mod grant;
pub mod ids;
pub mod interaction;
pub mod limits;
pub mod link;
pub mod lockout;
pub mod mail_request;
pub mod message;
pub mod new_password;
pub mod next_step;
pub mod one_time_code;
pub mod password;
pub mod password_text;
pub mod phone;
pub mod policy;
pub mod profile;
pub mod pushed_request;
pub mod rate;
pub mod reference;
pub mod refresh;
pub mod session;
pub mod session_limit;
pub mod sign_in;
pub mod subject;
pub mod telephony;
pub mod totp;
pub mod username;

#[cfg(test)]
mod world_tests;
