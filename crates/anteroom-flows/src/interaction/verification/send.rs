//! `POST /verify/send`: a new code, which makes the one before worthless.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{CodeId, MessageId};
use anteroom_domain::limits::Limit;
use anteroom_domain::message::{Message, MessageBody, SecretCode};
use anteroom_domain::one_time_code::{CodePolicy, CodeQuota, DIGITS, OneTimeCode};
use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::rate::Wait;
use anteroom_domain::telephony::{TelephonyPolicy, allowed};
use anteroom_storage::{RateLimitResult, Tx};
use jiff::Timestamp;
use std::sync::Arc;

use super::{VerificationState, now};
use crate::context::call::Visit;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::next::{Next, StepPage, proceed};
use crate::interaction::open_interaction::{InteractionRef, NewInteraction, OpenInteraction};
use crate::interaction::verification_model::CodeDestination;
use crate::interaction::verification_model::{
    CodeMethodChoice, Verification, a_day_before, code_share, is_phone_still_accepted,
};
use crate::messages::languages::{asked_in, of_page};
use crate::sessions::repeated_form::{MAX_REPEATS, repeat_window_start};

#[derive(Debug)]
pub enum SendOutcome {
    Onward(Next),
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

struct SendCodeUnit {
    visit: Visit,
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    verification: Verification,
    offer: CodeDestination,
    code: OneTimeCode,
    message: Message,
    policy: CodePolicy,
    telephony: TelephonyPolicy,
}

#[tracing::instrument(name = "send_code", skip_all)]
pub async fn send(
    visit: &Visit,
    interaction_ref: Option<InteractionRef>,
    choice: Option<CodeMethodChoice>,
) -> Result<SendOutcome, FlowError> {
    let (verification, page) = match now(visit, interaction_ref).await? {
        VerificationState::Verifying(found) => *found,
        VerificationState::Elsewhere(next) => return Ok(SendOutcome::Onward(next)),
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
    let settled = if allowed(&offer.phone.number, &visit.snapshot().policy.telephony).is_err() {
        Err(SendProblem::Refused)
    } else {
        let id = code_id(visit, &offer).await?;
        let prepared = prepare(visit, (verification, offer, id), page.interaction.clone());
        let prepared = Arc::new(prepared);
        visit.store().write(move |tx| settle(tx, Arc::clone(&prepared))).await?
    };
    match settled {
        Ok(interaction) => Ok(SendOutcome::Onward(proceed(visit, interaction).await?)),
        Err(problem) => {
            let event = Event::CodeNotSent { purpose: purpose.as_str(), reason: problem.as_str() };
            let entry = visit.entry(Actor::Anonymous, event).about(account);
            note_refusal(visit, entry).await?;
            if problem == SendProblem::Choose {
                return Ok(SendOutcome::Onward(proceed(visit, page.interaction).await?));
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

fn prepare(
    visit: &Visit,
    (verification, offer, id): (Verification, CodeDestination, CodeId),
    interaction: OpenInteraction,
) -> SendCodeUnit {
    let (random, at) = (visit.random(), visit.now);
    let policy = visit.snapshot().policy.codes;
    let telephony = visit.snapshot().policy.telephony.clone();
    let new_interaction = NewInteraction::prepare(visit, &interaction);
    let (digits, message) = (random.digits(DIGITS), MessageId(visit.new_id()));
    let expires_at = at.checked_add(policy.lifetime).unwrap_or(Timestamp::MAX);
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
    let secret = SecretCode { digits, minutes: u16::try_from(policy.lifetime.as_mins()).unwrap_or(u16::MAX) };
    let to = offer.phone.number.clone();
    let parcel = match offer.method {
        DeliveryMethod::Text => MessageBody::Text { to, code: secret },
        DeliveryMethod::Call => MessageBody::Call { to, code: secret },
    };
    let message = Message {
        id: message,
        account: Some(verification.account.id),
        locale: asked_in(verification.account.locale.as_deref(), of_page(visit, interaction.state.request())),
        parcel,
        reference: Some(visit.reference),
        created_at: at,
        expires_at,
    };
    SendCodeUnit {
        visit: visit.clone(),
        interaction,
        new_interaction,
        verification,
        offer,
        code,
        message,
        policy,
        telephony,
    }
}

async fn settle(
    tx: Tx,
    prepared: Arc<SendCodeUnit>,
) -> Result<Result<OpenInteraction, SendProblem>, FlowError> {
    let SendCodeUnit { visit, verification, policy, code, .. } = &*prepared;
    let account = &verification.account;
    let locked = tx.lock_account(account.id).await?;
    if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
        // A reset or a disablement came in between; the next look at the page says so.
        return Ok(Err(SendProblem::Choose));
    }
    if !is_phone_still_accepted(&tx, (&prepared.interaction, verification), code.phone, visit.now).await? {
        return Ok(Err(SendProblem::Choose));
    }
    let proof = prepared.interaction.proof().cloned();
    if tx.code_sent_at(code.id).await?.is_some() {
        return Ok(Ok(prepared.interaction.persist(&tx, &prepared.new_interaction, proof).await?));
    }
    let share = code_share(&tx, account.id, verification.device).await?;
    let before = tx.sent_before(account.id, (verification.purpose, share), a_day_before(visit.now)).await?;
    if let Err(spent) = policy.entries_left(&before.wrong, visit.now) {
        return Ok(Err(SendProblem::BudgetSpent(spent.until)));
    }
    if let Err(wait) = policy.may_send(&before.sent, visit.now) {
        return Ok(Err(SendProblem::Wait(wait)));
    }
    if let Err(wait) = spend(&tx, &prepared, share).await? {
        return Ok(Err(SendProblem::Wait(wait)));
    }
    let interaction = prepared.interaction.persist(&tx, &prepared.new_interaction, proof).await?;
    let row =
        interaction.row().ok_or(FlowError::Broken("an interaction that was persisted, without its row"))?;
    tx.insert_code(code, (row, share)).await?;
    tx.enqueue(&prepared.message).await?;
    let event = Event::CodeSent {
        purpose: code.purpose.as_str(),
        method: code.method.as_str(),
        phone: prepared.offer.phone.number.masked(),
    };
    tx.append(&prepared.visit.entry(Actor::Anonymous, event).about(account.id)).await?;
    Ok(Ok(interaction))
}

/// Limits the cost of all codes. Counters are otherwise locked before accounts (the order is in the head of
/// `anteroom_storage`); here they come after, because no transaction locks an account after these counters.
async fn spend(tx: &Tx, prepared: &SendCodeUnit, share: CodeQuota) -> Result<Result<(), Wait>, FlowError> {
    let (number, purpose) = (&prepared.offer.phone.number, prepared.verification.purpose);
    let budgets = prepared.telephony.budgets(number, purpose, share);
    let RateLimitResult::Refused { limit, wait } = tx.spend(&budgets, prepared.visit.now).await? else {
        return Ok(Ok(()));
    };
    if limit == Limit::PhoneOverall {
        let overall = budgets.iter().find(|budget| budget.limit == limit);
        tracing::error!(
            reference = %prepared.visit.reference,
            most = overall.map(|budget| budget.rate.max),
            "ALARM: more codes were asked for than policy.telephony.overall allows; none go out"
        );
    } else {
        tracing::warn!(
            reference = %prepared.visit.reference,
            scope = limit.name(),
            "a code was not sent: too many to this number or its neighbours"
        );
    }
    Ok(Err(wait))
}
