//! `GET /authorize` (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): a request becomes a journey, or an error.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::interaction::{Destination, Journey};
use anteroom_domain::subject::could_be;
use anteroom_oidc::authorization::{
    self, AcrRequirement, AuthorizationError, AuthorizationRequest, Parameter, Parameters,
};
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::form::Form;
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_oidc::{ClientId, Subject};

use crate::error::FlowError;
use crate::id_token_hint;
use crate::journey::Carried;
use crate::onward::{Onward, proceed};
use crate::provider::Provider;
use crate::push;
use crate::registered::snapshot_that_knows;
use crate::request_object::{self, ResolveError};
use crate::trail::{Origin, note_refusal};
use crate::visitor::Visitor;
use std::sync::Arc;

#[derive(Debug)]
pub enum AuthorizeOutcome {
    Onward(Onward),
    /// The client or its redirect URI is not known good: a page, never a redirect.
    Refused(AuthorizationError),
}

pub async fn authorize(
    provider: &Provider,
    visitor: &Visitor,
    parameters: &Parameters,
) -> Result<AuthorizeOutcome, FlowError> {
    let id = parameters.client_id();
    let snapshot = match &id {
        Some(id) => snapshot_that_knows(provider, id).await?,
        None => provider.snapshot(),
    };
    let client = id.and_then(|id| snapshot.clients.get(&id)).map(Arc::as_ref);
    let find = |id: &ClientId| snapshot.clients.get(id).map(|client| &client.metadata);
    let checked = match meant(provider, visitor, client, parameters).await? {
        Ok(parameters) => authorization::check(&parameters, &snapshot.capabilities, find),
        Err(error) => Err(error),
    };
    let request = match checked {
        Ok(accepted) => accepted.request,
        Err(error) => return refuse(provider, visitor, parameters, error).await,
    };
    if let AcrRequirement::Essential(classes) = request.acr_requirement()
        && classes.is_empty()
    {
        return Ok(AuthorizeOutcome::Onward(unmet(provider, &request)));
    }
    let (request, insists_on) = match insistence(provider, client, request) {
        Ok(known) => known,
        Err(response) => return Ok(AuthorizeOutcome::Onward(Onward::Application(response))),
    };
    let journey = Journey {
        destination: Destination::Application(Box::new(request)),
        browser: visitor.browser,
        began_at: visitor.now,
        account: None,
        consented_by: None,
        insists_on,
        recovery: None,
    };
    Ok(AuthorizeOutcome::Onward(proceed(provider, visitor, Carried::new(journey)).await?))
}

/// The request as it is meant: as it was pushed (RFC 9126), or with what its request object says.
async fn meant(
    provider: &Provider,
    visitor: &Visitor,
    client: Option<&Client>,
    parameters: &Parameters,
) -> Result<Result<Parameters, AuthorizationError>, FlowError> {
    let Some(client) = client else { return Ok(Ok(parameters.clone())) };
    let metadata = &client.metadata;
    let request_uri = parameters.get(Parameter::RequestUri).filter(|uri| push::names_pushed(uri));
    let refuse = |code, reason| Ok(Err(authorization::refuse(parameters, metadata, code, reason)));
    match request_uri {
        Some(_) if parameters.is_repeated(Parameter::RequestUri) => Ok(Ok(parameters.clone())),
        Some(uri) => {
            let query = push::take(provider, visitor, &metadata.client_id, uri).await?;
            let unknown = "nothing that was pushed here, or not for this client, or not in time";
            query.map_or_else(
                || refuse(AuthorizationErrorCode::InvalidRequestUri, unknown),
                |query| Ok(Ok(pushed(&query))),
            )
        }
        None if metadata.require_pushed_authorization_requests => {
            refuse(AuthorizationErrorCode::InvalidRequest, "a request that was not pushed")
        }
        None => match request_object::resolve(provider, visitor, client, parameters).await {
            Ok(parameters) => Ok(Ok(parameters)),
            Err(ResolveError::Refused(error)) => Ok(Err(error)),
            Err(ResolveError::Flow(FlowError::Limited { .. })) => {
                let often = "request objects were fetched for this network too often";
                refuse(AuthorizationErrorCode::TemporarilyUnavailable, often)
            }
            Err(ResolveError::Flow(error)) => Err(error),
        },
    }
}

/// What stands beside the name of a pushed request does not count (RFC 9126 §4).
fn pushed(query: &str) -> Parameters {
    Form::decode(query.as_bytes()).map(|form| Parameters::from(&form)).unwrap_or_default()
}

/// Whom the request is for, as its client knows them, where it is for one person alone: by an ID token hint (OpenID Connect
/// Core §3.1.2.1) or by `sub` as a claim with a value (§5.5.1). The hint has then served, and does not travel on.
fn insistence(
    provider: &Provider,
    client: Option<&Client>,
    mut request: AuthorizationRequest,
) -> Result<(AuthorizationRequest, Option<Subject>), Box<AuthorizationResponse>> {
    let snapshot = provider.snapshot();
    let refuse = |request: &AuthorizationRequest, code, description| {
        Box::new(request.target().error(&snapshot.issuer, code, description))
    };
    let named = match request.id_token_hint.take() {
        Some(hint) => {
            let claims = id_token_hint::verified(provider, &hint).ok_or_else(|| {
                let code = AuthorizationErrorCode::InvalidRequest;
                refuse(&request, code, "id_token_hint is not an ID token of this provider")
            })?;
            Some(claims.get().sub.as_str().to_owned())
        }
        None => request.required_subject().map(str::to_owned),
    };
    let Some(named) = named else { return Ok((request, None)) };
    match named.parse().ok().filter(|sub| client.is_some_and(|client| could_be(client, sub))) {
        Some(sub) => Ok((request, Some(sub))),
        None => Err(refuse(&request, AuthorizationErrorCode::LoginRequired, "nobody here has that sub")),
    }
}

/// OpenID Connect Core §5.5.1.1: an essential `acr` that nothing here can meet.
fn unmet(provider: &Provider, request: &AuthorizationRequest) -> Onward {
    let code = AuthorizationErrorCode::UnmetAuthenticationRequirements;
    let description = "no authentication context class that was asked for is known here";
    Onward::Application(Box::new(request.target().error(&provider.snapshot().issuer, code, description)))
}

/// A developer's mistake: the operator's log names the parameter, what came and what is registered; the wire gets the
/// standard code. Only a page carries a reference, so only a page is written to the trail.
async fn refuse(
    provider: &Provider,
    visitor: &Visitor,
    parameters: &Parameters,
    error: AuthorizationError,
) -> Result<AuthorizeOutcome, FlowError> {
    let client = parameters.get(Parameter::ClientId);
    tracing::warn!(reference = %visitor.reference, client, "authorization request refused: {error}");
    if let Some(response) = error.response(&provider.snapshot().issuer) {
        return Ok(AuthorizeOutcome::Onward(Onward::Application(Box::new(response))));
    }
    let event = Event::RequestRefused { reason: error.to_string() };
    let entry = Origin::of(visitor, &provider.random).entry(Actor::Anonymous, event);
    note_refusal(provider, entry).await?;
    Ok(AuthorizeOutcome::Refused(error))
}
