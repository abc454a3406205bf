//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2, §3).
//!
//! An ID token hint needs a valid signature and may have expired. A hint for a session of this browser ends the session at once;
//! without a hint, or with one of another account, the person is asked. Where no account is signed in, a hint can end a session
//! of another browser ([`LogoutHintEffect`](anteroom_domain::session::LogoutHintEffect)). The redirect goes only to an address
//! that the client registered, with `state` and no other parameter. Where the address is not registered, or its client is not
//! established, the person is asked, and is not redirected.

mod other_browser;

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::ids::SessionId;
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::jwt::{IdTokenHint, VerifiedClaims};
use anteroom_oidc::logout::{EndSessionRequest, post_logout_location};
use anteroom_oidc::{ClientId, RedirectUri};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::protocol::established_client::is_established_client;
use crate::protocol::front_channel::PostLogoutRedirect;
use crate::protocol::id_token_hint;
use crate::protocol::sign_out::{SignOutResult, end_browser_sessions};
use crate::protocol::subject::{sid as sid_of, subject};
use crate::sessions::browser_sessions::active_sessions;

#[derive(Debug)]
pub enum EndSessionOutcome<'a> {
    /// The person is asked; the form of that page carries the request.
    Ask(EndSessionQuestion<'a>),
    SignedOut(SignOutResult),
    Refused(LogoutError),
}

#[derive(Debug)]
pub struct EndSessionQuestion<'a> {
    pub client: Option<&'a Client>,
    /// The accounts that would be signed out. Empty where the session is in another browser, because this one must not learn
    /// whose it is.
    pub accounts: Vec<Account>,
    /// The `post_logout_redirect_uri` is not used, and the person is told so.
    pub redirect_refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutError {
    #[error("client_id {received:?} is not the audience of id_token_hint")]
    ClientMismatch { received: String },
    #[error("client_id {received:?} is not registered")]
    UnknownClient { received: String },
    #[error("post_logout_redirect_uri {received:?} is not registered for {client:?}, which has {registered}")]
    UnregisteredRedirect { received: String, client: String, registered: RegisteredUris },
    #[error(
        "post_logout_redirect_uri without id_token_hint or client_id: it is not known whose address it is; send client_id with it"
    )]
    RedirectWithoutClient,
    #[error(
        "post_logout_redirect_uri {received:?} of {client:?}, which registered itself: no account has consented to that client as \
         it is registered now"
    )]
    UnestablishedClientRedirect { received: String, client: String },
    #[error("nothing was ended: no session of this browser, and {0}")]
    NothingToEnd(NothingToEnd),
}

/// What the request has instead of a hint for an active session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToEnd {
    #[error("no id_token_hint")]
    NoHint,
    #[error("an id_token_hint that does not verify, or of a client that is not known")]
    NoGoodHint,
    #[error("an id_token_hint for a session that is not active")]
    NoSession,
    #[error(
        "an id_token_hint, for a session of another browser, that has expired or is older than the present sign-in there"
    )]
    OldHint,
}

/// A request whose client and redirect are checked.
struct CheckedEndSession<'a> {
    request: &'a EndSessionRequest,
    hint: Option<IdTokenHint>,
    client: Option<&'a Client>,
    /// Where the person is redirected afterwards.
    location: Option<String>,
    /// The request has a `post_logout_redirect_uri` that is not used.
    redirect_refused: bool,
}

/// The person's answer to the question whether to sign out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndSessionConfirmation {
    /// The page said that there is no redirect. The client may have registered the address since the page was shown.
    pub no_redirect: bool,
}

#[tracing::instrument(skip_all)]
pub async fn end_session<'a>(
    visit: &'a Visit,
    request: &'a EndSessionRequest,
    confirmed: Option<EndSessionConfirmation>,
) -> Result<EndSessionOutcome<'a>, FlowError> {
    // The application may have registered with another node a moment ago.
    let hint = request.id_token_hint.as_ref().and_then(|hint| id_token_hint::verified(visit, hint));
    let hint = hint.map(VerifiedClaims::into_inner);
    for client in [hint.as_ref().map(|hint| &hint.aud), request.client_id.as_ref()].into_iter().flatten() {
        visit.refresh_for(client).await?;
    }
    let (mut checked, redirect_error) = match check(visit, request, hint) {
        Ok(RedirectCheck { request, redirect_error: None }) => {
            only_of_established_clients(visit, request).await?
        }
        Ok(RedirectCheck { request, redirect_error }) => (request, redirect_error),
        Err(error) => return Ok(refused(visit, None, error)),
    };
    checked.redirect_refused = redirect_error.is_some();
    if confirmed.is_some_and(|answer| answer.no_redirect) {
        checked.location = None;
    }
    let client = checked.client.map(|client| client.id().as_str());
    match (end_or_ask(visit, checked, confirmed).await?, redirect_error) {
        // Where nothing was ended, the refused redirect is what the application has to mend.
        (EndSessionOutcome::Refused(error), redirect_error) => {
            Ok(refused(visit, client, redirect_error.unwrap_or(error)))
        }
        (outcome, Some(error)) => {
            tracing::warn!(reference = %visit.reference, client, "end-session request without redirect: {error}");
            Ok(outcome)
        }
        (outcome, None) => Ok(outcome),
    }
}

fn refused<'a>(visit: &Visit, client: Option<&str>, error: LogoutError) -> EndSessionOutcome<'a> {
    tracing::warn!(reference = %visit.reference, client, "end-session request refused: {error}");
    EndSessionOutcome::Refused(error)
}

async fn end_or_ask<'a>(
    visit: &Visit,
    checked: CheckedEndSession<'a>,
    confirmed: Option<EndSessionConfirmation>,
) -> Result<EndSessionOutcome<'a>, FlowError> {
    let active = active_sessions(visit).await?;
    if active.is_empty() {
        return other_browser::end(visit, checked, confirmed.is_some()).await;
    }
    let no_redirect = checked.redirect_refused || confirmed.is_some_and(|answer| answer.no_redirect);
    let named = match (&checked.hint, checked.client) {
        // A request with an unregistered post_logout_redirect_uri may not come from the client that it names. So no session
        // ends without a confirmation.
        _ if no_redirect => None,
        (Some(hint), Some(client)) => session_of_hint(visit, client, hint, &active)?,
        (Some(_), None) | (None, _) => None,
    };
    // Without a hint, or with one for a session that has ended, the person who is signed in here decides.
    if named.is_none() && confirmed.is_none() {
        return Ok(EndSessionOutcome::Ask(EndSessionQuestion {
            client: checked.client,
            accounts: active.into_iter().map(|one| one.account).collect(),
            redirect_refused: no_redirect,
        }));
    }
    let ends = |one: &ActiveSession| named.is_none_or(|named| one.session.id == named);
    let (ending, staying) = active.into_iter().partition(ends);
    sign_out(visit, checked, ending, staying).await
}

/// Ends these sessions of the browser, and redirects to the application where it registered an address for that.
async fn sign_out<'a>(
    visit: &Visit,
    checked: CheckedEndSession<'a>,
    ending: Vec<ActiveSession>,
    staying: Vec<ActiveSession>,
) -> Result<EndSessionOutcome<'a>, FlowError> {
    let CheckedEndSession { request, client, location, .. } = checked;
    let redirect = client.zip(location).map(|(client, location)| PostLogoutRedirect {
        client: Cow::Borrowed(client.id()),
        registered: request.post_logout_redirect_uri.as_deref().map(Cow::Borrowed),
        location,
    });
    Ok(EndSessionOutcome::SignedOut(end_browser_sessions(visit, ending, staying, redirect).await?))
}

/// The active session that the hint is for: the one that it names, else the one of its person, by the client's `sub`.
fn session_of_hint(
    call: &Call,
    client: &Client,
    hint: &IdTokenHint,
    active: &[ActiveSession],
) -> Result<Option<SessionId>, FlowError> {
    if let Some(sid) = &hint.sid {
        let named = active.iter().find(|one| *sid == sid_of(call, client, &one.session));
        return Ok(named.map(|one| one.session.id));
    }
    for one in active {
        if subject(call, client, one.account.id)? == hint.sub {
            return Ok(Some(one.session.id));
        }
    }
    Ok(None)
}

/// A request that can be answered, and why its redirect is not used.
struct RedirectCheck<'a> {
    request: CheckedEndSession<'a>,
    redirect_error: Option<LogoutError>,
}

fn check<'a>(
    call: &'a Call,
    request: &'a EndSessionRequest,
    hint: Option<IdTokenHint>,
) -> Result<RedirectCheck<'a>, LogoutError> {
    // A hint whose key or client is gone is ignored rather than refused: then the person is asked, and can still sign out.
    let hint = hint.filter(|hint| call.snapshot().clients.get(&hint.aud).is_some());
    let audience = hint.as_ref().map(|hint| &hint.aud);
    if let (Some(audience), Some(given)) = (audience, &request.client_id)
        && audience != given
    {
        return Err(LogoutError::ClientMismatch { received: shorten(given.as_str()) });
    }
    let client = match request.client_id.as_ref().or(audience) {
        Some(id) => Some(find(call, id)?),
        None => None,
    };
    let location = match (&request.post_logout_redirect_uri, client) {
        (None, _) => Ok(None),
        // The hint does not show any more whose address it is, so there is no redirect.
        (Some(_), None) if request.id_token_hint.is_some() || request.unreadable_hint => Ok(None),
        (Some(_), None) => Err(LogoutError::RedirectWithoutClient),
        (Some(uri), Some(client)) => registered(client, uri, request).map(Some),
    };
    let (location, redirect_error) = match location {
        Ok(location) => (location, None),
        Err(error) => (None, Some(error)),
    };
    let request = CheckedEndSession { request, hint, client, location, redirect_refused: false };
    Ok(RedirectCheck { request, redirect_error })
}

fn find<'a>(call: &'a Call, id: &ClientId) -> Result<&'a Client, LogoutError> {
    let unknown = || LogoutError::UnknownClient { received: shorten(id.as_str()) };
    call.snapshot().clients.get(id).map(Arc::as_ref).ok_or_else(unknown)
}

fn listed(uris: &[RedirectUri]) -> RegisteredUris {
    RegisteredUris(shorten(&uris.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
}

/// The addresses that a client has registered, shortened for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredUris(String);

impl fmt::Display for RegisteredUris {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { write!(f, "{:?}", self.0) }
    }
}

/// A self-registered client can register any address, which would make this endpoint an open redirector (RFC 9700 §4.11.2). So
/// its `post_logout_redirect_uri` is used only while some account has consented to the client. An ID token hint does not
/// replace that: the account's consent may have been deleted since.
async fn only_of_established_clients<'a>(
    call: &Call,
    mut checked: CheckedEndSession<'a>,
) -> Result<(CheckedEndSession<'a>, Option<LogoutError>), FlowError> {
    let (Some(client), Some(uri), Some(_)) =
        (checked.client, &checked.request.post_logout_redirect_uri, &checked.location)
    else {
        return Ok((checked, None));
    };
    if is_established_client(call, client.id()).await? {
        return Ok((checked, None));
    }
    checked.location = None;
    let (received, client) = (shorten(uri), client.id().as_str().to_owned());
    Ok((checked, Some(LogoutError::UnestablishedClientRedirect { received, client })))
}

fn registered(client: &Client, uri: &str, request: &EndSessionRequest) -> Result<String, LogoutError> {
    let unregistered = || LogoutError::UnregisteredRedirect {
        received: shorten(uri),
        client: client.id().as_str().to_owned(),
        registered: listed(&client.metadata.post_logout_redirect_uris),
    };
    client.metadata.find_post_logout_redirect_uri(uri).ok_or_else(unregistered)?;
    // As requested, because a native application chooses its port at run time.
    let uri = uri.parse().map_err(|_| unregistered())?;
    Ok(post_logout_location(&uri, request.state.as_ref()))
}
