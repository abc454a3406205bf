//! A message as its reader has it: what the development outbox shows, as a page and as JSON.

use anteroom_domain::message::{Channel, Mail, Message, MessageBody, Notice};
use anteroom_pages::{RenderError, Theme};
use serde::Serialize;

use crate::branding::Branding;
use crate::call::transcript;
use crate::rendered::Rendered;

/// One object of `/dev/outbox.json`. The names are part of the public surface.
#[derive(Clone, Serialize)]
pub struct OutboxItem {
    pub id: String,
    /// RFC 3339 in UTC.
    pub at: String,
    pub channel: Channel,
    /// An address, or a number in E.164.
    pub to: String,
    pub subject: Option<String>,
    /// Of a call, its transcript.
    pub text: String,
    pub link: Option<String>,
    pub code: Option<String>,
    /// An email as mail programs show it.
    #[serde(skip)]
    pub html: Option<String>,
}

impl OutboxItem {
    pub fn of(theme: &Theme, branding: &Branding, message: &Message) -> Result<Self, RenderError> {
        let (subject, text, html) = match Rendered::of(theme, branding, message)? {
            Rendered::Email { email, .. } => (Some(email.subject), email.text, Some(email.html)),
            Rendered::Text { body, .. } => (None, body, None),
            Rendered::Call { script, .. } => (None, transcript(&script.words), None),
            Rendered::Unaddressed => (None, String::new(), None),
        };
        let (link, code) = secrets(&message.body);
        Ok(Self {
            id: message.id.to_string(),
            at: message.created_at.to_string(),
            channel: message.body.channel(),
            to: message.body.recipient().to_owned(),
            subject,
            text,
            link: link.cloned(),
            code: code.cloned(),
            html,
        })
    }
}

/// The link and the code that a message carries.
fn secrets(body: &MessageBody) -> (Option<&String>, Option<&String>) {
    match body {
        MessageBody::Text { code, .. } | MessageBody::Call { code, .. } => (None, Some(&code.digits)),
        MessageBody::Unaddressed { .. } => (None, None),
        MessageBody::Email { mail: Mail::Recovery { link, code, .. }, .. } => (Some(link), code.as_ref()),
        MessageBody::Notice { notice: Notice::PhoneAdded { link, .. }, .. }
        | MessageBody::Email {
            mail:
                Mail::Invitation { link, .. }
                | Mail::AccountLocked { link, .. }
                | Mail::PasswordChanged { link, .. }
                | Mail::RegistrationCompleted { link, .. }
                | Mail::PasswordExpires { link, .. }
                | Mail::PhoneAdded { link, .. }
                | Mail::AuthenticatorApp { link, .. }
                | Mail::TokensAskedElsewhere { link, .. },
            ..
        } => (Some(link), None),
    }
}
