//! What "Verify your identity" is about: whom, by which ways, and what became of the code that was sent.

use anteroom_domain::account::Account;
use anteroom_domain::ids::{AccountId, DeviceId, PhoneId};
use anteroom_domain::interaction::{InteractionProof, ProofKind};
use anteroom_domain::one_time_code::{CodePurpose, CodeQuota, OneTimeCode};
use anteroom_domain::phone::{DeliveryMethod, Phone};
use anteroom_domain::rate::Wait;
use anteroom_domain::totp::AuthenticatorApp;
use anteroom_storage::{MessageState, MessageStatus, Queries};
use jiff::{SignedDuration, Timestamp};

use crate::context::call::Visit;
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::interaction::open_interaction::OpenInteraction;

/// Which way a code shall take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMethodChoice {
    Phone {
        method: DeliveryMethod,
        phone: PhoneId,
    },
    /// An authenticator app shows it: nothing is sent.
    App,
}

/// A way that a code can take to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeDestination {
    pub phone: Phone,
    pub method: DeliveryMethod,
}

impl CodeDestination {
    pub const fn choice(&self) -> CodeMethodChoice {
        CodeMethodChoice::Phone { method: self.method, phone: self.phone.id }
    }
}

/// What the page of this step says.
#[derive(Clone, Debug)]
pub struct Verification {
    pub purpose: CodePurpose,
    /// A device that has not passed a second factor yet is why.
    pub new_device: bool,
    /// What proves who they are, is to be changed.
    pub own_proofs: bool,
    /// A registration goes on behind a phone that was verified on another way.
    pub resumed: bool,
    pub account: Box<Account>,
    /// A person who steps up is signed in.
    pub live: Option<Box<ActiveSession>>,
    /// Where the person is signed in, or has proven the password.
    pub device: Option<DeviceId>,
    pub offers: Vec<CodeDestination>,
    /// Authenticator apps whose codes are taken here.
    pub apps: Vec<AuthenticatorApp>,
    pub sent: Option<SentCode>,
}

/// The code that is on its way.
#[derive(Clone, Debug)]
pub struct SentCode {
    pub offer: CodeDestination,
    /// Until another one may be sent.
    pub wait: Option<Wait>,
    pub expired: bool,
    pub delivery: Delivery,
}

/// What became of the code's message so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Waits for its first attempt, or is handed over just now.
    UnderWay,
    /// An attempt failed, and another one follows.
    Trying,
    /// The provider took it.
    HandedOver,
    Failed(SendFailure),
}

/// Why the code will not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// The number takes no texts: a call may get through.
    TextRefused,
    NotSent,
}

/// The word under which a refused text is kept.
const TEXT_REFUSED: &str = "text_refused";

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn a_day_before(now: Timestamp) -> Timestamp {
    now.checked_sub(DAY).unwrap_or(Timestamp::MIN)
}

/// What is decided is decided with the device as it is under the account's lock: it may have been forgotten since the page.
pub(crate) async fn code_share(
    reads: &Queries,
    account: AccountId,
    device: Option<DeviceId>,
) -> Result<CodeQuota, FlowError> {
    let device = match device {
        Some(device) => reads.device(device).await?,
        None => None,
    };
    Ok(CodeQuota::of(device.as_ref(), account))
}

/// The phones that a code may go to and come from. The page asks it, and so does the unit that takes the code, of the phones as
/// they are under the account's lock: one may have been verified in another browser since.
pub(crate) fn phones_for_code<'a>(
    proof: Option<&InteractionProof>,
    phones: &'a [Phone],
    now: Timestamp,
) -> Vec<&'a Phone> {
    let serving = phones.iter().filter(|phone| phone.accepts_codes(now));
    let Some(proof) = proof else { return serving.collect() };
    match proof.kind {
        ProofKind::Invitation { .. } if is_resumed(proof, phones) => {
            serving.filter(|phone| phone.verified_at.is_some()).collect()
        }
        ProofKind::Invitation { phone, .. } => waiting_phone(phones, phone).into_iter().collect(),
        ProofKind::ExpiredPassword { .. } | ProofKind::Recovery { .. } => serving.collect(),
    }
}

/// Whether a phone was verified on another way to the same registration, and no code was entered on this one. Then a code to
/// such a phone comes before anything else: a thief who reads the mail could name a phone of their own.
pub(crate) fn is_resumed(proof: &InteractionProof, phones: &[Phone]) -> bool {
    proof.factor.is_none() && phones.iter().any(|phone| phone.verified_at.is_some())
}

pub(crate) fn waiting_phone(phones: &[Phone], id: Option<PhoneId>) -> Option<&Phone> {
    phones.iter().find(|phone| Some(phone.id) == id && phone.verified_at.is_none())
}

/// Whether a code of this phone is still taken, as the phones are under the account's lock.
pub(crate) async fn is_phone_still_accepted(
    reads: &Queries,
    (interaction, verification): (&OpenInteraction, &Verification),
    phone: PhoneId,
    now: Timestamp,
) -> Result<bool, FlowError> {
    let phones = reads.phones_of(verification.account.id).await?;
    // A person who is signed in steps up; what the interaction carries is not asked then.
    let proof = interaction.proof().filter(|_| verification.live.is_none());
    Ok(phones_for_code(proof, &phones, now).iter().any(|one| one.id == phone))
}

/// What was sent on this way and can still be entered.
pub(crate) async fn sent(
    visit: &Visit,
    interaction: &OpenInteraction,
    (account, purpose, device): (&Account, CodePurpose, Option<DeviceId>),
    offers: &[CodeDestination],
) -> Result<Option<SentCode>, FlowError> {
    let Some(row) = interaction.row() else { return Ok(None) };
    let Some(code) = visit.store().code_of(row, purpose).await? else { return Ok(None) };
    let Some(offer) = destination_of(&code, account, offers).cloned() else { return Ok(None) };
    let share = code_share(visit.store(), account.id, device).await?;
    let before = visit.store().sent_before(account.id, purpose, share, a_day_before(visit.now)).await?;
    let wait = visit.snapshot().policy.codes.may_send(&before.sent, visit.now).err();
    // What was handed over is swept after a while.
    let state = visit.store().message_state(code.message).await?;
    let delivery = state.map_or(Delivery::HandedOver, |state| delivery(&state));
    Ok(Some(SentCode { offer, wait, expired: !code.is_alive(visit.now), delivery }))
}

/// Which of the ways offered to this account the code took. None of them: in one browser several people sign in on the way
/// of one interaction, and what one of them was sent proves nothing about another.
pub(crate) fn destination_of<'a>(
    code: &OneTimeCode,
    account: &Account,
    offers: &'a [CodeDestination],
) -> Option<&'a CodeDestination> {
    let mut offers = offers.iter().filter(|_| code.account == account.id);
    offers.find(|offer| offer.phone.id == code.phone && offer.method == code.method)
}

pub(crate) fn delivery(state: &MessageState) -> Delivery {
    match (state.status, state.last_error.as_deref()) {
        (MessageStatus::Failed, Some(TEXT_REFUSED)) => Delivery::Failed(SendFailure::TextRefused),
        (MessageStatus::Failed | MessageStatus::Expired, _) => Delivery::Failed(SendFailure::NotSent),
        (MessageStatus::Queued | MessageStatus::Sending, Some(_)) => Delivery::Trying,
        (MessageStatus::Queued | MessageStatus::Sending, None) => Delivery::UnderWay,
        (MessageStatus::Sent, _) => Delivery::HandedOver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_code_is_read_from_its_message() {
        for (status, last_error, expected) in [
            (MessageStatus::Queued, None, Delivery::UnderWay),
            (MessageStatus::Sending, None, Delivery::UnderWay),
            (MessageStatus::Sending, Some("no_connection"), Delivery::Trying),
            (MessageStatus::Sent, None, Delivery::HandedOver),
            (MessageStatus::Failed, Some("text_refused"), Delivery::Failed(SendFailure::TextRefused)),
            (MessageStatus::Failed, Some("rejected"), Delivery::Failed(SendFailure::NotSent)),
            (MessageStatus::Expired, Some("no_connection"), Delivery::Failed(SendFailure::NotSent)),
        ] {
            let state = MessageState { status, last_error: last_error.map(str::to_owned) };
            assert_eq!(delivery(&state), expected, "{state:?}");
        }
    }
}
