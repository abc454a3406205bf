//! `POST /choose-account`: a person with several accounts in one browser chooses one of them, or signs in with another one.
//!
//! A session that has not been the current one for a while ([`anteroom_domain::session::Session::requires_reauthentication`])
//! becomes current only after its person has proven who they are again, because several people may use one browser. Until then
//! the current one stays as it is.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::SessionId;
use anteroom_domain::next_step::SignInReason;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::next::{Next, Step, StepPage, persist_for_redirect, proceed_with};
use crate::interaction::open_interaction::{InteractionRef, OpenInteraction};
use crate::interaction::reopen::open_or_dashboard;
use crate::sessions::browser_sessions::{active_sessions, kept_sessions, sessions_of_other_accounts};

/// What the `account` field said.
#[derive(Clone, Copy, Debug)]
pub enum ChosenAccount {
    /// One of those signed in here.
    Session(SessionId),
    /// "Use another account".
    Another,
}

#[derive(Debug)]
pub enum ChooseOutcome {
    /// The chosen session comes first in the browser from now on.
    Chosen {
        sessions: Vec<OpaqueToken>,
        next: Next,
    },
    /// "Use another account", or the chosen session has ended meanwhile.
    SignIn(Next),
    /// The chosen session can be used only after its password was entered.
    Prove {
        session: SessionId,
        next: Next,
    },
    InteractionNotFound,
}

#[tracing::instrument(name = "choose_account", skip_all)]
pub async fn choose(
    visit: &Visit,
    interaction_ref: Option<InteractionRef>,
    choice: ChosenAccount,
) -> Result<ChooseOutcome, FlowError> {
    let Ok(mut interaction) = open_or_dashboard(visit, interaction_ref.as_ref()).await? else {
        return Ok(ChooseOutcome::InteractionNotFound);
    };
    let mut live = active_sessions(visit).await?;
    let chosen = match choice {
        ChosenAccount::Session(id) => live.iter().position(|one| one.session.id == id),
        ChosenAccount::Another => None,
    };
    let Some(place) = chosen else {
        let next = sign_in_page(visit, interaction);
        return Ok(ChooseOutcome::SignIn(persist_for_redirect(visit, next).await?));
    };
    let current = live.remove(place);
    let (id, account) = (current.session.id, current.account.id);
    interaction.state.account = Some(account);
    interaction.state.picked_at = Some(visit.now);
    let needs_password =
        current.session.requires_reauthentication(visit.snapshot().policy.session, visit.now);
    live.insert(0, current);
    if needs_password {
        let next = proceed_with(visit, interaction, live).await?;
        let next = persist_for_redirect(visit, next).await?;
        return Ok(ChooseOutcome::Prove { session: id, next });
    }
    // The current session may be chosen again, which is no change and so no audit entry.
    let event = (place > 0).then_some(Event::AccountChosen);
    let entry = event.map(|event| visit.entry(Actor::Account(account), event).in_session(id));
    let left = sessions_of_other_accounts(&live, account);
    visit.store().run(ChooseSession { session: id, entry, left, now: visit.now }).await.1?;
    let sessions = kept_sessions(&live);
    let visit = &visit.after_session_change();
    let next = proceed_with(visit, interaction, live).await?;
    Ok(ChooseOutcome::Chosen { sessions, next: persist_for_redirect(visit, next).await? })
}

/// Makes a session the current one of its browser.
struct ChooseSession {
    session: SessionId,
    entry: Option<AuditEntry>,
    /// The browser's other sessions.
    left: Vec<SessionId>,
    now: Timestamp,
}

impl Unit for ChooseSession {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "choose_session";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        tx.mark_current(self.session).await?;
        // Where the form is sent again, and nothing was chosen in between, the others are marked already.
        let is_change = tx.mark_not_current(&self.left, self.now).await?;
        if let Some(entry) = self.entry.as_ref().filter(|_| is_change) {
            tx.append(entry).await?;
        }
        Ok(())
    }
}

fn sign_in_page(call: &Call, interaction: OpenInteraction) -> Next {
    let client = call.client(interaction.state.request().map(|request| &request.ask.client_id));
    let step = Step::SignIn { reason: SignInReason::NotSignedIn, email: String::new() };
    Next::Page(Box::new(StepPage { step, client, interaction, not_persisted: false }))
}

/// The address of an account that is signed in here, by its session.
pub async fn address_of(visit: &Visit, session: SessionId) -> Result<Option<EmailAddress>, FlowError> {
    let live = active_sessions(visit).await?;
    let chosen = live.into_iter().find(|one| one.session.id == session);
    Ok(chosen.map(|one| one.account.primary_address))
}

/// All accounts that are signed in here, for the page that the dashboard links to.
pub async fn choices(visit: &Visit) -> Result<Vec<ActiveSession>, FlowError> {
    active_sessions(visit).await
}
