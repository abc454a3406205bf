//! The token endpoint.

mod assertions;
mod clients;
mod code;
mod ends;
mod id_token;
mod refresh;
mod service;
