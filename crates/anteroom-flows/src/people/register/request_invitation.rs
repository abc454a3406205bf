//! `POST /complete-registration`: another invitation, for a person whose mail is lost or too old. The answer is the same for
//! every address, and which account has it is looked up afterwards ([`crate::people::asked`]).

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::rate::Wait;
use anteroom_storage::Tx;
use std::sync::Arc;

use crate::context::call::Visit;
use crate::context::limits::wait_for_floor;
use crate::error::FlowError;
use crate::people::mail_requests::{self, NewMailRequest};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestInvitationOutcome {
    Asked,
    RateLimited(Wait),
}

#[tracing::instrument(name = "ask_for_invitation", skip_all)]
pub async fn request_invitation(visit: &Visit, entered: &str) -> Result<RequestInvitationOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let snapshot = visit.snapshot();
    match mail_requests::spend(visit, Limit::Invitation).await {
        Err(FlowError::Limited { wait, .. }) => return Ok(RequestInvitationOutcome::RateLimited(wait)),
        counted => counted?,
    }
    let ask = NewMailRequest::prepare(visit, (LinkKind::Invitation, entered), (None, None));
    let work = Arc::new((ask, visit.audit().clone()));
    let write = visit.store().write(move |tx: Tx| {
        let work = Arc::clone(&work);
        async move {
            let (ask, audit) = &*work;
            if let Some(mailed) = ask.write(&tx, None).await?.is_mailed() {
                let entry = audit.entry(Actor::Anonymous, Event::InvitationAsked { mailed });
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    wait_for_floor(started, snapshot).await;
    Ok(RequestInvitationOutcome::Asked)
}
