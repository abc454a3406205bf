//! `POST /forgot-password`: an address, and the same page for each. Which account has it is looked up afterwards
//! ([`crate::people::asked`]).

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::interaction::RecoveryProgress;
use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::rate::Wait;
use anteroom_storage::Tx;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::context::call::Visit;
use crate::context::limits::wait_for_floor;
use crate::error::FlowError;
use crate::interaction::open_interaction::{
    InteractionNotFound, InteractionRef, InteractionStorage, NewInteraction, OpenInteraction,
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
    Gone,
}

/// Everything the transaction needs, drawn beforehand so that it can run again.
struct RequestRecoveryUnit {
    audit: AuditContext,
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    ask: NewMailRequest,
}

#[tracing::instrument(name = "ask_for_recovery", skip_all)]
pub async fn ask(visit: &Visit, asking: RecoveryRequest) -> Result<RequestRecoveryOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let mut interaction = match open_or_dashboard(visit, asking.interaction_ref).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(RequestRecoveryOutcome::Gone),
    };
    let snapshot = visit.snapshot();
    match mail_requests::spend(visit, Limit::Recovery).await {
        Err(FlowError::Limited { wait, .. }) => {
            return Ok(RequestRecoveryOutcome::RateLimited { wait, interaction });
        }
        counted => counted?,
    }
    name_page(visit, &mut interaction, &asking.address);
    let of = (LinkKind::Recovery, asking.address.as_str());
    let ask = NewMailRequest::prepare(visit, of, (Some(visit.browser.id), interaction.state.request()));
    interaction.state.recovery =
        Some(RecoveryProgress { address: asking.address, waits_elsewhere: false, done: false, device: None });
    let prepared = Arc::new(RequestRecoveryUnit {
        audit: visit.audit().clone(),
        new_interaction: NewInteraction::prepare(visit, &interaction),
        interaction,
        ask,
    });
    let work = Arc::clone(&prepared);
    let interaction = visit.store().write(move |tx| settle(tx, Arc::clone(&work))).await?;
    wait_for_floor(started, snapshot).await;
    Ok(RequestRecoveryOutcome::Asked(interaction))
}

async fn settle(tx: Tx, prepared: Arc<RequestRecoveryUnit>) -> Result<OpenInteraction, FlowError> {
    let prepared = &*prepared;
    let proof = prepared.interaction.proof().cloned();
    let interaction = prepared.interaction.persist(&tx, &prepared.new_interaction, proof).await?;
    if let Some(mailed) = prepared.ask.write(&tx, interaction.row()).await?.is_mailed() {
        let entry = prepared.audit.entry(Actor::Anonymous, Event::RecoveryAsked { mailed });
        tx.append(&entry).await?;
    }
    Ok(interaction)
}

/// Without an application there is no sealed page that would name the row. The form does, so that the same form finds the row of before:
/// a code is taken in the interaction that it was asked for in.
fn name_page(visit: &Visit, interaction: &mut OpenInteraction, entered: &str) {
    if let (InteractionStorage::Sealed { submitted: submitted @ None }, Some(form)) =
        (&mut interaction.place, visit.sent_form)
    {
        *submitted = Some(form.submission_digest(visit, &[b"forgotten password", entered.as_bytes()]));
    }
}
