//! What one node does about itself: whether it can serve, whether its database is the one it knew, whether its
//! configuration is that of the others.

pub(crate) mod config_differences;
pub mod configured_clients;
pub mod database_history;
pub mod health;
