//! The transaction in which an entered code is compared, counted, and taken or refused.

use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{FactorId, SessionId};
use anteroom_domain::interaction::{FactorMethod, InteractionProof, PassedFactor, ProofKind};
use anteroom_domain::one_time_code::{AttemptsExhausted, CodePurpose, CodeQuota, OneTimeCode};
use anteroom_domain::session::Session;
use anteroom_domain::totp::TimeStep;
use anteroom_oidc::Acr;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;
use uuid::Uuid;

use super::entry::EntryProblem;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::next::StepPage;
use crate::interaction::open_interaction::{NewInteraction, OpenInteraction};
use crate::interaction::verification_model::{
    Verification, a_day_before, code_share, is_phone_still_accepted,
};
use crate::sessions::new_session::RenewedSession;

/// What was entered, held against what could be right.
pub(super) enum CheckedCode {
    /// Nothing waits to be entered.
    Nothing,
    Sent {
        code: OneTimeCode,
        right: bool,
    },
    /// The apps that show it now.
    App(Vec<(FactorId, TimeStep)>),
}

pub(super) struct EnterCode {
    pub visit: Visit,
    pub page: StepPage,
    pub new_interaction: NewInteraction,
    pub verification: Verification,
    pub checked: CheckedCode,
    pub submission: Uuid,
    /// The session that steps up, with its next secret: the one that it also gets where its person signs in again at the same time.
    pub renewed: Option<RenewedSession>,
    /// The browser's other sessions: the one that steps up is the current one from then on.
    pub left: Vec<SessionId>,
}

pub(super) enum EnterCodeResult {
    Proven(Box<OpenInteraction>),
    SteppedUp(Box<Session>),
    /// Not compared.
    Refused(EntryProblem),
    /// Not compared: the phone of the code is not one that is asked any more. Another phone was verified in another browser.
    Superseded,
    /// Compared, counted and written down.
    Wrong(EntryProblem),
}

pub(super) const NO_SESSION: FlowError = FlowError::Broken("a step-up without a session");

impl Unit for EnterCode {
    type Output = EnterCodeResult;
    type Error = FlowError;

    const NAME: &'static str = "enter_code";

    async fn run(&self, tx: &Tx) -> Result<EnterCodeResult, FlowError> {
        let Self { visit, page, verification, .. } = self;
        let (account, now) = (&verification.account, visit.now);
        let locked = tx.lock_account(account.id).await?;
        if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
            return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
        }
        if let CheckedCode::Sent { code, .. } = &self.checked
            && !is_phone_still_accepted(tx, (&page.interaction, verification), code.phone, now).await?
        {
            return Ok(EnterCodeResult::Superseded);
        }
        let share = code_share(tx, account.id, verification.device).await?;
        let before = tx.sent_before(account.id, verification.purpose, share, a_day_before(now)).await?;
        let wrong = before.wrong;
        let left = match visit.snapshot().policy.codes.entries_left(&wrong, now) {
            Ok(left) => left,
            Err(AttemptsExhausted { until }) => {
                return Ok(EnterCodeResult::Refused(EntryProblem::BudgetSpent(until)));
            }
        };
        if self.is_wrong() {
            return self.count_wrong(tx, WrongEntries { before: wrong, share, left }).await;
        }
        match self.use_code(tx, account).await? {
            Ok(factor) => self.accept(tx, factor).await,
            Err(problem) => Ok(EnterCodeResult::Refused(problem)),
        }
    }
}

/// What was counted before this entry.
struct WrongEntries {
    before: Vec<Timestamp>,
    share: CodeQuota,
    left: u32,
}

impl EnterCode {
    /// Compared, and not the code. One that has expired is not compared.
    fn is_wrong(&self) -> bool {
        match &self.checked {
            CheckedCode::Nothing => false,
            CheckedCode::Sent { code, right } => !right && code.is_alive(self.visit.now),
            CheckedCode::App(showing) => showing.is_empty(),
        }
    }

    /// RFC 6238 §5.2: a code is taken once.
    async fn use_code(
        &self,
        tx: &Tx,
        account: &Account,
    ) -> Result<Result<FactorMethod, EntryProblem>, FlowError> {
        let now = self.visit.now;
        match &self.checked {
            CheckedCode::Nothing => Ok(Err(EntryProblem::Expired)),
            CheckedCode::Sent { code, .. } => {
                // Losing the race against a re-send is an expired code.
                if !code.is_alive(now) || !tx.use_code(code.id, now).await? {
                    return Ok(Err(EntryProblem::Expired));
                }
                // A number that an operator added is finished by the person: here.
                tx.use_phone(account.id, code.phone, now).await?;
                Ok(Ok(FactorMethod::from(code.method)))
            }
            CheckedCode::App(showing) => {
                for (app, step) in showing {
                    if tx.use_step(*app, *step, now).await? {
                        return Ok(Ok(FactorMethod::Totp));
                    }
                }
                Ok(Err(EntryProblem::Used))
            }
        }
    }

    async fn count_wrong(&self, tx: &Tx, entries: WrongEntries) -> Result<EnterCodeResult, FlowError> {
        let Self { visit, verification, submission, .. } = self;
        let WrongEntries { mut before, share, left } = entries;
        let (account, purpose) = (verification.account.id, verification.purpose);
        if tx.is_wrong_code_counted(account, purpose, *submission).await? {
            return Ok(EnterCodeResult::Wrong(EntryProblem::Wrong { left }));
        }
        before.push(visit.now);
        tx.count_wrong_code(account, purpose, share, *submission, visit.now).await?;
        let event = Event::CodeRefused { purpose: purpose.as_str(), left: left.saturating_sub(1) };
        tx.append(&visit.entry(Actor::Anonymous, event).about(account)).await?;
        Ok(EnterCodeResult::Wrong(match visit.snapshot().policy.codes.entries_left(&before, visit.now) {
            Ok(left) => EntryProblem::Wrong { left },
            Err(AttemptsExhausted { until }) => EntryProblem::BudgetSpent(until),
        }))
    }

    async fn accept(&self, tx: &Tx, factor: FactorMethod) -> Result<EnterCodeResult, FlowError> {
        let Verification { account, purpose, .. } = &self.verification;
        let event = Event::CodeAccepted { purpose: purpose.as_str(), method: factor.as_str() };
        tx.append(&self.visit.entry(Actor::Account(account.id), event)).await?;
        match purpose {
            CodePurpose::StepUp => self.step_up(tx, factor).await,
            CodePurpose::Recovery | CodePurpose::ExpiredPassword | CodePurpose::Registration => {
                Ok(EnterCodeResult::Proven(Box::new(self.prove(tx, factor).await?)))
            }
        }
    }

    /// The journey carries from here on that the code was entered.
    async fn prove(&self, tx: &Tx, method: FactorMethod) -> Result<OpenInteraction, FlowError> {
        let interaction = &self.page.interaction;
        let proof = interaction.proof().cloned().ok_or(FlowError::Broken("a code without a proof"))?;
        let at = self.visit.now;
        let factor = Some(PassedFactor { at, method });
        let proof = match proof.kind {
            ProofKind::Invitation { link, phones_done, .. } => {
                let event = Event::PhoneVerified { phone: self.masked_phone() };
                tx.append(&self.visit.entry(Actor::Account(proof.account), event)).await?;
                let kind = ProofKind::Invitation { link, phone: None, phones_done };
                InteractionProof { kind, at, factor, ..proof }
            }
            ProofKind::ExpiredPassword { .. } | ProofKind::Recovery { .. } => {
                InteractionProof { factor, ..proof }
            }
        };
        interaction.persist(tx, &self.new_interaction, Some(proof)).await
    }

    /// Where the code went.
    fn masked_phone(&self) -> String {
        let CheckedCode::Sent { code, .. } = &self.checked else { return String::new() };
        let mut offers = self.verification.offers.iter();
        let offer = offers.find(|offer| offer.phone.id == code.phone);
        offer.map(|offer| offer.phone.number.masked()).unwrap_or_default()
    }

    async fn step_up(&self, tx: &Tx, factor: FactorMethod) -> Result<EnterCodeResult, FlowError> {
        let renewed = self.renewed.as_ref().ok_or(NO_SESSION)?;
        let now = self.visit.now;
        // As it is by now: its person may have signed in again meanwhile.
        let Some(present) = tx.session(renewed.session.id).await? else {
            return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
        };
        let session = Session {
            acr: Acr::Mfa,
            amr: factor.amr_with_password(),
            last_active_at: now,
            not_current_since: None,
            ..present
        };
        if !tx.renew_session(&session, &renewed.next.stored).await? {
            return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
        }
        tx.mark_not_current(&self.left, now).await?;
        if let Some(device) = session.device {
            tx.record_second_factor(session.account, device, now).await?;
        }
        Ok(EnterCodeResult::SteppedUp(Box::new(session)))
    }
}
