//! "Verify your identity": a code to a phone on file, and its entry. The same for a reset, an expired password, a second
//! factor and a phone that is being registered; what differs is the purpose, which has its own budget.
//!
//! Invariants: a code is sent and entered only where the one decision asks for it now; sending and entering are decided under
//! the account's lock, so that parallel requests cannot multiply guesses; what is refused leaves its trace and nothing else.

mod enter;
mod enter_unit;
mod entry;
mod repeated;
mod send;

pub use enter::{EnterOutcome, EnteredCode, EntryProblem, enter};
pub use send::{SendOutcome, SendProblem, send};

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::{Next, Step, StepPage, proceed};
use crate::interaction::open_interaction::{InteractionNotFound, InteractionRef};
use crate::interaction::reopen::open_or_dashboard;
use crate::interaction::verification_model::Verification;

/// The step as the one decision sees it now, or wherever else it leads.
enum VerificationState {
    Verifying(Box<VerificationPage>),
    Elsewhere(Next),
    Gone,
}

/// The page of the step, with what its step is about.
struct VerificationPage {
    verification: Verification,
    page: StepPage,
}

async fn now(visit: &Visit, interaction_ref: Option<InteractionRef>) -> Result<VerificationState, FlowError> {
    let interaction = match open_or_dashboard(visit, interaction_ref).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(VerificationState::Gone),
    };
    Ok(match proceed(visit, interaction).await? {
        Next::Page(page) => match &page.step {
            Step::Verify(verification) => {
                let verification = (**verification).clone();
                VerificationState::Verifying(Box::new(VerificationPage { verification, page: *page }))
            }
            _ => VerificationState::Elsewhere(Next::Page(page)),
        },
        elsewhere => VerificationState::Elsewhere(elsewhere),
    })
}
