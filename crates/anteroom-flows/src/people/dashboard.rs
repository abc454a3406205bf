//! The dashboard: the tiles a person may use, in the operator's order. Visibility and access are one rule
//! ([`Client::is_entitled`]); a tile that the person may not use is not shown.

use anteroom_domain::account::Account;
use anteroom_domain::client::{Client, Tile};
use anteroom_domain::password::PasswordAge;
use anteroom_domain::session::Session;
use anteroom_oidc::ClientId;
use anteroom_oidc::logout::third_party_login_location;
use std::sync::Arc;

use crate::context::active_session::ActiveSession;
use crate::context::browser::FetchContext;
use crate::context::call::Visit;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::interaction::next::{Next, proceed_with};
use crate::interaction::open_interaction::OpenInteraction;
use crate::sessions::browser_sessions::active_sessions;
use crate::sessions::session_time::TouchSession;

#[derive(Debug)]
pub struct Dashboard<'a> {
    pub account: Account,
    pub session: Session,
    pub tiles: Vec<TileView<'a>>,
    /// Set while the password is close to its end.
    pub password_days_left: Option<u16>,
    /// The other accounts that are signed in in this browser.
    pub others: Vec<Account>,
}

#[derive(Clone, Copy, Debug)]
pub struct TileView<'a> {
    pub client: &'a ClientId,
    pub tile: &'a Tile,
}

/// `None`: no account is signed in.
#[tracing::instrument(skip_all)]
pub async fn dashboard(visit: &Visit) -> Result<Option<Dashboard<'_>>, FlowError> {
    let Some((ActiveSession { account, session, .. }, others)) = current(visit).await? else {
        return Ok(None);
    };
    let snapshot = visit.snapshot();
    let facts = visit.store().password_facts(account.id).await?;
    let age = facts.map(|facts| snapshot.policy.password_age.age(facts, visit.now));
    let password_days_left = match age {
        Some(PasswordAge::ExpiresSoon { days_left }) => Some(days_left),
        // The running session is not interrupted, but it is the last one with this password.
        Some(PasswordAge::Expired) => Some(0),
        Some(PasswordAge::Fresh) | None => None,
    };
    Ok(Some(Dashboard { tiles: tiles(snapshot, &account), account, session, password_days_left, others }))
}

/// The current session, and the other accounts in the same browser. Reading it counts as activity.
pub(crate) async fn current(visit: &Visit) -> Result<Option<(ActiveSession, Vec<Account>)>, FlowError> {
    let mut live = active_sessions(visit).await?;
    if live.is_empty() {
        return Ok(None);
    }
    if !next_step_is_dashboard(visit, &live).await? {
        return Ok(None);
    }
    let mut first = live.remove(0);
    let others = live.into_iter().map(|one| one.account).collect();
    touch(visit, &mut first.session).await?;
    Ok(Some((first, others)))
}

/// Whether the next step is the dashboard itself: a second factor for a new device, or a new proof of the account, can come first.
async fn next_step_is_dashboard(visit: &Visit, live: &[ActiveSession]) -> Result<bool, FlowError> {
    let policy = &visit.snapshot().policy;
    let wants_proof =
        live.first().is_some_and(|one| one.session.requires_reauthentication(policy.session, visit.now));
    if !policy.new_devices_step_up && !wants_proof {
        return Ok(true);
    }
    let next = proceed_with(visit, OpenInteraction::to_dashboard(visit), live.to_vec()).await?;
    Ok(matches!(next, Next::Dashboard))
}

fn tiles<'a>(snapshot: &'a Snapshot, account: &Account) -> Vec<TileView<'a>> {
    let entitled = snapshot.clients.iter().filter(|client| client.is_entitled(account));
    let view =
        |client: &'a Arc<Client>| Some(TileView { client: client.id(), tile: client.policy.tile.as_ref()? });
    entitled.filter_map(view).collect()
}

async fn touch(visit: &Visit, session: &mut Session) -> Result<(), FlowError> {
    // A request for a part of another page keeps no session active, as in [`crate::protocol::authorization_response`].
    if visit.browser.fetch_context != FetchContext::Page || !session.needs_activity_update(visit.now) {
        return Ok(());
    }
    session.last_active_at = visit.now;
    visit.store().run(TouchSession { session: session.id, now: visit.now }).await.1
}

/// The target of a tile.
#[derive(Debug)]
pub enum TileTarget {
    Application(String),
    /// The client has no tile, or the person may not use it: the same answer for both.
    Absent,
    NotSignedIn,
}

/// The application's own sign-in (third-party-initiated login, OpenID Connect Core §4), else its launch URL.
#[tracing::instrument(skip_all)]
pub async fn open_tile(visit: &Visit, client: &ClientId) -> Result<TileTarget, FlowError> {
    let Some((ActiveSession { account, .. }, _)) = current(visit).await? else {
        return Ok(TileTarget::NotSignedIn);
    };
    let snapshot = visit.snapshot();
    let client = snapshot.clients.get(client).filter(|client| client.is_entitled(&account));
    let Some((client, tile)) = client.and_then(|client| Some((client, client.policy.tile.as_ref()?))) else {
        return Ok(TileTarget::Absent);
    };
    let target = match &client.metadata.initiate_login_uri {
        Some(initiate) => {
            // A pairwise client must not learn an identifier that other clients know. So it gets no email address as
            // `login_hint`.
            let hint = client.metadata.sector.is_none().then(|| account.primary_address.as_str());
            Some(third_party_login_location(initiate, &snapshot.issuer, hint, None))
        }
        None => tile.launch_url.as_ref().map(ToString::to_string),
    };
    Ok(target.map_or(TileTarget::Absent, TileTarget::Application))
}
