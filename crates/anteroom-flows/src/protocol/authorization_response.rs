//! Answers an authorization request: with a code, which is sealed and self-contained, so that single sign-on writes nothing
//! before its redemption, and with tokens where the response type names them.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::authorization_code::AuthorizationCode;
use anteroom_domain::client::Client;
use anteroom_domain::ids::GrantId;
use anteroom_oidc::Prompt;
use anteroom_oidc::authorization::{AuthorizationRequest, ResponseDelivery};
use anteroom_oidc::errors::AuthorizationErrorCode;
use anteroom_oidc::response::{AuthorizationResponse, IssuedAccessToken, SuccessParameters};
use std::borrow::Cow;
use std::sync::Arc;

use crate::context::active_session::{ActiveSession, SessionOfEpoch};
use crate::context::browser::FetchContext;
use crate::context::call::Visit;
use crate::context::limits::spend_authorization;
use crate::context::refusals::record_refusal;
use crate::error::FlowError;
use crate::protocol::authorization_code;
use crate::protocol::hybrid::{self, HybridGrant, ResponseParts, SignedIn};
use crate::protocol::session_state::session_state;
use crate::sessions::session_time::TouchSession;

/// An answer that is sent once the unit that answers the request is committed.
pub(crate) struct PreparedResponse {
    pub(crate) response: AuthorizationResponse,
    /// Of the person whose tokens are in it. That unit checks that it is still active.
    pub(crate) session: Option<SessionOfEpoch>,
    /// The grant of the tokens in it, which that unit writes.
    pub(crate) grant: Option<Arc<HybridGrant>>,
    /// Whether that unit writes the person's decision on the consent page.
    pub(crate) keeps_consent: bool,
    /// The `session_state` in it.
    pub(crate) session_state: Option<String>,
}

impl From<AuthorizationResponse> for PreparedResponse {
    fn from(response: AuthorizationResponse) -> Self {
        Self { response, session: None, grant: None, keeps_consent: true, session_state: None }
    }
}

/// Answers the request for the person who is signed in.
pub(crate) async fn respond(
    visit: &Visit,
    client: &Client,
    request: &AuthorizationRequest,
    person: SignedIn<'_>,
) -> Result<PreparedResponse, FlowError> {
    let (live, issuer) = (person.live, &visit.snapshot().issuer);
    if spend_authorization(visit, live, client.id()).is_err() {
        let description = "too many requests from this sign-in";
        let code = AuthorizationErrorCode::TemporarilyUnavailable;
        return Ok(request.reply.error(issuer, code, description).into());
    }
    let AuthorizationRequest { ask, reply } = request;
    let ResponseDelivery::Redirect(redirect) = reply;
    let kind = redirect.response_type;
    let recipient = match hybrid::recipient(visit, client, kind).await {
        Err(error) if error.is_of_client() => {
            return Ok(not_encrypted(visit, client, reply, &error).await?.into());
        }
        recipient => recipient?,
    };
    let visit = &visit.at_present();
    let present;
    let mut person = person;
    if recipient.is_some() {
        // The client's keys may have been fetched. Meanwhile the account can have changed, its groups for instance.
        let account = visit.store().account(live.account.id).await?;
        let Some(account) = account else { return account_changed(visit, client, reply).await };
        present = ActiveSession { account, ..live.clone() };
        person = SignedIn { live: &present, ..person };
    }
    let live = person.live;
    let is_silent = ask.prompt.contains(Prompt::None);
    let session_state = session_state(visit, ask, redirect);
    let code = if kind.has_code() { Some(seal_code(visit, client, request, live)?) } else { None };
    let parts = ResponseParts { kind, code: code.as_deref(), recipient: recipient.as_ref() };
    let Some((tokens, grant)) = hybrid::issue(visit, client, ask, person, parts).await? else {
        return account_changed(visit, client, reply).await;
    };
    touch(visit, live, is_silent).await?;
    let access_token = tokens.access_token.as_ref().map(|access| IssuedAccessToken {
        token: &access.token,
        expires_in: visit.snapshot().policy.tokens.access_token_lifetime,
        scope: Some(&access.scope),
    });
    let issued = SuccessParameters {
        code: code.as_deref(),
        access_token,
        id_token: tokens.id_token.as_deref(),
        session_state: session_state.as_deref(),
    };
    let response = redirect.target().success(issuer, issued);
    let has_tokens = kind.has_token() || kind.has_id_token();
    Ok(PreparedResponse {
        response,
        session: has_tokens.then(|| live.of_epoch()),
        grant: grant.map(Arc::new),
        keeps_consent: true,
        session_state,
    })
}

/// The answer where the account has changed, or the session has ended, while the answer was made. What was decided in that session
/// counts no longer, so no consent is written.
pub(crate) async fn account_changed(
    visit: &Visit,
    client: &Client,
    reply: &ResponseDelivery,
) -> Result<PreparedResponse, FlowError> {
    let reason = "the session ended or the account changed while the response was made";
    tracing::info!(reference = %visit.reference, client = client.id().as_str(), "an authorization request is not answered: {reason}");
    let entry = visit.entry(Actor::Client, Event::RequestRefused { reason: reason.to_owned() });
    record_refusal(visit, entry.by_client(client.id())).await?;
    let description = "the person has to sign in again";
    let response = reply.error(&visit.snapshot().issuer, AuthorizationErrorCode::LoginRequired, description);
    Ok(PreparedResponse { keeps_consent: false, ..response.into() })
}

/// The answer where the client has no key to encrypt it to. The person cannot change that, and a silent frame shows no page, so
/// the client gets an error, and the operator a line in the log and an audit entry.
async fn not_encrypted(
    visit: &Visit,
    client: &Client,
    reply: &ResponseDelivery,
    error: &FlowError,
) -> Result<AuthorizationResponse, FlowError> {
    let name = client.id().as_str();
    tracing::warn!(reference = %visit.reference, client = name, "an authorization request is not answered: {error}");
    let event = Event::RequestRefused { reason: error.to_string() };
    let entry = visit.entry(Actor::Client, event);
    record_refusal(visit, entry.by_client(client.id())).await?;
    let (code, description) = match error {
        FlowError::ClientKeysNotFetched { .. } => {
            (AuthorizationErrorCode::TemporarilyUnavailable, "too many keys are being fetched; try again")
        }
        _ => (AuthorizationErrorCode::ServerError, "there is no key of the client to encrypt the answer to"),
    };
    Ok(reply.error(&visit.snapshot().issuer, code, description))
}

fn seal_code(
    visit: &Visit,
    client: &Client,
    request: &AuthorizationRequest,
    live: &ActiveSession,
) -> Result<String, FlowError> {
    let AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(redirect) } = request;
    let snapshot = visit.snapshot();
    let code = AuthorizationCode {
        grant: GrantId(visit.new_id()),
        client: Cow::Borrowed(&ask.client_id),
        client_version: client.version,
        account: live.account.id,
        epoch: live.account.epoch,
        session: live.session.id,
        scope: Cow::Borrowed(&ask.scope),
        claims: ask.claims.as_ref().map(Cow::Borrowed),
        resources: Cow::Borrowed(&ask.resource),
        nonce: ask.nonce.as_ref().map(Cow::Borrowed),
        redirect_uri: redirect.redirect_uri_given.then(|| redirect.redirect_uri.as_str().to_owned()),
        challenge: redirect.code_challenge,
        auth_time: live.session.auth_time,
        acr: live.session.acr,
        amr: live.session.amr,
        issued_at: visit.now,
        expires_at: visit.after(snapshot.policy.tokens.code_lifetime),
    };
    authorization_code::seal(visit, &snapshot.issuer, &code)
}

/// A page of any client could keep the session alive with silent requests or embedded loads. So only an authorization request
/// that the browser opens as a page counts as activity, at most once a minute.
async fn touch(visit: &Visit, live: &ActiveSession, is_silent: bool) -> Result<(), FlowError> {
    if is_silent
        || visit.browser.fetch_context != FetchContext::Page
        || !live.session.needs_activity_update(visit.now)
    {
        return Ok(());
    }
    visit.store().run(TouchSession { session: live.session.id, now: visit.now }).await.1
}
