//! The end-session endpoint in a browser in which no one is signed in, or asked by a program of the application: an ID token
//! hint can name a session of another browser. A request that ends nothing gets an answer that says so, and not a page that
//! claims a sign-out.

use anteroom_domain::client::Client;
use anteroom_domain::session::{LogoutHintEffect, Session, SessionStatus};
use anteroom_domain::subject::session_of_sid;
use anteroom_oidc::jwt::IdTokenHint;
use anteroom_oidc::logout::EndSessionRequest;

use super::{
    CheckedEndSession, EndSessionOutcome, EndSessionQuestion, LogoutError, NothingToEnd, signed_out,
};
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::protocol::subject::{sid, subject};
use crate::sessions::browser_sessions::sessions_of_browser;
use crate::sessions::end_sessions::end_at_client;

pub(super) async fn end(
    visit: &Visit,
    (request, checked): (&EndSessionRequest, CheckedEndSession),
    confirmed: bool,
) -> Result<EndSessionOutcome, FlowError> {
    let found = match (&checked.hint, &checked.client) {
        (Some(hint), Some(client)) => {
            let session = session_of(visit, client, hint).await?;
            session.map(|session| {
                let effect = session.logout_hint_effect(hint.iat, hint.exp, visit.browser.id, visit.now);
                (effect, session, client)
            })
        }
        (Some(_), None) | (None, _) => None,
    };
    match found {
        // With an address that is not the client's own, the application may not be what it says.
        Some((worth, ..)) if !confirmed && (worth == LogoutHintEffect::Asks || checked.stays.is_some()) => {
            let stays = checked.stays.is_some();
            return Ok(EndSessionOutcome::Ask(EndSessionQuestion {
                client: checked.client,
                accounts: Vec::new(),
                redirect_refused: stays,
            }));
        }
        Some((LogoutHintEffect::Asks | LogoutHintEffect::Ends, session, client)) => {
            end_at_client(visit, session, client.id()).await?;
        }
        Some((LogoutHintEffect::Nothing, ..)) | None => {
            if let Some(error) = &checked.stays {
                return Ok(EndSessionOutcome::Refused(error.clone()));
            }
            // A session of this browser that is over needs no end, an application that waits gets its person back, and a
            // person who answered the question signed out meanwhile, in another tab.
            let is_awaited = confirmed || checked.back.is_some();
            if !is_awaited && sessions_of_browser(visit).await?.is_empty() {
                let why = if found.is_some() { NothingToEnd::OldHint } else { nothing(request, &checked) };
                return Ok(EndSessionOutcome::Refused(LogoutError::NothingToEnd(why)));
            }
        }
    }
    signed_out(visit, (request, checked), (Vec::new(), Vec::new())).await
}

const fn nothing(request: &EndSessionRequest, checked: &CheckedEndSession) -> NothingToEnd {
    if checked.hint.is_some() {
        NothingToEnd::NoSession
    } else if request.id_token_hint.is_some() || request.unreadable_hint {
        NothingToEnd::NoGoodHint
    } else {
        NothingToEnd::NoHint
    }
}

/// The session that the hint names, where it is alive and of the person whom the hint names.
async fn session_of(
    visit: &Visit,
    client: &Client,
    hint: &IdTokenHint,
) -> Result<Option<Session>, FlowError> {
    let Some(named) = &hint.sid else { return Ok(None) };
    let Some(id) = session_of_sid(visit.keyring(), client, named) else { return Ok(None) };
    let Some(session) = visit.store().session(id).await? else { return Ok(None) };
    if *named != sid(visit, client, &session) {
        return Ok(None);
    }
    let Some(account) = visit.store().account(session.account).await? else { return Ok(None) };
    let policy = visit.snapshot().policy.session;
    let is_alive = session.current_status(&account, policy, visit.now) == SessionStatus::Live;
    let is_theirs = subject(visit, client, account.id)? == hint.sub;
    Ok((is_alive && is_theirs).then_some(session))
}
