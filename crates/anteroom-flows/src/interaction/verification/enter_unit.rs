//! The unit in which an entered code is counted, and accepted or refused.

use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AuthenticatorAppId, SessionId};
use anteroom_domain::interaction::{FactorMethod, InteractionProof, PassedFactor, ProofKind};
use anteroom_domain::one_time_code::{AttemptsExhausted, CodePurpose, CodeQuota, OneTimeCode};
use anteroom_domain::phone::E164;
use anteroom_domain::session::Session;
use anteroom_domain::totp::TimeStep;
use anteroom_oidc::Acr;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;
use uuid::Uuid;

use super::VerificationPage;
use super::entry::EntryProblem;
use crate::context::call::Call;
use crate::error::FlowError;
use crate::interaction::open_interaction::{NewInteraction, SavedRow};
use crate::interaction::verification_model::{a_day_before, code_quota, is_phone_still_accepted};
use crate::sessions::new_session::RenewedSession;

/// The entered code, compared with the codes that could be right.
pub(super) enum CheckedCode {
    /// No code was sent, and no app can show one.
    Nothing,
    Sent {
        code: OneTimeCode,
        right: bool,
    },
    /// The apps that show the entered code now.
    App(Vec<(AuthenticatorAppId, TimeStep)>),
}

pub(super) struct EnterCode {
    pub call: Call,
    pub page: Box<VerificationPage>,
    pub new_interaction: NewInteraction,
    pub checked: CheckedCode,
    /// Of the row that counts this entry if it is wrong. The others are those that the same form may have counted it under.
    pub entry_ids: [Uuid; 3],
    /// The session that steps up, with its next secret. It gets the same secret if the person signs in again at the same time.
    pub renewed: Option<RenewedSession>,
    /// The browser's other sessions, which are not current any more after this one stepped up.
    pub other_sessions: Vec<SessionId>,
}

pub(super) enum EnterCodeResult {
    Proven(SavedRow),
    SteppedUp(Box<Session>),
    /// Not compared.
    Refused(EntryProblem),
    /// Not compared: codes of this phone are not accepted any more, because another phone was verified in another browser.
    Superseded,
    /// Compared and counted, with an audit entry.
    Wrong(EntryProblem),
}

pub(super) const NO_SESSION: FlowError = FlowError::Inconsistent("a step-up without a session");

impl Unit for EnterCode {
    type Output = EnterCodeResult;
    type Error = FlowError;

    const NAME: &'static str = "enter_code";

    async fn run(&self, tx: &Tx) -> Result<EnterCodeResult, FlowError> {
        let Self { call, page, .. } = self;
        let VerificationPage { verification, interaction, .. } = &**page;
        let (account, now) = (verification.account(), call.now);
        let locked = tx.lock_account(account.id).await?;
        if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
            return Ok(EnterCodeResult::Refused(EntryProblem::Expired));
        }
        if let CheckedCode::Sent { code, .. } = &self.checked
            && !is_phone_still_accepted(tx, interaction, verification, code.phone, now).await?
        {
            return Ok(EnterCodeResult::Superseded);
        }
        let share = code_quota(tx, account.id, verification.device).await?;
        let wrong = tx.code_attempts(account.id, verification.purpose, share, a_day_before(now)).await?.wrong;
        let left = match call.snapshot().policy.codes.entries_left(&wrong, now) {
            Ok(left) => left,
            Err(AttemptsExhausted { until }) => return self.refuse_exhausted(tx, until).await,
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
            CheckedCode::Sent { code, right } => !right && code.is_alive(self.call.now),
            CheckedCode::App(showing) => showing.is_empty(),
        }
    }

    /// The tries are used up, and nothing is compared. The last one may have been an earlier submission of this form, which was
    /// counted and has its entry.
    async fn refuse_exhausted(&self, tx: &Tx, until: Timestamp) -> Result<EnterCodeResult, FlowError> {
        let verification = &self.page.verification;
        let account = verification.account().id;
        let problem = EntryProblem::LimitReached(until);
        let is_counted = self.is_wrong()
            && tx.is_wrong_code_counted(account, verification.purpose, &self.entry_ids).await?;
        Ok(if is_counted { EnterCodeResult::Wrong(problem) } else { EnterCodeResult::Refused(problem) })
    }

    /// RFC 6238 §5.2: a code is taken once.
    async fn use_code(
        &self,
        tx: &Tx,
        account: &Account,
    ) -> Result<Result<FactorMethod, EntryProblem>, FlowError> {
        let now = self.call.now;
        match &self.checked {
            CheckedCode::Nothing => Ok(Err(EntryProblem::Expired)),
            CheckedCode::Sent { code, .. } => {
                // A new code may have been sent at the same time, and replaces this one.
                if !code.is_alive(now) || !tx.use_code(code.id, now).await? {
                    return Ok(Err(EntryProblem::Expired));
                }
                // A number that an operator added is verified by the first code that is entered from it.
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
        let Self { call, entry_ids, .. } = self;
        let verification = &self.page.verification;
        let WrongEntries { mut before, share, left } = entries;
        let (account, purpose) = (verification.account().id, verification.purpose);
        let [own, ..] = entry_ids;
        if tx.is_wrong_code_counted(account, purpose, entry_ids).await? {
            return Ok(EnterCodeResult::Wrong(EntryProblem::Wrong { left }));
        }
        before.push(call.now);
        tx.count_wrong_code(account, purpose, share, *own, call.now).await?;
        let event = Event::OneTimeCodeRefused { purpose: purpose.as_str(), left: left.saturating_sub(1) };
        tx.append(&call.entry(Actor::Anonymous, event).about(account)).await?;
        Ok(EnterCodeResult::Wrong(match call.snapshot().policy.codes.entries_left(&before, call.now) {
            Ok(left) => EntryProblem::Wrong { left },
            Err(AttemptsExhausted { until }) => EntryProblem::LimitReached(until),
        }))
    }

    async fn accept(&self, tx: &Tx, factor: FactorMethod) -> Result<EnterCodeResult, FlowError> {
        let (account, purpose) = (self.page.verification.account(), self.page.verification.purpose);
        let event = Event::CodeAccepted { purpose: purpose.as_str(), method: factor.as_str() };
        tx.append(&self.call.entry(Actor::Account(account.id), event)).await?;
        match purpose {
            CodePurpose::StepUp => self.step_up(tx, factor).await,
            CodePurpose::Recovery | CodePurpose::ExpiredPassword | CodePurpose::Registration => {
                Ok(EnterCodeResult::Proven(self.prove(tx, factor).await?))
            }
        }
    }

    /// Saves with the interaction that the code was entered.
    async fn prove(&self, tx: &Tx, method: FactorMethod) -> Result<SavedRow, FlowError> {
        let interaction = &self.page.interaction;
        let proof = interaction.proof().ok_or(FlowError::Inconsistent("a code without a proof"))?;
        let at = self.call.now;
        let factor = Some(PassedFactor { at, method });
        let proof = match proof.kind {
            ProofKind::Invitation { link, phones_done, .. } => {
                let event = Event::PhoneVerified { phone: self.masked_phone() };
                tx.append(&self.call.entry(Actor::Account(proof.account), event)).await?;
                let kind = ProofKind::Invitation { link, phone: None, phones_done };
                InteractionProof { kind, at, factor, ..*proof }
            }
            ProofKind::ExpiredPassword { acknowledged } => {
                InteractionProof { kind: ProofKind::ExpiredPassword { acknowledged }, factor, ..*proof }
            }
            ProofKind::Recovery { link } => {
                InteractionProof { kind: ProofKind::Recovery { link }, factor, ..*proof }
            }
        };
        interaction.save(tx, &self.new_interaction, Some(&proof)).await
    }

    /// The number that the code was sent to.
    fn masked_phone(&self) -> String {
        let CheckedCode::Sent { code, .. } = &self.checked else { return String::new() };
        self.page.verification.number_of(code.phone).map(E164::masked).unwrap_or_default()
    }

    async fn step_up(&self, tx: &Tx, factor: FactorMethod) -> Result<EnterCodeResult, FlowError> {
        let renewed = self.renewed.as_ref().ok_or(NO_SESSION)?;
        let now = self.call.now;
        // The person may have signed in again in the meantime, so the session is read again.
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
        tx.mark_not_current(&self.other_sessions, now).await?;
        if let Some(device) = session.device {
            tx.record_second_factor(session.account, device, now).await?;
        }
        Ok(EnterCodeResult::SteppedUp(Box::new(session)))
    }
}
