//! End-session requests where no account is signed in in the browser, or from a program of the application: an ID token hint can
//! name a session of another browser. Where nothing was ended, the answer says so, rather than showing a sign-out.

use anteroom_domain::client::Client;
use anteroom_domain::session::{LogoutHintEffect, Session, SessionStatus};
use anteroom_domain::subject::session_of_sid;
use anteroom_oidc::jwt::IdTokenHint;

use super::{CheckedEndSession, EndSessionOutcome, EndSessionQuestion, LogoutError, NothingToEnd, sign_out};
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::protocol::subject::{sid, subject};
use crate::sessions::browser_sessions::sessions_of_browser;
use crate::sessions::end_sessions::end_at_client;

pub(super) async fn end<'a>(
    visit: &Visit,
    checked: CheckedEndSession<'a>,
    confirmed: bool,
) -> Result<EndSessionOutcome<'a>, FlowError> {
    let found = match (&checked.hint, checked.client) {
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
        // A request whose redirect is not registered may not come from the client that it names.
        Some((effect, ..))
            if !confirmed && (effect == LogoutHintEffect::Asks || checked.redirect_refused) =>
        {
            return Ok(EndSessionOutcome::Ask(EndSessionQuestion {
                client: checked.client,
                accounts: Vec::new(),
                redirect_refused: checked.redirect_refused,
            }));
        }
        Some((LogoutHintEffect::Asks | LogoutHintEffect::Ends, session, client)) => {
            end_at_client(visit, session, client.id()).await?;
        }
        Some((LogoutHintEffect::Nothing, ..)) | None => {
            // There is still something to answer where the sessions of this browser have ended already, where the application
            // waits for the redirect, and where the person confirmed and has signed out in another tab in the meantime.
            let is_answered = !checked.redirect_refused
                && (confirmed || checked.location.is_some() || !sessions_of_browser(visit).await?.is_empty());
            if !is_answered {
                let why = if found.is_some() { NothingToEnd::OldHint } else { nothing_to_end(&checked) };
                return Ok(EndSessionOutcome::Refused(LogoutError::NothingToEnd(why)));
            }
        }
    }
    sign_out(visit, checked, Vec::new(), Vec::new()).await
}

const fn nothing_to_end(checked: &CheckedEndSession<'_>) -> NothingToEnd {
    if checked.hint.is_some() {
        NothingToEnd::NoSession
    } else if checked.request.id_token_hint.is_some() || checked.request.unreadable_hint {
        NothingToEnd::NoGoodHint
    } else {
        NothingToEnd::NoHint
    }
}

/// The session that the hint names, where it is active and its account has the `sub` of the hint.
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
    let is_active = session.current_status(&account, policy, visit.now) == SessionStatus::Live;
    let is_theirs = subject(visit, client, account.id)? == hint.sub;
    Ok((is_active && is_theirs).then_some(session))
}
