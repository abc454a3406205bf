//! How long a session still lasts, for the page that warns before its end, and why it has ended, for the page that says so.

use anteroom_domain::ids::SessionId;
use anteroom_domain::session::{SessionEnd, SessionRemaining};
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::sessions::browser_sessions::{active_sessions, sessions_of_browser};

/// `None` as [`alive`] says. This request counts as no activity.
#[tracing::instrument(name = "session_time", skip_all)]
pub async fn remaining_time(
    visit: &Visit,
    session: SessionId,
) -> Result<Option<SessionRemaining>, FlowError> {
    let found = alive(visit, session).await?;
    Ok(found.map(|live| live.session.left(visit.snapshot().policy.session, visit.now)))
}

/// The person continues the session. It is written at once, because a minute matters near the end.
#[tracing::instrument(name = "keep_session", skip_all)]
pub async fn keep_alive(visit: &Visit, session: SessionId) -> Result<Option<SessionRemaining>, FlowError> {
    let Some(ActiveSession { mut session, .. }) = alive(visit, session).await? else { return Ok(None) };
    let now = visit.now;
    visit.store().run(TouchSession { session: session.id, now }).await.1?;
    session.last_active_at = session.last_active_at.max(now);
    Ok(Some(session.left(visit.snapshot().policy.session, now)))
}

/// Notes that a session is used now.
pub(crate) struct TouchSession {
    pub session: SessionId,
    pub now: Timestamp,
}

impl Unit for TouchSession {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "touch_session";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        tx.touch_session(self.session, self.now).await?;
        Ok(())
    }
}

/// `None`: the session is not active, not this browser's, or requires a new proof of its person. The next person at a browser must
/// neither see a page of a session that was left, when the browser goes back to it, nor prolong that session.
async fn alive(visit: &Visit, session: SessionId) -> Result<Option<ActiveSession>, FlowError> {
    let policy = visit.snapshot().policy.session;
    let mut live = active_sessions(visit).await?.into_iter();
    let found = live.find(|live| live.session.id == session);
    Ok(found.filter(|live| !live.session.requires_reauthentication(policy, visit.now)))
}

/// The limit that ended the current session of this browser, if one did.
pub async fn lapsed(visit: &Visit) -> Result<Option<SessionEnd>, FlowError> {
    let policy = visit.snapshot().policy.session;
    let here = sessions_of_browser(visit).await?;
    Ok(here.first().and_then(|(row, _)| row.session.expiry_reason(policy, visit.now)))
}
