//! `GET /authorize` (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): a request becomes a journey, or an error.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::RequestId;
use anteroom_domain::interaction::{Destination, Interaction, Journey, RequestSource};
use anteroom_domain::pushed_request::TakenRequest;
use anteroom_domain::subject::could_be;
use anteroom_oidc::authorization::{
    self, AcrRequirement, AuthorizationError, AuthorizationRequest, Parameter, Parameters,
};
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::form::Form;
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_oidc::{ClientId, Prompt, Subject};

use crate::answered::{again, answer, id_of_pushed};
use crate::error::FlowError;
use crate::id_token_hint;
use crate::journey::Carried;
use crate::onward::{Onward, proceed};
use crate::provider::Provider;
use crate::push::{self, Taken};
use crate::registered::snapshot_that_knows;
use crate::request_object::{self, ResolveError, Resolved};
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
    let meant = match meant(provider, visitor, client, parameters).await? {
        Ok(Meant::Request(meant)) => meant,
        Ok(Meant::Answered(before)) => {
            return Ok(AuthorizeOutcome::Onward(again(provider, visitor, &before, None)));
        }
        Err(error) => return refuse(provider, visitor, (parameters, &RequestSource::Plain), error).await,
    };
    let request = match authorization::check(&meant.parameters, &snapshot.capabilities, find) {
        Ok(accepted) => accepted.request,
        Err(error) => return refuse(provider, visitor, (parameters, &meant.source), error).await,
    };
    let carried = |request| Carried::new(journey(provider, visitor, request, &meant.source));
    if let AcrRequirement::Essential(classes) = request.acr_requirement()
        && classes.is_empty()
    {
        let response = unmet(provider, &request);
        return Ok(AuthorizeOutcome::Onward(
            answer(provider, visitor, &carried(request), (None, response)).await?,
        ));
    }
    let mut carried = carried(request);
    match insistence(provider, client, &mut carried.journey) {
        Ok(()) => Ok(AuthorizeOutcome::Onward(proceed(provider, visitor, carried).await?)),
        Err(response) => {
            Ok(AuthorizeOutcome::Onward(answer(provider, visitor, &carried, (None, *response)).await?))
        }
    }
}

fn journey(
    provider: &Provider,
    visitor: &Visitor,
    request: AuthorizationRequest,
    source: &RequestSource,
) -> Journey {
    let request_id = match source {
        RequestSource::Pushed { digest, .. } => id_of_pushed(digest),
        RequestSource::Plain | RequestSource::RequestObject { .. } => RequestId(provider.random.uuid_v4()),
    };
    Journey {
        destination: Destination::Application(Box::new(request)),
        browser: visitor.browser,
        began_at: visitor.now,
        account: None,
        consented_by: None,
        insists_on: None,
        recovery: None,
        request_id: Some(request_id),
        source: source.clone(),
    }
}

/// A request as it is meant, and how it came.
struct MeantRequest {
    parameters: Parameters,
    source: RequestSource,
}

enum Meant {
    Request(MeantRequest),
    /// It was pushed and has been answered: the row that says so.
    Answered(Box<Interaction>),
}

/// The request as it is meant: as it was pushed (RFC 9126), or with what its request object says.
async fn meant(
    provider: &Provider,
    visitor: &Visitor,
    client: Option<&Client>,
    parameters: &Parameters,
) -> Result<Result<Meant, AuthorizationError>, FlowError> {
    let plain = || {
        let (parameters, source) = (parameters.clone(), RequestSource::Plain);
        Ok(Ok(Meant::Request(MeantRequest { parameters, source })))
    };
    let Some(client) = client else { return plain() };
    let metadata = &client.metadata;
    let request_uri = parameters.get(Parameter::RequestUri).filter(|uri| push::names_pushed(uri));
    let refuse = |code, reason| Ok(Err(authorization::refuse(parameters, metadata, code, reason)));
    match request_uri {
        Some(_) if parameters.is_repeated(Parameter::RequestUri) => plain(),
        Some(uri) => match push::take(provider, visitor, &metadata.client_id, uri).await? {
            Taken::Request(TakenRequest { digest, parameters, ends_at }) => {
                let source = RequestSource::Pushed { digest, ends_at };
                Ok(Ok(Meant::Request(MeantRequest { parameters: pushed(&parameters), source })))
            }
            Taken::Answered(before) => Ok(Ok(Meant::Answered(before))),
            Taken::Unknown => {
                let unknown = "nothing that was pushed here, or not for this client, or not in time";
                refuse(AuthorizationErrorCode::InvalidRequestUri, unknown)
            }
        },
        None if metadata.require_pushed_authorization_requests => {
            refuse(AuthorizationErrorCode::InvalidRequest, "a request that was not pushed")
        }
        None => match request_object::resolve(provider, visitor, client, parameters).await {
            Ok(Resolved { parameters, expires_at }) => {
                let source = expires_at
                    .map_or(RequestSource::Plain, |expires_at| RequestSource::RequestObject { expires_at });
                Ok(Ok(Meant::Request(MeantRequest { parameters, source })))
            }
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
    journey: &mut Journey,
) -> Result<(), Box<AuthorizationResponse>> {
    let snapshot = provider.snapshot();
    let Destination::Application(request) = &mut journey.destination else { return Ok(()) };
    let refuse = |request: &AuthorizationRequest, code, description| {
        Box::new(request.target().error(&snapshot.issuer, code, description))
    };
    let named = match request.id_token_hint.take() {
        Some(hint) => match id_token_hint::verified(provider, &hint) {
            Some(claims) => Some(claims.get().sub.as_str().to_owned()),
            // Its key may have been withdrawn. A hint that says nothing ends no request, but without a page it cannot be found
            // out whether the person who is signed in is the one that is meant.
            None if request.prompt.contains(Prompt::None) => {
                let unverified = "id_token_hint does not verify as an ID token of this provider";
                return Err(refuse(request, AuthorizationErrorCode::LoginRequired, unverified));
            }
            None => None,
        },
        None => request.required_subject().map(str::to_owned),
    };
    let Some(named) = named else { return Ok(()) };
    let sub: Option<Subject> = named.parse().ok();
    journey.insists_on = sub.filter(|sub| client.is_some_and(|client| could_be(client, sub)));
    match journey.insists_on {
        Some(_) => Ok(()),
        None => Err(refuse(request, AuthorizationErrorCode::LoginRequired, "nobody here has that sub")),
    }
}

/// OpenID Connect Core §5.5.1.1: an essential `acr` that nothing here can meet.
fn unmet(provider: &Provider, request: &AuthorizationRequest) -> AuthorizationResponse {
    let code = AuthorizationErrorCode::UnmetAuthenticationRequirements;
    let description = "no authentication context class that was asked for is known here";
    request.target().error(&provider.snapshot().issuer, code, description)
}

/// A developer's mistake: the operator's log names the parameter, what came and what is registered; the wire gets the
/// standard code. The trail has it too, since the reference of a line of the log is looked up there.
async fn refuse(
    provider: &Provider,
    visitor: &Visitor,
    (parameters, source): (&Parameters, &RequestSource),
    error: AuthorizationError,
) -> Result<AuthorizeOutcome, FlowError> {
    let client = parameters.get(Parameter::ClientId);
    tracing::warn!(reference = %visitor.reference, client, "authorization request refused: {error}");
    let event = Event::RequestRefused { reason: error.to_string() };
    let entry = Origin::of(visitor, &provider.random).entry(Actor::Anonymous, event);
    // Where the error goes back to an application, it is one that is known.
    let known = parameters.client_id().filter(|id| provider.snapshot().clients.get(id).is_some());
    let entry = match &known {
        Some(client) => entry.by_client(client),
        None => entry,
    };
    note_refusal(provider, entry).await?;
    if let Some(response) = error.response(&provider.snapshot().issuer) {
        push::end(provider, visitor, source).await?;
        return Ok(AuthorizeOutcome::Onward(Onward::Application(Box::new(response))));
    }
    Ok(AuthorizeOutcome::Refused(error))
}
