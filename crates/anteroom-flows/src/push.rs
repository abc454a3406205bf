//! `POST /par` (RFC 9126): a client hands in its authorization request itself, and gets a name for it that the browser
//! carries.
//!
//! The request is checked by the rules of the authorization endpoint when it comes in, and again when a browser comes for
//! it: what was good may not be any more.

use anteroom_crypto::{Digest, KeyPurpose, Keyring, Token};
use anteroom_domain::pushed_request::{PushedRequest, WAITS_FOR};
use anteroom_oidc::ClientId;
use anteroom_oidc::authorization::{self, AuthorizationError, Parameter, Parameters};
use jiff::Timestamp;
use std::sync::Arc;

use crate::client_auth::AuthenticatedClient;
use crate::error::FlowError;
use crate::provider::Provider;
use crate::request_object::{self, ResolveError};
use crate::visitor::Visitor;

/// RFC 9126 §2.2 leaves the form to the provider; this is the one it gives as an example.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
const CONTEXT: &str = "pushed request";

/// What the client gets.
#[derive(Debug)]
pub struct Pushed {
    pub request_uri: String,
    /// Seconds.
    pub expires_in: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Whoever knows a public client's name could fill the database in it.
    #[error("a public client may not push requests")]
    PublicClient,
    /// RFC 9126 §2.1.
    #[error("a pushed request has a request_uri in it")]
    RequestUri,
    #[error(transparent)]
    Request(AuthorizationError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<ResolveError> for PushError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Refused(error) => Self::Request(error),
            ResolveError::Flow(error) => Self::Flow(error),
        }
    }
}

pub async fn push(
    provider: &Provider,
    visitor: &Visitor,
    client: &AuthenticatedClient,
    parameters: &Parameters,
) -> Result<Pushed, PushError> {
    let client = client.client();
    let metadata = &client.metadata;
    if metadata.is_public() {
        return Err(PushError::PublicClient);
    }
    if parameters.get(Parameter::RequestUri).is_some() {
        return Err(PushError::RequestUri);
    }
    let parameters = parameters.clone().from_client(&metadata.client_id);
    let parameters = request_object::resolve(provider, visitor, client, &parameters).await?;
    let snapshot = provider.snapshot();
    let find = |id: &ClientId| (*id == metadata.client_id).then_some(metadata);
    authorization::check(&parameters, &snapshot.capabilities, find).map_err(PushError::Request)?;
    let token = provider.random.token();
    let digest = provider.keyring.mac(KeyPurpose::TokenHash).digest(CONTEXT, token.as_bytes());
    let request = Arc::new(PushedRequest {
        client: metadata.client_id.clone(),
        parameters: parameters.to_query(),
        expires_at: visitor.now.checked_add(WAITS_FOR).unwrap_or(Timestamp::MAX),
    });
    let write = provider.store.write(move |tx| {
        let request = Arc::clone(&request);
        async move { Ok::<_, FlowError>(tx.insert_pushed_request(&request, &digest).await?) }
    });
    write.await?;
    Ok(Pushed { request_uri: format!("{PREFIX}{}", token.encode()), expires_in: WAITS_FOR.as_secs() })
}

/// Whether the address is one that was given here.
pub(crate) fn names_pushed(request_uri: &str) -> bool {
    request_uri.starts_with(PREFIX)
}

/// What was pushed under this name, for the visitor's browser.
pub(crate) async fn take(
    provider: &Provider,
    visitor: &Visitor,
    client: &ClientId,
    request_uri: &str,
) -> Result<Option<String>, FlowError> {
    let Some(token) = request_uri.strip_prefix(PREFIX).and_then(Token::parse) else { return Ok(None) };
    let digests: Arc<[Digest]> = digests(&provider.keyring, &token).into();
    let (browser, now, client) = (visitor.browser, visitor.now, Arc::new(client.clone()));
    let write = provider.store.write(move |tx| {
        let (digests, client) = (Arc::clone(&digests), Arc::clone(&client));
        async move { Ok::<_, FlowError>(tx.take_pushed_request(&digests, &client, browser, now).await?) }
    });
    write.await
}

fn digests(keyring: &Keyring, token: &Token) -> Vec<Digest> {
    keyring.mac(KeyPurpose::TokenHash).digests(CONTEXT, token.as_bytes())
}
