//! Signing in, and what becomes of the session.

mod accounts;
mod addresses;
mod another_person;
mod expiry;
mod forms;
mod lockout;
mod pressure;
mod refusals;
mod replays;
mod session_end;
mod sessions;
mod tiles;
mod typed_passwords;
