//! Opening what carries an interaction, once a form or an address brings it back.

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

/// Opens what a form or an address brought back. One whose request was answered opens too: where it leads now is for
/// [`crate::interaction::next`] to say.
pub async fn open(
    visit: &Visit,
    waiting: InteractionRef,
) -> Result<Result<OpenInteraction, InteractionNotFound>, FlowError> {
    let lifetime = visit.snapshot().policy.interaction.lifetime;
    let carried = match waiting {
        InteractionRef::Sealed(text) => unseal(visit, &text)
            .filter(|journey| visit.now.duration_since(journey.began_at) < lifetime)
            .and_then(|journey| journey.resume_in(visit.browser.id, visit.now))
            .map(|journey| OpenInteraction {
                place: InteractionStorage::Sealed { submitted: Some(page_digest(visit, &text)) },
                ..OpenInteraction::new(journey)
            }),
        InteractionRef::Row(handle) => {
            let digests =
                visit.keyring().mac(KeyPurpose::TokenHash).digests(HANDLE_CONTEXT, handle.as_bytes());
            let found = visit.store().interaction(&digests).await?;
            match found.filter(|row| visit.now < row.expires_at) {
                Some(row) => {
                    let overtaken = other_account_signed_in_since_proof(visit, &row).await?;
                    opened_row(visit, FoundRow { row, handle, overtaken })
                }
                None => None,
            }
        }
    };
    let Some(mut carried) = carried else { return Ok(Err(InteractionNotFound)) };
    if let Some(request) = carried.journey.request() {
        visit.span.is_about(&request.client_id);
    }
    carried.is_resumable = true;
    carried.answered = answered::find(visit, &carried).await?.map(Box::new);
    let over = matches!(&carried.place, InteractionStorage::Row { interaction, .. } if interaction.finished_at.is_some());
    Ok(if over && carried.answered.is_none() { Err(InteractionNotFound) } else { Ok(carried) })
}

/// Whether another account was signed in to at this browser after the proof in this row was given.
async fn other_account_signed_in_since_proof(visit: &Visit, row: &Interaction) -> Result<bool, FlowError> {
    let waits = row.finished_at.is_none() && row.journey.browser == visit.browser.id;
    let Some(proof) = row.proof.as_ref().filter(|_| waits) else { return Ok(false) };
    other_account_used_browser_since(visit, proof.account, proof.last_at()).await
}

/// The row behind a handle.
struct FoundRow {
    row: Interaction,
    handle: OpaqueToken,
    /// [`is_overtaken`].
    overtaken: bool,
}

/// In another browser (or this one after a restart), or once it is overtaken, a row is worth its request alone: no proof, no
/// choice goes with it.
fn opened_row(visit: &Visit, FoundRow { row, handle, overtaken }: FoundRow) -> Option<OpenInteraction> {
    let own = row.journey.browser == visit.browser.id && !overtaken;
    let journey = row.journey.clone().resume_in(visit.browser.id, visit.now)?;
    let journey = if own { journey } else { journey.without_progress() };
    let place = if own {
        InteractionStorage::Row { interaction: Box::new(row), handle }
    } else {
        InteractionStorage::Sealed { submitted: Some(page_digest(visit, &handle.encode())) }
    };
    Some(OpenInteraction { place, ..OpenInteraction::new(journey) })
}

/// A form without the field leads to the dashboard.
pub async fn open_or_dashboard(
    visit: &Visit,
    waiting: Option<InteractionRef>,
) -> Result<Result<OpenInteraction, InteractionNotFound>, FlowError> {
    match waiting {
        Some(waiting) => open(visit, waiting).await,
        None => Ok(Ok(OpenInteraction::to_dashboard(visit))),
    }
}

/// Who has proven in this browser, on the way of the row with this handle, who they are.
pub(crate) async fn proven_account(
    visit: &Visit,
    handle: &OpaqueToken,
) -> Result<Option<(InteractionId, AccountId)>, FlowError> {
    let digests = visit.keyring().mac(KeyPurpose::TokenHash).digests(HANDLE_CONTEXT, handle.as_bytes());
    let row = visit.store().interaction(&digests).await?.filter(|row| {
        row.journey.browser == visit.browser.id && row.finished_at.is_none() && visit.now < row.expires_at
    });
    let Some((id, proof)) = row.and_then(|row| Some((row.id, row.proof?))) else { return Ok(None) };
    let account = visit.store().account(proof.account).await?;
    Ok(account.filter(|account| proof.is_current_for(account, visit.now)).map(|account| (id, account.id)))
}
