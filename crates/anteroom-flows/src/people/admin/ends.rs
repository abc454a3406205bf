//! What ends with an invitation or an account: phones and mailed links.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::AccountId;
use anteroom_domain::link::LinkKind;
use anteroom_storage::Tx;
use jiff::Timestamp;

use crate::context::call::Call;
use crate::error::FlowError;

/// The link of the earlier invitation may have been followed by a stranger who read the mail. So all proofs, phones and links
/// of the unfinished registration end.
pub(super) async fn restart_registration(tx: &Tx, call: &Call, account: AccountId) -> Result<(), FlowError> {
    tx.raise_epoch(account).await?;
    remove_phones(tx, call, account, "invited_again").await?;
    Ok(tx.complete_link(account, LinkKind::Invitation, None, call.now).await?)
}

pub(super) async fn remove_phones(
    tx: &Tx,
    call: &Call,
    account: AccountId,
    reason: &'static str,
) -> Result<(), FlowError> {
    let phones = tx.phones_of(account).await?;
    if phones.is_empty() {
        return Ok(());
    }
    tx.remove_phones(account, call.now).await?;
    let phones = phones.iter().map(|phone| phone.number.masked()).collect();
    let event = Event::PhonesRemoved { phones, reason };
    Ok(tx.append(&call.entry(Actor::Operator, event).about(account)).await?)
}

/// Ends the mailed links of the account.
pub(super) async fn end_links(tx: &Tx, account: AccountId, now: Timestamp) -> Result<(), FlowError> {
    for kind in [LinkKind::Recovery, LinkKind::Invitation] {
        tx.complete_link(account, kind, None, now).await?;
    }
    Ok(())
}
