//! Word of a change to every address of an account, so that whoever did not make it can stop it.

use anteroom_domain::account::Account;
use anteroom_domain::address::EmailAddress;
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
    let until = now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    let addresses = provider.store.addresses_of(account.id).await?;
    let to_each =
        addresses.into_iter().map(|to| mail_to(provider, account, (to, mail.clone()), (now, until)));
    Ok(to_each.collect())
}

pub(crate) fn mail_to(
    provider: &Provider,
    account: &Account,
    (to, mail): (EmailAddress, Mail),
    (now, expires_at): (Timestamp, Timestamp),
) -> Message {
    Message {
        id: MessageId(new_id(&provider.random, now)),
        account: Some(account.id),
        locale: account.locale.clone(),
        parcel: Parcel::Email { to, mail },
        created_at: now,
        expires_at,
    }
}
