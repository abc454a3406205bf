//! `POST /expired-password`: the person has read that the password has expired, and continues with a code and a new password.

use anteroom_domain::interaction::{InteractionProof, ProofKind};

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::{Next, proceed};
use crate::interaction::open_interaction::{InteractionRef, persist_with_proof};
use crate::interaction::reopen::open;

/// `None`: the interaction was not found.
#[tracing::instrument(name = "leave_expired_password", skip_all)]
pub async fn acknowledge(visit: &Visit, interaction_ref: InteractionRef) -> Result<Option<Next>, FlowError> {
    let Ok(interaction) = open(visit, &interaction_ref).await? else { return Ok(None) };
    let interaction = match interaction.proof() {
        Some(proof) if matches!(proof.kind, ProofKind::ExpiredPassword { acknowledged: false }) => {
            let proof =
                InteractionProof { kind: ProofKind::ExpiredPassword { acknowledged: true }, ..*proof };
            persist_with_proof(visit, interaction, proof).await?
        }
        _ => interaction,
    };
    proceed(visit, interaction).await.map(Some)
}
