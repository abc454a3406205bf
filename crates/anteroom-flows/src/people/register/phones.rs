//! The phones of a person who is registering: named, then verified by a code.

use anteroom_domain::account::{Account, AccountStatus, PhoneKind};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::PhoneId;
use anteroom_domain::interaction::{InteractionProof, ProofKind};
use anteroom_domain::limits::Limit;
use anteroom_domain::phone::{E164, MAX_PHONES};
use anteroom_domain::telephony::{self, NotAllowed, NumberProblem};
use anteroom_storage::{NewPhone, Tx, Unit};
use jiff::Timestamp;

use crate::context::call::{Call, Visit};
use crate::context::limits::{of_one, spend_for_form};
use crate::error::FlowError;
use crate::interaction::next::{Next, StepPage, proceed};
use crate::interaction::open_interaction::{InteractionRef, OpenInteraction, persist_with_proof};
use crate::interaction::phones::can_receive_codes;
use crate::interaction::reopen::open;
use crate::interaction::verification_model::is_resumed;
use crate::sessions::form_effect::record_refused_form;

/// As it was entered.
#[derive(Clone, Debug)]
pub struct NewNumber {
    pub text: String,
    pub kind: Option<PhoneKind>,
}

impl NewNumber {
    pub const fn empty() -> Self {
        Self { text: String::new(), kind: None }
    }
}

/// A number that may be added.
#[derive(Clone, Debug)]
struct AddedPhone {
    number: E164,
    kind: PhoneKind,
}

#[derive(Debug)]
pub enum PhoneOutcome {
    Next(Next),
    Problem { problem: PhoneProblem, page: Box<StepPage> },
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneProblem {
    Missing {
        number: bool,
        kind: bool,
    },
    NotANumber,
    Extension,
    /// No region or range that codes are sent to.
    NotAllowed,
    /// Nothing is configured that reaches this kind of phone.
    Unreached,
    TooMany,
}

impl PhoneProblem {
    /// For the audit trail.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::NotANumber => "not_a_number",
            Self::Extension => "extension",
            Self::NotAllowed => "not_allowed",
            Self::Unreached => "unreached",
            Self::TooMany => "too_many",
        }
    }
}

/// Adds a number, or goes on with one that waits for its code already.
#[tracing::instrument(skip_all)]
pub async fn add_phone(
    visit: &Visit,
    interaction_ref: InteractionRef,
    entered: NewNumber,
) -> Result<PhoneOutcome, FlowError> {
    let Some(registration) = open_and_count(visit, interaction_ref).await? else {
        return Ok(PhoneOutcome::Gone);
    };
    let phones = visit.store().phones_of(registration.proof.account).await?;
    if is_resumed(&registration.proof, &phones) {
        return Ok(PhoneOutcome::Next(proceed(visit, registration.interaction).await?));
    }
    let added = match parse_new_number(visit, &entered) {
        Ok(added) => added,
        Err(problem) => return refused(visit, registration, &entered, problem).await,
    };
    // Its page would offer no way to send a code, so the number is not stored at all.
    if !can_receive_codes(visit, added.kind) {
        return refused(visit, registration, &entered, PhoneProblem::Unreached).await;
    }
    let (unit, written) = visit.store().run(AddPhone::new(visit, registration, added)).await;
    let registration = unit.registration;
    match written? {
        AddPhoneResult::Waits(id) => set_pending_phone(visit, registration, Some(id)).await,
        AddPhoneResult::TooMany => refused(visit, registration, &entered, PhoneProblem::TooMany).await,
        AddPhoneResult::Overtaken => Ok(PhoneOutcome::Next(proceed(visit, registration.interaction).await?)),
    }
}

enum AddPhoneResult {
    /// The number is stored and waits for its code.
    Waits(PhoneId),
    TooMany,
    /// The registration is complete, was begun anew, or has a verified phone by now: nothing was written.
    Overtaken,
}

fn parse_new_number(call: &Call, entered: &NewNumber) -> Result<AddedPhone, PhoneProblem> {
    let missing = entered.text.trim().is_empty();
    let Some(kind) = entered.kind.filter(|_| !missing) else {
        return Err(PhoneProblem::Missing { number: missing, kind: entered.kind.is_none() });
    };
    let snapshot = call.snapshot();
    let policy = &snapshot.policy.telephony;
    let number =
        telephony::parse_number(&entered.text, policy.default_region()).map_err(|problem| match problem {
            NumberProblem::NotANumber => PhoneProblem::NotANumber,
            NumberProblem::Extension => PhoneProblem::Extension,
        })?;
    match telephony::allowed(&number, policy) {
        Ok(()) => Ok(AddedPhone { number, kind }),
        Err(NotAllowed::Region | NotAllowed::Premium) => Err(PhoneProblem::NotAllowed),
    }
}

/// The conditions of the page are checked again under the account's lock: another browser may have verified a phone since, and the
/// mailed link alone must not add another one.
struct AddPhone {
    registration: Registration,
    phone: NewPhone,
    entry: AuditEntry,
    now: Timestamp,
}

impl AddPhone {
    fn new(visit: &Visit, registration: Registration, added: AddedPhone) -> Self {
        let phone = NewPhone {
            id: PhoneId(visit.new_id()),
            number: added.number,
            kind: added.kind,
            verified_at: None,
            // It can be used at once: the account has no phone that a thief could replace.
            usable_from: visit.now,
        };
        let event = Event::PhoneAdded { phone: phone.number.masked(), phone_kind: phone.kind.as_str() };
        let entry = visit.entry(Actor::Account(registration.proof.account), event);
        Self { registration, phone, entry, now: visit.now }
    }
}

impl Unit for AddPhone {
    type Output = AddPhoneResult;
    type Error = FlowError;

    const NAME: &'static str = "add_phone_of_registration";

    async fn run(&self, tx: &Tx) -> Result<AddPhoneResult, FlowError> {
        let Self { registration: Registration { proof, .. }, phone, .. } = self;
        let account = proof.account;
        let locked = tx.lock_account(account).await?.map(|locked| locked.account);
        let stands =
            |locked: &Account| locked.status == AccountStatus::Invited && locked.epoch == proof.epoch;
        let phones = tx.phones_of(account).await?;
        if !locked.is_some_and(|locked| stands(&locked)) || is_resumed(proof, &phones) {
            return Ok(AddPhoneResult::Overtaken);
        }
        let known = phones.iter().find(|known| known.number == phone.number);
        if known.is_none() && phones.len() >= MAX_PHONES {
            return Ok(AddPhoneResult::TooMany);
        }
        match known {
            Some(known) if known.verified_at.is_some() => Ok(AddPhoneResult::Overtaken),
            // Entered once more, perhaps with the other kind: the last entry counts.
            Some(known) => {
                tx.set_phone_kind(known.id, phone.kind).await?;
                Ok(AddPhoneResult::Waits(known.id))
            }
            None => {
                tx.insert_phone(account, phone, self.now).await?;
                tx.append(&self.entry).await?;
                Ok(AddPhoneResult::Waits(phone.id))
            }
        }
    }
}

/// A stored phone that was not verified yet.
#[tracing::instrument(name = "verify_phone", skip_all)]
pub async fn verify(
    visit: &Visit,
    interaction_ref: InteractionRef,
    phone: PhoneId,
) -> Result<PhoneOutcome, FlowError> {
    let Some(registration) = open_and_count(visit, interaction_ref).await? else {
        return Ok(PhoneOutcome::Gone);
    };
    let phones = visit.store().phones_of(registration.proof.account).await?;
    if phones.iter().any(|known| known.id == phone && !can_receive_codes(visit, known.kind)) {
        return show_problem(visit, registration.interaction, PhoneProblem::Unreached).await;
    }
    set_pending_phone(visit, registration, Some(phone)).await
}

/// Back to the phones: the number was mistyped, or another one is better.
pub async fn another_phone(
    visit: &Visit,
    interaction_ref: InteractionRef,
) -> Result<PhoneOutcome, FlowError> {
    match open_and_count(visit, interaction_ref).await? {
        Some(registration) => set_pending_phone(visit, registration, None).await,
        None => Ok(PhoneOutcome::Gone),
    }
}

/// No further phone: the password is next. `next_step` decides whether a verified phone is still missing.
#[tracing::instrument(name = "phones_done", skip_all)]
pub async fn done(visit: &Visit, interaction_ref: InteractionRef) -> Result<PhoneOutcome, FlowError> {
    let Some(Registration { interaction, proof }) = open_and_count(visit, interaction_ref).await? else {
        return Ok(PhoneOutcome::Gone);
    };
    let ProofKind::Invitation { link, .. } = proof.kind else { return Ok(PhoneOutcome::Gone) };
    let kind = ProofKind::Invitation { link, phone: None, phones_done: true };
    let interaction = persist_with_proof(visit, interaction, InteractionProof { kind, ..proof }).await?;
    Ok(PhoneOutcome::Next(proceed(visit, interaction).await?))
}

async fn set_pending_phone(
    visit: &Visit,
    registration: Registration,
    phone: Option<PhoneId>,
) -> Result<PhoneOutcome, FlowError> {
    let Registration { interaction, proof } = registration;
    let ProofKind::Invitation { link, .. } = proof.kind else { return Ok(PhoneOutcome::Gone) };
    let kind = ProofKind::Invitation { link, phone, phones_done: false };
    let interaction = persist_with_proof(visit, interaction, InteractionProof { kind, ..proof }).await?;
    Ok(PhoneOutcome::Next(proceed(visit, interaction).await?))
}

/// The page again, and an entry in the audit trail.
async fn refused(
    visit: &Visit,
    registration: Registration,
    entered: &NewNumber,
    problem: PhoneProblem,
) -> Result<PhoneOutcome, FlowError> {
    let event = Event::PhoneRefused { reason: problem.as_str() };
    let entry = visit.entry(Actor::Anonymous, event).about(registration.proof.account);
    let kind = entered.kind.map_or("", PhoneKind::as_str);
    let entered = [b"phone refused".as_slice(), entered.text.as_bytes(), kind.as_bytes()];
    record_refused_form(visit, entry, &entered).await?;
    show_problem(visit, registration.interaction, problem).await
}

async fn show_problem(
    visit: &Visit,
    interaction: OpenInteraction,
    problem: PhoneProblem,
) -> Result<PhoneOutcome, FlowError> {
    match proceed(visit, interaction).await? {
        Next::Page(page) => Ok(PhoneOutcome::Problem { problem, page }),
        elsewhere => Ok(PhoneOutcome::Next(elsewhere)),
    }
}

/// The interaction of an invited person, whose proof is still valid.
struct Registration {
    interaction: OpenInteraction,
    proof: InteractionProof,
}

async fn open_and_count(
    visit: &Visit,
    interaction_ref: InteractionRef,
) -> Result<Option<Registration>, FlowError> {
    let Ok(interaction) = open(visit, &interaction_ref).await? else { return Ok(None) };
    let Some(proof) = interaction.proof().copied() else { return Ok(None) };
    let account = visit.store().account(proof.account).await?;
    let invited = matches!(proof.kind, ProofKind::Invitation { .. });
    let stands = account.is_some_and(|account| proof.is_current_for(&account, visit.now));
    if invited && stands {
        let check = of_one(visit, Limit::FormOfAccount, &proof.account.0);
        spend_for_form(visit, Limit::FormOfAccount, vec![check]).await?;
    }
    Ok((invited && stands).then_some(Registration { interaction, proof }))
}
