//! `POST /sign-out`: ends sessions of a browser.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::ids::{BrowserId, SessionId};

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::protocol::front_channel::{AfterSignOut, PostLogoutRedirect, after_sign_out};
use crate::sessions::browser_sessions::{active_sessions, sessions_of_browser};
use crate::sessions::end_sessions::end_as;

/// The state of a browser after a sign-out.
#[derive(Debug)]
pub struct SignOutResult {
    /// The browser's new identifier, so that interactions of the person who signed out do not wait here for the next person.
    pub browser: BrowserId,
    /// Secrets of the sessions that are still active.
    pub remaining: Vec<OpaqueToken>,
    pub next: AfterSignOut,
}

/// Ends every session of the browser.
#[tracing::instrument(name = "sign_out", skip_all)]
pub async fn end_all_of_browser(visit: &Visit) -> Result<SignOutResult, FlowError> {
    let active = active_sessions(visit).await?;
    end_browser_sessions(visit, active, Vec::new(), None).await
}

/// Ends some of the browser's sessions and keeps the others.
pub(crate) async fn end_browser_sessions(
    visit: &Visit,
    ending: Vec<ActiveSession>,
    staying: Vec<ActiveSession>,
    redirect: Option<PostLogoutRedirect<'_>>,
) -> Result<SignOutResult, FlowError> {
    let stays = |id: SessionId| staying.iter().any(|live| live.session.id == id);
    // Also those that have ended before without a request of this browser: by idle time, elsewhere, or by the first of two
    // clicks.
    let here = sessions_of_browser(visit).await?;
    let ended = here.iter().map(|(row, _)| row.session.id).filter(|id| !stays(*id)).collect();
    // The first session is the browser's current one; its account is the actor, for the other sessions as well.
    if let Some(person) = ending.first().map(|live| live.account.id) {
        let sessions = ending.into_iter().map(|live| live.session).collect();
        end_as(visit, person, sessions).await?;
    }
    let browser = BrowserId(visit.random().uuid_v4());
    let next = after_sign_out(visit, browser, ended, redirect).await?;
    Ok(SignOutResult { browser, remaining: staying.into_iter().map(|live| live.token).collect(), next })
}
