//! `POST /verify/code`: the digits that a phone received, or that an authenticator app shows.

use anteroom_crypto::{KeyPurpose, Token};
use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{FactorId, SessionId};
use anteroom_domain::interaction::{Factor, FactorMethod, Proof, ProofKind};
use anteroom_domain::one_time_code::{BudgetSpent, CodePolicy, CodePurpose, CodeShare, OneTimeCode};
use anteroom_domain::session::Session;
use anteroom_domain::totp::TimeStep;
use anteroom_oidc::Acr;
use anteroom_storage::Tx;
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

use super::again::{again, again_in_session, entry_id, goes_on};
use super::send::{code_context, code_data};
use super::{Now, now};
use crate::context::call::{Call, Visit};
use crate::context::live::Live;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::apps::showing;
use crate::interaction::next::{Onward, StepPage, proceed, proceed_with};
use crate::interaction::open_interaction::{Carried, Keeping, Waiting};
use crate::interaction::verification_model::{Verification, a_day_before, share_of, still_takes, way_of};
use crate::sessions::browser_sessions::{left_behind, live_sessions};
use crate::sessions::new_session::HeldSession;
use crate::sessions::new_session::NewCookies;

#[derive(Debug)]
pub enum EnterOutcome {
    Onward(Onward),
    /// The session is worth more now, and has a new secret.
    SteppedUp {
        cookies: NewCookies,
        onward: Onward,
    },
    Problem {
        problem: EntryProblem,
        page: Box<StepPage>,
    },
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryProblem {
    /// Nothing was entered, and nothing is counted.
    Missing,
    Wrong {
        left: u32,
    },
    /// It was never sent, has expired, or a newer one was sent since.
    Expired,
    /// The app's code was used before: the next one is taken. Nothing is counted.
    Used,
    BudgetSpent(Timestamp),
}

/// What was entered, and where the person read it.
#[derive(Clone, Copy, Debug)]
pub enum Entered<'a> {
    Sent(&'a str),
    FromApp(&'a str),
}

impl Entered<'_> {
    pub(super) const fn text(&self) -> &str {
        match self {
            Self::Sent(text) | Self::FromApp(text) => text,
        }
    }
}

/// What was entered, held against what could be right.
pub(super) enum Held {
    /// Nothing waits to be entered.
    Nothing,
    Sent {
        code: OneTimeCode,
        right: bool,
    },
    /// The apps that show it now.
    App(Vec<(FactorId, TimeStep)>),
}

struct Prepared {
    visit: Visit,
    carried: Carried,
    keeping: Keeping,
    verification: Verification,
    policy: CodePolicy,
    held: Held,
    entry: Uuid,
    /// The session that steps up, with its next secret: the one that it also gets where its person signs in again at the same time.
    renewed: Option<HeldSession>,
    /// The browser's other sessions: the one that steps up is the current one from then on.
    left: Vec<SessionId>,
}

enum Settled {
    Proven(Box<Carried>),
    SteppedUp(Box<(Session, Token)>),
    /// Not compared.
    Refused(EntryProblem),
    /// Not compared: the phone of the code is not one that is asked any more. Another phone was verified in another browser.
    Overtaken,
    /// Compared, counted and written down.
    Wrong(EntryProblem),
}

#[tracing::instrument(name = "enter_code", skip_all)]
pub async fn enter(
    visit: &Visit,
    waiting: Option<Waiting>,
    entered: Entered<'_>,
) -> Result<EnterOutcome, FlowError> {
    let (verification, page) = match now(visit, waiting.clone()).await? {
        Now::Verifying(found) => *found,
        Now::Elsewhere(onward) => {
            let again = again_in_session(visit, waiting).await?;
            return Ok(again.unwrap_or(EnterOutcome::Onward(onward)));
        }
        Now::Gone => return Ok(EnterOutcome::Gone),
    };
    if entered.text().trim().is_empty() {
        return Ok(EnterOutcome::Problem { problem: EntryProblem::Missing, page: Box::new(page) });
    }
    let held = hold(visit, (&verification, &page), entered).await?;
    let left = match &verification.live {
        Some(live) => left_behind(&live_sessions(visit).await?, live.account.id),
        None => Vec::new(),
    };
    let entry = entry_id(visit, (&held, entered));
    let renewed = verification.live.as_deref().map(|live| HeldSession::of(visit, live));
    let prepared = Arc::new(Prepared {
        visit: visit.clone(),
        carried: page.carried.clone(),
        keeping: Keeping::prepare(visit, &page.carried),
        verification,
        policy: visit.snapshot().policy.codes,
        held,
        entry,
        renewed,
        left,
    });
    let work = Arc::clone(&prepared);
    match visit.store().write(move |tx| settle(tx, Arc::clone(&work))).await? {
        Settled::Proven(carried) => {
            let live = live_sessions(visit).await?;
            Ok(EnterOutcome::Onward(proceed_with(visit, *carried, live).await?))
        }
        Settled::SteppedUp(session) => stepped_up(visit, &prepared, *session).await,
        Settled::Wrong(problem) => Ok(EnterOutcome::Problem { problem, page: Box::new(page) }),
        Settled::Overtaken => {
            // What came first may have been the same button.
            if let Some(again) = again_in_session(visit, waiting).await? {
                return Ok(again);
            }
            note_not_taken(visit, &prepared, EntryProblem::Expired).await?;
            Ok(EnterOutcome::Onward(proceed(visit, page.carried).await?))
        }
        Settled::Refused(problem) => {
            // What came first may have been the same button.
            if let EntryProblem::Expired | EntryProblem::Used = problem
                && let Some(again) = again(visit, waiting).await?
            {
                return Ok(again);
            }
            note_not_taken(visit, &prepared, problem).await?;
            Ok(EnterOutcome::Problem { problem, page: Box::new(page) })
        }
    }
}

async fn note_not_taken(call: &Call, prepared: &Prepared, problem: EntryProblem) -> Result<(), FlowError> {
    let reason = match problem {
        EntryProblem::Missing => "missing",
        EntryProblem::Wrong { .. } => "wrong",
        EntryProblem::Expired => "expired",
        EntryProblem::Used => "used",
        EntryProblem::BudgetSpent(_) => "budget_spent",
    };
    let Verification { purpose, account, .. } = &prepared.verification;
    let event = Event::CodeNotTaken { purpose: purpose.as_str(), reason };
    note_refusal(call, prepared.visit.entry(Actor::Anonymous, event).about(account.id)).await
}

async fn hold(
    visit: &Visit,
    (verification, page): (&Verification, &StepPage),
    entered: Entered<'_>,
) -> Result<Held, FlowError> {
    match entered {
        Entered::FromApp(_) if verification.apps.is_empty() => Ok(Held::Nothing),
        Entered::FromApp(text) => Ok(Held::App(showing(visit, &verification.apps, text)?)),
        Entered::Sent(text) => {
            let code = match page.carried.row() {
                Some(interaction) => visit.store().code_of(interaction, verification.purpose).await?,
                None => None,
            };
            let own = code.filter(|code| way_of(code, &verification.account, &verification.offers).is_some());
            Ok(own.map_or(Held::Nothing, |code| Held::Sent { right: is_right(visit, &code, text), code }))
        }
    }
}

/// In constant time. Spaces between the digits are how people read them out.
fn is_right(call: &Call, code: &OneTimeCode, entered: &str) -> bool {
    let digits: String = entered.chars().filter(|c| !c.is_whitespace() && *c != '-').take(16).collect();
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    mac.verify(code_context(), &code_data(code.id, &digits), &code.digest)
}

async fn settle(tx: Tx, prepared: Arc<Prepared>) -> Result<Settled, FlowError> {
    let Prepared { visit, verification, policy, .. } = &*prepared;
    let (account, purpose) = (&verification.account, verification.purpose);
    let locked = tx.lock_account(account.id).await?;
    if locked.is_none_or(|locked| locked.account.epoch != account.epoch) {
        return Ok(Settled::Refused(EntryProblem::Expired));
    }
    if let Held::Sent { code, .. } = &prepared.held
        && !still_takes(&tx, (&prepared.carried, verification), code.phone, visit.now).await?
    {
        return Ok(Settled::Overtaken);
    }
    let share = share_of(&tx, account.id, verification.device).await?;
    let before = tx.sent_before(account.id, (purpose, share), a_day_before(visit.now)).await?;
    let left = match policy.entries_left(&before.wrong, visit.now) {
        Ok(left) => left,
        Err(BudgetSpent { until }) => return Ok(Settled::Refused(EntryProblem::BudgetSpent(until))),
    };
    let factor = match &prepared.held {
        Held::Nothing => return Ok(Settled::Refused(EntryProblem::Expired)),
        Held::Sent { code, .. } if !code.is_alive(visit.now) => {
            return Ok(Settled::Refused(EntryProblem::Expired));
        }
        Held::Sent { right: false, .. } => return wrong(&tx, &prepared, (before.wrong, share), left).await,
        Held::App(showing) if showing.is_empty() => {
            return wrong(&tx, &prepared, (before.wrong, share), left).await;
        }
        Held::Sent { code, .. } => {
            // Losing the race against a re-send is an expired code.
            if !tx.use_code(code.id, visit.now).await? {
                return Ok(Settled::Refused(EntryProblem::Expired));
            }
            // A number that an operator added is finished by the person: here.
            tx.use_phone(account.id, code.phone, visit.now).await?;
            FactorMethod::from(code.method)
        }
        Held::App(showing) => {
            if !use_one(&tx, showing, visit.now).await? {
                return Ok(Settled::Refused(EntryProblem::Used));
            }
            FactorMethod::Totp
        }
    };
    let event = Event::CodeAccepted { purpose: purpose.as_str(), method: factor.as_str() };
    tx.append(&prepared.visit.entry(Actor::Account(account.id), event)).await?;
    match purpose {
        CodePurpose::StepUp => step_up(&tx, &prepared, factor).await,
        CodePurpose::Recovery | CodePurpose::ExpiredPassword | CodePurpose::Registration => {
            Ok(Settled::Proven(Box::new(prove(&tx, &prepared, factor).await?)))
        }
    }
}

/// RFC 6238 §5.2: a code is taken once.
async fn use_one(tx: &Tx, showing: &[(FactorId, TimeStep)], now: Timestamp) -> Result<bool, FlowError> {
    for (app, step) in showing {
        if tx.use_step(*app, *step, now).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn wrong(
    tx: &Tx,
    prepared: &Prepared,
    (mut wrong, share): (Vec<Timestamp>, CodeShare),
    left: u32,
) -> Result<Settled, FlowError> {
    let Prepared { visit, verification, policy, .. } = prepared;
    let (account, purpose) = (verification.account.id, verification.purpose);
    if tx.is_wrong_code_counted(account, (purpose, prepared.entry)).await? {
        return Ok(Settled::Wrong(EntryProblem::Wrong { left }));
    }
    wrong.push(visit.now);
    tx.count_wrong_code(account, (purpose, share, prepared.entry), visit.now).await?;
    let event = Event::CodeRefused { purpose: purpose.as_str(), left: left.saturating_sub(1) };
    tx.append(&prepared.visit.entry(Actor::Anonymous, event).about(account)).await?;
    Ok(Settled::Wrong(match policy.entries_left(&wrong, visit.now) {
        Ok(left) => EntryProblem::Wrong { left },
        Err(BudgetSpent { until }) => EntryProblem::BudgetSpent(until),
    }))
}

/// The journey carries from here on that the code was entered.
async fn prove(tx: &Tx, prepared: &Prepared, method: FactorMethod) -> Result<Carried, FlowError> {
    let proof = prepared.carried.proof().cloned().ok_or(FlowError::Broken("a code without a proof"))?;
    let at = prepared.visit.now;
    let proof = match proof.kind {
        ProofKind::Invitation { link, phones_done, .. } => {
            let event = Event::PhoneVerified { phone: prepared.phone() };
            tx.append(&prepared.visit.entry(Actor::Account(proof.account), event)).await?;
            let kind = ProofKind::Invitation { link, phone: None, phones_done };
            Proof { kind, at, factor: Some(Factor { at, method }), ..proof }
        }
        ProofKind::ExpiredPassword { .. } | ProofKind::Recovery { .. } => {
            Proof { factor: Some(Factor { at, method }), ..proof }
        }
    };
    prepared.carried.keep(tx, &prepared.keeping, Some(proof)).await
}

impl Prepared {
    /// Where the code went, masked.
    fn phone(&self) -> String {
        let Held::Sent { code, .. } = &self.held else { return String::new() };
        let mut offers = self.verification.offers.iter();
        let offer = offers.find(|offer| offer.phone.id == code.phone);
        offer.map(|offer| offer.phone.number.masked()).unwrap_or_default()
    }
}

async fn step_up(tx: &Tx, prepared: &Prepared, factor: FactorMethod) -> Result<Settled, FlowError> {
    let renewed = prepared.renewed.as_ref().ok_or(FlowError::Broken("a step-up without a session"))?;
    let now = prepared.visit.now;
    // As it is by now: its person may have signed in again meanwhile.
    let Some(present) = tx.session(renewed.session.id).await? else {
        return Ok(Settled::Refused(EntryProblem::Expired));
    };
    let session = Session {
        acr: Acr::Mfa,
        amr: factor.amr_with_password(),
        last_active_at: now,
        left_at: None,
        ..present
    };
    if !tx.renew_session(&session, &renewed.next.stored).await? {
        return Ok(Settled::Refused(EntryProblem::Expired));
    }
    tx.leave_sessions(&prepared.left, now).await?;
    if let Some(device) = session.device {
        tx.step_device_up(session.account, device, now).await?;
    }
    Ok(Settled::SteppedUp(Box::new((session, renewed.next.token.clone()))))
}

async fn stepped_up(
    visit: &Visit,
    prepared: &Prepared,
    (session, token): (Session, Token),
) -> Result<EnterOutcome, FlowError> {
    let account: Account = (*prepared.verification.account).clone();
    let current = Live { session, account, token };
    let live = live_sessions(visit).await?;
    goes_on(visit, prepared.carried.clone(), (current, live)).await
}
