//! The token endpoint.

mod assertions;
mod clients;
mod code;
mod encryption;
mod ends;
mod id_token;
mod refresh;
mod service;
pub(crate) mod worth;
