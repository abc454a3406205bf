//! Twilio's callbacks: the delivery status of a message, and the part of a call after the key press.
//!
//! Requests without Twilio's signature over URL and form fields are refused.

use anteroom_domain::ids::MessageId;
use anteroom_storage::{Store, StoreError, Tx, Unit};
use jiff::Timestamp;
use secrecy::SecretString;
use std::fmt;
use std::sync::Arc;

use super::script::{CodePartSealer, HANG_UP_TWIML, SpokenPartError};
use super::signature::verify_signature;
use super::status::outcome;

pub struct Callbacks {
    pub auth_token: SecretString,
    pub part_sealer: Arc<CodePartSealer>,
    pub store: Store,
}

/// A request as it came in.
pub struct Callback {
    pub message: MessageId,
    /// The whole address, as Twilio called it.
    pub url: String,
    pub params: Vec<(String, String)>,
    pub signature: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    #[error("the signature is not Twilio's")]
    Signature,
    #[error(transparent)]
    Part(#[from] SpokenPartError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Notes that a message which was sent did not arrive, and why.
struct NoteUndeliveredUnit {
    id: MessageId,
    error: &'static str,
    now: Timestamp,
}

impl Unit for NoteUndeliveredUnit {
    /// Whether it was not known before.
    type Output = bool;
    type Error = StoreError;

    const NAME: &'static str = "note_undelivered";

    async fn run(&self, tx: &Tx) -> Result<bool, StoreError> {
        tx.note_undelivered(self.id, self.error, self.now).await
    }
}

impl Callbacks {
    /// Notes what could not be delivered, so that its person is told to try another way.
    pub async fn status(&self, callback: &Callback, now: Timestamp) -> Result<(), CallbackError> {
        self.check(callback)?;
        let field = |name: &str| {
            callback.params.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
        };
        let Some(status) = field("MessageStatus").or_else(|| field("CallStatus")) else { return Ok(()) };
        let Some(reason) = outcome(status, field("ErrorCode")) else { return Ok(()) };
        let (id, error) = (callback.message, reason.as_str());
        let (_, is_noted) = self.store.run(NoteUndeliveredUnit { id, error, now }).await;
        if is_noted? {
            tracing::warn!(message_id = %id, "sent, and not delivered: {error}");
        }
        Ok(())
    }

    /// What is said after a key, as TwiML.
    pub fn after_the_key(
        &self,
        callback: &Callback,
        part: &str,
        now: Timestamp,
    ) -> Result<String, CallbackError> {
        self.check(callback)?;
        match self.part_sealer.twiml(callback.message, part, &callback.url, now) {
            Ok(twiml) => Ok(twiml),
            Err(SpokenPartError::Over) => Ok(HANG_UP_TWIML.to_owned()),
            Err(error @ SpokenPartError::NotOurs) => Err(error.into()),
        }
    }

    fn check(&self, callback: &Callback) -> Result<(), CallbackError> {
        let Callback { url, params, signature, .. } = callback;
        if verify_signature(&self.auth_token, url, params, signature) {
            Ok(())
        } else {
            Err(CallbackError::Signature)
        }
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callbacks")
    }
}
