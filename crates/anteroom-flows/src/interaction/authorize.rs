//! `GET /authorize` (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): a request begins an interaction, or gets an error.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::RequestId;
use anteroom_domain::interaction::{Destination, Interaction, InteractionState, RequestSource};
use anteroom_domain::pushed_request::RetrievedRequest;
use anteroom_domain::subject::is_possible_subject;
use anteroom_oidc::authorization::{
    self, AcrRequirement, AuthorizationError, AuthorizationRequest, EarlyRefusal, ErrorDestination,
    Parameter, Parameters, ResponseDelivery, ValidRequest,
};
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::protocol_values::{contains_comma, language_tags};
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_oidc::{ClientId, Prompt, Subject};

use crate::context::call::{Call, Visit};
use crate::context::refusals::record_refusal;
use crate::error::FlowError;
use crate::interaction::answered::{id_of_pushed, pushed_request_finished, repeat_response, respond};
use crate::interaction::error_return::{ErrorReturn, ErrorRoute, ErrorTarget};
use crate::interaction::next::{Next, proceed};
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::pushed_request::{self, PushedRequestLookup};
use crate::protocol::id_token_hint;
use crate::protocol::request_object::{self, ResolveError, Resolved, SentBy};
use std::borrow::Cow;
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
    let client = present_client(visit, id.as_ref()).await?;
    if let Some(client) = client {
        visit.span.set_client(client.id());
    }
    let effective = effective_request(visit, client, parameters).await?;
    // The request object, or the keys for it, may have had to be fetched. A session may have reached its limit in the meantime,
    // the client may have changed, and the page that the person gets now must not expire too early. So the interaction begins at
    // the present time.
    let visit = &visit.at_present();
    let client = present_client(visit, id.as_ref()).await?;
    let EffectiveRequest { parameters, source, signed } = match effective {
        Ok(EffectiveRequestLookup::Request(request)) => request,
        Ok(EffectiveRequestLookup::Answered(before)) => {
            let next = match before {
                Some(before) => repeat_response(visit, &before, None),
                None => pushed_request_finished(visit, id.as_ref()),
            };
            return Ok(AuthorizeOutcome::Next(next));
        }
        Err(error) => {
            let refused = RefusedRequest { id: id.as_ref(), parameters, source: &RequestSource::Plain };
            return refuse(visit, refused, recheck_error_redirect(error, client)).await;
        }
    };
    let snapshot = visit.snapshot();
    let find = |id: &ClientId| snapshot.clients.get(id).map(|client| &client.metadata);
    let request = match authorization::check(&parameters, &snapshot.capabilities, find) {
        Ok(accepted) => {
            log_ignored_scope(visit, &accepted);
            accepted.request
        }
        Err(error) => {
            let refused = RefusedRequest { id: id.as_ref(), parameters: &parameters, source: &source };
            return refuse(visit, refused, error).await;
        }
    };
    begin(visit, client, InteractionState { signed, ..state_of(visit, request, source) }).await
}

/// The client as it is registered now.
async fn present_client<'a>(
    visit: &'a Visit,
    id: Option<&ClientId>,
) -> Result<Option<&'a Client>, FlowError> {
    let Some(id) = id else { return Ok(None) };
    visit.refresh_for(id).await?;
    Ok(visit.snapshot().clients.get(id).map(Arc::as_ref))
}

/// An error that was found before a wait. It is redirected only if the client is still registered with that redirect URI.
fn recheck_error_redirect(error: AuthorizationError, client: Option<&Client>) -> AuthorizationError {
    let ErrorDestination::Redirect(target) = &error.destination else { return error };
    let redirect_uri = target.redirect_uri.as_str();
    let parameter = match client {
        None => Parameter::ClientId,
        Some(client) if client.metadata.find_redirect_uri(redirect_uri).is_none() => Parameter::RedirectUri,
        Some(_) => return error,
    };
    AuthorizationError { parameter, destination: ErrorDestination::Page, ..error }
}

fn state_of(visit: &Visit, request: AuthorizationRequest, source: RequestSource) -> InteractionState {
    let request_id = match &source {
        RequestSource::Pushed { digest, .. } => id_of_pushed(digest),
        RequestSource::Plain | RequestSource::RequestObject { .. } => RequestId(visit.random().uuid_v4()),
    };
    let destination = Destination::Application(Box::new(request));
    InteractionState {
        request_id: Some(request_id),
        source,
        ..InteractionState::new(destination, visit.browser.id, visit.now)
    }
}

/// The first step of the interaction, or an error if no account can satisfy the request.
async fn begin(
    visit: &Visit,
    client: Option<&Client>,
    mut state: InteractionState,
) -> Result<AuthorizeOutcome, FlowError> {
    let error = match state.request().and_then(|request| unmet_acr(visit, request)) {
        Some(error) => Some(error),
        None => require_subject(visit, client, &mut state).err().map(|error| *error),
    };
    let interaction = OpenInteraction::new(state);
    match error {
        Some(error) => answer_with_error(visit, &interaction, error).await,
        None => Ok(AuthorizeOutcome::Next(proceed(visit, interaction).await?)),
    }
}

/// The answer to a well-formed request that no account can satisfy.
async fn answer_with_error(
    visit: &Visit,
    interaction: &OpenInteraction,
    response: AuthorizationResponse,
) -> Result<AuthorizeOutcome, FlowError> {
    let next = respond(visit, interaction, None, response.into()).await?;
    let (response, request) = match (next, interaction.state.request()) {
        (Next::Application(response), Some(request)) => (response, request),
        (elsewhere, _) => return Ok(AuthorizeOutcome::Next(elsewhere)),
    };
    let (ResponseDelivery::Redirect(reply), ask) = (&request.reply, &request.ask);
    let target = ErrorTarget {
        client: Some(&ask.client_id),
        silent: ask.prompt.contains(Prompt::None),
        ui_locales: ask.ui_locales.clone(),
        target: &reply.target(),
    };
    return_error(visit, target, *response).await
}

async fn return_error(
    visit: &Visit,
    target: ErrorTarget<'_>,
    response: AuthorizationResponse,
) -> Result<AuthorizeOutcome, FlowError> {
    Ok(match target.route(visit, response).await? {
        ErrorRoute::Page(error_return) => AuthorizeOutcome::ErrorReturn(Box::new(error_return)),
        ErrorRoute::Application(response) => AuthorizeOutcome::Next(Next::Application(Box::new(response))),
    })
}

/// A request with the parameters that apply, and how it came.
struct EffectiveRequest<'a> {
    parameters: Cow<'a, Parameters>,
    source: RequestSource,
    /// All of it was in a signed request object.
    signed: bool,
}

enum EffectiveRequestLookup<'a> {
    Request(EffectiveRequest<'a>),
    /// It was pushed and was answered before. The row of that answer, if one was written.
    Answered(Option<Box<Interaction>>),
}

/// The parameters that apply: those that were pushed (RFC 9126), or those of the request object (RFC 9101).
async fn effective_request<'a>(
    visit: &Visit,
    client: Option<&Client>,
    parameters: &'a Parameters,
) -> Result<Result<EffectiveRequestLookup<'a>, AuthorizationError>, FlowError> {
    let plain = || {
        let (parameters, source) = (Cow::Borrowed(parameters), RequestSource::Plain);
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
                // The other parameters beside `request_uri` are ignored (RFC 9126 §4).
                let (parameters, signed) = pushed_request::stored(&parameters);
                if metadata.require_signed_request_object && !signed {
                    let reason = "what was pushed was in no signed request object";
                    return Ok(Err(authorization::refuse(
                        &parameters,
                        metadata,
                        EarlyRefusal::NotSigned,
                        reason,
                    )));
                }
                let parameters = Cow::Owned(parameters);
                Ok(Ok(EffectiveRequestLookup::Request(EffectiveRequest { parameters, source, signed })))
            }
            PushedRequestLookup::Answered(before) => Ok(Ok(EffectiveRequestLookup::Answered(before))),
            PushedRequestLookup::Unknown => {
                let unknown = "nothing that was pushed here, or not for this client, or not in time";
                refuse(EarlyRefusal::UnusableUri, unknown)
            }
        },
        None if metadata.require_pushed_authorization_requests => {
            refuse(EarlyRefusal::NotPushed, "a request that was not pushed")
        }
        None => {
            match request_object::resolve(SentBy::Browser(visit), client, Cow::Borrowed(parameters)).await {
                Ok(Resolved { parameters, expires_at, signed }) => {
                    let source = expires_at.map_or(RequestSource::Plain, |expires_at| {
                        RequestSource::RequestObject { expires_at }
                    });
                    Ok(Ok(EffectiveRequestLookup::Request(EffectiveRequest { parameters, source, signed })))
                }
                Err(ResolveError::Refused(error)) => Ok(Err(error)),
                Err(ResolveError::Flow(FlowError::Limited { .. })) => {
                    let often = "request objects were fetched for this network too often";
                    refuse(EarlyRefusal::FetchedTooOften, often)
                }
                Err(ResolveError::Flow(error)) => Err(error),
            }
        }
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
    let AuthorizationRequest { ask, reply } = &mut **request;
    let login_required = |description| {
        Box::new(reply.error(&snapshot.issuer, AuthorizationErrorCode::LoginRequired, description))
    };
    let hinted = match ask.id_token_hint.take() {
        Some(hint) => match id_token_hint::verified(call, &hint) {
            Some(claims) => Some(claims.get().sub.as_str().to_owned()),
            // The signing key of an old hint may have been withdrawn, so that a hint which cannot be verified is ignored. With
            // `prompt=none` there is no page on which the person could confirm the account, so the request fails with
            // `login_required`.
            None if ask.prompt.contains(Prompt::None) => {
                let unverified = "id_token_hint does not verify as an ID token of this provider";
                return Err(login_required(unverified));
            }
            None => None,
        },
        None => None,
    };
    let named = match (&hinted, ask.required_subjects()) {
        (None, None) => return Ok(()),
        (Some(hinted), None) => vec![hinted.as_str()],
        (None, Some(asked)) => asked,
        (Some(hinted), Some(asked)) => asked.into_iter().filter(|sub| sub == hinted).collect(),
    };
    let subs = named.into_iter().filter_map(|sub| sub.parse::<Subject>().ok());
    let mut subs = subs.filter(|sub| client.is_some_and(|client| is_possible_subject(client, sub)));
    let Some(first) = subs.next() else {
        return Err(login_required("no account here has that sub"));
    };
    state.further_required_subs = subs.collect();
    state.required_sub = Some(first);
    Ok(())
}

/// OpenID Connect Core §5.5.1.1: the error if an essential `acr` names only classes that this provider does not know.
fn unmet_acr(call: &Call, request: &AuthorizationRequest) -> Option<AuthorizationResponse> {
    let AcrRequirement::Essential(classes) = request.ask.acr_requirement() else { return None };
    if !classes.is_empty() {
        return None;
    }
    let code = AuthorizationErrorCode::UnmetAuthenticationRequirements;
    let description = "no authentication context class that was asked for is known here";
    Some(request.reply.error(&call.snapshot().issuer, code, description))
}

/// Ignoring a scope does not fail here: the client fails later, where a claim is missing. So the log names the ignored scope.
fn log_ignored_scope(visit: &Visit, accepted: &ValidRequest<'_>) {
    let ignored = &accepted.ignored_scope;
    if !ignored.is_empty() {
        let has_comma = contains_comma(&ignored.to_string());
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

/// A request that is refused, with the parameters that were read so far.
struct RefusedRequest<'a> {
    id: Option<&'a ClientId>,
    parameters: &'a Parameters,
    source: &'a RequestSource,
}

/// The cause is a mistake of the client's developer, and the response has only a standard code. So the log and the audit trail name the
/// parameter, the received value and the registered one.
async fn refuse(
    visit: &Visit,
    RefusedRequest { id, parameters, source }: RefusedRequest<'_>,
    error: AuthorizationError,
) -> Result<AuthorizeOutcome, FlowError> {
    let client = id.map(ClientId::as_str);
    tracing::warn!(reference = %visit.reference, client, "authorization request refused: {error}");
    let event = Event::RequestRefused { reason: error.to_string() };
    let entry = visit.entry(Actor::Anonymous, event);
    // Until the redirect URI is known to be the client's, anyone may have sent the request in its name.
    let known = id.filter(|_| error.destination != ErrorDestination::Page);
    let entry = known.into_iter().fold(entry, AuditEntry::by_client);
    record_refusal(visit, entry).await?;
    let response = error.response(&visit.snapshot().issuer);
    let (ErrorDestination::Redirect(target), Some(response)) = (&error.destination, response) else {
        return Ok(AuthorizeOutcome::Refused(error));
    };
    pushed_request::end(visit, source).await?;
    let ui_locales = language_tags(parameters.get(Parameter::UiLocales).unwrap_or_default());
    let target = ErrorTarget { client: id, silent: is_silent(parameters), ui_locales, target };
    return_error(visit, target, response).await
}

/// `none` beside another value is an error, and counts as silent too: such requests come from hidden frames.
fn is_silent(parameters: &Parameters) -> bool {
    let prompt = parameters.get(Parameter::Prompt).unwrap_or_default();
    prompt.split(' ').any(|value| value == Prompt::None.as_str())
}
