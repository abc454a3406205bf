//! Messages to people: what is queued in the database becomes an email, a text message or a call in the theme's words.
//!
//! Sending is not here yet: queued messages rest sealed in the outbox until a provider delivers them; a development
//! instance shows them on a page instead.

pub mod call;
mod delivered;
pub mod email;
mod letterhead;
pub mod text;

use anteroom_domain::message::{Message, Parcel};
use anteroom_pages::{CallScript, Email, RenderError, Theme};

pub use delivered::Delivered;
pub use letterhead::Letterhead;

/// A message in its final words, for whoever delivers it.
pub enum Written {
    Email(Email),
    Text(String),
    Call(CallScript),
}

pub fn write(theme: &Theme, letterhead: &Letterhead, message: &Message) -> Result<Written, RenderError> {
    let locale = letterhead.language(message.locale.as_deref());
    Ok(match &message.parcel {
        Parcel::Email { to, mail } => Written::Email(email::write(theme, letterhead, locale, (to, mail))?),
        Parcel::Text { code, .. } => Written::Text(text::write(theme, letterhead, locale, code)?),
        Parcel::Call { code, .. } => Written::Call(call::write(theme, letterhead, locale, code)?),
    })
}
