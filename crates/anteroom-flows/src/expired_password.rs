//! `POST /expired-password`: the person has read why, and goes on to the code and a new password.

use anteroom_domain::interaction::{Proof, ProofKind};

use crate::error::FlowError;
use crate::journey::{Waiting, kept, open};
use crate::onward::{Onward, proceed};
use crate::provider::Provider;
use crate::visitor::Visitor;

/// `None`: what waited is gone.
#[tracing::instrument(name = "leave_expired_password", skip_all)]
pub async fn go_on(
    provider: &Provider,
    visitor: &Visitor,
    waiting: Waiting,
) -> Result<Option<Onward>, FlowError> {
    let Ok(carried) = open(provider, visitor, waiting).await? else { return Ok(None) };
    let carried = match carried.proof() {
        Some(proof) if matches!(proof.kind, ProofKind::ExpiredPassword { told: false }) => {
            let proof = Proof { kind: ProofKind::ExpiredPassword { told: true }, ..proof.clone() };
            kept(provider, visitor, carried, proof).await?
        }
        _ => carried,
    };
    proceed(provider, visitor, carried).await.map(Some)
}
