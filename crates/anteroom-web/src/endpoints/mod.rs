//! The protocol's endpoints, which clients call.

pub(crate) mod authorize;
pub(crate) mod check_session;
pub(crate) mod cors;
pub(crate) mod discovery;
pub(crate) mod health;
pub(crate) mod par;
pub(crate) mod registration;
mod rejected_requests;
pub(crate) mod token;
pub(crate) mod twilio;
pub(crate) mod unavailable;
pub(crate) mod userinfo;
