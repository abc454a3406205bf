//! What support can start at the shell, and only the person can finish: a reset, and a phone for a person who has none.
//!
//! No password or code is set, seen or skipped here. What is added to a registered account waits, and every address and
//! verified cell phone of the account is told at once, so that an operator who was talked into it has given nothing away yet.

use anteroom_domain::account::{Account, AccountStatus, PhoneKind};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{AccountId, LinkId, PhoneId};
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
use crate::messages::notices::{message, notice, notices};
use crate::people::admin::{AdminError, find};

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
        AccountStatus::Invited | AccountStatus::Disabled => Err(SupportError::NotActive(address.clone())),
    }
}

/// Mails the link of a reset, as the person could ask for it. There is no browser for its code to be typed in.
pub async fn send_reset(call: &Call, address: &EmailAddress) -> Result<(), SupportError> {
    let account = active(call, address).await?;
    let (snapshot, now) = (call.snapshot(), call.now);
    let lifetime = snapshot.policy.recovery.link_lifetime;
    let (id, kind) = (LinkId(call.new_id()), LinkKind::Recovery);
    let identity = LinkIdentity { id, kind, account: Some(account.id) };
    let new = new_link(call, identity, None, (now, lifetime));
    let mut href = snapshot.issuer.endpoint("/recover");
    href.query_pairs_mut().append_pair("token", &new.token.encode());
    let mail = Mail::Recovery {
        link: href.to_string(),
        code: None,
        minutes: u16::try_from(lifetime.as_mins()).unwrap_or(u16::MAX),
    };
    let to = account.primary_address.clone();
    let message = message(call, &account, MessageBody::Email { to, mail }, (now, new.link.expires_at));
    let entry = call.entry(Actor::Operator, Event::RecoveryAsked { mailed: true }).about(account.id);
    let unit = SendReset { account: account.id, link: new.link, message, entry };
    if call.store().run(unit).await.1? { Ok(()) } else { Err(SupportError::NotActive(address.clone())) }
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

/// Adds a number that an operator took down in person. It serves after the delay, and the first code sent to it verifies
/// it. Says from when.
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
    let unit = AddPhone { call: call.clone(), account: account.id, phone, messages };
    match call.store().run(unit).await.1? {
        Added::Yes => Ok(usable_from),
        Added::NotActive => Err(SupportError::NotActive(address.clone())),
        Added::Known => Err(SupportError::AlreadyThere),
        Added::TooMany => Err(SupportError::TooManyPhones),
    }
}

struct AddPhone {
    call: Call,
    account: AccountId,
    phone: NewPhone,
    messages: Vec<Message>,
}

impl Unit for AddPhone {
    type Output = Added;
    type Error = FlowError;

    const NAME: &'static str = "add_phone_of_support";

    async fn run(&self, tx: &Tx) -> Result<Added, FlowError> {
        let Self { call, account, phone, messages } = self;
        if !is_active(tx, *account).await? {
            return Ok(Added::NotActive);
        }
        if tx.phones_of(*account).await?.len() >= MAX_PHONES {
            return Ok(Added::TooMany);
        }
        if !tx.insert_phone(*account, phone, call.now).await? {
            return Ok(Added::Known);
        }
        for message in messages {
            tx.enqueue(message).await?;
        }
        let event = Event::PhoneAdded { phone: phone.number.masked(), phone_kind: phone.kind.as_str() };
        tx.append(&call.entry(Actor::Operator, event).about(*account)).await?;
        Ok(Added::Yes)
    }
}

enum Added {
    Yes,
    NotActive,
    Known,
    TooMany,
}

/// Word of it by mail to every address, and by text to the phones that were there.
async fn phone_added_notices(
    call: &Call,
    account: &Account,
    added: &NewPhone,
) -> Result<Vec<Message>, FlowError> {
    let link = call.snapshot().issuer.endpoint("/forgot-password").to_string();
    let number = || added.number.masked();
    let mail = Mail::PhoneAdded {
        at: call.now,
        phone: number(),
        usable_from: added.usable_from,
        link: link.clone(),
    };
    let mut messages = notices(call, account, mail).await?;
    // A landline takes no texts, and no person is called without having asked for it: they have the mail.
    let phones = call.store().phones_of(account.id).await?;
    let hears = |phone: &Phone| phone.verified_at.is_some() && is_sent(call, phone, DeliveryMethod::Text);
    let word = Notice::PhoneAdded { phone: number(), link };
    let texts = phones.into_iter().filter(hears).map(|phone| {
        let parcel = MessageBody::Notice { to: phone.number, notice: word.clone() };
        notice(call, account, parcel)
    });
    messages.extend(texts);
    Ok(messages)
}
