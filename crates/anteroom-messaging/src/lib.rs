//! Messages to people: what is queued in the database becomes an email in the theme's words.
//!
//! Sending is not here yet: queued messages rest sealed in the outbox until a provider delivers them; a development
//! instance shows them on a page instead.

mod delivered;
mod email;

pub use delivered::{Channel, Delivered};
pub use email::{Letterhead, moment, write};
