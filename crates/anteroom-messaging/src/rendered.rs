//! A message in its final words, with whom it goes to.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::message::{Message, MessageBody};
use anteroom_domain::phone::E164;
use anteroom_pages::{CallScript, Email, Locale, RenderError, Theme};

use crate::branding::Branding;
use crate::{call, email, text};

pub enum Rendered {
    Email {
        to: EmailAddress,
        email: Email,
    },
    Text {
        to: E164,
        body: String,
    },
    Call {
        to: E164,
        script: Script,
    },
    /// Has no recipient.
    Unaddressed,
}

/// The words of a call, with the voice that they want.
pub struct Script {
    /// BCP 47.
    pub language: &'static str,
    pub words: CallScript,
}

impl Rendered {
    pub fn of(theme: &Theme, branding: &Branding, message: &Message) -> Result<Self, RenderError> {
        let locale = branding.language(message.locale.as_deref());
        Ok(match &message.body {
            MessageBody::Email { to, mail } => Self::Email {
                to: to.clone(),
                email: email::write(theme, branding, locale, to.as_str(), mail)?,
            },
            // Put into words all the same: the work is that of any other mail.
            MessageBody::Unaddressed { mail } => {
                email::write(theme, branding, locale, "", mail)?;
                Self::Unaddressed
            }
            MessageBody::Text { to, code } => {
                Self::Text { to: to.clone(), body: text::write(theme, branding, locale, code)? }
            }
            MessageBody::Notice { to, notice } => {
                Self::Text { to: to.clone(), body: text::notice(theme, branding, locale, notice)? }
            }
            MessageBody::Call { to, code } => {
                let words = call::write(theme, branding, locale, code)?;
                Self::Call { to: to.clone(), script: Script { language: voice(locale), words } }
            }
        })
    }
}

/// The voice for a language. Gateways need a country in the tag, so one is chosen for each language.
fn voice(locale: Locale) -> &'static str {
    match locale.tag() {
        "es" => "es-MX",
        "de" => "de-DE",
        "fr" => "fr-FR",
        "it" => "it-IT",
        "pl" => "pl-PL",
        "pt" => "pt-BR",
        "zh" => "zh-CN",
        "ko" => "ko-KR",
        _ => "en-US",
    }
}
