//! Opening an interaction that a form or an address names: from its sealed value or its row.

use anteroom_crypto::{KeyPurpose, OpaqueToken};
use anteroom_domain::ids::{AccountId, InteractionId};
use anteroom_domain::interaction::Interaction;

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::answered;
use crate::interaction::open_interaction::{
    HANDLE_CONTEXT, InteractionNotFound, InteractionRef, InteractionStorage, OpenInteraction, page_digest,
    unseal,
};
use crate::sessions::browser_sessions::other_account_used_browser_since;

/// Opens the interaction. One whose request was answered opens too, because its answer may be repeated
/// ([`crate::interaction::next`]).
pub async fn open(
    visit: &Visit,
    interaction_ref: &InteractionRef,
) -> Result<Result<OpenInteraction, InteractionNotFound>, FlowError> {
    let lifetime = visit.snapshot().policy.interaction.lifetime;
    let interaction = match interaction_ref {
        InteractionRef::Sealed(text) => unseal(visit, text)
            .filter(|state| visit.now.duration_since(state.began_at) < lifetime)
            .and_then(|state| state.resume_in(visit.browser.id, visit.now))
            .map(|state| OpenInteraction {
                storage: InteractionStorage::Sealed { submitted: Some(page_digest(visit, text)) },
                ..OpenInteraction::new(state)
            }),
        InteractionRef::Row(handle) => {
            let digests =
                visit.keyring().mac(KeyPurpose::TokenHash).digests(HANDLE_CONTEXT, handle.as_bytes());
            let found = visit.store().interaction(&digests).await?;
            match found.filter(|row| visit.now < row.expires_at) {
                Some(row) => {
                    let is_overtaken = other_account_signed_in_since_proof(visit, &row).await?;
                    opened_row(visit, FoundRow { row, handle, is_overtaken })
                }
                None => None,
            }
        }
    };
    let Some(mut interaction) = interaction else { return Ok(Err(InteractionNotFound)) };
    if let Some(request) = interaction.state.request() {
        visit.span.set_client(&request.ask.client_id);
    }
    interaction.is_resumable = true;
    interaction.answered = answered::find(visit, &interaction).await?.map(Box::new);
    let is_finished = matches!(&interaction.storage, InteractionStorage::Row { interaction: row, .. } if row.finished_at.is_some());
    Ok(if is_finished && interaction.answered.is_none() { Err(InteractionNotFound) } else { Ok(interaction) })
}

/// Whether another account was signed in to at this browser after the proof in this row was given.
async fn other_account_signed_in_since_proof(visit: &Visit, row: &Interaction) -> Result<bool, FlowError> {
    let is_open = row.finished_at.is_none() && row.state.browser == visit.browser.id;
    let Some(proof) = row.proof.as_ref().filter(|_| is_open) else { return Ok(false) };
    other_account_used_browser_since(visit, proof.account, proof.last_at()).await
}

/// The row behind a handle.
struct FoundRow<'a> {
    row: Interaction,
    handle: &'a OpaqueToken,
    /// [`other_account_signed_in_since_proof`].
    is_overtaken: bool,
}

/// In another browser, or after another account has signed in at this one, only the row's request is taken over: no proof and no
/// chosen account.
fn opened_row(
    visit: &Visit,
    FoundRow { row, handle, is_overtaken }: FoundRow<'_>,
) -> Option<OpenInteraction> {
    let own = row.state.browser == visit.browser.id && !is_overtaken;
    let state = row.state.clone().resume_in(visit.browser.id, visit.now)?;
    let state = if own { state } else { state.without_progress() };
    let storage = if own {
        InteractionStorage::Row { interaction: Box::new(row), handle: handle.clone() }
    } else {
        InteractionStorage::Sealed { submitted: Some(page_digest(visit, &handle.encode())) }
    };
    Some(OpenInteraction { storage, ..OpenInteraction::new(state) })
}

/// A form without the `interaction` field has the dashboard as its target.
pub async fn open_or_dashboard(
    visit: &Visit,
    interaction_ref: Option<&InteractionRef>,
) -> Result<Result<OpenInteraction, InteractionNotFound>, FlowError> {
    match interaction_ref {
        Some(interaction_ref) => open(visit, interaction_ref).await,
        None => Ok(Ok(OpenInteraction::to_dashboard(visit))),
    }
}

/// The row with this handle and the account that was proven in it, in this browser, if the proof is still valid.
pub(crate) async fn proven_account(
    visit: &Visit,
    handle: &OpaqueToken,
) -> Result<Option<(InteractionId, AccountId)>, FlowError> {
    let digests = visit.keyring().mac(KeyPurpose::TokenHash).digests(HANDLE_CONTEXT, handle.as_bytes());
    let row = visit.store().interaction(&digests).await?.filter(|row| {
        row.state.browser == visit.browser.id && row.finished_at.is_none() && visit.now < row.expires_at
    });
    let Some((id, proof)) = row.and_then(|row| Some((row.id, row.proof?))) else { return Ok(None) };
    let account = visit.store().account(proof.account).await?;
    Ok(account.filter(|account| proof.is_current_for(account, visit.now)).map(|account| (id, account.id)))
}
