//! A message in its final words, with whom it goes to.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::message::{Message, Parcel, SecretCode};
use anteroom_domain::phone::E164;
use anteroom_pages::{Email, Locale, RenderError, Theme};

use crate::email::{Letterhead, write};

pub enum Rendered {
    Email { to: EmailAddress, email: Email },
    Text { to: E164, body: String },
    Call { to: E164, script: Script },
}

/// The words of a call, in the order in which they are spoken.
pub struct Script {
    /// BCP 47, for the voice.
    pub language: &'static str,
    /// Before a key was pressed: all that a voicemail records.
    pub prompt: String,
    /// The digits, slowly, twice.
    pub code_spoken: String,
    /// Asks for a key to hear the code again.
    pub again: String,
    pub goodbye: String,
}

impl Script {
    /// For a gateway that asks for the key by itself.
    pub(crate) fn after_the_key(&self) -> String {
        self.code_spoken.clone()
    }
}

impl Rendered {
    pub fn of(theme: &Theme, letterhead: &Letterhead, message: &Message) -> Result<Self, RenderError> {
        let known = message.locale.as_deref().and_then(Locale::from_tag);
        let locale = known.unwrap_or(letterhead.default_locale);
        Ok(match &message.parcel {
            Parcel::Email { to, mail } => {
                Self::Email { to: to.clone(), email: write(theme, letterhead, message, mail)? }
            }
            Parcel::Text { to, code } => Self::Text { to: to.clone(), body: text(letterhead, locale, code) },
            Parcel::Call { to, code } => {
                Self::Call { to: to.clone(), script: script(letterhead, locale, code) }
            }
        })
    }
}

/// The last line binds the code to its site (Origin-bound one-time codes): browsers fill it in there and nowhere else.
fn text(letterhead: &Letterhead, locale: Locale, code: &SecretCode) -> String {
    let (practice, host, SecretCode { digits, minutes }) = (&letterhead.practice, &letterhead.host, code);
    let words = match locale {
        Locale::En => format!("{digits} is your code for {practice}. It works for {minutes} minutes."),
        Locale::Es => format!("{digits} es su código para {practice}. Sirve durante {minutes} minutos."),
    };
    format!("{words}\n\n@{host} #{digits}")
}

fn script(letterhead: &Letterhead, locale: Locale, code: &SecretCode) -> Script {
    let practice = &letterhead.practice;
    let digits: Vec<String> = code.digits.chars().map(|digit| format!("{digit}. ")).collect();
    let digits = digits.concat();
    let (language, prompt, code_spoken, [again, goodbye]) = match locale {
        Locale::En => (
            "en-US",
            format!("Hello. This is {practice} with a code that you asked for. Press any key to hear it."),
            format!("Your code is: {digits}Once more: {digits}"),
            ["Press any key to hear it again.", "Goodbye."],
        ),
        Locale::Es => (
            "es-MX",
            format!("Hola. Le llama {practice} con un código que usted pidió. Pulse una tecla para oírlo."),
            format!("Su código es: {digits}Otra vez: {digits}"),
            ["Pulse una tecla para oírlo de nuevo.", "Adiós."],
        ),
    };
    Script { language, prompt, code_spoken, again: again.to_owned(), goodbye: goodbye.to_owned() }
}
