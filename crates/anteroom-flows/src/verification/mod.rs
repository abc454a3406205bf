//! "Verify your identity": a code to a phone on file, and its entry. The same for a reset, an expired password, a second
//! factor and a phone that is being registered; what differs is the purpose, which has its own budget.
//!
//! Invariants: a code is sent and entered only where the one decision asks for it now; sending and entering are decided under
//! the account's lock, so that parallel requests cannot multiply guesses; what is refused leaves its trace and nothing else.

mod enter;
mod send;

pub use enter::{EnterOutcome, Entered, EntryProblem, enter};
pub use send::{SendOutcome, SendProblem, send};

use anteroom_domain::account::Account;
use anteroom_domain::ids::PhoneId;
use anteroom_domain::one_time_code::{CodePurpose, OneTimeCode};
use anteroom_domain::phone::Method;
use anteroom_domain::rate::Wait;
use anteroom_domain::totp::AuthenticatorApp;
use anteroom_storage::{MessageState, MessageStatus};
use jiff::{SignedDuration, Timestamp};

use crate::error::FlowError;
use crate::journey::{Carried, Gone, Waiting, open_or_dashboard};
use crate::onward::{Onward, Step, StepPage, proceed};
use crate::phones::Offer;
use crate::provider::Provider;
use crate::visitor::{Live, Visitor};

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
    /// A registration goes on behind a phone that was verified on another way.
    pub resumed: bool,
    pub account: Box<Account>,
    /// Whoever steps up is signed in.
    pub live: Option<Box<Live>>,
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
    pub failed: Option<SendFailure>,
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

/// What was sent on this way and can still be entered.
pub(crate) async fn sent(
    provider: &Provider,
    visitor: &Visitor,
    carried: &Carried,
    (account, purpose): (&Account, CodePurpose),
    offers: &[Offer],
) -> Result<Option<Sent>, FlowError> {
    let Some(interaction) = carried.row() else { return Ok(None) };
    let Some(code) = provider.store.code_of(interaction, purpose).await? else { return Ok(None) };
    let Some(offer) = way_of(&code, account, offers).cloned() else { return Ok(None) };
    let before = provider.store.sent_before(account.id, purpose, a_day_before(visitor.now)).await?;
    let wait = provider.snapshot().policy.codes.may_send(&before.sent, visitor.now).err();
    let failed = provider.store.message_state(code.message).await?.and_then(|state| failed(&state));
    Ok(Some(Sent { offer, wait, expired: !code.is_alive(visitor.now), failed }))
}

/// Which of the ways offered to this account the code took. None of them: in one browser several people sign in on the way
/// of one interaction, and what one of them was sent proves nothing about another.
fn way_of<'a>(code: &OneTimeCode, account: &Account, offers: &'a [Offer]) -> Option<&'a Offer> {
    let mut offers = offers.iter().filter(|_| code.account == account.id);
    offers.find(|offer| offer.phone.id == code.phone && offer.method == code.method)
}

fn failed(state: &MessageState) -> Option<SendFailure> {
    let refused = state.last_error.as_deref() == Some(TEXT_REFUSED);
    match state.status {
        MessageStatus::Failed if refused => Some(SendFailure::TextRefused),
        MessageStatus::Failed | MessageStatus::Expired => Some(SendFailure::NotSent),
        MessageStatus::Queued | MessageStatus::Sending | MessageStatus::Sent => None,
    }
}

/// The step as the one decision sees it now, or wherever else it leads.
enum Now {
    Verifying(Box<(Verification, StepPage)>),
    Elsewhere(Onward),
    Gone,
}

async fn now(provider: &Provider, visitor: &Visitor, waiting: Option<Waiting>) -> Result<Now, FlowError> {
    let carried = match open_or_dashboard(provider, visitor, waiting).await? {
        Ok(carried) => carried,
        Err(Gone) => return Ok(Now::Gone),
    };
    Ok(match proceed(provider, visitor, carried).await? {
        Onward::Page(page) => match &page.step {
            Step::Verify(verification) => Now::Verifying(Box::new(((**verification).clone(), *page))),
            _ => Now::Elsewhere(Onward::Page(page)),
        },
        elsewhere => Now::Elsewhere(elsewhere),
    })
}
