//! Word of a change to every address of an account, so that an owner who did not make it can stop it.

use anteroom_domain::account::Account;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Mail, Message, Parcel};
use jiff::{SignedDuration, Timestamp};

use crate::error::FlowError;
use crate::provider::Provider;
use crate::visitor::new_id;

const LIFETIME: SignedDuration = SignedDuration::from_hours(48);

pub(crate) async fn notices(
    provider: &Provider,
    account: &Account,
    mail: Mail,
    now: Timestamp,
) -> Result<Vec<Message>, FlowError> {
    let addresses = provider.store.addresses_of(account.id).await?;
    let to_each = addresses
        .into_iter()
        .map(|to| notice(provider, account, Parcel::Email { to, mail: mail.clone() }, now));
    Ok(to_each.collect())
}

pub(crate) fn notice(provider: &Provider, account: &Account, parcel: Parcel, now: Timestamp) -> Message {
    let until = now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    message(provider, account, parcel, (now, until))
}

pub(crate) fn message(
    provider: &Provider,
    account: &Account,
    parcel: Parcel,
    (now, expires_at): (Timestamp, Timestamp),
) -> Message {
    Message {
        id: MessageId(new_id(&provider.random, now)),
        account: Some(account.id),
        locale: account.locale.clone(),
        parcel,
        reference: None,
        created_at: now,
        expires_at,
    }
}
