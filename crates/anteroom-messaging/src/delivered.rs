//! A message as its reader has it: what the development outbox shows, as a page and as JSON.

use anteroom_domain::message::{Message, MessageContent};
use anteroom_pages::{RenderError, Theme};
use serde::Serialize;

use crate::email::{Letterhead, write};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Email,
}

/// One object of `/dev/outbox.json`. The names are part of the public surface.
#[derive(Clone, Debug, Serialize)]
pub struct Delivered {
    pub id: String,
    /// RFC 3339 in UTC.
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
        let email = write(theme, letterhead, message)?;
        let link = match &message.content {
            MessageContent::Invitation { link, .. } | MessageContent::AccountLocked { link, .. } => {
                Some(link.clone())
            }
        };
        Ok(Self {
            id: message.id.to_string(),
            at: message.created_at.to_string(),
            channel: Channel::Email,
            to: message.to.as_str().to_owned(),
            subject: Some(email.subject),
            text: email.text,
            link,
            code: None,
            html: email.html,
        })
    }
}
