//! Answering an application: with a code, sealed and self-contained, so that a single sign-on writes nothing yet, and with
//! tokens where the response type names them.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::code::AuthorizationCode;
use anteroom_domain::ids::GrantId;
use anteroom_oidc::Prompt;
use anteroom_oidc::authorization::{Ask, AuthorizationRequest, Reply};
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::response::{AuthorizationResponse, Issued, IssuedAccessToken};
use jiff::Timestamp;
use std::sync::Arc;

use crate::context::browser::FetchContext;
use crate::context::call::{Call, Visit};
use crate::context::limits::spend_authorization;
use crate::context::live::ActiveSession;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::protocol::authorization_code;
use crate::protocol::hybrid::{self, HybridGrant, SignedIn};
use crate::protocol::session_state::session_state;

/// An answer that is ready, and has not left: it does once the unit that answers the request is committed.
pub(crate) struct PreparedResponse {
    pub(crate) response: AuthorizationResponse,
    /// That of the tokens in it, for that unit to write.
    pub(crate) grant: Option<Arc<HybridGrant>>,
    /// The `session_state` in it.
    pub(crate) session_state: Option<String>,
}

impl From<AuthorizationResponse> for PreparedResponse {
    fn from(response: AuthorizationResponse) -> Self {
        Self { response, grant: None, session_state: None }
    }
}

/// Answers the request for the person who is signed in.
pub(crate) async fn respond(
    visit: &Visit,
    client: &Client,
    request: &AuthorizationRequest,
    person: SignedIn<'_>,
) -> Result<PreparedResponse, FlowError> {
    let live = person.live;
    let issuer = &visit.snapshot().issuer;
    if spend_authorization(visit, live, client.id()).is_err() {
        let description = "too many requests from this sign-in";
        let code = AuthorizationErrorCode::TemporarilyUnavailable;
        return Ok(request.reply.error(issuer, code, description).into());
    }
    let Reply::Redirect(reply) = &request.reply;
    let kind = reply.response_type;
    let code = if kind.has_code() { Some(code(visit, client, request, live)?) } else { None };
    let tokens = hybrid::issue(visit, client, &request.ask, kind, person, code.as_deref()).await;
    let tokens = match tokens {
        Err(error) if error.is_of_client() => {
            return Ok(not_encrypted(visit, client, &request.reply, &error).await?.into());
        }
        tokens => tokens?,
    };
    let Some((tokens, grant)) = tokens else { return Ok(account_changed(visit, request).into()) };
    touch(visit, live, &request.ask).await?;
    let expires_in = visit.snapshot().policy.tokens.access_token_lifetime;
    let access_token = tokens.access_token.as_deref().map(|token| IssuedAccessToken {
        token,
        expires_in,
        scope: Some(&tokens.scope),
    });
    let session_state = session_state(visit, &request.ask, reply);
    let issued = Issued {
        code: code.as_deref(),
        access_token,
        id_token: tokens.id_token.as_deref(),
        session_state: session_state.as_deref(),
    };
    let response = reply.target().success(issuer, issued);
    Ok(PreparedResponse { response, grant: grant.map(Arc::new), session_state })
}

/// The account has changed while the answer was made, or the session has ended.
pub(crate) fn account_changed(call: &Call, request: &AuthorizationRequest) -> AuthorizationResponse {
    let description = "the person has to sign in again";
    request.reply.error(&call.snapshot().issuer, AuthorizationErrorCode::LoginRequired, description)
}

/// There is nothing to encrypt the answer to. The person can do nothing about it, and a silent frame shows no page: the
/// application, whose keys they are, learns of it, and the operator as well.
async fn not_encrypted(
    visit: &Visit,
    client: &Client,
    reply: &Reply,
    error: &FlowError,
) -> Result<AuthorizationResponse, FlowError> {
    let name = client.id().as_str();
    tracing::warn!(reference = %visit.reference, client = name, "an authorization request is not answered: {error}");
    let event = Event::RequestRefused { reason: error.to_string() };
    let entry = visit.entry(Actor::Client, event);
    note_refusal(visit, entry.by_client(client.id())).await?;
    let (code, description) = match error {
        FlowError::KeysLater { .. } => {
            (AuthorizationErrorCode::TemporarilyUnavailable, "too many keys are being fetched; try again")
        }
        _ => (AuthorizationErrorCode::ServerError, "there is no key of the client to encrypt the answer to"),
    };
    Ok(reply.error(&visit.snapshot().issuer, code, description))
}

fn code(
    visit: &Visit,
    client: &Client,
    request: &AuthorizationRequest,
    live: &ActiveSession,
) -> Result<String, FlowError> {
    let snapshot = visit.snapshot();
    let Reply::Redirect(reply) = &request.reply;
    let ask = &request.ask;
    let lifetime = snapshot.policy.tokens.code_lifetime;
    let code = AuthorizationCode {
        grant: GrantId(visit.new_id()),
        client: client.id().clone(),
        client_version: client.version,
        account: live.account.id,
        epoch: live.account.epoch,
        session: live.session.id,
        scope: ask.scope.clone(),
        claims: ask.claims.clone(),
        resources: ask.resource.clone(),
        nonce: ask.nonce.clone(),
        redirect_uri: reply.redirect_uri_given.then(|| reply.redirect_uri.as_str().to_owned()),
        challenge: reply.code_challenge,
        auth_time: live.session.auth_time,
        acr: live.session.acr,
        amr: live.session.amr.clone(),
        issued_at: visit.now,
        expires_at: visit.now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
    };
    authorization_code::seal(visit, &snapshot.issuer, &code)
}

/// A page of any client could keep the session alive with silent requests or embedded loads. So only an authorization request
/// that the browser opens as a page counts as activity, at most once a minute.
async fn touch(visit: &Visit, live: &ActiveSession, ask: &Ask) -> Result<(), FlowError> {
    let silent = ask.prompt.contains(Prompt::None);
    if silent || visit.browser.loads != FetchContext::Page || !live.session.needs_activity_update(visit.now) {
        return Ok(());
    }
    let (session, now) = (live.session.id, visit.now);
    visit
        .store()
        .write(move |tx| async move { Ok::<_, FlowError>(tx.touch_session(session, now).await?) })
        .await?;
    Ok(())
}
