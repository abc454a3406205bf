//! A change may have been made by an attacker. So every address of the account gets a notice, and the owner can react.

use anteroom_domain::account::Account;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Mail, Message, MessageBody};
use jiff::{SignedDuration, Timestamp};

use crate::context::call::Call;
use crate::error::FlowError;

const LIFETIME: SignedDuration = SignedDuration::from_hours(48);

pub(crate) async fn notices(call: &Call, account: &Account, mail: Mail) -> Result<Vec<Message>, FlowError> {
    let addresses = call.store().addresses_of(account.id).await?;
    let to_each =
        addresses.into_iter().map(|to| notice(call, account, MessageBody::Email { to, mail: mail.clone() }));
    Ok(to_each.collect())
}

pub(crate) fn notice(call: &Call, account: &Account, parcel: MessageBody) -> Message {
    let until = call.now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    message(call, account, parcel, (call.now, until))
}

pub(crate) fn message(
    call: &Call,
    account: &Account,
    parcel: MessageBody,
    (now, expires_at): (Timestamp, Timestamp),
) -> Message {
    Message {
        id: MessageId(call.new_id()),
        account: Some(account.id),
        locale: account.locale.clone(),
        parcel,
        reference: None,
        created_at: now,
        expires_at,
    }
}
