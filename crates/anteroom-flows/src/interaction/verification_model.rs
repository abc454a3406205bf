//! The state of "Verify your identity": the account, the ways to send it a code, and the state of the code that was sent.

use anteroom_domain::account::Account;
use anteroom_domain::ids::{AccountId, DeviceId, PhoneId};
use anteroom_domain::interaction::{InteractionProof, ProofKind};
use anteroom_domain::one_time_code::{CodePurpose, CodeQuota, OneTimeCode};
use anteroom_domain::phone::{DeliveryMethod, E164, Phone};
use anteroom_domain::rate::Wait;
use anteroom_domain::totp::AuthenticatorApp;
use anteroom_storage::{MessageState, MessageStatus, Queries};
use jiff::{SignedDuration, Timestamp};

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::open_interaction::OpenInteraction;

/// The way that was chosen for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMethodChoice {
    Phone {
        method: DeliveryMethod,
        phone: PhoneId,
    },
    /// An authenticator app shows the code, so nothing is sent.
    App,
}

/// A phone and a method by which a code can be sent to it.
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

/// What the page of this step shows.
#[derive(Debug)]
pub struct Verification {
    pub purpose: CodePurpose,
    /// The reason is that this device has not passed a second factor yet.
    pub new_device: bool,
    /// The reason is that the person wants to change their authenticator apps.
    pub changes_authenticators: bool,
    /// The registration continues after a phone was verified in another interaction.
    pub resumed: bool,
    pub person: VerifiedPerson,
    /// The device of the session, or the one on which the password was entered.
    pub device: Option<DeviceId>,
    pub destinations: Vec<CodeDestination>,
    /// Authenticator apps whose codes are taken here.
    pub apps: Vec<AuthenticatorApp>,
    pub sent: Option<SentCode>,
}

impl Verification {
    pub fn account(&self) -> &Account {
        self.person.account()
    }

    /// The number of a phone that is offered.
    pub(crate) fn number_of(&self, phone: PhoneId) -> Option<&E164> {
        let offer = self.destinations.iter().find(|offer| offer.phone.id == phone);
        offer.map(|offer| &offer.phone.number)
    }

    /// `None`: the account is not signed in.
    pub fn active_session(&self) -> Option<&ActiveSession> {
        match &self.person {
            VerifiedPerson::SignedIn(live) => Some(live),
            VerifiedPerson::Proven(_) => None,
        }
    }
}

/// The person who enters the code.
#[derive(Debug)]
pub enum VerifiedPerson {
    /// Signed in, and asked for a second factor.
    SignedIn(Box<ActiveSession>),
    /// Has entered an expired password or followed a mailed link.
    Proven(Box<Account>),
}

impl VerifiedPerson {
    pub(crate) fn account(&self) -> &Account {
        match self {
            Self::SignedIn(live) => &live.account,
            Self::Proven(account) => account,
        }
    }
}

/// The code that was sent last.
#[derive(Debug)]
pub struct SentCode {
    pub offer: CodeDestination,
    /// Until another one may be sent.
    pub wait: Option<Wait>,
    pub expired: bool,
    pub delivery: Delivery,
}

/// The state of the code's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Queued for the first attempt, or being sent now.
    UnderWay,
    /// An attempt failed, and another one follows.
    Trying,
    /// The provider of messages accepted it.
    HandedOver,
    Failed(SendFailure),
}

/// Why the code was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// The number does not accept texts. A call may still be possible.
    TextRefused,
    NotSent,
}

/// The stored error of a text that the number does not accept.
const TEXT_REFUSED: &str = "text_refused";

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn a_day_before(now: Timestamp) -> Timestamp {
    now.checked_sub(DAY).unwrap_or(Timestamp::MIN)
}

/// The share of the account's codes that this device may use. The device may have been removed since the page was shown, so it is
/// read again.
pub(crate) async fn code_quota(
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

/// The phones that a code may be sent to and accepted from. A phone may have been verified in another browser since the page was
/// shown, so the unit that accepts the code checks the phones again, under the account's lock.
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

/// Whether a phone was verified in another interaction of the same registration, and no code was entered in this one. An attacker
/// who reads the invitation could enter a phone of their own. So a code to a verified phone is asked for first.
pub(crate) fn is_resumed(proof: &InteractionProof, phones: &[Phone]) -> bool {
    proof.factor.is_none() && phones.iter().any(|phone| phone.verified_at.is_some())
}

pub(crate) fn waiting_phone(phones: &[Phone], id: Option<PhoneId>) -> Option<&Phone> {
    phones.iter().find(|phone| Some(phone.id) == id && phone.verified_at.is_none())
}

/// Whether a code of this phone is still accepted. To be called under the account's lock.
pub(crate) async fn is_phone_still_accepted(
    reads: &Queries,
    interaction: &OpenInteraction,
    verification: &Verification,
    phone: PhoneId,
    now: Timestamp,
) -> Result<bool, FlowError> {
    let phones = reads.phones_of(verification.account().id).await?;
    // For a step-up the session counts, and not a proof that the interaction may have as well.
    let proof = interaction.proof().filter(|_| verification.active_session().is_none());
    Ok(phones_for_code(proof, &phones, now).iter().any(|one| one.id == phone))
}

/// The code that was sent in this interaction and can still be entered.
pub(crate) async fn sent(
    visit: &Visit,
    interaction: &OpenInteraction,
    account: &Account,
    purpose: CodePurpose,
    device: Option<DeviceId>,
    offers: &[CodeDestination],
) -> Result<Option<SentCode>, FlowError> {
    let Some(row) = interaction.row() else { return Ok(None) };
    let Some(code) = visit.store().code_of(row, purpose).await? else { return Ok(None) };
    let Some(offer) = destination_of(&code, account, offers).cloned() else { return Ok(None) };
    let share = code_quota(visit.store(), account.id, device).await?;
    let before = visit.store().code_attempts(account.id, purpose, share, a_day_before(visit.now)).await?;
    let wait = visit.snapshot().policy.codes.may_send(&before.sent, visit.now).err();
    // Messages that were handed over are deleted after a while.
    let state = visit.store().message_state(code.message).await?;
    let delivery = state.map_or(Delivery::HandedOver, |state| delivery(&state));
    Ok(Some(SentCode { offer, wait, expired: !code.is_alive(visit.now), delivery }))
}

/// The destination that the code was sent to, of those offered to this account. `None`: several people can sign in in one
/// interaction, and the code was sent to another one of them.
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
