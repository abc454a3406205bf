//! Client authentication at the token, introspection and revocation endpoints (RFC 6749 §2.3, OpenID Connect Core §9).
//!
//! Only the method that the client is registered with is accepted: a method that happens to carry a right secret is
//! refused all the same.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_oidc::TokenEndpointAuthMethod;
use anteroom_oidc::token::PresentedCredentials;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

use crate::error::FlowError;
use crate::provider::{Provider, Snapshot};
use crate::registered::snapshot_that_knows;
use crate::trail::{Origin, note_refusal};

/// A client that has proven who it is, or that has nothing to prove with (`none`).
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(Arc<Client>);

impl AuthenticatedClient {
    pub fn client(&self) -> &Arc<Client> {
        &self.0
    }
}

/// Why it is not believed. On the wire all are `invalid_client`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    #[error("no client credentials were sent")]
    Missing,
    #[error("client {0} is not registered")]
    Unknown(String),
    #[error("client {client} is registered for {registered} and used {received}")]
    Method { client: String, registered: &'static str, received: &'static str },
    #[error("client {0} sent a wrong secret")]
    Secret(String),
}

const SECRET_CONTEXT: &str = "client_secret";

/// What the configuration keeps of a client's secret.
pub fn secret_digest(keyring: &anteroom_crypto::Keyring, secret: &SecretString) -> anteroom_crypto::Digest {
    keyring.mac(KeyPurpose::ClientSecret).digest(SECRET_CONTEXT, secret.expose_secret().as_bytes())
}

/// Who the client is; a failure is written down.
pub async fn authenticate(
    provider: &Provider,
    origin: &Origin,
    presented: &PresentedCredentials,
) -> Result<Result<AuthenticatedClient, ClientAuthError>, FlowError> {
    let snapshot = snapshot_that_knows(provider, presented.client_id()).await?;
    let verdict = judge(provider, &snapshot, presented);
    if let Err(error) = &verdict {
        let event = Event::ClientAuthenticationFailed { reason: error.to_string() };
        let entry = origin.entry(Actor::Anonymous, event).by_client(presented.client_id());
        note_refusal(provider, entry).await?;
    }
    Ok(verdict)
}

fn judge(
    provider: &Provider,
    snapshot: &Snapshot,
    presented: &PresentedCredentials,
) -> Result<AuthenticatedClient, ClientAuthError> {
    let id = presented.client_id();
    let client = snapshot.clients.get(id).ok_or_else(|| ClientAuthError::Unknown(id.as_str().to_owned()))?;
    let registered = client.metadata.token_endpoint_auth_method;
    if presented.method() != registered {
        return Err(ClientAuthError::Method {
            client: id.as_str().to_owned(),
            registered: registered.as_str(),
            received: presented.method().as_str(),
        });
    }
    if registered != TokenEndpointAuthMethod::None {
        let secret = presented.secret().ok_or(ClientAuthError::Missing)?;
        let digest = secret_digest(&provider.keyring, secret);
        // Digests compare in constant time; all are looked at, so that their number decides the time.
        let matches = client.secrets.0.iter().filter(|known| **known == digest).count();
        if matches == 0 {
            return Err(ClientAuthError::Secret(id.as_str().to_owned()));
        }
    }
    Ok(AuthenticatedClient(Arc::clone(client)))
}
