//! `POST /sign-out`: what a browser is left with once sessions in it have ended.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::ids::{BrowserId, SessionId};

use crate::context::call::Visit;
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::protocol::front_channel::{self, PostLogoutRedirect};
use crate::sessions::browser_sessions::{active_sessions, sessions_of_browser};
use crate::sessions::end_sessions::end_as;

/// What is left in a browser after a sign-out.
#[derive(Debug)]
pub struct SignOutResult {
    /// Its identifier from now on: journeys of the person who has left do not wait here for the next person.
    pub browser: BrowserId,
    pub remaining: Vec<OpaqueToken>,
    /// For the page that tells applications in this browser, where there are such.
    pub farewell: Option<String>,
}

/// Ends every session of the browser.
#[tracing::instrument(name = "sign_out", skip_all)]
pub async fn everywhere(visit: &Visit) -> Result<SignOutResult, FlowError> {
    let live = active_sessions(visit).await?;
    end_browser_sessions(visit, (live, Vec::new()), None).await
}

/// Ends some of the browser's sessions and keeps the others.
pub(crate) async fn end_browser_sessions(
    visit: &Visit,
    (ending, staying): (Vec<ActiveSession>, Vec<ActiveSession>),
    back: Option<PostLogoutRedirect>,
) -> Result<SignOutResult, FlowError> {
    let stays = |id: SessionId| staying.iter().any(|live| live.session.id == id);
    // Those, too, that ended before without the browser hearing of it: idle, elsewhere, or by the first click of two.
    let here = sessions_of_browser(visit).await?;
    let gone = here.iter().map(|(row, _)| row.session.id).filter(|id| !stays(*id)).collect();
    // The first session is the browser's current one; its account is the actor, for the other sessions as well.
    if let Some(person) = ending.first().map(|live| live.account.id) {
        let sessions = ending.into_iter().map(|live| live.session).collect();
        end_as(visit, person, sessions).await?;
    }
    let browser = BrowserId(visit.random().uuid_v4());
    let farewell = front_channel::seal(visit, (browser, visit.now), gone, back).await?;
    Ok(SignOutResult { browser, remaining: staying.into_iter().map(|live| live.token).collect(), farewell })
}
