//! What is asked with a token or in the open.

mod apis;
mod cors;
mod discovery;
mod introspection;
mod keys;
mod outbox;
mod revocation;
mod userinfo;
