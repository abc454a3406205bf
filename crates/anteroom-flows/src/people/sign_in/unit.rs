//! The transaction of one attempt to sign in.

use anteroom_crypto::PasswordVerification;
use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::device::KnownDevice;
use anteroom_domain::ids::{AccountId, DeviceId, MessageId, SessionId};
use anteroom_domain::interaction::{Destination, InteractionProof, InteractionState, ProofKind};
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::lockout::{FailureCounters, LockScope, Lockout};
use anteroom_domain::password::PasswordAge;
use anteroom_domain::rate::Wait;
use anteroom_domain::session::Session;
use anteroom_domain::sign_in::{SignInAttempt, SignInDecision, SignInRefusal, decide};
use anteroom_oidc::{Acr, Amr, AmrSet};
use anteroom_storage::{LockedAccount, RateLimitResult, Tx, Unit};
use jiff::Timestamp;

use super::checked_password::CheckedPassword;
use super::lock_notice::lock_notice;
use super::{BrowserSessions, RefusalDisclosure};
use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::context::limits::{counted_form, of_address, of_one};
use crate::error::FlowError;
use crate::interaction::open_interaction::{NewInteraction, OpenInteraction, SavedRow};
use crate::people::known_device::counted_device;
use crate::sessions::browser_sessions::sessions_of_other_accounts;
use crate::sessions::form_effect::FormEffect;
use crate::sessions::new_session::{InitialSecret, NewSession, RenewedSession};
use crate::sessions::repeated_form::DerivedSecret;

/// Everything the transaction needs, drawn beforehand so that it can run again.
pub(super) struct SignInUnit {
    visit: Visit,
    pub interaction: OpenInteraction,
    pub checked: CheckedPassword,
    new_interaction: NewInteraction,
    /// The limits that a row without a proof counts for.
    of_row: Vec<RateLimitCheck>,
    new: NewSession,
    notice: MessageId,
    /// No account has it: it is counted where the address is unknown.
    no_account: AccountId,
    /// The session of the account that the browser has already.
    held: Option<RenewedSession>,
    /// The browser's other sessions: after a right password they are not the current one.
    no_longer_current: Vec<SessionId>,
}

/// `saved`: the row of the interaction, where it became one or its row was changed.
pub(super) enum SignInResult {
    SignedIn {
        current: Box<ActiveSession>,
        saved: Option<SavedRow>,
    },
    /// The password was right and has expired: it proves this account.
    Expired {
        account: AccountId,
        saved: SavedRow,
    },
    Refused {
        disclosure: RefusalDisclosure,
        saved: Option<SavedRow>,
    },
    /// The password was right, and too many were from browsers that the account does not know.
    Limited(Wait),
}

/// Why a sign-in is refused.
struct Refusal {
    reason: SignInRefusal,
    failures: u32,
    locks: Option<LockScope>,
    is_known_device: bool,
}

impl SignInUnit {
    pub(super) fn new(
        visit: &Visit,
        interaction: OpenInteraction,
        checked: CheckedPassword,
        here: &BrowserSessions,
    ) -> Self {
        let account = checked.view.as_ref().map(|view| view.account.id);
        let live = here.live.iter().find(|live| Some(live.account.id) == account);
        let is_renewed = live.is_some_and(|live| here.secrets.contains(&live.token));
        let renewed = if is_renewed { RenewedSession::already_renewed } else { RenewedSession::of };
        Self {
            held: live.map(|live| renewed(visit, live)),
            no_longer_current: account
                .map(|account| sessions_of_other_accounts(&here.live, account))
                .unwrap_or_default(),
            new_interaction: NewInteraction::prepare(visit, &interaction),
            of_row: of_address(visit, Limit::InteractionRows),
            interaction,
            checked,
            new: NewSession::prepare(visit, account),
            notice: MessageId(visit.new_id()),
            no_account: AccountId(visit.random().uuid_v4()),
            visit: visit.clone(),
        }
    }

    fn account_id(&self) -> AccountId {
        self.checked.view.as_ref().map_or(self.no_account, |view| view.account.id)
    }

    fn now(&self) -> Timestamp {
        self.visit.now
    }

    /// The entry of a refusal: one for each form and what was entered, whatever the reason. `account`: that of the address. The
    /// statements are the same where there is none.
    async fn append_refusal(
        &self,
        tx: &Tx,
        account: Option<&Account>,
        reason: &'static str,
        failures: u32,
    ) -> Result<(), FlowError> {
        let entry = self.visit.entry(Actor::Anonymous, Event::SignInRefused { reason, failures });
        let entry = AuditEntry { subject: account.map(|account| account.id), ..entry };
        let entered = self.checked.entry.as_ref().map_or(&[][..], |entry| entry.as_bytes());
        FormEffect::of(&self.visit, &[b"sign-in refused", entered]).append(tx, &entry).await
    }

    /// Whether the network may have another row without a proof. Where not, the request stays in its page: an error in place
    /// of that would undo the count of this attempt.
    async fn has_room(&self, tx: &Tx) -> Result<bool, FlowError> {
        let form = counted_form(&self.visit, Limit::InteractionRows);
        let choices = std::slice::from_ref(&self.of_row);
        Ok(tx.spend_for_form(form, choices, self.now()).await? == RateLimitResult::Counted)
    }

    /// From the first submitted form on, the request of an application is in a row. `None`: the interaction stays as it is carried.
    async fn persist(&self, tx: &Tx) -> Result<Option<SavedRow>, FlowError> {
        let interaction = &self.interaction;
        if interaction.state.destination == Destination::Dashboard
            || (interaction.row().is_none() && !self.has_room(tx).await?)
        {
            return Ok(None);
        }
        Ok(Some(interaction.save(tx, &self.new_interaction, None).await?))
    }
}

impl Unit for SignInUnit {
    type Output = SignInResult;
    type Error = FlowError;

    const NAME: &'static str = "sign_in";

    async fn run(&self, tx: &Tx) -> Result<SignInResult, FlowError> {
        let locked = tx.lock_account(self.account_id()).await?;
        let Some(locked) = locked else { return self.refuse_unknown(tx).await };
        let device = self.device_under_lock(tx).await?;
        let counted_before = self.counted_before(tx).await?;
        let decision = self.judge(&locked, device.as_ref(), counted_before);
        tx.save_counters(locked.account.id, &decision.counters).await?;
        match decision.verdict {
            Ok(()) => self.admit(tx, locked, device).await,
            Err(reason) => {
                let SignInDecision { failures, locks, .. } = decision;
                let refusal = Refusal { reason, failures, locks, is_known_device: device.is_some() };
                self.refuse(tx, locked.account, refusal).await
            }
        }
    }
}

impl SignInUnit {
    /// No account has the address: the same statements as for a wrong password. The counters are those of no account.
    async fn refuse_unknown(&self, tx: &Tx) -> Result<SignInResult, FlowError> {
        self.counted_before(tx).await?;
        let policy = self.visit.snapshot().policy.lockout;
        let counters = FailureCounters::new(Lockout::default(), None, policy);
        tx.save_counters(self.no_account, &counters).await?;
        self.append_refusal(tx, None, "unknown_address", 0).await?;
        Ok(SignInResult::Refused { disclosure: RefusalDisclosure::Nothing, saved: self.persist(tx).await? })
    }

    /// Whether this very form has counted this wrong password a moment ago. If not, it has from now on. Nothing that another form
    /// enters changes that.
    async fn counted_before(&self, tx: &Tx) -> Result<bool, FlowError> {
        let CheckedPassword { entry: Some(form), verdict: PasswordVerification::Mismatch, .. } =
            &self.checked
        else {
            return Ok(false);
        };
        let effect = FormEffect::of(&self.visit, &[b"wrong password", form.as_bytes()]);
        Ok(!effect.is_first(tx).await?)
    }

    /// The device's counter as it is now: parallel attempts may have changed it since the view was read.
    async fn device_under_lock(&self, tx: &Tx) -> Result<Option<KnownDevice>, FlowError> {
        let view = self.checked.view.as_ref();
        match view.and_then(|view| counted_device(view, &self.visit.browser)) {
            Some(device) => Ok(tx.device(device.id).await?),
            None => Ok(None),
        }
    }

    fn judge(
        &self,
        locked: &LockedAccount,
        device: Option<&KnownDevice>,
        counted_before: bool,
    ) -> SignInDecision {
        let policy = self.visit.snapshot().policy.lockout;
        let device = device.map(|device| device.counter(locked.account.epoch));
        let attempt = SignInAttempt {
            status: locked.account.status,
            counters: FailureCounters::new(locked.account.lockout, device, policy),
            password_matches: matches!(self.checked.verdict, PasswordVerification::Match { .. }),
            credential_unchanged: self.checked.is_still_of(locked),
            counted_before,
        };
        decide(attempt, policy, self.now())
    }

    async fn refuse(
        &self,
        tx: &Tx,
        account: Account,
        Refusal { reason, failures, locks, is_known_device }: Refusal,
    ) -> Result<SignInResult, FlowError> {
        self.append_refusal(tx, Some(&account), reason.as_str(), failures).await?;
        if let Some(scope) = locks {
            let entry = self.visit.entry(Actor::System, Event::locked(scope)).about(account.id);
            tx.append(&entry).await?;
            tx.enqueue(&lock_notice(&self.visit, self.notice, account)).await?;
        }
        // A lock of earlier devices locks no device: from then on they count as unknown ones.
        let locks = locks.is_some_and(|scope| scope != LockScope::EarlierDevices);
        let locked = matches!(reason, SignInRefusal::Locked(_)) || locks;
        let disclosure =
            if is_known_device && locked { RefusalDisclosure::Locked } else { RefusalDisclosure::Nothing };
        Ok(SignInResult::Refused { disclosure, saved: self.persist(tx).await? })
    }

    /// A right password: a session, unless the password has expired.
    async fn admit(
        &self,
        tx: &Tx,
        locked: LockedAccount,
        device: Option<KnownDevice>,
    ) -> Result<SignInResult, FlowError> {
        let LockedAccount { account, credential } = locked;
        let first = self.new.secret(tx, &account, self.now()).await?;
        let repeated = match &self.held {
            Some(held) if held.is_renewed_by_form(tx, self.now()).await? => Some(held.session),
            Some(_) | None => first.begun,
        };
        // Known devices are not counted: the sign-ins of a thief of the password do not shut the owner out. Nor is a form that is
        // sent a second time.
        if device.is_none()
            && repeated.is_none()
            && let Some(wait) = self.wait_for_right_passwords(tx, &account).await?
        {
            return Ok(SignInResult::Limited(wait));
        }
        if !self.visit.browser.keeps_cookies {
            return self.refuse_without_cookies(tx, &account).await;
        }
        let facts = credential.ok_or(FlowError::Inconsistent("a verified password without its row"))?.facts;
        let age = self.visit.snapshot().policy.password_age.age(facts, self.now());
        if age == PasswordAge::Expired {
            return self.prove(tx, &account, device).await;
        }
        let new_device = device.is_none();
        // The second answer of a form brings the device of the first.
        let known = device.map(|device| device.id).or(repeated.and_then(|session| session.device));
        let device = self.new.keep_device(tx, &self.visit, account.id, account.epoch, known).await?;
        let (session, secret) = self.open_session(tx, &account, device, first).await?;
        tx.mark_not_current(&self.no_longer_current, self.now()).await?;
        // One form that is sent twice is one sign-in.
        if repeated.is_none_or(|repeated| repeated.id != session.id) {
            let event = Event::SignedIn { acr: session.acr, device: Some(device), new_device };
            let entry = self.visit.entry(Actor::Account(account.id), event).in_session(session.id);
            tx.append(&entry).await?;
        }
        // A sign-in with the old password replaces a recovery that was begun in this interaction, so its proof is dropped.
        let saved = if self.interaction.proof().is_some() {
            let state = self.interaction.state.clone().signed_in_as(account.id);
            Some(self.interaction.save_in_state(tx, &self.new_interaction, state, None).await?)
        } else {
            None
        };
        let current = ActiveSession { session, account, token: secret.token.clone() };
        Ok(SignInResult::SignedIn { current: Box::new(current), saved })
    }

    /// The time to wait, if too many right passwords came from browsers that the account does not know.
    async fn wait_for_right_passwords(&self, tx: &Tx, account: &Account) -> Result<Option<Wait>, FlowError> {
        let budget = of_one(&self.visit, Limit::RightPassword, &account.id);
        let form = counted_form(&self.visit, Limit::RightPassword);
        let RateLimitResult::Refused { wait, .. } =
            tx.spend_for_form(form, &[vec![budget]], self.now()).await?
        else {
            return Ok(None);
        };
        // A reason of its own, apart from the counted refusals, so that the owner who asks finds it. The sign-in limit of the IP
        // address bounds the number of these entries.
        self.append_refusal(tx, Some(account), "too_many_sign_ins", 0).await?;
        Ok(Some(wait))
    }

    /// A browser that does not keep the session's cookie could neither use the session nor end it: its person would see an empty
    /// form again. The page that says so sets the cookie once more, for a browser that only lost it.
    async fn refuse_without_cookies(&self, tx: &Tx, account: &Account) -> Result<SignInResult, FlowError> {
        self.append_refusal(tx, Some(account), "no_cookies", 0).await?;
        Ok(SignInResult::Refused { disclosure: RefusalDisclosure::NoCookies, saved: self.persist(tx).await? })
    }

    /// The right password has expired: it proves the account, and the interaction carries that to a new password.
    async fn prove(
        &self,
        tx: &Tx,
        account: &Account,
        device: Option<KnownDevice>,
    ) -> Result<SignInResult, FlowError> {
        let entry = self.visit.entry(Actor::Account(account.id), Event::PasswordExpiredNoticed);
        let effect = FormEffect::of(&self.visit, &[b"expired password noticed", account.id.0.as_bytes()]);
        effect.append(tx, &entry).await?;
        let proof = InteractionProof {
            account: account.id,
            epoch: account.epoch,
            at: self.now(),
            kind: ProofKind::ExpiredPassword { acknowledged: false },
            device: device.map(|device| device.id),
            factor: None,
        };
        let state = InteractionState { account: Some(account.id), ..self.interaction.state.clone() };
        let saved = self.interaction.save_in_state(tx, &self.new_interaction, state, Some(&proof)).await?;
        Ok(SignInResult::Expired { account: account.id, saved })
    }

    /// Signing in again where this account is signed in already keeps its session, with a new secret. So does a second submission of
    /// the form that began the session, by a browser that does not have the cookie yet.
    async fn open_session<'a>(
        &'a self,
        tx: &Tx,
        account: &Account,
        device: DeviceId,
        first: InitialSecret<'a>,
    ) -> Result<(Session, &'a DerivedSecret), FlowError> {
        let fresh = || {
            let amr = AmrSet::from_iter([Amr::Pwd]);
            self.new.session(&self.visit, account, device, Acr::Pwd, amr)
        };
        let renewed = |held: &Session| Session {
            id: held.id,
            created_at: held.created_at,
            sid_by_sector: held.sid_by_sector,
            ..fresh()
        };
        if let Some(held) = self.held.as_ref().filter(|held| held.session.epoch == account.epoch) {
            let renewed = renewed(&held.session);
            if tx.renew_session(&renewed, &held.next.stored).await? {
                return Ok((renewed, &held.next));
            }
        }
        let InitialSecret { mut secret, begun } = first;
        if let Some(begun) = begun {
            let renewed = renewed(&begun);
            if tx.renew_session(&renewed, &secret.stored).await? {
                return Ok((renewed, secret));
            }
            // It has just ended, and its secret with it.
            secret = &self.new.drawn;
        }
        let fresh = fresh();
        self.new.insert(tx, &self.visit, &fresh, secret).await?;
        Ok((fresh, secret))
    }
}
