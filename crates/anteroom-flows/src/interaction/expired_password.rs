//! `POST /expired-password`: the person has read why, and goes on to the code and a new password.

use anteroom_domain::interaction::{InteractionProof, ProofKind};

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::{Next, proceed};
use crate::interaction::open_interaction::{InteractionRef, persist_with_proof};
use crate::interaction::reopen::open;

/// `None`: what waited is gone.
#[tracing::instrument(name = "leave_expired_password", skip_all)]
pub async fn acknowledge(visit: &Visit, waiting: InteractionRef) -> Result<Option<Next>, FlowError> {
    let Ok(carried) = open(visit, waiting).await? else { return Ok(None) };
    let carried = match carried.proof() {
        Some(proof) if matches!(proof.kind, ProofKind::ExpiredPassword { told: false }) => {
            let proof = InteractionProof { kind: ProofKind::ExpiredPassword { told: true }, ..proof.clone() };
            persist_with_proof(visit, carried, proof).await?
        }
        _ => carried,
    };
    proceed(visit, carried).await.map(Some)
}
