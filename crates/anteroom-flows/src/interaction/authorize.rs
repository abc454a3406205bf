//! `GET /authorize` (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): a request becomes a journey, or an error.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::RequestId;
use anteroom_domain::interaction::{Destination, Interaction, InteractionState, RequestSource};
use anteroom_domain::pushed_request::RetrievedRequest;
use anteroom_domain::subject::is_possible_subject;
use anteroom_oidc::authorization::{
    self, AcrRequirement, AuthorizationError, AuthorizationRequest, ErrorDestination, Parameter, Parameters,
    Reply, RequestObjectFailure, ValidRequest,
};
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::protocol_values::{language_tags, separated_by_commas};
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_oidc::{ClientId, Prompt, Subject};

use crate::context::call::{Call, Visit};
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::answered::{answer, id_of_pushed, pushed_request_finished, repeat_response};
use crate::interaction::error_return::{ErrorReturn, ErrorRoute, ErrorTarget};
use crate::interaction::next::{Next, proceed};
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::pushed_request::{self, PushedRequestLookup};
use crate::protocol::id_token_hint;
use crate::protocol::request_object::{self, ResolveError, Resolved, SentBy};
use std::sync::Arc;

#[derive(Debug)]
pub enum AuthorizeOutcome {
    Next(Next),
    /// An error that goes to the application after the person has confirmed it on a page.
    ErrorReturn(Box<ErrorReturn>),
    /// The client or its redirect URI is not known good: a page, never a redirect.
    Refused(AuthorizationError),
}

#[tracing::instrument(skip_all)]
pub async fn authorize(visit: &Visit, parameters: &Parameters) -> Result<AuthorizeOutcome, FlowError> {
    let id = parameters.client_id();
    if let Some(id) = &id {
        visit.refresh_for(id).await?;
    }
    let client_of_now = || id.as_ref().and_then(|id| visit.snapshot().clients.get(id)).map(Arc::as_ref);
    let client = client_of_now();
    if let Some(client) = client {
        visit.span.is_about(client.id());
    }
    let meant = match effective_request(visit, client, parameters).await? {
        Ok(EffectiveRequestLookup::Request(meant)) => meant,
        Ok(EffectiveRequestLookup::Answered(before)) => {
            let next = match before {
                Some(before) => repeat_response(visit, &before, None),
                None => pushed_request_finished(visit, id.as_ref()),
            };
            return Ok(AuthorizeOutcome::Next(next));
        }
        Err(error) => {
            let refused = RefusedRequest { id: id.as_ref(), parameters, source: &RequestSource::Plain };
            return refuse(visit, refused, error).await;
        }
    };
    // Its request object, or the keys for it, may have had to be fetched.
    if let Some(id) = &id {
        visit.refresh_for(id).await?;
    }
    let (snapshot, client) = (visit.snapshot(), client_of_now());
    let find = |id: &ClientId| snapshot.clients.get(id).map(|client| &client.metadata);
    let request = match authorization::check(&meant.parameters, &snapshot.capabilities, find) {
        Ok(accepted) => {
            note_ignored_scope(visit, &accepted);
            accepted.request
        }
        Err(error) => {
            let EffectiveRequest { parameters, source, .. } = &meant;
            let refused = RefusedRequest { id: id.as_ref(), parameters, source };
            return refuse(visit, refused, error).await;
        }
    };
    let interaction = |request| OpenInteraction::new(journey(visit, request, &meant));
    if let AcrRequirement::Essential(classes) = request.ask.acr_requirement()
        && classes.is_empty()
    {
        let response = unmet_acr(visit, &request);
        return answer_with_error(visit, &interaction(request), response).await;
    }
    let mut interaction = interaction(request);
    match require_subject(visit, client, &mut interaction.state) {
        Ok(()) => Ok(AuthorizeOutcome::Next(proceed(visit, interaction).await?)),
        Err(response) => answer_with_error(visit, &interaction, *response).await,
    }
}

/// The answer to a well-formed request that no account can satisfy.
async fn answer_with_error(
    visit: &Visit,
    interaction: &OpenInteraction,
    response: AuthorizationResponse,
) -> Result<AuthorizeOutcome, FlowError> {
    let next = answer(visit, interaction, None, response.into()).await?;
    let (response, request) = match (next, interaction.state.request()) {
        (Next::Application(response), Some(request)) => (response, request),
        (elsewhere, _) => return Ok(AuthorizeOutcome::Next(elsewhere)),
    };
    let Reply::Redirect(reply) = &request.reply;
    let (client, silent) = (Some(&request.ask.client_id), request.ask.prompt.contains(Prompt::None));
    let ui_locales = request.ask.ui_locales.clone();
    let target = ErrorTarget { client, silent, ui_locales, target: &reply.target() };
    return_error(visit, target, *response).await
}

async fn return_error(
    visit: &Visit,
    target: ErrorTarget<'_>,
    response: AuthorizationResponse,
) -> Result<AuthorizeOutcome, FlowError> {
    Ok(match target.route(visit, response).await? {
        ErrorRoute::Page(waits) => AuthorizeOutcome::ErrorReturn(Box::new(waits)),
        ErrorRoute::Application(response) => AuthorizeOutcome::Next(Next::Application(Box::new(response))),
    })
}

fn journey(
    visit: &Visit,
    request: AuthorizationRequest,
    EffectiveRequest { source, signed, .. }: &EffectiveRequest,
) -> InteractionState {
    let request_id = match source {
        RequestSource::Pushed { digest, .. } => id_of_pushed(digest),
        RequestSource::Plain | RequestSource::RequestObject { .. } => RequestId(visit.random().uuid_v4()),
    };
    let destination = Destination::Application(Box::new(request));
    InteractionState {
        request_id: Some(request_id),
        source: source.clone(),
        signed: *signed,
        ..InteractionState::new(destination, visit.browser.id, visit.now)
    }
}

/// A request as it is meant, and how it came.
struct EffectiveRequest {
    parameters: Parameters,
    source: RequestSource,
    /// All of it was in a signed request object.
    signed: bool,
}

enum EffectiveRequestLookup {
    Request(EffectiveRequest),
    /// It was pushed and has been answered: the row that says so.
    Answered(Option<Box<Interaction>>),
}

/// The request as it is meant: as it was pushed (RFC 9126), or with what its request object says.
async fn effective_request(
    visit: &Visit,
    client: Option<&Client>,
    parameters: &Parameters,
) -> Result<Result<EffectiveRequestLookup, AuthorizationError>, FlowError> {
    let plain = || {
        let (parameters, source) = (parameters.clone(), RequestSource::Plain);
        Ok(Ok(EffectiveRequestLookup::Request(EffectiveRequest { parameters, source, signed: false })))
    };
    let Some(client) = client else { return plain() };
    let metadata = &client.metadata;
    let request_uri =
        parameters.get(Parameter::RequestUri).filter(|uri| pushed_request::is_pushed_request_uri(uri));
    let refuse = |why, reason| Ok(Err(authorization::refuse(parameters, metadata, why, reason)));
    match request_uri {
        Some(_) if parameters.is_repeated(Parameter::RequestUri) => plain(),
        Some(uri) => match pushed_request::take(visit, &metadata.client_id, uri).await? {
            PushedRequestLookup::Request(RetrievedRequest { digest, parameters, ends_at }) => {
                let source = RequestSource::Pushed { digest, ends_at };
                // What stands beside the name of a pushed request does not count (RFC 9126 §4).
                let (parameters, signed) = pushed_request::stored(&parameters);
                if metadata.require_signed_request_object && !signed {
                    let reason = "what was pushed was in no signed request object";
                    return Ok(Err(authorization::refuse(
                        &parameters,
                        metadata,
                        RequestObjectFailure::NotSigned,
                        reason,
                    )));
                }
                Ok(Ok(EffectiveRequestLookup::Request(EffectiveRequest { parameters, source, signed })))
            }
            PushedRequestLookup::Answered(before) => Ok(Ok(EffectiveRequestLookup::Answered(before))),
            PushedRequestLookup::Unknown => {
                let unknown = "nothing that was pushed here, or not for this client, or not in time";
                refuse(RequestObjectFailure::UnusableUri, unknown)
            }
        },
        None if metadata.require_pushed_authorization_requests => {
            refuse(RequestObjectFailure::NotPushed, "a request that was not pushed")
        }
        None => match request_object::resolve(SentBy::Browser(visit), client, parameters.clone()).await {
            Ok(Resolved { parameters, expires_at, signed }) => {
                let source = expires_at
                    .map_or(RequestSource::Plain, |expires_at| RequestSource::RequestObject { expires_at });
                Ok(Ok(EffectiveRequestLookup::Request(EffectiveRequest { parameters, source, signed })))
            }
            Err(ResolveError::Refused(error)) => Ok(Err(error)),
            Err(ResolveError::Flow(FlowError::Limited { .. })) => {
                let often = "request objects were fetched for this network too often";
                refuse(RequestObjectFailure::FetchedTooOften, often)
            }
            Err(ResolveError::Flow(error)) => Err(error),
        },
    }
}

/// An authorization request can require one `sub`: by an ID token hint (OpenID Connect Core §3.1.2.1), or by the `sub` claim
/// with `value` or `values` (§5.5.1). If both are there, the account must match both. The hint is removed from the stored
/// request once it is verified.
fn require_subject(
    call: &Call,
    client: Option<&Client>,
    state: &mut InteractionState,
) -> Result<(), Box<AuthorizationResponse>> {
    let snapshot = call.snapshot();
    let Destination::Application(request) = &mut state.destination else { return Ok(()) };
    let refuse = |request: &AuthorizationRequest, code, description| {
        Box::new(request.reply.error(&snapshot.issuer, code, description))
    };
    let hinted = match request.ask.id_token_hint.take() {
        Some(hint) => match id_token_hint::verified(call, &hint) {
            Some(claims) => Some(claims.get().sub.as_str().to_owned()),
            // The signing key of an old hint may have been withdrawn, so that a hint which cannot be verified is ignored. With
            // `prompt=none` there is no page on which the person could confirm the account, so the request fails with
            // `login_required`.
            None if request.ask.prompt.contains(Prompt::None) => {
                let unverified = "id_token_hint does not verify as an ID token of this provider";
                return Err(refuse(request, AuthorizationErrorCode::LoginRequired, unverified));
            }
            None => None,
        },
        None => None,
    };
    let named = match (&hinted, request.ask.required_subjects()) {
        (None, None) => return Ok(()),
        (Some(hinted), None) => vec![hinted.as_str()],
        (None, Some(asked)) => asked,
        (Some(hinted), Some(asked)) => asked.into_iter().filter(|sub| sub == hinted).collect(),
    };
    let subs = named.into_iter().filter_map(|sub| sub.parse::<Subject>().ok());
    let mut subs = subs.filter(|sub| client.is_some_and(|client| is_possible_subject(client, sub)));
    let Some(first) = subs.next() else {
        return Err(refuse(request, AuthorizationErrorCode::LoginRequired, "nobody here has that sub"));
    };
    state.also_insists_on = subs.collect();
    state.insists_on = Some(first);
    Ok(())
}

/// OpenID Connect Core §5.5.1.1: an essential `acr` that nothing here can meet.
fn unmet_acr(call: &Call, request: &AuthorizationRequest) -> AuthorizationResponse {
    let code = AuthorizationErrorCode::UnmetAuthenticationRequirements;
    let description = "no authentication context class that was asked for is known here";
    request.reply.error(&call.snapshot().issuer, code, description)
}

/// Ignoring a scope does not fail here: the client fails later, where a claim is missing. So the log names the ignored scope.
fn note_ignored_scope(visit: &Visit, accepted: &ValidRequest<'_>) {
    let ignored = &accepted.ignored_scope;
    if !ignored.is_empty() {
        let has_comma = separated_by_commas(&ignored.to_string());
        let hint = if has_comma { ". Scopes are separated by spaces, not by commas" } else { "" };
        tracing::info!(
            reference = %visit.reference,
            client = accepted.client.client_id.as_str(),
            received = ?shorten(&ignored.to_string()),
            allowed = ?accepted.client.scope.to_string(),
            "scopes were left out of an authorization request: the client may not have them{hint}"
        );
    }
}

/// A request that is refused, as far as it is understood.
struct RefusedRequest<'a> {
    id: Option<&'a ClientId>,
    parameters: &'a Parameters,
    source: &'a RequestSource,
}

/// A developer's mistake: the operator's log and the trail name the parameter, what came and what is registered; the wire
/// gets the standard code.
async fn refuse(
    visit: &Visit,
    RefusedRequest { id, parameters, source }: RefusedRequest<'_>,
    error: AuthorizationError,
) -> Result<AuthorizeOutcome, FlowError> {
    let client = id.map(ClientId::as_str);
    tracing::warn!(reference = %visit.reference, client, "authorization request refused: {error}");
    let event = Event::RequestRefused { reason: error.to_string() };
    let entry = visit.entry(Actor::Anonymous, event);
    // Before the redirect URI is known good, the request may name any client.
    let known = id.filter(|_| error.disposition != ErrorDestination::Page);
    let entry = known.into_iter().fold(entry, AuditEntry::by_client);
    note_refusal(visit, entry).await?;
    let response = error.response(&visit.snapshot().issuer);
    let (ErrorDestination::Redirect(target), Some(response)) = (&error.disposition, response) else {
        return Ok(AuthorizeOutcome::Refused(error));
    };
    pushed_request::end(visit, source).await?;
    let ui_locales = language_tags(parameters.get(Parameter::UiLocales).unwrap_or_default());
    let target = ErrorTarget { client: id, silent: is_silent(parameters), ui_locales, target };
    return_error(visit, target, response).await
}

/// Also where `none` stands beside another value, which is an error: such requests come from hidden frames.
fn is_silent(parameters: &Parameters) -> bool {
    let prompt = parameters.get(Parameter::Prompt).unwrap_or_default();
    prompt.split(' ').any(|value| value == Prompt::None.as_str())
}
