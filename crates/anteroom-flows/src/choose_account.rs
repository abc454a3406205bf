//! `POST /choose-account`: a person with several accounts in one browser picks one, or another one.

use anteroom_domain::ids::SessionId;
use anteroom_domain::next_step::SignInReason;

use crate::error::FlowError;
use crate::journey::{Carried, Waiting, open_or_dashboard};
use crate::onward::{Onward, Step, StepPage, parked, proceed_with};
use crate::provider::Provider;
use crate::visitor::{Live, Visitor, kept_sessions, live_sessions};
use anteroom_crypto::Token;

/// What the `account` field said.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// One of those signed in here.
    Session(SessionId),
    /// "Use another account".
    Another,
}

#[derive(Debug)]
pub enum ChooseOutcome {
    /// The chosen session comes first in the browser from now on.
    Chosen {
        sessions: Vec<Token>,
        onward: Onward,
    },
    /// Sign in as somebody else, or again where the chosen session has ended meanwhile.
    SignIn(Onward),
    Gone,
}

pub async fn choose(
    provider: &Provider,
    visitor: &Visitor,
    waiting: Option<Waiting>,
    choice: Choice,
) -> Result<ChooseOutcome, FlowError> {
    let Ok(mut carried) = open_or_dashboard(provider, visitor, waiting).await? else {
        return Ok(ChooseOutcome::Gone);
    };
    let mut live = live_sessions(provider, visitor).await?;
    let chosen = match choice {
        Choice::Session(id) => live.iter().position(|one| one.session.id == id),
        Choice::Another => None,
    };
    let Some(place) = chosen else {
        let onward = sign_in_page(provider, carried);
        return Ok(ChooseOutcome::SignIn(parked(provider, visitor, onward).await?));
    };
    let current = live.remove(place);
    carried.journey.account = Some(current.account.id);
    live.insert(0, current);
    let sessions = kept_sessions(&live);
    let visitor = &visitor.with_other_sessions();
    let onward = proceed_with(provider, visitor, carried, live).await?;
    Ok(ChooseOutcome::Chosen { sessions, onward: parked(provider, visitor, onward).await? })
}

fn sign_in_page(provider: &Provider, carried: Carried) -> Onward {
    let snapshot = provider.snapshot();
    let client =
        carried.journey.request().and_then(|request| snapshot.clients.get(&request.client_id).cloned());
    let step = Step::SignIn { reason: SignInReason::NobodyThere, email: String::new() };
    Onward::Page(Box::new(StepPage { step, client, carried }))
}

/// The page to choose on, from the dashboard: everyone who is signed in here.
pub async fn choices(provider: &Provider, visitor: &Visitor) -> Result<Vec<Live>, FlowError> {
    live_sessions(provider, visitor).await
}
