//! `POST /forgot-password`: an address, and the same page for each. Which account has it is looked up afterwards
//! ([`crate::people::mail_requests`]).

use anteroom_domain::interaction::RecoveryProgress;
use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::rate::Wait;
use anteroom_storage::{Tx, Unit};

use crate::context::call::Visit;
use crate::context::limits::wait_for_floor;
use crate::error::FlowError;
use crate::interaction::open_interaction::{
    InteractionNotFound, InteractionRef, NewInteraction, OpenInteraction, SavedRow,
};
use crate::interaction::reopen::open_or_dashboard;
use crate::people::mail_requests::{self, NewMailRequest};

pub struct RecoveryRequest {
    /// As it was entered.
    pub address: String,
    pub interaction_ref: Option<InteractionRef>,
}

#[derive(Debug)]
pub enum RequestRecoveryOutcome {
    /// If there is an account, a mail is on its way.
    Asked(OpenInteraction),
    RateLimited {
        wait: Wait,
        interaction: OpenInteraction,
    },
    InteractionNotFound,
}

#[tracing::instrument(name = "ask_for_recovery", skip_all)]
pub async fn ask(visit: &Visit, asking: RecoveryRequest) -> Result<RequestRecoveryOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let mut interaction = match open_or_dashboard(visit, asking.interaction_ref.as_ref()).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(RequestRecoveryOutcome::InteractionNotFound),
    };
    let snapshot = visit.snapshot();
    match mail_requests::spend(visit, Limit::Recovery).await {
        Err(FlowError::Limited { wait, .. }) => {
            return Ok(RequestRecoveryOutcome::RateLimited { wait, interaction });
        }
        counted => counted?,
    }
    let ask =
        NewMailRequest::prepare(visit, LinkKind::Recovery, &asking.address, interaction.state.request());
    interaction.state.recovery =
        Some(RecoveryProgress { address: asking.address, waits_elsewhere: false, done: false, device: None });
    let new_interaction = NewInteraction::prepare(visit, &interaction);
    let unit = RequestRecoveryUnit { interaction, new_interaction, ask };
    let (RequestRecoveryUnit { interaction, .. }, saved) = visit.store().run(unit).await;
    let interaction = interaction.saved_as(saved?);
    wait_for_floor(started, snapshot).await;
    Ok(RequestRecoveryOutcome::Asked(interaction))
}

struct RequestRecoveryUnit {
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    ask: NewMailRequest,
}

impl Unit for RequestRecoveryUnit {
    type Output = SavedRow;
    type Error = FlowError;

    const NAME: &'static str = "request_recovery";

    async fn run(&self, tx: &Tx) -> Result<SavedRow, FlowError> {
        let Self { interaction, new_interaction, ask } = self;
        let saved = interaction.save(tx, new_interaction, interaction.proof()).await?;
        ask.write(tx, Some(saved.id())).await?;
        Ok(saved)
    }
}
