//! `POST /sign-out`: what a browser is left with once sessions in it have ended.

use anteroom_crypto::Token;
use anteroom_domain::ids::{BrowserId, SessionId};

use crate::context::call::Visit;
use crate::context::live::Live;
use crate::error::FlowError;
use crate::protocol::front_channel::{self, Back};
use crate::sessions::browser_sessions::{live_sessions, sessions_here};
use crate::sessions::end_sessions::end_by;

/// What is left in a browser after a sign-out.
#[derive(Debug)]
pub struct Left {
    /// Its identifier from now on: journeys of the person who has left do not wait here for the next person.
    pub browser: BrowserId,
    pub remaining: Vec<Token>,
    /// For the page that tells applications in this browser, where there are such.
    pub farewell: Option<String>,
}

/// Ends every session of the browser.
#[tracing::instrument(name = "sign_out", skip_all)]
pub async fn everywhere(visit: &Visit) -> Result<Left, FlowError> {
    let live = live_sessions(visit).await?;
    leave(visit, (live, Vec::new()), None).await
}

/// Ends some of the browser's sessions and keeps the others.
pub(crate) async fn leave(
    visit: &Visit,
    (ending, staying): (Vec<Live>, Vec<Live>),
    back: Option<Back>,
) -> Result<Left, FlowError> {
    let stays = |id: SessionId| staying.iter().any(|live| live.session.id == id);
    // Those, too, that ended before without the browser hearing of it: idle, elsewhere, or by the first click of two.
    let here = sessions_here(visit).await?;
    let gone = here.iter().map(|(row, _)| row.session.id).filter(|id| !stays(*id)).collect();
    // The one at work in the browser comes first, and is the one who signs out, the others too.
    if let Some(person) = ending.first().map(|live| live.account.id) {
        let sessions = ending.into_iter().map(|live| live.session).collect();
        end_by(visit, person, sessions).await?;
    }
    let browser = BrowserId(visit.random().uuid_v4());
    let farewell = front_channel::seal(visit, (browser, visit.now), gone, back).await?;
    Ok(Left { browser, remaining: staying.into_iter().map(|live| live.token).collect(), farewell })
}
