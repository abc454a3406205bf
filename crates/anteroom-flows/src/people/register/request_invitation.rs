//! `POST /complete-registration`: another invitation, for a person whose mail is lost or too old. The answer is the same for
//! every address, and which account has it is looked up afterwards ([`crate::people::mail_requests`]).

use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::rate::Wait;
use anteroom_storage::{Tx, Unit};

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
    let ask = NewMailRequest::prepare(visit, LinkKind::Invitation, entered, None);
    visit.store().run(RequestInvitationUnit(ask)).await.1?;
    wait_for_floor(started, snapshot).await;
    Ok(RequestInvitationOutcome::Asked)
}

struct RequestInvitationUnit(NewMailRequest);

impl Unit for RequestInvitationUnit {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "request_invitation";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        self.0.write(tx, None).await
    }
}
