//! What one node does about itself: whether it can serve, whether its database is the one it knew, whether its
//! configuration is that of the others.

pub mod configured_clients;
pub(crate) mod differing;
pub mod health;
pub mod history;
