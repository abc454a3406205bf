//! Clients register themselves and manage their registration: RFC 7591, RFC 7592, OpenID Connect Registration 1.0.
//!
//! Secrets are drawn here, sent once and stored as keyed digests. The registration access token authenticates the client for its
//! registration, and stays the same for as long as the client is registered.

mod manage;
mod register;

pub use manage::{delete, read, remove, update};
pub use register::register;

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring};
use anteroom_domain::audit::{Actor, Event};
use anteroom_oidc::discovery::paths;
use anteroom_oidc::errors::BearerError;
use anteroom_oidc::{ClientMetadata, Issuer, RegistrationRefusal};
use anteroom_storage::RegisteredClient;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use std::fmt;

use crate::context::call::Call;
use crate::context::refusals::record_refusal;
use crate::error::FlowError;

/// The client information response (RFC 7591 §3.2.1, RFC 7592 §3): all metadata as registered.
#[derive(Serialize)]
pub struct ClientInformation {
    #[serde(flatten)]
    metadata: ClientMetadata,
    client_id_issued_at: i64,
    /// Only where it was drawn for this answer: of a stored secret there is only a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// Zero, for never, where the client has a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    registration_access_token: String,
    registration_client_uri: String,
}

impl fmt::Debug for ClientInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientInformation")
            .field("client_id", &self.metadata.client_id)
            .finish_non_exhaustive()
    }
}

/// A request as it was received. Token and body are checked in this order.
#[derive(Debug)]
pub struct RegistrationInput<'a> {
    pub token: Result<SecretString, BearerError>,
    /// JSON.
    pub body: Result<&'a [u8], RegistrationRefusal>,
}

#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    #[error("clients do not register here")]
    Closed,
    #[error("there are as many registered clients as there may be")]
    Full,
    /// All slots for fetches are taken.
    #[error("the sector_identifier_uri is not fetched: too many documents are being fetched")]
    Busy,
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error(transparent)]
    Refused(#[from] RegistrationRefusal),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

const TOKEN_CONTEXT: &str = "registration_access_token";
const INITIAL_TOKEN_CONTEXT: &str = "initial_access_token";

/// The digest of an initial access token that is kept in its place.
pub fn initial_token_digest(keyring: &Keyring, token: &SecretString) -> KeyedDigest {
    keyring.mac(KeyPurpose::TokenHash).digest(INITIAL_TOKEN_CONTEXT, token.expose_secret().as_bytes())
}

/// What the answer says of the stored client besides its metadata.
#[derive(Clone, Copy)]
struct StoredFacts {
    created_at: Timestamp,
    has_secret: bool,
}

impl StoredFacts {
    const fn of(client: &RegisteredClient) -> Self {
        Self { created_at: client.created_at, has_secret: client.secret.is_some() }
    }
}

fn information(
    issuer: &Issuer,
    facts: StoredFacts,
    metadata: ClientMetadata,
    secret: Option<&SecretString>,
    token: &SecretString,
) -> ClientInformation {
    ClientInformation {
        client_id_issued_at: facts.created_at.as_second(),
        client_secret: secret.map(|secret| secret.expose_secret().to_owned()),
        client_secret_expires_at: facts.has_secret.then_some(0),
        registration_access_token: token.expose_secret().to_owned(),
        registration_client_uri: format!(
            "{}/{}",
            issuer.endpoint(paths::REGISTRATION),
            metadata.client_id.as_str()
        ),
        metadata,
    }
}

/// Logs why a request was refused, and writes an audit entry as far as the address may cause one.
async fn log_refusal(call: &Call, error: RegistrationError) -> RegistrationError {
    let reason = match &error {
        RegistrationError::Closed | RegistrationError::Flow(_) => {
            return error;
        }
        RegistrationError::Full
        | RegistrationError::Busy
        | RegistrationError::Bearer(_)
        | RegistrationError::Refused(_) => error.to_string(),
    };
    tracing::warn!(
        reference = call.reference().map(tracing::field::display),
        "registration of a client refused: {reason}"
    );
    let event = Event::ClientRegistrationRefused { reason };
    let entry = call.entry(Actor::Anonymous, event);
    match record_refusal(call, entry).await {
        Ok(()) => error,
        Err(failed) => failed.into(),
    }
}
