//! A message as its reader has it: what the development outbox shows, as a page and as JSON.
use crate::email::{Letterhead, write};
pub use anteroom_domain::message::Channel;
use anteroom_domain::message::{Mail, Message, Parcel};
use anteroom_pages::{RenderError, Theme};
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Delivered {
    pub id: String,
    pub at: String,
    pub channel: Channel,
    pub to: String,
    pub subject: Option<String>,
    pub text: String,
    pub link: Option<String>,
    pub code: Option<String>,
    #[serde(skip)]
    pub html: String,
}

impl Delivered {
    pub fn of(theme: &Theme, letterhead: &Letterhead, message: &Message) -> Result<Self, RenderError> {
        let (subject, text, html, link, code) = match &message.parcel {
            Parcel::Email { mail, .. } => {
                let email = write(theme, letterhead, message, mail)?;
                let (link, code) = match mail {
                    Mail::Recovery { link, code, .. } => (link, Some(code.clone())),
                    Mail::Invitation { link, .. }
                    | Mail::AccountLocked { link, .. }
                    | Mail::PasswordChanged { link, .. }
                    | Mail::PasswordExpires { link, .. }
                    | Mail::PhoneAdded { link, .. } => (link, None),
                };
                (Some(email.subject), email.text, email.html, Some(link.clone()), code)
            }
            Parcel::Text { code, .. } | Parcel::Call { code, .. } => {
                (None, format!("code {}", code.digits), String::new(), None, Some(code.digits.clone()))
            }
        };
        Ok(Self {
            id: message.id.to_string(),
            at: message.created_at.to_string(),
            channel: message.parcel.channel(),
            to: message.parcel.recipient().to_owned(),
            subject,
            text,
            link,
            code,
            html,
        })
    }
}
