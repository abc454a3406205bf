//! A call in TwiML: the prompt, and behind a key the code.
//!
//! Twilio requests the part after the key press from a callback URL that carries it sealed. The message id is authenticated with
//! it and its expiry is inside, so it works for this call only and until the code expires.

use anteroom_crypto::{KeyPurpose, Keyring, Random};
use anteroom_domain::ids::MessageId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

use super::super::MessageHeader;
use crate::rendered::Script;

/// The last component of the address, and the parameter with the sealed part.
pub(super) const KEY_PATH: &str = "key";
pub(super) const PART: &str = "part";

/// When the code is of no use any more.
pub(super) const HANG_UP_TWIML: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Hangup/></Response>";

/// Seals and opens what is said after the key.
pub struct CodePartSealer {
    pub keyring: Arc<Keyring>,
    pub random: Random,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpokenPartError {
    #[error("not a part of this call")]
    NotOurs,
    #[error("the code is no longer of use")]
    Over,
}

#[derive(Serialize, Deserialize)]
struct CodePart {
    expires_at: Timestamp,
    language: String,
    code: String,
    again: String,
    goodbye: String,
}

pub(super) struct CallbackUrls(pub(super) Arc<CodePartSealer>);

impl CallbackUrls {
    /// The address that is asked when a key was pressed.
    pub(super) fn after_the_key(
        &self,
        callback: &Url,
        ticket: MessageHeader,
        script: &Script,
    ) -> Option<Url> {
        let spoken = CodePart {
            expires_at: ticket.expires_at,
            language: script.language.to_owned(),
            code: script.words.code_spoken.clone(),
            again: script.words.again.clone(),
            goodbye: script.words.goodbye.clone(),
        };
        let plain = serde_json::to_vec(&spoken).ok()?;
        let CodePartSealer { keyring, random } = &*self.0;
        let sealed = keyring.sealer(KeyPurpose::OutboxSeal).seal(random, &bound(ticket.id), &plain);
        let mut url = callback.clone();
        url.path_segments_mut().ok()?.push(KEY_PATH);
        url.query_pairs_mut().append_pair(PART, &URL_SAFE_NO_PAD.encode(sealed));
        Some(url)
    }
}

impl CodePartSealer {
    /// The TwiML behind the key; `asked_at` is the address itself, which is asked again for every key.
    pub fn twiml(
        &self,
        id: MessageId,
        part: &str,
        asked_at: &str,
        now: Timestamp,
    ) -> Result<String, SpokenPartError> {
        let sealed = URL_SAFE_NO_PAD.decode(part).map_err(|_| SpokenPartError::NotOurs)?;
        let plain = self.keyring.sealer(KeyPurpose::OutboxSeal).open(&bound(id), &sealed);
        let spoken = plain.ok().and_then(|plain| serde_json::from_slice::<CodePart>(&plain).ok());
        let spoken = spoken.ok_or(SpokenPartError::NotOurs)?;
        if spoken.expires_at <= now {
            return Err(SpokenPartError::Over);
        }
        let say = |text: &str| say(text, &spoken.language);
        let (code, again, goodbye) = (say(&spoken.code), say(&spoken.again), say(&spoken.goodbye));
        Ok(response(&format!("{}{goodbye}<Hangup/>", gather(asked_at, &format!("{code}{again}")))))
    }
}

/// The prompt comes twice: a person who lifts the phone to the ear late hears it whole. Without a key nothing follows it.
pub(super) fn opening(script: &Script, after_the_key: &Url) -> String {
    let prompt = say(&script.words.prompt, script.language);
    let prompt = format!("{prompt}<Pause length=\"1\"/>{prompt}");
    response(&format!("{}<Hangup/>", gather(after_the_key.as_str(), &prompt)))
}

fn bound(id: MessageId) -> Vec<u8> {
    format!("call\nafter the key\n{id}").into_bytes()
}

fn response(inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{inner}</Response>")
}

/// Any key counts. Without `finishOnKey=""` Twilio takes `#` for the end of an empty entry and does not ask the action.
fn gather(action: &str, inner: &str) -> String {
    let action = escaped(action);
    format!(
        "<Gather numDigits=\"1\" finishOnKey=\"\" timeout=\"10\" method=\"POST\" action=\"{action}\">{inner}</Gather>"
    )
}

fn say(text: &str, language: &str) -> String {
    format!("<Say language=\"{}\">{}</Say>", escaped(language), escaped(text))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
