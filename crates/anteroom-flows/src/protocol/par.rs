//! `POST /par` (RFC 9126): a client sends its authorization request itself, and gets a `request_uri` for it that the browser
//! carries.
//!
//! The request is checked by the rules of the authorization endpoint when it is pushed, and again when a browser uses it, because
//! the client's registration may have changed. It is stored for 90 seconds, so the limit of a client (`pushed_of_client`) is also
//! the most that can be stored of it.

use anteroom_crypto::{KeyPurpose, KeyedDigest};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::pushed_request::{PUSHED_REQUEST_LIFETIME, PushedRequest};
use anteroom_oidc::ClientId;
use anteroom_oidc::authorization::{self, AuthorizationError, Parameter, Parameters};
use anteroom_storage::{RateLimitResult, Tx, Unit};
use jiff::Timestamp;
use std::borrow::Cow;

use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::call::Call;
use crate::context::limits::{of_address, of_one, refused};
use crate::context::refusals::record_refusal;
use crate::error::FlowError;
use crate::protocol::request_object::{self, ResolveError, Resolved, SentBy};

/// RFC 9126 §2.2 leaves the form to the provider; this is the form of its example.
pub(crate) const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
pub(crate) const CONTEXT: &str = "pushed request";
/// Stored with a request of which all was in a signed request object. It is not the name of a parameter, so a client cannot
/// send it, and a node of release 0.1.0 ignores it.
pub(crate) const SIGNED: &str = "&anteroom:signed=";
/// Of the stored request, in bytes: somewhat more than the rules accept in a request.
const LONGEST: usize = 20 * 1024;

/// What the client gets.
#[derive(Debug)]
pub struct Pushed {
    pub request_uri: String,
    /// Seconds.
    pub expires_in: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Any sender could fill the database in the name of a public client.
    #[error("a public client may not push requests")]
    PublicClient,
    /// RFC 9126 §2.1.
    #[error("request_uri is not allowed in a pushed request")]
    RequestUri,
    #[error("the request is too long to be stored")]
    TooLong,
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

#[tracing::instrument(name = "push_request", skip_all)]
pub async fn push(
    call: &Call,
    client: &AuthenticatedClient,
    parameters: Parameters,
) -> Result<Pushed, PushError> {
    let client = client.client();
    let metadata = &client.metadata;
    if metadata.is_public() {
        return Err(PushError::PublicClient);
    }
    if parameters.get(Parameter::RequestUri).is_some() {
        return Err(PushError::RequestUri);
    }
    let parameters = parameters.from_client(&metadata.client_id);
    let resolved = request_object::resolve(SentBy::Client(call), client, Cow::Owned(parameters)).await?;
    // The client's keys may have been fetched, for its authentication and for its request object.
    let call = &call.at_present();
    check_as_request(call, client, &resolved.parameters).await?;
    let Resolved { parameters, expires_at, signed } = resolved;
    // A pushed request must not outlive the `exp` of its request object.
    let until = call.after(PUSHED_REQUEST_LIFETIME);
    let until = expires_at.map_or(until, |expires_at| expires_at.min(until));
    let mut query = parameters.to_compact_query();
    if signed {
        query.push_str(SIGNED);
    }
    if query.len() > LONGEST {
        return Err(PushError::TooLong);
    }
    let token = call.random().token();
    let mut checks = vec![of_one(call, Limit::PushedOfClient, &metadata.client_id.as_str())];
    checks.extend(of_address(call, Limit::PushedOfAddress));
    let unit = PushRequest {
        checks,
        request: PushedRequest { client: metadata.client_id.clone(), parameters: query, expires_at: until },
        digest: call.keyring().mac(KeyPurpose::TokenHash).digest(CONTEXT, token.as_bytes()),
        now: call.now,
    };
    if let RateLimitResult::Refused { limit, wait } = call.store().run(unit).await.1? {
        return Err(refused(call, limit, wait).into());
    }
    Ok(Pushed {
        request_uri: format!("{PREFIX}{}", token.encode()),
        expires_in: until.duration_since(call.now).as_secs(),
    })
}

/// Checks the request by the rules of the authorization endpoint.
async fn check_as_request(call: &Call, client: &Client, parameters: &Parameters) -> Result<(), PushError> {
    let metadata = &client.metadata;
    let find = |id: &ClientId| (*id == metadata.client_id).then_some(metadata);
    let Err(error) = authorization::check(parameters, &call.snapshot().capabilities, find) else {
        return Ok(());
    };
    let event = Event::RequestRefused { reason: error.to_string() };
    record_refusal(call, call.entry(Actor::Client, event).by_client(&metadata.client_id)).await?;
    Err(PushError::Request(error))
}

struct PushRequest {
    checks: Vec<RateLimitCheck>,
    request: PushedRequest,
    digest: KeyedDigest,
    now: Timestamp,
}

impl Unit for PushRequest {
    type Output = RateLimitResult;
    type Error = FlowError;

    const NAME: &'static str = "push_request";

    async fn run(&self, tx: &Tx) -> Result<RateLimitResult, FlowError> {
        let spent = tx.spend(&self.checks, self.now).await?;
        if spent == RateLimitResult::Counted {
            tx.insert_pushed_request(&self.request, &self.digest).await?;
        }
        Ok(spent)
    }
}
