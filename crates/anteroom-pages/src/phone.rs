//! Messages to a phone: a text message or the words of a call with a one-time code, or a text with a notice. Templates
//! are `messages/NAME.text.txt.hbs` and, for the parts of a call, `messages/code.call.PART.txt.hbs`.

use serde::Serialize;

pub(crate) const TEXT: &str = "messages/code.text.txt";
pub(crate) const PHONE_ADDED: &str = "messages/phone-added.text.txt";
pub(crate) const CALL_PROMPT: &str = "messages/code.call.prompt.txt";
pub(crate) const CALL_CODE: &str = "messages/code.call.code.txt";
pub(crate) const CALL_AGAIN: &str = "messages/code.call.again.txt";
pub(crate) const CALL_GOODBYE: &str = "messages/code.call.goodbye.txt";

/// Without `Debug`, like the call, because it has a code.
#[derive(Clone, Serialize)]
pub struct CodeText {
    pub practice: String,
    pub code: String,
    /// Minutes until the code expires.
    pub minutes: u32,
    /// The provider's host. Browsers fill in the code only on its pages.
    pub host: String,
}

/// Another phone was added to the account.
#[derive(Clone, Serialize)]
pub struct PhoneAddedText {
    pub practice: String,
    /// Masked with characters that need little room in a text message: `***66`.
    pub phone: String,
    /// Where a person who did not want this can stop it.
    pub link: String,
}

#[derive(Clone, Serialize)]
pub struct CodeCall {
    pub practice: String,
    /// Single digits, as they are read out.
    pub digits: Vec<char>,
}

/// The words of a call, in the order in which they are spoken. Only the prompt is spoken before a key is pressed,
/// because a voicemail must not record a code.
#[derive(Clone, PartialEq, Eq)]
pub struct CallScript {
    pub prompt: String,
    /// The digits, slowly, twice.
    pub code_spoken: String,
    /// Asks for a key press to hear the code again.
    pub again: String,
    pub goodbye: String,
}

impl CodeText {
    /// The line that binds the code to its site (Origin-bound one-time codes). It has to be the last one, and it is for
    /// machines, so no template writes it.
    pub(crate) fn with_bound_line(&self, body: &str) -> String {
        format!("{}\n\n@{} #{}", body.trim_end(), self.host, self.code)
    }

    pub(crate) fn samples() -> Vec<Self> {
        vec![CodeText {
            practice: "Riverside Dental & Medical".to_owned(),
            code: "402918".to_owned(),
            minutes: 10,
            host: "localhost".to_owned(),
        }]
    }
}

impl PhoneAddedText {
    pub(crate) fn samples() -> Vec<Self> {
        vec![Self {
            practice: "Riverside Dental & Medical".to_owned(),
            phone: "***66".to_owned(),
            link: "https://id.example/forgot-password".to_owned(),
        }]
    }
}

impl CodeCall {
    pub fn new(practice: String, code: &str) -> CodeCall {
        CodeCall { practice, digits: code.chars().collect() }
    }

    pub(crate) fn samples() -> Vec<Self> {
        vec![CodeCall::new("Riverside Dental & Medical".to_owned(), "402918")]
    }
}
