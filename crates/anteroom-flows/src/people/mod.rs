//! The use cases of people, and of operators who act for them: signing in, recovering, completing a registration, changing a
//! password, profiles, authenticator apps; inviting, disabling, supporting.
//!
//! ```text
//!   sign_in ─► sessions::new_session ─► interaction::next
//!   recover::ask ─► mail_requests (background) ─► email ─► recover::follow_link ─► verification ─► new_password ─► interaction::next
//!   admin::invite ─► email ─► register ─► verification ─► new_password ─► interaction::next
//! ```

pub mod addresses;
pub mod admin;
pub mod authenticator_apps;
pub mod dashboard;
pub mod expiry_warnings;
mod known_device;
pub mod mail_requests;
pub mod new_password;
pub mod profile;
pub mod recover;
pub mod register;
pub mod sign_in;
pub mod support;
pub mod undefined_groups;
pub mod usernames;
