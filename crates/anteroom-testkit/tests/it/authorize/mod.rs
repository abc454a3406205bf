//! The authorization endpoint.

mod answered;
mod consent;
mod encrypted_requests;
mod errors;
mod flows;
mod hints;
mod hosts;
mod opened;
mod prompts;
mod pushed;
mod request_objects;
mod requests;
mod responses;
mod sizes;
mod windows;
