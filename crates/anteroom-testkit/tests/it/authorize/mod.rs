//! The authorization endpoint.

mod consent;
mod errors;
mod flows;
mod hints;
mod hosts;
mod prompts;
mod requests;
mod responses;
