//! Authenticator apps of a person who is signed in: the list, a new one, and removing one.
//!
//! Invariants:
//! - these pages need a recent sign-in and, if the account has a usable phone or app, a second factor: the password alone must
//!   not be enough to add or remove a stronger authenticator, or to see the secret of one that is being added;
//! - the last second factor that can be used is not removed: otherwise the password alone would prove the next change;
//! - an app counts once its first code was entered; one that was added by a password alone waits as long as an added phone;
//! - every address of the account gets a notice.

mod enrol;
mod remove;

pub use enrol::{BeginOutcome, ConfirmOutcome, Enrolment, begin, confirm, enrolment};
pub use remove::{RemoveOutcome, remove};

use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::Destination;
use anteroom_domain::totp::{AuthenticatorApp, MOST_APPS, may_remove};
use jiff::Timestamp;

use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::next::{Next, persist_for_redirect, proceed};
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::phones::usable_phones;

/// What the page lists.
#[derive(Debug)]
pub struct AuthenticatorList {
    pub live: ActiveSession,
    /// Those whose first code was entered.
    pub apps: Vec<AuthenticatorApp>,
    pub can_add: bool,
    /// The account has a phone that can be used.
    pub has_phone: bool,
}

impl AuthenticatorList {
    pub fn may_remove(&self, app: &AuthenticatorApp, now: Timestamp) -> bool {
        may_remove(&self.apps, app.id, self.has_phone, now)
    }
}

/// The session of the person, or the step that comes before this page.
async fn admitted(visit: &Visit) -> Result<Result<ActiveSession, Next>, FlowError> {
    let mut interaction = OpenInteraction::to_dashboard(visit);
    interaction.state.destination = Destination::AuthenticatorApps;
    Ok(match proceed(visit, interaction).await? {
        Next::AuthenticatorApps(live) => Ok(*live),
        elsewhere => Err(elsewhere),
    })
}

/// The same for a form, whose answer is a redirect to a page.
async fn admitted_to_act(visit: &Visit) -> Result<Result<ActiveSession, Next>, FlowError> {
    match admitted(visit).await? {
        Ok(live) => Ok(Ok(live)),
        Err(next) => Ok(Err(persist_for_redirect(visit, next).await?)),
    }
}

pub async fn list(visit: &Visit) -> Result<Result<AuthenticatorList, Next>, FlowError> {
    let live = match admitted(visit).await? {
        Ok(live) => live,
        Err(next) => return Ok(Err(next)),
    };
    let apps = confirmed(visit, live.account.id).await?;
    let can_add = apps.len() < MOST_APPS;
    let has_phone = !usable_phones(visit, live.account.id).await?.is_empty();
    Ok(Ok(AuthenticatorList { live, apps, can_add, has_phone }))
}

async fn confirmed(call: &Call, account: AccountId) -> Result<Vec<AuthenticatorApp>, FlowError> {
    Ok(confirmed_of(call.store().apps_of(account).await?))
}

fn confirmed_of(mut apps: Vec<AuthenticatorApp>) -> Vec<AuthenticatorApp> {
    apps.retain(|app| app.confirmed_at.is_some());
    apps
}
