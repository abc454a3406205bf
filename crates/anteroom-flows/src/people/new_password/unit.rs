//! The transaction in which a password is set and everything of the old one ends.

use anteroom_crypto::PasswordHash;
use anteroom_domain::account::{Account, AccountEpoch, AccountStatus};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::{AccountId, DeviceId, SessionId};
use anteroom_domain::interaction::{InteractionState, PassedFactor, ProofKind};
use anteroom_domain::link::LinkKind;
use anteroom_domain::message::{AppChange, Mail, Message};
use anteroom_domain::next_step::NewPasswordReason;
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use anteroom_domain::session::SessionEnd;
use anteroom_oidc::{Acr, Amr, AmrSet};
use anteroom_storage::{Credential, LockedAccount, Tx, Unit};
use jiff::Timestamp;
use uuid::Uuid;

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::open_interaction::{NewInteraction, OpenInteraction, SavedRow};
use crate::messages::notices::notices_to;
use crate::sessions::browser_sessions::sessions_of_other_accounts;
use crate::sessions::end_sessions::{end_all, session_ending};
use crate::sessions::new_session::{InitialSecret, NewSession};

/// The account whose password is set, as it was when the form was checked, and why the password is set.
#[derive(Clone, Copy)]
pub(super) struct NewPasswordFor {
    pub account: AccountId,
    pub epoch: AccountEpoch,
    pub reason: NewPasswordReason,
}

pub(super) struct SetPasswordUnit {
    visit: Visit,
    /// As it is once the password is set.
    pub interaction: OpenInteraction,
    new_interaction: NewInteraction,
    password_for: NewPasswordFor,
    credential: Credential,
    retired: Uuid,
    /// So many of the passwords before are kept.
    remembered: u16,
    session: NewSession,
    /// The browser's sessions of other accounts.
    left: Vec<SessionId>,
}

pub(super) enum SetPasswordResult {
    /// The interaction was saved as [`reset_done`] has it.
    Reset {
        device: DeviceId,
        saved: SavedRow,
    },
    SignedIn {
        current: Box<ActiveSession>,
        saved: SavedRow,
    },
    /// Another reset, or a disablement, came first.
    TooLate,
}

/// The state after a reset, which made this device a known one.
pub(super) fn reset_done(mut state: InteractionState, device: DeviceId) -> InteractionState {
    if let Some(note) = &mut state.recovery {
        note.done = true;
        note.device = Some(device);
    }
    state
}

impl SetPasswordUnit {
    pub(super) fn new(
        visit: &Visit,
        mut interaction: OpenInteraction,
        password_for: NewPasswordFor,
        hash: PasswordHash,
        live: &[ActiveSession],
    ) -> Self {
        let NewPasswordFor { account, reason, .. } = password_for;
        let policy = &visit.snapshot().policy;
        let most = u32::from(policy.password_age.jitter_days);
        let jitter = visit.random().below(most.saturating_add(1));
        let facts = PasswordFacts { set_at: visit.now, jitter_days: u16::try_from(jitter).unwrap_or(0) };
        match reason {
            NewPasswordReason::Recovery => interaction.state.account = None,
            NewPasswordReason::Expired | NewPasswordReason::Chosen | NewPasswordReason::Registration => {
                interaction.state = interaction.state.signed_in_as(account);
            }
        }
        Self {
            new_interaction: NewInteraction::prepare(visit, &interaction),
            session: NewSession::prepare(visit, Some(account)),
            left: sessions_of_other_accounts(live, account),
            retired: visit.new_id(),
            remembered: policy.new_password.remembered,
            credential: Credential { hash, form: Some(PasswordForm::OpaqueString), facts },
            visit: visit.clone(),
            interaction,
            password_for,
        }
    }

    fn now(&self) -> Timestamp {
        self.visit.now
    }

    /// The second factor that was passed before this step, if one was. A phone that is just being registered is no second factor yet.
    fn factor(&self) -> Option<PassedFactor> {
        if self.is_registration() {
            return None;
        }
        let proof = self.interaction.proof().filter(|proof| proof.account == self.password_for.account);
        proof.and_then(|proof| proof.factor)
    }

    fn is_registration(&self) -> bool {
        self.password_for.reason == NewPasswordReason::Registration
    }

    /// The page on which an owner of the account who did not set the password begins a reset.
    fn reset_link(&self) -> String {
        self.visit.snapshot().issuer.endpoint("/forgot-password").to_string()
    }

    /// An entry of the person whose password is set.
    async fn append(&self, tx: &Tx, event: Event) -> Result<(), FlowError> {
        Ok(tx.append(&self.visit.entry(Actor::Account(self.password_for.account), event)).await?)
    }
}

impl Unit for SetPasswordUnit {
    type Output = SetPasswordResult;
    type Error = FlowError;

    const NAME: &'static str = "set_password";

    async fn run(&self, tx: &Tx) -> Result<SetPasswordResult, FlowError> {
        let NewPasswordFor { account, epoch, reason } = self.password_for;
        let expected = if self.is_registration() { AccountStatus::Invited } else { AccountStatus::Active };
        let locked = tx.lock_account(account).await?;
        let locked =
            locked.filter(|locked| locked.account.epoch == epoch && locked.account.status == expected);
        let Some(LockedAccount { account, .. }) = locked else { return Ok(SetPasswordResult::TooLate) };
        let Some(epoch) = self.replace_password(tx).await? else { return Ok(SetPasswordResult::TooLate) };
        self.end_sessions_and_links(tx, &account).await?;
        let known = tx.device_of(account.id, &self.visit.browser.devices).await?;
        if reason == NewPasswordReason::Recovery {
            // An attacker who knew the old password may have made devices known. So a reset revokes every device that has not
            // passed a second factor, except this one.
            let this = known.unwrap_or(self.session.device);
            tx.revoke_other_devices(account.id, this, self.now()).await?;
        }
        let device = self.session.keep_device(tx, &self.visit, account.id, epoch, known).await?;
        if reason == NewPasswordReason::Recovery {
            return self.reset(tx, &account, device).await;
        }
        let account = Account { status: AccountStatus::Active, epoch, ..account };
        let session = self.begin_session(tx, account, device).await?;
        let event =
            Event::SignedIn { acr: session.session.acr, device: Some(device), new_device: known.is_none() };
        let entry = self.visit.entry(Actor::Account(session.account.id), event);
        tx.append(&entry.in_session(session.session.id)).await?;
        let saved = self.interaction.save(tx, &self.new_interaction, None).await?;
        Ok(SetPasswordResult::SignedIn { current: Box::new(session), saved })
    }
}

impl SetPasswordUnit {
    /// `None`: the account is not there any more.
    async fn replace_password(&self, tx: &Tx) -> Result<Option<AccountEpoch>, FlowError> {
        let (account, now) = (self.password_for.account, self.now());
        tx.set_password(account, &self.credential, self.retired, self.remembered, now).await?;
        if self.is_registration() {
            tx.set_status(account, AccountStatus::Active, now).await?;
            tx.verify_addresses(account, now).await?;
            tx.remove_unverified_phones(account).await?;
        }
        let event = match self.password_for.reason {
            NewPasswordReason::Recovery => Event::PasswordReset,
            NewPasswordReason::Expired => Event::PasswordChanged { reason: "expired" },
            NewPasswordReason::Chosen => Event::PasswordChanged { reason: "chosen" },
            NewPasswordReason::Registration => Event::RegistrationCompleted,
        };
        self.append(tx, event).await?;
        Ok(tx.raise_epoch(account).await?)
    }

    /// Ends sessions, grants and links of the old password, and queues the notices.
    async fn end_sessions_and_links(&self, tx: &Tx, account: &Account) -> Result<(), FlowError> {
        let now = self.now();
        let sessions = tx.sessions_of_account(account.id).await?;
        end_all(tx, &sessions, &session_ending(&self.visit, SessionEnd::PasswordChanged)).await?;
        tx.revoke_grants_of_account(account.id, GrantEnd::PasswordChanged, now).await?;
        let proof = self.interaction.proof().map(|proof| &proof.kind);
        let (kind, link) = match proof {
            Some(ProofKind::Invitation { link, .. }) => (LinkKind::Invitation, Some(*link)),
            Some(ProofKind::Recovery { link }) => (LinkKind::Recovery, Some(*link)),
            Some(ProofKind::ExpiredPassword { .. }) | None => (LinkKind::Recovery, None),
        };
        tx.complete_link(account.id, kind, link, now).await?;
        let (at, link) = (now, self.reset_link());
        let mail = match self.password_for.reason {
            NewPasswordReason::Registration => Mail::RegistrationCompleted { at, link },
            NewPasswordReason::Recovery | NewPasswordReason::Expired | NewPasswordReason::Chosen => {
                Mail::PasswordChanged { at, link }
            }
        };
        self.enqueue_notices(tx, account, &mail).await
    }

    /// To every address of the account.
    async fn enqueue_notices(&self, tx: &Tx, account: &Account, mail: &Mail) -> Result<(), FlowError> {
        let addresses = tx.addresses_of(account.id).await?;
        for notice in notices_to(&self.visit, account, addresses, mail) {
            tx.enqueue(&Message { reference: Some(self.visit.reference), ..notice }).await?;
        }
        Ok(())
    }

    /// The session of the new password. All the others have just ended.
    async fn begin_session(
        &self,
        tx: &Tx,
        account: Account,
        device: DeviceId,
    ) -> Result<ActiveSession, FlowError> {
        let (acr, amr) = match self.factor() {
            Some(factor) => {
                tx.record_second_factor(account.id, device, self.now()).await?;
                (Acr::Mfa, factor.method.amr_with_password())
            }
            None => (Acr::Pwd, AmrSet::from_iter([Amr::Pwd])),
        };
        let session = self.session.session(&self.visit, &account, device, acr, amr);
        let InitialSecret { secret, .. } = self.session.secret(tx, &account, self.now()).await?;
        tx.insert_session(&session, &secret.stored).await?;
        tx.mark_not_current(&self.left, self.now()).await?;
        Ok(ActiveSession { session, account, token: secret.token.clone() })
    }

    /// Only a reset lifts a lock of the account.
    async fn reset(
        &self,
        tx: &Tx,
        account: &Account,
        device: DeviceId,
    ) -> Result<SetPasswordResult, FlowError> {
        tx.record_reset(account.id, device, self.now()).await?;
        tx.lift_locks(account.id).await?;
        self.remove_unserved_authenticators(tx, account).await?;
        let state = reset_done(self.interaction.state.clone(), device);
        let saved = self.interaction.save_in_state(tx, &self.new_interaction, state, None).await?;
        Ok(SetPasswordResult::Reset { device, saved })
    }

    /// Phones and apps that were added and cannot be used yet. The entries and notices say to a person who added them why they are
    /// gone.
    async fn remove_unserved_authenticators(&self, tx: &Tx, account: &Account) -> Result<(), FlowError> {
        let now = self.now();
        let phones = tx.phones_of(account.id).await?;
        let phones = phones.iter().filter(|phone| phone.usable_from > now);
        let phones: Vec<String> = phones.map(|phone| phone.number.masked()).collect();
        if !phones.is_empty() {
            tx.remove_waiting_phones(account.id, now).await?;
            self.append(tx, Event::PhonesRemoved { phones, reason: "reset" }).await?;
        }
        let apps = tx.apps_of(account.id).await?;
        tx.remove_waiting_apps(account.id, now).await?;
        let mail = Mail::AuthenticatorApp { at: now, change: AppChange::Removed, link: self.reset_link() };
        for _ in apps.iter().filter(|app| app.confirmed_at.is_some() && app.usable_from > now) {
            self.enqueue_notices(tx, account, &mail).await?;
            self.append(tx, Event::AuthenticatorAppRemoved).await?;
        }
        Ok(())
    }
}
