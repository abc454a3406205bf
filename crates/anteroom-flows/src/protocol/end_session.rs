//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2, §3).
//!
//! An ID token hint is believed by its signature alone (it may have expired). With one for a session of this browser the
//! session ends at once; without one, or with another account's, the person is asked. Where no one is signed in, a hint can end
//! a session elsewhere ([`LogoutHintEffect`](anteroom_domain::session::HintWorth)). A redirect goes only to an address that the client
//! registered, and carries `state` and nothing else; with another address, or with one of a client that is not known here now,
//! the person is asked, and stays here.

mod other_browser;

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::jwt::{IdTokenHint, VerifiedClaims};
use anteroom_oidc::logout::{EndSessionRequest, post_logout_location};
use anteroom_oidc::{ClientId, RedirectUri};
use std::fmt;
use std::sync::Arc;

use crate::context::call::{Call, Visit};
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::protocol::front_channel::PostLogoutRedirect;
use crate::protocol::id_token_hint;
use crate::protocol::known_client::is_established_client;
use crate::protocol::sign_out::{SignOutResult, end_browser_sessions};
use crate::protocol::subject::{sid as sid_of, subject};
use crate::sessions::browser_sessions::active_sessions;

#[derive(Debug)]
pub enum EndSessionOutcome {
    /// Ask the person, and carry the request through the form.
    Ask(EndSessionQuestion),
    /// Done; back to the application where it registered an address for that.
    SignedOut {
        back: Option<String>,
        left: SignOutResult,
    },
    Refused(LogoutError),
}

#[derive(Debug)]
pub struct EndSessionQuestion {
    pub client: Option<Arc<Client>>,
    /// The accounts that would be signed out; none where the session is not of this browser, which must not learn whose it
    /// is.
    pub accounts: Vec<Account>,
    /// The address to return to is not used: the person stays here.
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
    UnknownClientRedirect { received: String, client: String },
    #[error("nothing was ended: no session of this browser, and {0}")]
    NothingToEnd(NothingToEnd),
}

/// What the request has in the place of a hint for a session that is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToEnd {
    #[error("no id_token_hint")]
    NoHint,
    #[error("an id_token_hint that does not verify, or of a client that is not known")]
    NoGoodHint,
    #[error("an id_token_hint for a session that is not alive")]
    NoSession,
    #[error(
        "an id_token_hint, for a session of another browser, that has expired or is older than the present sign-in there"
    )]
    OldHint,
}

/// The request, and where it may lead back to, checked.
struct CheckedEndSession {
    hint: Option<IdTokenHint>,
    client: Option<Arc<Client>>,
    back: Option<String>,
    /// Why there is an address to return to that is not used.
    stays: Option<LogoutError>,
}

/// What the person answered on the page that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndSessionConfirmation {
    /// The page said that they stay here. A client can register the address while the page is open.
    pub stays: bool,
}

#[tracing::instrument(skip_all)]
pub async fn end_session(
    visit: &Visit,
    request: &EndSessionRequest,
    confirmed: Option<EndSessionConfirmation>,
) -> Result<EndSessionOutcome, FlowError> {
    // The application may have registered with another node a moment ago.
    let hint = request.id_token_hint.as_ref().and_then(|hint| id_token_hint::verified(visit, hint));
    let hint = hint.map(VerifiedClaims::into_inner);
    for client in [hint.as_ref().map(|hint| &hint.aud), request.client_id.as_ref()].into_iter().flatten() {
        visit.refresh_for(client).await?;
    }
    let mut checked = match check(visit, (request, hint)) {
        Ok(checked) => of_known_clients(visit, request, checked).await?,
        Err(error) => return Ok(refused(visit, None, error)),
    };
    if confirmed.is_some_and(|answer| answer.stays) {
        checked.back = None;
    }
    let client = checked.client.clone();
    let (id, stays) = (client.as_ref().map(|client| client.id().as_str()), checked.stays.clone());
    let outcome = ended(visit, (request, checked), confirmed).await?;
    if let EndSessionOutcome::Refused(error) = outcome {
        return Ok(refused(visit, id, error));
    }
    if let Some(error) = stays {
        tracing::warn!(reference = %visit.reference, client = id, "end-session request leads nowhere: {error}");
    }
    Ok(outcome)
}

fn refused(visit: &Visit, client: Option<&str>, error: LogoutError) -> EndSessionOutcome {
    tracing::warn!(reference = %visit.reference, client, "end-session request refused: {error}");
    EndSessionOutcome::Refused(error)
}

async fn ended(
    visit: &Visit,
    (request, checked): (&EndSessionRequest, CheckedEndSession),
    confirmed: Option<EndSessionConfirmation>,
) -> Result<EndSessionOutcome, FlowError> {
    let live = active_sessions(visit).await?;
    if live.is_empty() {
        return other_browser::end(visit, (request, checked), confirmed.is_some()).await;
    }
    let stays = checked.stays.is_some() || confirmed.is_some_and(|answer| answer.stays);
    let named = match (&checked.hint, &checked.client) {
        // A request with an unregistered post_logout_redirect_uri may not come from the client that it names. So no session
        // ends without a confirmation.
        _ if stays => None,
        (Some(hint), Some(client)) => place_of(visit, client, (hint, &live))?,
        (Some(_), None) | (None, _) => None,
    };
    let ending: Vec<ActiveSession> = match named {
        Some(place) => live.get(place).cloned().into_iter().collect(),
        // Without a hint, or with one for a session that is over, the person who is signed in here decides.
        None if confirmed.is_some() => live.clone(),
        None => {
            let accounts = live.into_iter().map(|one| one.account).collect();
            return Ok(EndSessionOutcome::Ask(EndSessionQuestion {
                client: checked.client,
                accounts,
                redirect_refused: stays,
            }));
        }
    };
    let stays = |one: &ActiveSession| !ending.iter().any(|gone| gone.session.id == one.session.id);
    let staying = live.into_iter().filter(stays).collect();
    signed_out(visit, (request, checked), (ending, staying)).await
}

/// Ends these sessions of the browser, and leads back where the application is awaiting the person.
async fn signed_out(
    visit: &Visit,
    (request, checked): (&EndSessionRequest, CheckedEndSession),
    sessions: (Vec<ActiveSession>, Vec<ActiveSession>),
) -> Result<EndSessionOutcome, FlowError> {
    let CheckedEndSession { client, back, .. } = checked;
    let awaited = client.zip(back.clone()).map(|(client, location)| PostLogoutRedirect {
        client: client.id().clone(),
        registered: request.post_logout_redirect_uri.clone(),
        location,
    });
    let left = end_browser_sessions(visit, sessions, awaited).await?;
    Ok(EndSessionOutcome::SignedOut { back, left })
}

/// Which of those signed in here the hint is for: the session it names, else the person, as its client knows them.
fn place_of(
    call: &Call,
    client: &Client,
    (hint, live): (&IdTokenHint, &[ActiveSession]),
) -> Result<Option<usize>, FlowError> {
    if let Some(sid) = &hint.sid {
        return Ok(live.iter().position(|one| *sid == sid_of(call, client, &one.session)));
    }
    for (place, one) in live.iter().enumerate() {
        if subject(call, client, one.account.id)? == hint.sub {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn check(
    call: &Call,
    (request, hint): (&EndSessionRequest, Option<IdTokenHint>),
) -> Result<CheckedEndSession, LogoutError> {
    // A hint whose key or client is gone is ignored rather than refused: then the person is asked, and can still sign out.
    let hint = hint.filter(|hint| call.snapshot().clients.get(&hint.aud).is_some());
    let audience = hint.as_ref().map(|hint| hint.aud.clone());
    if let (Some(audience), Some(given)) = (&audience, &request.client_id)
        && audience != given
    {
        return Err(LogoutError::ClientMismatch { received: shorten(given.as_str()) });
    }
    let client = match request.client_id.as_ref().or(audience.as_ref()) {
        Some(id) => Some(find(call, id)?),
        None => None,
    };
    let back = match (&request.post_logout_redirect_uri, &client) {
        (None, _) => Ok(None),
        // It came with a hint that says no more whose address it is: the person stays here.
        (Some(_), None) if request.id_token_hint.is_some() || request.unreadable_hint => Ok(None),
        (Some(_), None) => Err(LogoutError::RedirectWithoutClient),
        (Some(uri), Some(client)) => registered(client, uri, request).map(Some),
    };
    let (back, stays) = match back {
        Ok(back) => (back, None),
        Err(error) => (None, Some(error)),
    };
    Ok(CheckedEndSession { hint, client, back, stays })
}

fn find(call: &Call, id: &ClientId) -> Result<Arc<Client>, LogoutError> {
    let unknown = || LogoutError::UnknownClient { received: shorten(id.as_str()) };
    call.snapshot().clients.get(id).cloned().ok_or_else(unknown)
}

fn listed(uris: &[RedirectUri]) -> RegisteredUris {
    RegisteredUris(shorten(&uris.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
}

/// What a client has registered, as a line of the log has it.
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
async fn of_known_clients(
    call: &Call,
    request: &EndSessionRequest,
    mut checked: CheckedEndSession,
) -> Result<CheckedEndSession, FlowError> {
    let (Some(client), Some(uri)) = (&checked.client, &request.post_logout_redirect_uri) else {
        return Ok(checked);
    };
    if checked.back.is_some() && !is_established_client(call, client.id()).await? {
        let (received, client) = (shorten(uri), client.id().as_str().to_owned());
        checked.stays = Some(LogoutError::UnknownClientRedirect { received, client });
        checked.back = None;
    }
    Ok(checked)
}

fn registered(client: &Client, uri: &str, request: &EndSessionRequest) -> Result<String, LogoutError> {
    let unregistered = || LogoutError::UnregisteredRedirect {
        received: shorten(uri),
        client: client.id().as_str().to_owned(),
        registered: listed(&client.metadata.post_logout_redirect_uris),
    };
    client.metadata.find_post_logout_redirect_uri(uri).ok_or_else(unregistered)?;
    // As requested: a native app's port is its own.
    let uri = uri.parse().map_err(|_| unregistered())?;
    Ok(post_logout_location(&uri, request.state.as_ref()))
}
