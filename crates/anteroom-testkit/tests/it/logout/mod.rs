//! Signing out: at an application, and everywhere else because of it.

mod back_channel;
mod front_channel;
mod rp_initiated;
mod self_registered;
mod session_management;
