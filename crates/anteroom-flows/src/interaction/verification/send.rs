//! `POST /verify/send`: a new code, which makes the one before worthless.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{CodeId, MessageId};
use anteroom_domain::limits::Limit;
use anteroom_domain::message::{Message, MessageBody, SecretCode};
use anteroom_domain::one_time_code::{CodeQuota, DIGITS, OneTimeCode};
use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::rate::Wait;
use anteroom_domain::telephony::allowed;
use anteroom_storage::{RateLimitResult, Tx, Unit};
use jiff::Timestamp;

use super::{VerificationPage, VerificationState, now};
use crate::context::call::Visit;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::next::{Next, StepPage, proceed};
use crate::interaction::open_interaction::{InteractionRef, NewInteraction, OpenInteraction};
use crate::interaction::verification_model::{
    CodeDestination, CodeMethodChoice, Verification, a_day_before, code_share, is_phone_still_accepted,
};
use crate::messages::languages::{asked_in, of_page};
use crate::sessions::repeated_form::{MAX_REPEATS, repeat_window_start};

#[derive(Debug)]
pub enum SendOutcome {
    Next(Next),
    /// The authenticator app shows the code.
    App(Box<StepPage>),
    /// The page again, with what is in the way.
    Problem {
        problem: SendProblem,
        page: Box<StepPage>,
    },
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendProblem {
    /// Nothing was chosen, or something that is not offered.
    Choose,
    Wait(Wait),
    /// No code would be of use before then: too many wrong ones were entered.
    BudgetSpent(Timestamp),
    /// The operator does not let codes go to this number.
    Refused,
}

const CODE_CONTEXT: &str = "one-time code";

/// What is hashed: the code's own identifier binds it to its row, and so to account, purpose, phone and interaction.
pub(super) fn code_data(id: CodeId, digits: &str) -> Vec<u8> {
    [id.0.as_bytes(), digits.as_bytes()].concat()
}

pub(super) fn code_context() -> &'static str {
    CODE_CONTEXT
}

#[tracing::instrument(name = "send_code", skip_all)]
pub async fn send(
    visit: &Visit,
    interaction_ref: Option<InteractionRef>,
    choice: Option<CodeMethodChoice>,
) -> Result<SendOutcome, FlowError> {
    let VerificationPage { verification, page } = match now(visit, interaction_ref).await? {
        VerificationState::Verifying(found) => *found,
        VerificationState::Elsewhere(next) => return Ok(SendOutcome::Next(next)),
        VerificationState::Gone => return Ok(SendOutcome::Gone),
    };
    if choice == Some(CodeMethodChoice::App) && !verification.apps.is_empty() {
        return Ok(SendOutcome::App(Box::new(page)));
    }
    let mut offers = verification.offers.iter();
    let chosen = offers.find(|offer| choice == Some(offer.choice())).cloned();
    let Some(offer) = chosen else {
        return Ok(SendOutcome::Problem { problem: SendProblem::Choose, page: Box::new(page) });
    };
    let (account, purpose) = (verification.account.id, verification.purpose);
    let (page, sent) = if allowed(&offer.phone.number, &visit.snapshot().policy.telephony).is_err() {
        (page, Err(SendProblem::Refused))
    } else {
        let id = code_id(visit, &offer).await?;
        let (unit, sent) = visit.store().run(SendCode::new(visit, verification, page, offer, id)).await;
        (unit.page, sent?)
    };
    match sent {
        Ok(interaction) => Ok(SendOutcome::Next(proceed(visit, interaction).await?)),
        Err(problem) => {
            let event = Event::CodeNotSent { purpose: purpose.as_str(), reason: problem.as_str() };
            let entry = visit.entry(Actor::Anonymous, event).about(account);
            note_refusal(visit, entry).await?;
            if problem == SendProblem::Choose {
                return Ok(SendOutcome::Next(proceed(visit, page.interaction).await?));
            }
            Ok(SendOutcome::Problem { problem, page: Box::new(page) })
        }
    }
}

impl SendProblem {
    /// For the trail.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Choose => "ended",
            Self::Wait(_) => "wait",
            Self::BudgetSpent(_) => "budget_spent",
            Self::Refused => "not_allowed",
        }
    }
}

/// The same button twice sends one code, so its identifier is that of the form and what was chosen. A page that is kept open sends
/// another one after a while.
async fn code_id(visit: &Visit, offer: &CodeDestination) -> Result<CodeId, FlowError> {
    let since = repeat_window_start(visit.now);
    let method = offer.method.as_str().as_bytes();
    for turn in 0..MAX_REPEATS {
        let Some(form) = visit.sent_form else { break };
        let id = CodeId(form.submission_id(visit, &[method, offer.phone.id.0.as_bytes(), &[turn]]));
        if visit.store().code_sent_at(id).await?.is_none_or(|at| at > since) {
            return Ok(id);
        }
    }
    Ok(CodeId(visit.new_id()))
}

struct SendCode {
    visit: Visit,
    page: StepPage,
    new_interaction: NewInteraction,
    verification: Verification,
    offer: CodeDestination,
    code: OneTimeCode,
    message: Message,
}

impl SendCode {
    fn new(
        visit: &Visit,
        verification: Verification,
        page: StepPage,
        offer: CodeDestination,
        id: CodeId,
    ) -> Self {
        let (at, lifetime) = (visit.now, visit.snapshot().policy.codes.lifetime);
        let (digits, message) = (visit.random().digits(DIGITS), MessageId(visit.new_id()));
        let expires_at = visit.after(lifetime);
        let digest = visit.keyring().mac(KeyPurpose::TokenHash).digest(CODE_CONTEXT, &code_data(id, &digits));
        let code = OneTimeCode {
            id,
            account: verification.account.id,
            purpose: verification.purpose,
            phone: offer.phone.id,
            method: offer.method,
            digest,
            message,
            created_at: at,
            expires_at,
        };
        let secret = SecretCode { digits, minutes: u16::try_from(lifetime.as_mins()).unwrap_or(u16::MAX) };
        let to = offer.phone.number.clone();
        let parcel = match offer.method {
            DeliveryMethod::Text => MessageBody::Text { to, code: secret },
            DeliveryMethod::Call => MessageBody::Call { to, code: secret },
        };
        let language = of_page(visit, page.interaction.state.request());
        let message = Message {
            id: message,
            account: Some(verification.account.id),
            locale: asked_in(verification.account.locale.as_deref(), language),
            parcel,
            reference: Some(visit.reference),
            created_at: at,
            expires_at,
        };
        let new_interaction = NewInteraction::prepare(visit, &page.interaction);
        Self { visit: visit.clone(), page, new_interaction, verification, offer, code, message }
    }
}

impl Unit for SendCode {
    type Output = Result<OpenInteraction, SendProblem>;
    type Error = FlowError;

    const NAME: &'static str = "send_code";

    async fn run(&self, tx: &Tx) -> Result<Result<OpenInteraction, SendProblem>, FlowError> {
        let Self { visit, page: StepPage { interaction, .. }, verification, code, .. } = self;
        let (account, now) = (&verification.account, visit.now);
        let locked = tx.lock_account(account.id).await?;
        if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
            // A reset or a disablement came in between; the next look at the page says so.
            return Ok(Err(SendProblem::Choose));
        }
        if !is_phone_still_accepted(tx, (interaction, verification), code.phone, now).await? {
            return Ok(Err(SendProblem::Choose));
        }
        if tx.code_sent_at(code.id).await?.is_some() {
            return Ok(Ok(self.persist(tx).await?));
        }
        let share = code_share(tx, account.id, verification.device).await?;
        if let Err(problem) = self.check_quota(tx, share).await? {
            return Ok(Err(problem));
        }
        let interaction = self.persist(tx).await?;
        let row = interaction
            .row()
            .ok_or(FlowError::Broken("an interaction that was persisted, without its row"))?;
        tx.insert_code(code, row, share).await?;
        tx.enqueue(&self.message).await?;
        let event = Event::CodeSent {
            purpose: code.purpose.as_str(),
            method: code.method.as_str(),
            phone: self.offer.phone.number.masked(),
        };
        tx.append(&visit.entry(Actor::Anonymous, event).about(account.id)).await?;
        Ok(Ok(interaction))
    }
}

impl SendCode {
    async fn persist(&self, tx: &Tx) -> Result<OpenInteraction, FlowError> {
        let interaction = &self.page.interaction;
        interaction.persist(tx, &self.new_interaction, interaction.proof().cloned()).await
    }

    /// What this account, this device and this purpose may have, and what all codes together may cost.
    async fn check_quota(&self, tx: &Tx, share: CodeQuota) -> Result<Result<(), SendProblem>, FlowError> {
        let Self { visit, verification, .. } = self;
        let (policy, now) = (&visit.snapshot().policy.codes, visit.now);
        let (account, purpose) = (verification.account.id, verification.purpose);
        let before = tx.sent_before(account, purpose, share, a_day_before(now)).await?;
        if let Err(spent) = policy.entries_left(&before.wrong, now) {
            return Ok(Err(SendProblem::BudgetSpent(spent.until)));
        }
        if let Err(wait) = policy.may_send(&before.sent, now) {
            return Ok(Err(SendProblem::Wait(wait)));
        }
        Ok(self.spend(tx, share).await?.map_err(SendProblem::Wait))
    }

    /// Limits the cost of all codes. Counters are otherwise locked before accounts (the order is in the head of
    /// `anteroom_storage`); here they come after, because no transaction locks an account after these counters.
    async fn spend(&self, tx: &Tx, share: CodeQuota) -> Result<Result<(), Wait>, FlowError> {
        let Self { visit, offer, verification, .. } = self;
        let telephony = &visit.snapshot().policy.telephony;
        let budgets = telephony.budgets(&offer.phone.number, verification.purpose, share);
        let RateLimitResult::Refused { limit, wait } = tx.spend(&budgets, visit.now).await? else {
            return Ok(Ok(()));
        };
        if limit == Limit::PhoneOverall {
            let overall = budgets.iter().find(|budget| budget.limit == limit);
            tracing::error!(
                reference = %visit.reference,
                most = overall.map(|budget| budget.rate.max),
                "ALARM: more codes were asked for than policy.telephony.overall allows; none go out"
            );
        } else {
            tracing::warn!(
                reference = %visit.reference,
                scope = limit.name(),
                "a code was not sent: too many to this number or its neighbours"
            );
        }
        Ok(Err(wait))
    }
}
