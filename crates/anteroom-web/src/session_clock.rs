//! The remaining time of a page's session, so that the page's script can warn before the end.

use anteroom_domain::session::{Session, SessionRemaining};
use anteroom_flows::context::call::FormOwner;
use anteroom_pages::SessionTimer;
use jiff::SignedDuration;

use crate::form_token::FormName;
use crate::page_context::PageContext;
use crate::page_token::token_for;

/// Sign-in with the reason for the end of the session.
pub(crate) const IDLE_TIMEOUT_PATH: &str = "/sign-in?ended=idle";
pub(crate) const MAX_AGE_PATH: &str = "/sign-in?ended=limit";

/// The remaining time of the session that the page shows.
pub(crate) fn session_clock(context: &PageContext, session: &Session) -> SessionTimer {
    let policy = context.visit.snapshot().policy.session;
    let SessionRemaining { left, fixed } = session.left(policy, context.visit.now);
    let owner = FormOwner { session: Some(session.id), account: Some(session.account) };
    SessionTimer {
        handle: session.id.to_string(),
        form_token: token_for(context, FormName::Stay, owner),
        sign_out_form_token: token_for(context, FormName::SignOut, owner),
        seconds_left: seconds(left),
        warn_seconds: seconds(policy.warn_before()),
        fixed,
        over_href: if fixed { MAX_AGE_PATH } else { IDLE_TIMEOUT_PATH }.to_owned(),
    }
}

pub(crate) fn seconds(left: SignedDuration) -> u64 {
    u64::try_from(left.as_secs()).unwrap_or(0)
}
