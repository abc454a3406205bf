//! Client authentication at the token, introspection, revocation and push endpoints (RFC 6749 §2.3, OpenID Connect Core §9).
//!
//! Only the method that the client is registered with is accepted: a method that happens to carry a right secret is
//! refused all the same.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::discovery::paths;
use anteroom_oidc::jwt::ClientProof;
use anteroom_oidc::token::{AssertionError, AssertionRules, ClientAssertion, PresentedCredentials};
use anteroom_oidc::{ClientId, Issuer, TokenEndpointAuthMethod};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

use crate::client_keys::{KeysError, with_keys_of};
use crate::error::FlowError;
use crate::fetched_keys::Presented;
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

/// Where a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEndpoint {
    Token,
    Revocation,
    Introspection,
    PushedAuthorization,
}

impl ClientEndpoint {
    /// To whom an assertion may be addressed here: the issuer, or the token endpoint (OpenID Connect Core §9, RFC 9126 §2).
    /// Some clients name the endpoint that they push to. That counts there alone: an assertion for one endpoint that comes to
    /// another was sent on by somebody else.
    fn audiences(self, issuer: &Issuer) -> Vec<String> {
        let own = match self {
            Self::PushedAuthorization => Some(paths::PUSHED_AUTHORIZATION),
            Self::Token | Self::Revocation | Self::Introspection => None,
        };
        let endpoints = [Some(paths::TOKEN), own].into_iter().flatten();
        let endpoints = endpoints.map(|path| issuer.endpoint(path).to_string());
        std::iter::once(issuer.as_str().to_owned()).chain(endpoints).collect()
    }
}

/// Why it is not believed. On the wire all are `invalid_client`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    #[error("no client credentials were sent")]
    Missing,
    #[error("client {0:?} is not registered")]
    Unknown(String),
    #[error("client {client:?} is registered for {registered} and used {received}")]
    Method { client: String, registered: &'static str, received: &'static str },
    #[error("client {0:?} sent a wrong secret")]
    Secret(String),
    #[error("client {client:?} sent an assertion that does not count: {error}")]
    Assertion { client: String, error: AssertionError },
    #[error("client {0:?} sent an assertion for the second time")]
    AssertionReplayed(String),
    #[error("the keys of client {client:?} cannot be had: {reason}")]
    Keys { client: String, reason: String },
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
    (endpoint, presented): (ClientEndpoint, &PresentedCredentials),
) -> Result<Result<AuthenticatedClient, ClientAuthError>, FlowError> {
    let snapshot = snapshot_that_knows(provider, presented.client_id()).await?;
    let verdict = judge(provider, origin, &snapshot, (endpoint, presented)).await?;
    if let Err(error) = &verdict {
        let event = Event::ClientAuthenticationFailed { reason: error.to_string() };
        let entry = origin.entry(Actor::Anonymous, event).by_client(presented.client_id());
        note_refusal(provider, entry).await?;
    }
    Ok(verdict)
}

async fn judge(
    provider: &Provider,
    origin: &Origin,
    snapshot: &Snapshot,
    (endpoint, presented): (ClientEndpoint, &PresentedCredentials),
) -> Result<Result<AuthenticatedClient, ClientAuthError>, FlowError> {
    let id = presented.client_id();
    let Some(client) = snapshot.clients.get(id) else {
        return Ok(Err(ClientAuthError::Unknown(id.as_str().to_owned())));
    };
    let registered = client.metadata.token_endpoint_auth_method;
    if presented.method() != registered {
        return Ok(Err(ClientAuthError::Method {
            client: id.as_str().to_owned(),
            registered: registered.as_str(),
            received: presented.method().as_str(),
        }));
    }
    let proven = match presented {
        PresentedCredentials::Assertion(assertion) => {
            let audiences = endpoint.audiences(&snapshot.issuer);
            prove(provider, origin, client, (assertion, &audiences)).await?
        }
        _ => check_secret(provider, client, presented),
    };
    Ok(proven.map(|()| AuthenticatedClient(Arc::clone(client))))
}

fn check_secret(
    provider: &Provider,
    client: &Client,
    presented: &PresentedCredentials,
) -> Result<(), ClientAuthError> {
    if client.metadata.token_endpoint_auth_method == TokenEndpointAuthMethod::None {
        return Ok(());
    }
    let secret = presented.secret().ok_or(ClientAuthError::Missing)?;
    let digest = secret_digest(&provider.keyring, secret);
    // Digests compare in constant time; all are looked at, so that their number decides the time.
    let matches = client.secrets.0.iter().filter(|known| **known == digest).count();
    if matches == 0 {
        return Err(ClientAuthError::Secret(client.id().as_str().to_owned()));
    }
    Ok(())
}

/// OpenID Connect Core §9 `client_secret_jwt` and `private_key_jwt`.
async fn prove(
    provider: &Provider,
    origin: &Origin,
    client: &Client,
    (assertion, audiences): (&ClientAssertion, &[String]),
) -> Result<Result<(), ClientAuthError>, FlowError> {
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    let rules = AssertionRules { registered, audiences, now: origin.now };
    let name = || client.id().as_str().to_owned();
    let verify = |proof: ClientProof<'_>| assertion.verify(proof, rules);
    let proven = if assertion.algorithm().is_symmetric() {
        verify(ClientProof::Secrets(&client.signing_secrets)).map_err(KeysError::Refused)
    } else {
        let presented = Presented { now: origin.now, from: origin.address.map(AddressPrefix::of) };
        with_keys_of(provider, client, presented, verify, AssertionError::misses_a_key).await
    };
    let proven = match proven {
        Ok(proven) => proven,
        Err(KeysError::Refused(error)) => {
            return Ok(Err(ClientAuthError::Assertion { client: name(), error }));
        }
        Err(KeysError::Unavailable(reason)) => {
            return Ok(Err(ClientAuthError::Keys { client: name(), reason }));
        }
    };
    let first = use_once(provider, client.id(), proven.jti, proven.expires_at).await?;
    Ok(if first { Ok(()) } else { Err(ClientAuthError::AssertionReplayed(name())) })
}

/// RFC 7523 §3, rule 7: whether it is the first time.
async fn use_once(
    provider: &Provider,
    client: &ClientId,
    jti: String,
    expires_at: Timestamp,
) -> Result<bool, FlowError> {
    let (client, jti): (Arc<ClientId>, Arc<str>) = (Arc::new(client.clone()), jti.into());
    let write = provider.store.write(move |tx| {
        let (client, jti) = (Arc::clone(&client), Arc::clone(&jti));
        async move { Ok::<_, FlowError>(tx.use_assertion(&client, &jti, expires_at).await?) }
    });
    write.await
}
