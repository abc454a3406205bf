//! What support can begin at the shell and only the person can finish: a reset, and a phone for a person who has none.
//!
//! No password or code is set, seen or skipped here. A phone that is added to a registered account can be used only after a delay,
//! and every address and verified cell phone of the account gets a notice at once. So the owner can react where an attacker has
//! persuaded the operator.

use anteroom_domain::account::{Account, AccountStatus, PhoneKind};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{AccountId, LinkId, MessageId, PhoneId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use anteroom_domain::message::{Mail, Message, MessageBody, Notice};
use anteroom_domain::phone::{DeliveryMethod, MAX_PHONES, Phone};
use anteroom_domain::telephony::{NotAllowed, NumberProblem, allowed, parse_number};
use anteroom_storage::{NewPhone, Tx, Unit};
use jiff::Timestamp;

use crate::context::call::Call;
use crate::error::FlowError;
use crate::interaction::phones::is_sent;
use crate::messages::links::{LinkIdentity, new_link};
use crate::messages::notices::{notice, notices};
use crate::people::admin::{AdminError, find};
use crate::people::mail_requests::recovery_mail;

#[derive(Debug, thiserror::Error)]
pub enum SupportError {
    #[error("{0} is not registered, or disabled: there is no password to reset and no phone to add")]
    NotActive(EmailAddress),
    #[error("that is not a phone number that can be reached")]
    NotANumber,
    #[error("a number with an extension cannot be reached by text or call")]
    Extension,
    #[error("codes do not go to this region or range; see policy.telephony in the configuration")]
    NotAllowed,
    #[error("the account has this number already")]
    AlreadyThere,
    #[error("the account has {MAX_PHONES} phones, which is as many as it may have")]
    TooManyPhones,
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<FlowError> for SupportError {
    fn from(error: FlowError) -> Self {
        Self::Admin(error.into())
    }
}

impl From<NumberProblem> for SupportError {
    fn from(problem: NumberProblem) -> Self {
        match problem {
            NumberProblem::NotANumber => Self::NotANumber,
            NumberProblem::Extension => Self::Extension,
        }
    }
}

impl From<NotAllowed> for SupportError {
    fn from(_: NotAllowed) -> Self {
        Self::NotAllowed
    }
}

async fn active(call: &Call, address: &EmailAddress) -> Result<Account, SupportError> {
    let account = find(call, address).await?;
    match account.status {
        AccountStatus::Active => Ok(account),
        AccountStatus::Invited | AccountStatus::Disabled => Err(not_active(address)),
    }
}

fn not_active(address: &EmailAddress) -> SupportError {
    SupportError::NotActive(address.clone())
}

/// Mails the link of a reset, as the person could request it. The mail has no code, because no browser waits for one.
pub async fn send_reset(call: &Call, address: &EmailAddress) -> Result<(), SupportError> {
    let account = active(call, address).await?;
    let lifetime = call.snapshot().policy.recovery.link_lifetime;
    let (id, kind) = (LinkId(call.new_id()), LinkKind::Recovery);
    let identity = LinkIdentity { id, kind, account: Some(account.id) };
    let new = new_link(call, identity, None, lifetime);
    let unit = SendReset {
        account: account.id,
        message: Message {
            id: MessageId(call.new_id()),
            account: Some(account.id),
            locale: account.locale,
            body: MessageBody::Email {
                to: account.primary_address,
                mail: recovery_mail(call.snapshot(), &new.token.encode(), None, lifetime),
            },
            reference: None,
            created_at: call.now,
            expires_at: new.link.expires_at,
        },
        link: new.link,
        entry: call.entry(Actor::Operator, Event::RecoveryAsked { mailed: true }).about(account.id),
    };
    if call.store().run(unit).await.1? { Ok(()) } else { Err(not_active(address)) }
}

struct SendReset {
    account: AccountId,
    link: EmailedLink,
    message: Message,
    entry: AuditEntry,
}

impl Unit for SendReset {
    /// `false`: the account is not active any more.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "send_reset";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        if !is_active(tx, self.account).await? {
            return Ok(false);
        }
        tx.insert_link(&self.link).await?;
        tx.enqueue(&self.message).await?;
        tx.append(&self.entry).await?;
        Ok(true)
    }
}

/// Under its lock: it may have been disabled since it was read.
async fn is_active(tx: &Tx, account: AccountId) -> Result<bool, FlowError> {
    let locked = tx.lock_account(account).await?;
    Ok(locked.is_some_and(|locked| locked.account.status == AccountStatus::Active))
}

/// Adds a number that an operator wrote down in person. It can be used after the delay, and the first code sent to it verifies
/// it. Returns the time from which it can be used.
pub async fn add_phone(
    call: &Call,
    address: &EmailAddress,
    number: &str,
    kind: PhoneKind,
) -> Result<Timestamp, SupportError> {
    let account = active(call, address).await?;
    let policy = &call.snapshot().policy;
    let number = parse_number(number, policy.telephony.default_region())?;
    allowed(&number, &policy.telephony)?;
    let usable_from = call.after(policy.recovery.new_phone_delay);
    let phone = NewPhone { id: PhoneId(call.new_id()), number, kind, verified_at: None, usable_from };
    let messages = phone_added_notices(call, &account, &phone).await?;
    let event = Event::PhoneAdded { phone: phone.number.masked(), phone_kind: kind.as_str() };
    let entry = call.entry(Actor::Operator, event).about(account.id);
    let unit = AddPhone { account: account.id, phone, messages, entry, now: call.now };
    match call.store().run(unit).await.1? {
        AddPhoneResult::Added => Ok(usable_from),
        AddPhoneResult::NotActive => Err(not_active(address)),
        AddPhoneResult::Known => Err(SupportError::AlreadyThere),
        AddPhoneResult::TooMany => Err(SupportError::TooManyPhones),
    }
}

struct AddPhone {
    account: AccountId,
    phone: NewPhone,
    messages: Vec<Message>,
    entry: AuditEntry,
    now: Timestamp,
}

impl Unit for AddPhone {
    type Output = AddPhoneResult;
    type Error = FlowError;

    const NAME: &'static str = "add_phone_of_support";

    async fn run(&self, tx: &Tx) -> Result<AddPhoneResult, FlowError> {
        if !is_active(tx, self.account).await? {
            return Ok(AddPhoneResult::NotActive);
        }
        if tx.phones_of(self.account).await?.len() >= MAX_PHONES {
            return Ok(AddPhoneResult::TooMany);
        }
        if !tx.insert_phone(self.account, &self.phone, self.now).await? {
            return Ok(AddPhoneResult::Known);
        }
        for message in &self.messages {
            tx.enqueue(message).await?;
        }
        tx.append(&self.entry).await?;
        Ok(AddPhoneResult::Added)
    }
}

enum AddPhoneResult {
    Added,
    NotActive,
    Known,
    TooMany,
}

/// Notices of an added phone: by mail to every address, and by text to the phones of before.
async fn phone_added_notices(
    call: &Call,
    account: &Account,
    added: &NewPhone,
) -> Result<Vec<Message>, FlowError> {
    let (at, usable_from) = (call.now, added.usable_from);
    let phone = || added.number.masked();
    let link = || call.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::PhoneAdded { at, phone: phone(), usable_from, link: link() };
    let mut messages = notices(call, account, mail).await?;
    // A landline receives no texts, and Anteroom calls only a person who has requested a call: they get the mail.
    let phones = call.store().phones_of(account.id).await?;
    let hears = |phone: &Phone| phone.verified_at.is_some() && is_sent(call, phone, DeliveryMethod::Text);
    let texts = phones.into_iter().filter(hears).map(|known| {
        let word = Notice::PhoneAdded { phone: phone(), link: link() };
        notice(call, account, MessageBody::Notice { to: known.number, notice: word })
    });
    messages.extend(texts);
    Ok(messages)
}
