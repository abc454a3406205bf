//! The protocol's endpoints: what applications call.

pub(crate) mod authorize;
pub(crate) mod check_session;
pub(crate) mod cors;
pub(crate) mod discovery;
pub(crate) mod health;
pub(crate) mod par;
pub(crate) mod registration;
pub(crate) mod token;
pub(crate) mod twilio;
mod unread;
pub(crate) mod userinfo;
