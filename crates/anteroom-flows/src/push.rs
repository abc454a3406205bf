//! `POST /par` (RFC 9126): a client hands in its authorization request itself, and gets a name for it that the browser
//! carries.
//!
//! The request is checked by the rules of the authorization endpoint when it comes in, and again when a browser comes for
//! it: what was good may not be any more. It waits for 90 seconds, so the limit of a client (`pushed_of_client`) is also the
//! most that can wait.

use anteroom_crypto::{Digest, KeyPurpose, Keyring, Token};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::interaction::{Interaction, RequestSource};
use anteroom_domain::limits::{Budget, Limit};
use anteroom_domain::pushed_request::{PushedRequest, TakenRequest, WAITS_FOR};
use anteroom_oidc::ClientId;
use anteroom_oidc::authorization::{self, AuthorizationError, Parameter, Parameters};
use anteroom_oidc::form::Form;
use anteroom_storage::Spent;
use jiff::Timestamp;
use std::sync::Arc;

use crate::answered;
use crate::call::{Call, Visit};
use crate::client_auth::AuthenticatedClient;
use crate::error::FlowError;
use crate::limits::{of_address, of_one, refused};
use crate::request_object::{self, ResolveError, Resolved, SentBy};
use crate::trail::note_refusal;

/// RFC 9126 §2.2 leaves the form to the provider; this is the one it gives as an example.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
const CONTEXT: &str = "pushed request";
/// Stored with a request of which all was in a signed request object. It is no parameter, so that no client can send it, and a node
/// of release 0.1.0 reads over it.
const SIGNED: &str = "&anteroom:signed=";
/// Of what is stored: somewhat more than the rules let a request have.
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
    /// A stranger who knows a public client's name could fill the database in it.
    #[error("a public client may not push requests")]
    PublicClient,
    /// RFC 9126 §2.1.
    #[error("a pushed request has a request_uri in it")]
    RequestUri,
    #[error("the request is too long once it is written down")]
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
    let resolved = request_object::resolve(SentBy::Client(call), client, &parameters).await?;
    let (Resolved { parameters, expires_at, signed }, now) = (resolved, call.now);
    let snapshot = call.snapshot();
    let find = |id: &ClientId| (*id == metadata.client_id).then_some(metadata);
    if let Err(error) = authorization::check(&parameters, &snapshot.capabilities, find) {
        let event = Event::RequestRefused { reason: error.to_string() };
        let entry = call.entry(Actor::Client, event);
        note_refusal(call, entry.by_client(&metadata.client_id)).await?;
        return Err(PushError::Request(error));
    }
    // A request object is good until its `exp`, and as a pushed request no longer.
    let until = now.checked_add(WAITS_FOR).unwrap_or(Timestamp::MAX);
    let until = expires_at.map_or(until, |expires_at| expires_at.min(until));
    let token = call.random().token();
    let digest = call.keyring().mac(KeyPurpose::TokenHash).digest(CONTEXT, token.as_bytes());
    let mut query = parameters.to_compact_query();
    if signed {
        query.push_str(SIGNED);
    }
    if query.len() > LONGEST {
        return Err(PushError::TooLong);
    }
    let request =
        Arc::new(PushedRequest { client: metadata.client_id.clone(), parameters: query, expires_at: until });
    let mut budgets = vec![of_one(call, Limit::PushedOfClient, &metadata.client_id.as_str())];
    budgets.extend(of_address(call, Limit::PushedOfAddress));
    let budgets: Arc<[Budget]> = budgets.into();
    let write = call.store().write(move |tx| {
        let (request, budgets) = (Arc::clone(&request), Arc::clone(&budgets));
        async move {
            let spent = tx.spend(&budgets, now).await?;
            if spent == Spent::Counted {
                tx.insert_pushed_request(&request, &digest).await?;
            }
            Ok::<_, FlowError>(spent)
        }
    });
    if let Spent::Refused { limit, wait } = write.await? {
        return Err(refused(call, limit, wait).into());
    }
    Ok(Pushed {
        request_uri: format!("{PREFIX}{}", token.encode()),
        expires_in: until.duration_since(now).as_secs(),
    })
}

/// What was stored of a pushed request, and whether all of it was in a signed request object.
pub(crate) fn stored(query: &str) -> (Parameters, bool) {
    let (query, signed) = query.strip_suffix(SIGNED).map_or((query, false), |query| (query, true));
    let parameters = Form::decode(query.as_bytes()).map(|form| Parameters::from(&form));
    (parameters.unwrap_or_default(), signed)
}

/// Whether the address is one that was given here.
pub(crate) fn names_pushed(request_uri: &str) -> bool {
    request_uri.starts_with(PREFIX)
}

/// What a browser finds that comes for a pushed request.
pub(crate) enum Taken {
    Request(TakenRequest),
    /// This browser was answered: the row that says so, where there is one.
    Answered(Option<Box<Interaction>>),
    /// Never pushed, for another client, in another browser, or over.
    Unknown,
}

/// What was pushed under this name, for the visitor's browser.
pub(crate) async fn take(visit: &Visit, client: &ClientId, request_uri: &str) -> Result<Taken, FlowError> {
    let Some(token) = request_uri.strip_prefix(PREFIX).and_then(Token::parse) else {
        return Ok(Taken::Unknown);
    };
    let digests: Arc<[Digest]> = digests(visit.keyring(), &token).into();
    let taking = Arc::clone(&digests);
    let (browser, now, client) = (visit.browser.id, visit.now, Arc::new(client.clone()));
    let of_client = Arc::clone(&client);
    let write = visit.store().write(move |tx| {
        let (digests, client) = (Arc::clone(&taking), Arc::clone(&client));
        async move { Ok::<_, FlowError>(tx.take_pushed_request(&digests, &client, browser, now).await?) }
    });
    if let Some(request) = write.await? {
        return Ok(Taken::Request(request));
    }
    for digest in digests.iter() {
        let before = answered::find_by_id(visit, answered::id_of_pushed(digest)).await?;
        if let Some(before) = before.filter(|before| before.journey.browser == browser) {
            return Ok(Taken::Answered(Some(Box::new(before))));
        }
    }
    let is_answered = visit.store().answered_pushed_request(&digests, &of_client, browser).await?;
    Ok(if is_answered { Taken::Answered(None) } else { Taken::Unknown })
}

/// An error is an answer too: a request that was pushed is over with it.
pub(crate) async fn end(visit: &Visit, source: &RequestSource) -> Result<(), FlowError> {
    let RequestSource::Pushed { digest, .. } = source else { return Ok(()) };
    let (digest, now) = (*digest, visit.now);
    let write = visit
        .store()
        .write(move |tx| async move { Ok::<_, FlowError>(tx.end_pushed_request(&digest, now).await?) });
    write.await?;
    Ok(())
}

fn digests(keyring: &Keyring, token: &Token) -> Vec<Digest> {
    keyring.mac(KeyPurpose::TokenHash).digests(CONTEXT, token.as_bytes())
}
