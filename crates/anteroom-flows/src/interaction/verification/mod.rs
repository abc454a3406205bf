//! "Verify your identity": a code is sent to a phone of the account, and entered. It is the same for a reset, an expired password, a
//! second factor and a phone that is being registered. They differ in the purpose, and each purpose has its own limits.
//!
//! Invariants: a code is sent and accepted only while `domain::next_step` asks for it; both are decided under the account's lock, so
//! that parallel requests get no additional guesses; a refused attempt writes its counter and its audit entry and nothing else.

mod enter;
mod enter_unit;
mod entry;
mod repeated;
mod send;

pub use enter::{EnterOutcome, EnteredCode, EntryProblem, enter};
pub use send::{SendOutcome, SendProblem, send};

use anteroom_domain::client::Client;
use std::sync::Arc;

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::{Next, Step, StepPage, proceed};
use crate::interaction::open_interaction::{InteractionNotFound, InteractionRef, OpenInteraction};
use crate::interaction::reopen::open_or_dashboard;
use crate::interaction::verification_model::Verification;

/// The step that `domain::next_step` decides on now.
enum VerificationState {
    Verifying(Box<VerificationPage>),
    Elsewhere(Next),
    InteractionNotFound,
}

/// A page whose step is a verification.
struct VerificationPage {
    verification: Box<Verification>,
    client: Option<Arc<Client>>,
    interaction: OpenInteraction,
    not_persisted: bool,
}

impl VerificationPage {
    fn into_page(self) -> Box<StepPage> {
        let Self { verification, client, interaction, not_persisted } = self;
        Box::new(StepPage { step: Step::Verify(verification), client, interaction, not_persisted })
    }
}

async fn now(
    visit: &Visit,
    interaction_ref: Option<&InteractionRef>,
) -> Result<VerificationState, FlowError> {
    let interaction = match open_or_dashboard(visit, interaction_ref).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(VerificationState::InteractionNotFound),
    };
    Ok(match proceed(visit, interaction).await? {
        Next::Page(page) => {
            let StepPage { step, client, interaction, not_persisted } = *page;
            match step {
                Step::Verify(verification) => VerificationState::Verifying(Box::new(VerificationPage {
                    verification,
                    client,
                    interaction,
                    not_persisted,
                })),
                step => VerificationState::Elsewhere(Next::Page(Box::new(StepPage {
                    step,
                    client,
                    interaction,
                    not_persisted,
                }))),
            }
        }
        elsewhere => VerificationState::Elsewhere(elsewhere),
    })
}
