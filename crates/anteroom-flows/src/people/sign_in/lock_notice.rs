//! The mail that says that an account was locked.

use anteroom_domain::account::Account;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::{Mail, Message, MessageBody};
use jiff::SignedDuration;

use crate::context::call::Visit;

/// How long it is worth sending.
const LIFETIME: SignedDuration = SignedDuration::from_hours(48);

pub(super) fn lock_notice(visit: &Visit, id: MessageId, account: Account) -> Message {
    let link = visit.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::AccountLocked { at: visit.now, link };
    Message {
        id,
        account: Some(account.id),
        locale: account.locale,
        body: MessageBody::Email { to: account.primary_address, mail },
        reference: Some(visit.reference),
        created_at: visit.now,
        expires_at: visit.after(LIFETIME),
    }
}
