//! `POST /forgot-password`: an address, and the same page for each. Which account has it is looked up afterwards
//! ([`crate::people::asked`]).

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::interaction::RecoveryNote;
use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::rate::Wait;
use anteroom_storage::Tx;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::context::call::Visit;
use crate::context::limits::wait_for_floor;
use crate::error::FlowError;
use crate::interaction::open_interaction::{Carried, Gone, Keeping, Waiting};
use crate::interaction::reopen::open_or_dashboard;
use crate::people::asked::{self, NewAsk};

pub struct Asking {
    /// As it was entered.
    pub address: String,
    pub waiting: Option<Waiting>,
}

#[derive(Debug)]
pub enum AskOutcome {
    /// If there is an account, a mail is on its way.
    Asked(Carried),
    RateLimited {
        wait: Wait,
        carried: Carried,
    },
    Gone,
}

/// Everything the transaction needs, drawn beforehand so that it can run again.
struct Prepared {
    audit: AuditContext,
    carried: Carried,
    keeping: Keeping,
    ask: NewAsk,
}

#[tracing::instrument(name = "ask_for_recovery", skip_all)]
pub async fn ask(visit: &Visit, asking: Asking) -> Result<AskOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let mut carried = match open_or_dashboard(visit, asking.waiting).await? {
        Ok(carried) => carried,
        Err(Gone) => return Ok(AskOutcome::Gone),
    };
    let snapshot = visit.snapshot();
    match asked::spend(visit, Limit::Recovery).await {
        Err(FlowError::Limited { wait, .. }) => return Ok(AskOutcome::RateLimited { wait, carried }),
        counted => counted?,
    }
    let of = (LinkKind::Recovery, asking.address.as_str());
    let ask = NewAsk::prepare(visit, of, (Some(visit.browser.id), carried.journey.request()));
    carried.journey.recovery =
        Some(RecoveryNote { address: asking.address, waits_elsewhere: false, done: false, device: None });
    let prepared = Arc::new(Prepared {
        audit: visit.audit().clone(),
        keeping: Keeping::prepare(visit, &carried),
        carried,
        ask,
    });
    let work = Arc::clone(&prepared);
    let carried = visit.store().write(move |tx| settle(tx, Arc::clone(&work))).await?;
    wait_for_floor(started, snapshot).await;
    Ok(AskOutcome::Asked(carried))
}

async fn settle(tx: Tx, prepared: Arc<Prepared>) -> Result<Carried, FlowError> {
    let prepared = &*prepared;
    let proof = prepared.carried.proof().cloned();
    let carried = prepared.carried.keep(&tx, &prepared.keeping, proof).await?;
    let mailed = prepared.ask.write(&tx, carried.row()).await?;
    let entry = prepared.audit.entry(Actor::Anonymous, Event::RecoveryAsked { mailed });
    tx.append(&entry).await?;
    Ok(carried)
}
