//! `POST /verify/send`: sends a new code, which replaces the one before.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{MessageId, OneTimeCodeId};
use anteroom_domain::limits::Limit;
use anteroom_domain::message::{Message, MessageBody, OneTimeCodeText};
use anteroom_domain::one_time_code::{CodeQuota, DIGITS, OneTimeCode};
use anteroom_domain::phone::{DeliveryMethod, E164};
use anteroom_domain::rate::Wait;
use anteroom_domain::telephony::allowed;
use anteroom_storage::{RateLimitResult, Tx, Unit};
use jiff::Timestamp;

use super::{VerificationPage, VerificationState, now};
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::next::{Next, StepPage, proceed};
use crate::interaction::open_interaction::{InteractionRef, NewInteraction, SavedRow};
use crate::interaction::verification_model::{
    CodeDestination, CodeMethodChoice, a_day_before, code_quota, is_phone_still_accepted,
};
use crate::messages::languages::{message_languages, of_page};
use crate::sessions::form_effect::record_refused_form;
use crate::sessions::repeated_form::{MAX_REPEATS, repeat_window_start};

#[derive(Debug)]
pub enum SendOutcome {
    Next(Next),
    /// The authenticator app shows the code.
    App(Box<StepPage>),
    /// The page again, with the problem.
    Problem {
        problem: SendProblem,
        page: Box<StepPage>,
    },
    InteractionNotFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendProblem {
    /// No way was chosen, or one that is not offered.
    Choose,
    Wait(Wait),
    /// Too many wrong codes were entered: none is accepted before this time.
    LimitReached(Timestamp),
    /// The operator does not allow codes to this number.
    Refused,
}

const CODE_CONTEXT: &str = "one-time code";

/// The hashed data. The code's identifier binds the digest to its row, and so to account, purpose, phone and interaction.
pub(super) fn code_data(id: OneTimeCodeId, digits: &str) -> Vec<u8> {
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
    let page = match now(visit, interaction_ref.as_ref()).await? {
        VerificationState::Verifying(page) => page,
        VerificationState::Elsewhere(next) => return Ok(SendOutcome::Next(next)),
        VerificationState::InteractionNotFound => return Ok(SendOutcome::InteractionNotFound),
    };
    let verification = &page.verification;
    if choice == Some(CodeMethodChoice::App) && !verification.apps.is_empty() {
        return Ok(SendOutcome::App(page.into_page()));
    }
    let mut offers = verification.destinations.iter();
    let Some(offer) = offers.find(|offer| choice == Some(offer.choice())) else {
        return Ok(SendOutcome::Problem { problem: SendProblem::Choose, page: page.into_page() });
    };
    let (account, purpose) = (verification.account().id, verification.purpose);
    let way = (offer.method.as_str(), offer.phone.id);
    let (page, sent) = if allowed(&offer.phone.number, &visit.snapshot().policy.telephony).is_err() {
        (page, Err(SendProblem::Refused))
    } else {
        let id = code_id(visit, offer).await?;
        let (code, message) = code_and_message(visit, &page, offer, id);
        let unit = |call| SendCode {
            call,
            new_interaction: NewInteraction::prepare(visit, &page.interaction),
            page,
            code,
            message,
        };
        let (unit, sent) = visit.run(unit).await;
        (unit.page, sent?)
    };
    match sent {
        Ok(saved) => Ok(SendOutcome::Next(proceed(visit, page.interaction.saved_as(saved)).await?)),
        Err(problem) => {
            let event = Event::CodeNotSent { purpose: purpose.as_str(), reason: problem.as_str() };
            let entry = visit.entry(Actor::Anonymous, event).about(account);
            let (method, phone) = way;
            let entered = [b"code not sent".as_slice(), method.as_bytes(), phone.0.as_bytes()];
            record_refused_form(visit, entry, &entered).await?;
            if problem == SendProblem::Choose {
                return Ok(SendOutcome::Next(proceed(visit, page.interaction).await?));
            }
            Ok(SendOutcome::Problem { problem, page: page.into_page() })
        }
    }
}

impl SendProblem {
    /// For the audit trail.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Choose => "ended",
            Self::Wait(_) => "wait",
            Self::LimitReached(_) => "budget_spent",
            Self::Refused => "not_allowed",
        }
    }
}

/// A form that is submitted twice must send one code, so the code's identifier is derived from the form and the chosen way. A page
/// that is kept open can send another code once [`repeat_window_start`] is past the one before.
async fn code_id(visit: &Visit, offer: &CodeDestination) -> Result<OneTimeCodeId, FlowError> {
    let since = repeat_window_start(visit.now);
    let method = offer.method.as_str().as_bytes();
    for turn in 0..MAX_REPEATS {
        let Some(form) = visit.sent_form else { break };
        let id = OneTimeCodeId(form.submission_id(visit, &[method, offer.phone.id.0.as_bytes(), &[turn]]));
        if visit.store().code_sent_at(id).await?.is_none_or(|at| at > since) {
            return Ok(id);
        }
    }
    Ok(OneTimeCodeId(visit.new_id()))
}

/// The code, and the message that brings it.
fn code_and_message(
    visit: &Visit,
    page: &VerificationPage,
    offer: &CodeDestination,
    id: OneTimeCodeId,
) -> (OneTimeCode, Message) {
    let verification = &page.verification;
    let account = verification.account();
    let (at, lifetime) = (visit.now, visit.snapshot().policy.codes.lifetime);
    let (digits, message) = (visit.random().digits(DIGITS), MessageId(visit.new_id()));
    let expires_at = visit.after(lifetime);
    let digest = visit.keyring().mac(KeyPurpose::TokenHash).digest(CODE_CONTEXT, &code_data(id, &digits));
    let code = OneTimeCode {
        id,
        account: account.id,
        purpose: verification.purpose,
        phone: offer.phone.id,
        method: offer.method,
        digest,
        message,
        created_at: at,
        expires_at,
    };
    let secret = OneTimeCodeText { digits, minutes: u16::try_from(lifetime.as_mins()).unwrap_or(u16::MAX) };
    let to = offer.phone.number.clone();
    let body = match offer.method {
        DeliveryMethod::Text => MessageBody::Text { to, code: secret },
        DeliveryMethod::Call => MessageBody::Call { to, code: secret },
    };
    let language = of_page(visit, page.interaction.state.request());
    let message = Message {
        id: message,
        account: Some(account.id),
        locale: message_languages(account.locale.as_deref(), language),
        body,
        reference: Some(visit.reference),
        created_at: at,
        expires_at,
    };
    (code, message)
}

struct SendCode {
    call: Call,
    page: Box<VerificationPage>,
    new_interaction: NewInteraction,
    code: OneTimeCode,
    message: Message,
}

impl Unit for SendCode {
    type Output = Result<SavedRow, SendProblem>;
    type Error = FlowError;

    const NAME: &'static str = "send_code";

    async fn run(&self, tx: &Tx) -> Result<Result<SavedRow, SendProblem>, FlowError> {
        let Self { call, page, code, .. } = self;
        let VerificationPage { verification, interaction, .. } = &**page;
        let (account, now) = (verification.account(), call.now);
        let locked = tx.lock_account(account.id).await?;
        if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
            // The password was reset or the account disabled in between. The next page shows that.
            return Ok(Err(SendProblem::Choose));
        }
        if !is_phone_still_accepted(tx, interaction, verification, code.phone, now).await? {
            return Ok(Err(SendProblem::Choose));
        }
        if tx.code_sent_at(code.id).await?.is_some() {
            return Ok(Ok(self.save(tx).await?));
        }
        let share = code_quota(tx, account.id, verification.device).await?;
        if let Err(problem) = self.check_quota(tx, share).await? {
            return Ok(Err(problem));
        }
        let saved = self.save(tx).await?;
        tx.insert_code(code, saved.id(), share).await?;
        tx.enqueue(&self.message).await?;
        let event = Event::CodeSent {
            purpose: code.purpose.as_str(),
            method: code.method.as_str(),
            phone: self.number()?.masked(),
        };
        tx.append(&call.entry(Actor::Anonymous, event).about(account.id)).await?;
        Ok(Ok(saved))
    }
}

impl SendCode {
    fn number(&self) -> Result<&E164, FlowError> {
        let number = self.page.verification.number_of(self.code.phone);
        number.ok_or(FlowError::Inconsistent("a code to a phone that was not offered"))
    }

    async fn save(&self, tx: &Tx) -> Result<SavedRow, FlowError> {
        let interaction = &self.page.interaction;
        interaction.save(tx, &self.new_interaction, interaction.proof()).await
    }

    /// The limits of this account, device and purpose, and of the cost of all codes.
    async fn check_quota(&self, tx: &Tx, share: CodeQuota) -> Result<Result<(), SendProblem>, FlowError> {
        let Self { call, code, .. } = self;
        let (policy, now) = (&call.snapshot().policy.codes, call.now);
        let before = tx.code_attempts(code.account, code.purpose, share, a_day_before(now)).await?;
        if let Err(spent) = policy.entries_left(&before.wrong, now) {
            return Ok(Err(SendProblem::LimitReached(spent.until)));
        }
        if let Err(wait) = policy.may_send(&before.sent, now) {
            return Ok(Err(SendProblem::Wait(wait)));
        }
        Ok(self.spend(tx, share).await?.map_err(SendProblem::Wait))
    }

    /// Limits the cost of all codes. Counters are otherwise locked before accounts (the order is in the head of
    /// `anteroom_storage`); here they come after, because no transaction locks an account after these counters.
    async fn spend(&self, tx: &Tx, share: CodeQuota) -> Result<Result<(), Wait>, FlowError> {
        let Self { call, code, .. } = self;
        let telephony = &call.snapshot().policy.telephony;
        let checks = telephony.rate_limit_checks(self.number()?, code.purpose, share);
        let RateLimitResult::Refused { limit, wait } = tx.spend(&checks, call.now).await? else {
            return Ok(Ok(()));
        };
        let reference = call.reference().map(tracing::field::display);
        if limit == Limit::PhoneOverall {
            let overall = checks.iter().find(|check| check.limit == limit);
            tracing::error!(
                reference,
                most = overall.map(|check| check.rate.max),
                "ALARM: more codes were asked for than policy.telephony.overall allows; none go out"
            );
        } else {
            tracing::warn!(
                reference,
                scope = limit.name(),
                "a code was not sent: too many codes to this number or its prefix"
            );
        }
        Ok(Err(wait))
    }
}
