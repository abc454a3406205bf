//! "Verify your identity": a code to a phone on file, and its entry. The same for a reset, an expired password, a second
//! factor and a phone that is being registered; what differs is the purpose, which has its own budget.
//!
//! Invariants: a code is sent and entered only where the one decision asks for it now; sending and entering are decided under
//! the account's lock, so that parallel requests cannot multiply guesses; what is refused leaves its trace and nothing else.

mod again;
mod enter;
mod send;

pub use enter::{EnterOutcome, Entered, EntryProblem, enter};
pub use send::{SendOutcome, SendProblem, send};

use anteroom_domain::account::Account;
use anteroom_domain::ids::{AccountId, DeviceId, PhoneId};
use anteroom_domain::one_time_code::{CodePurpose, CodeShare, OneTimeCode};
use anteroom_domain::phone::Method;
use anteroom_domain::rate::Wait;
use anteroom_domain::totp::AuthenticatorApp;
use anteroom_storage::{MessageState, MessageStatus, Reads};
use jiff::{SignedDuration, Timestamp};

use crate::call::Visit;
use crate::error::FlowError;
use crate::journey::{Carried, Gone, Waiting, open_or_dashboard};
use crate::onward::{Onward, Step, StepPage, proceed};
use crate::phones::Offer;
use crate::standing::phones_for_code;
use crate::visitor::Live;

/// Which way a code shall take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Phone {
        method: Method,
        phone: PhoneId,
    },
    /// An authenticator app shows it: nothing is sent.
    App,
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
    pub live: Option<Box<Live>>,
    /// Where the person is signed in, or has proven the password.
    pub device: Option<DeviceId>,
    pub offers: Vec<Offer>,
    /// Authenticator apps whose codes are taken here.
    pub apps: Vec<AuthenticatorApp>,
    pub sent: Option<Sent>,
}

/// The code that is on its way.
#[derive(Clone, Debug)]
pub struct Sent {
    pub offer: Offer,
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

fn a_day_before(now: Timestamp) -> Timestamp {
    now.checked_sub(DAY).unwrap_or(Timestamp::MIN)
}

/// What is decided is decided with the device as it is under the account's lock: it may have been forgotten since the page.
async fn share_of(
    reads: &Reads,
    account: AccountId,
    device: Option<DeviceId>,
) -> Result<CodeShare, FlowError> {
    let device = match device {
        Some(device) => reads.device(device).await?,
        None => None,
    };
    Ok(CodeShare::of(device.as_ref(), account))
}

/// Whether a code of this phone is still taken, as the phones are under the account's lock.
async fn still_takes(
    reads: &Reads,
    (carried, verification): (&Carried, &Verification),
    phone: PhoneId,
    now: Timestamp,
) -> Result<bool, FlowError> {
    let phones = reads.phones_of(verification.account.id).await?;
    // A person who is signed in steps up; what the interaction carries is not asked then.
    let proof = carried.proof().filter(|_| verification.live.is_none());
    Ok(phones_for_code(proof, &phones, now).iter().any(|one| one.id == phone))
}

/// What was sent on this way and can still be entered.
pub(crate) async fn sent(
    visit: &Visit,
    carried: &Carried,
    (account, purpose, device): (&Account, CodePurpose, Option<DeviceId>),
    offers: &[Offer],
) -> Result<Option<Sent>, FlowError> {
    let Some(interaction) = carried.row() else { return Ok(None) };
    let Some(code) = visit.store().code_of(interaction, purpose).await? else { return Ok(None) };
    let Some(offer) = way_of(&code, account, offers).cloned() else { return Ok(None) };
    let share = share_of(visit.store(), account.id, device).await?;
    let before = visit.store().sent_before(account.id, (purpose, share), a_day_before(visit.now)).await?;
    let wait = visit.snapshot().policy.codes.may_send(&before.sent, visit.now).err();
    // What was handed over is swept after a while.
    let state = visit.store().message_state(code.message).await?;
    let delivery = state.map_or(Delivery::HandedOver, |state| delivery(&state));
    Ok(Some(Sent { offer, wait, expired: !code.is_alive(visit.now), delivery }))
}

/// Which of the ways offered to this account the code took. None of them: in one browser several people sign in on the way
/// of one interaction, and what one of them was sent proves nothing about another.
fn way_of<'a>(code: &OneTimeCode, account: &Account, offers: &'a [Offer]) -> Option<&'a Offer> {
    let mut offers = offers.iter().filter(|_| code.account == account.id);
    offers.find(|offer| offer.phone.id == code.phone && offer.method == code.method)
}

fn delivery(state: &MessageState) -> Delivery {
    match (state.status, state.last_error.as_deref()) {
        (MessageStatus::Failed, Some(TEXT_REFUSED)) => Delivery::Failed(SendFailure::TextRefused),
        (MessageStatus::Failed | MessageStatus::Expired, _) => Delivery::Failed(SendFailure::NotSent),
        (MessageStatus::Queued | MessageStatus::Sending, Some(_)) => Delivery::Trying,
        (MessageStatus::Queued | MessageStatus::Sending, None) => Delivery::UnderWay,
        (MessageStatus::Sent, _) => Delivery::HandedOver,
    }
}

/// The step as the one decision sees it now, or wherever else it leads.
enum Now {
    Verifying(Box<(Verification, StepPage)>),
    Elsewhere(Onward),
    Gone,
}

async fn now(visit: &Visit, waiting: Option<Waiting>) -> Result<Now, FlowError> {
    let carried = match open_or_dashboard(visit, waiting).await? {
        Ok(carried) => carried,
        Err(Gone) => return Ok(Now::Gone),
    };
    Ok(match proceed(visit, carried).await? {
        Onward::Page(page) => match &page.step {
            Step::Verify(verification) => Now::Verifying(Box::new(((**verification).clone(), *page))),
            _ => Now::Elsewhere(Onward::Page(page)),
        },
        elsewhere => Now::Elsewhere(elsewhere),
    })
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
