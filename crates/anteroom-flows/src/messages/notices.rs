//! A change may have been made by an attacker. So every address of the account gets a notice, and the owner can react.

use anteroom_domain::account::Account;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Mail, Message, MessageBody};
use jiff::SignedDuration;

use crate::context::call::Call;
use crate::error::FlowError;

/// How long a notice is worth sending.
const LIFETIME: SignedDuration = SignedDuration::from_hours(48);

/// To every address of the account.
pub(crate) async fn notices(call: &Call, account: &Account, mail: Mail) -> Result<Vec<Message>, FlowError> {
    let addresses = call.store().addresses_of(account.id).await?;
    Ok(notices_to(call, account, addresses, &mail).collect())
}

/// To each of these addresses, which are the account's.
pub(crate) fn notices_to(
    call: &Call,
    account: &Account,
    addresses: Vec<EmailAddress>,
    mail: &Mail,
) -> impl Iterator<Item = Message> {
    addresses.into_iter().map(move |to| notice(call, account, MessageBody::Email { to, mail: mail.clone() }))
}

/// In the language of the account.
pub(crate) fn notice(call: &Call, account: &Account, body: MessageBody) -> Message {
    Message {
        id: MessageId(call.new_id()),
        account: Some(account.id),
        locale: account.locale.clone(),
        body,
        reference: None,
        created_at: call.now,
        expires_at: call.after(LIFETIME),
    }
}
