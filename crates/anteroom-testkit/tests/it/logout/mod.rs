//! Signing out: at an application, and everywhere else because of it.

mod back_channel;
mod rp_initiated;
