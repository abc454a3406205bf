//! The transaction in which a password is set and everything of the old one ends.

use anteroom_crypto::PasswordHash;
use anteroom_domain::account::{Account, AccountEpoch, AccountStatus};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::{DeviceId, MessageId, SessionId};
use anteroom_domain::interaction::{PassedFactor, ProofKind};
use anteroom_domain::link::LinkKind;
use anteroom_domain::message::{AppChange, Mail, Message, MessageBody};
use anteroom_domain::next_step::NewPasswordReason;
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use anteroom_domain::session::SessionEnd;
use anteroom_oidc::{Acr, Amr, AmrSet};
use anteroom_storage::{Credential, LockedAccount, Tx};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

use crate::context::call::Visit;
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::interaction::open_interaction::{NewInteraction, OpenInteraction};
use crate::sessions::browser_sessions::sessions_of_other_accounts;
use crate::sessions::end_sessions::{LogoutRecipients, end_all, logout_recipients};
use crate::sessions::new_session::{InitialSecret, NewSession};

/// How long it is worth telling a person that their password was changed.
const NOTICE_LIFETIME: SignedDuration = SignedDuration::from_hours(48);

pub(super) struct SetPasswordUnit {
    visit: Visit,
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    account: Account,
    reason: NewPasswordReason,
    credential: Credential,
    retired: Uuid,
    /// So many of the passwords before are kept.
    remembered: u16,
    session: NewSession,
    /// The browser's sessions of other accounts.
    left: Vec<SessionId>,
    hearers: LogoutRecipients,
    /// Where an owner of the account who did not do this begins a reset.
    reset_link: String,
}

pub(super) enum SetPasswordResult {
    Reset {
        device: DeviceId,
        interaction: OpenInteraction,
    },
    SignedIn {
        current: Box<ActiveSession>,
        interaction: OpenInteraction,
    },
    /// Another reset, or a disablement, came first.
    TooLate,
}

impl SetPasswordUnit {
    pub(super) fn new(
        visit: &Visit,
        (interaction, account, reason): (OpenInteraction, Account, NewPasswordReason),
        hash: PasswordHash,
        live: &[ActiveSession],
    ) -> Self {
        let (snapshot, now) = (visit.snapshot(), visit.now);
        let most = u32::from(snapshot.policy.password_age.jitter_days);
        let jitter = visit.random().below(most.saturating_add(1));
        let facts = PasswordFacts { set_at: now, jitter_days: u16::try_from(jitter).unwrap_or(0) };
        Self {
            new_interaction: NewInteraction::prepare(visit, &interaction),
            session: NewSession::prepare(visit, Some(account.id)),
            left: sessions_of_other_accounts(live, account.id),
            hearers: logout_recipients(visit, SessionEnd::PasswordChanged),
            reset_link: snapshot.issuer.endpoint("/forgot-password").to_string(),
            retired: visit.new_id(),
            remembered: snapshot.policy.new_password.remembered,
            credential: Credential { hash, form: Some(PasswordForm::OpaqueString), facts },
            visit: visit.clone(),
            interaction,
            account,
            reason,
        }
    }

    fn now(&self) -> Timestamp {
        self.visit.now
    }

    /// The code that was entered on the way, if there was one. A phone that is just being registered is no second factor yet.
    fn factor(&self) -> Option<PassedFactor> {
        if self.is_registration() {
            return None;
        }
        self.interaction
            .proof()
            .filter(|proof| proof.account == self.account.id)
            .and_then(|proof| proof.factor)
    }

    fn is_registration(&self) -> bool {
        self.reason == NewPasswordReason::Registration
    }
}

pub(super) async fn settle(tx: Tx, prepared: Arc<SetPasswordUnit>) -> Result<SetPasswordResult, FlowError> {
    let prepared = &*prepared;
    let Some(locked) = tx.lock_account(prepared.account.id).await? else {
        return Ok(SetPasswordResult::TooLate);
    };
    let expected = if prepared.is_registration() { AccountStatus::Invited } else { AccountStatus::Active };
    if locked.account.epoch != prepared.account.epoch || locked.account.status != expected {
        return Ok(SetPasswordResult::TooLate);
    }
    let Some(epoch) = replace_password(&tx, prepared, &locked).await? else {
        return Ok(SetPasswordResult::TooLate);
    };
    end_old_sessions_and_links(&tx, prepared).await?;
    let known = tx.device_of(prepared.account.id, &prepared.visit.browser.devices).await?;
    if prepared.reason == NewPasswordReason::Recovery {
        // An attacker who knew the old password may have made devices known. So a reset revokes every device that has not
        // passed a second factor, except this one.
        let this = known.unwrap_or(prepared.session.device);
        tx.revoke_other_devices(prepared.account.id, this, prepared.now()).await?;
    }
    let owner = (prepared.account.id, epoch);
    let device = prepared.session.keep_device(&tx, &prepared.visit, owner, known).await?;
    if prepared.reason == NewPasswordReason::Recovery {
        tx.record_reset(prepared.account.id, device, prepared.now()).await?;
        return reset(&tx, prepared, device).await;
    }
    let account = Account { status: AccountStatus::Active, epoch, ..locked.account };
    let factor = prepared.factor();
    let (acr, amr) = match factor {
        Some(factor) => (Acr::Mfa, factor.method.amr_with_password()),
        None => (Acr::Pwd, AmrSet::from_iter([Amr::Pwd])),
    };
    if factor.is_some() {
        tx.record_second_factor(account.id, device, prepared.now()).await?;
    }
    let session = prepared.session.session(&prepared.visit, (&account, epoch), device, (acr, amr));
    // All the others have just ended.
    let InitialSecret { secret, .. } = prepared.session.secret(&tx, &account, prepared.now()).await?;
    tx.insert_session(&session, &secret.stored).await?;
    tx.mark_not_current(&prepared.left, prepared.now()).await?;
    let event = Event::SignedIn { acr: session.acr, device: Some(device), new_device: known.is_none() };
    let entry = prepared.visit.entry(Actor::Account(account.id), event).in_session(session.id);
    tx.append(&entry).await?;
    let mut interaction = prepared.interaction.clone();
    interaction.state = interaction.state.signed_in_as(account.id);
    let interaction = interaction.persist(&tx, &prepared.new_interaction, None).await?;
    let current = ActiveSession { session, account, token: secret.token };
    Ok(SetPasswordResult::SignedIn { current: Box::new(current), interaction })
}

async fn replace_password(
    tx: &Tx,
    prepared: &SetPasswordUnit,
    locked: &LockedAccount,
) -> Result<Option<AccountEpoch>, FlowError> {
    let (account, now) = (locked.account.id, prepared.now());
    tx.set_password(account, &prepared.credential, prepared.retired, prepared.remembered, now).await?;
    let event = match prepared.reason {
        NewPasswordReason::Recovery => Event::PasswordReset,
        NewPasswordReason::Expired => Event::PasswordChanged { reason: "expired" },
        NewPasswordReason::Chosen => Event::PasswordChanged { reason: "chosen" },
        NewPasswordReason::Registration => Event::RegistrationCompleted,
    };
    if prepared.is_registration() {
        tx.set_status(account, AccountStatus::Active, now).await?;
        tx.verify_addresses(account, now).await?;
        tx.remove_unverified_phones(account).await?;
    }
    tx.append(&prepared.visit.entry(Actor::Account(account), event)).await?;
    Ok(tx.raise_epoch(account).await?)
}

/// Sessions, grants and links of the old password, and word of it to every address.
async fn end_old_sessions_and_links(tx: &Tx, prepared: &SetPasswordUnit) -> Result<(), FlowError> {
    let (account, now) = (prepared.account.id, prepared.now());
    let sessions = tx.sessions_of_account(account).await?;
    end_all(tx, prepared.visit.audit(), &sessions, &prepared.hearers).await?;
    tx.revoke_grants_of_account(account, GrantEnd::PasswordChanged, now).await?;
    let proof = prepared.interaction.proof().map(|proof| &proof.kind);
    let (kind, link) = match proof {
        Some(ProofKind::Invitation { link, .. }) => (LinkKind::Invitation, Some(*link)),
        Some(ProofKind::Recovery { link }) => (LinkKind::Recovery, Some(*link)),
        Some(ProofKind::ExpiredPassword { .. }) | None => (LinkKind::Recovery, None),
    };
    tx.complete_link(account, kind, link, now).await?;
    let (at, link) = (now, prepared.reset_link.clone());
    let mail = match prepared.reason {
        NewPasswordReason::Registration => Mail::RegistrationCompleted { at, link },
        NewPasswordReason::Recovery | NewPasswordReason::Expired | NewPasswordReason::Chosen => {
            Mail::PasswordChanged { at, link }
        }
    };
    enqueue_notices(tx, prepared, &mail).await
}

/// Every address of the account.
async fn enqueue_notices(tx: &Tx, prepared: &SetPasswordUnit, mail: &Mail) -> Result<(), FlowError> {
    let (account, now) = (prepared.account.id, prepared.now());
    for address in tx.addresses_of(account).await? {
        let message = Message {
            id: MessageId(prepared.visit.new_id()),
            account: Some(account),
            locale: prepared.account.locale.clone(),
            parcel: MessageBody::Email { to: address, mail: mail.clone() },
            reference: Some(prepared.visit.reference),
            created_at: now,
            expires_at: now.checked_add(NOTICE_LIFETIME).unwrap_or(Timestamp::MAX),
        };
        tx.enqueue(&message).await?;
    }
    Ok(())
}

/// Only this lifts a lock of the account.
async fn reset(
    tx: &Tx,
    prepared: &SetPasswordUnit,
    device: DeviceId,
) -> Result<SetPasswordResult, FlowError> {
    tx.lift_locks(prepared.account.id).await?;
    remove_unserved_authenticators(tx, prepared).await?;
    let mut interaction = prepared.interaction.clone();
    interaction.state.account = None;
    if let Some(note) = &mut interaction.state.recovery {
        note.done = true;
        note.device = Some(device);
    }
    let interaction = interaction.persist(tx, &prepared.new_interaction, None).await?;
    Ok(SetPasswordResult::Reset { device, interaction })
}

/// Phones and apps that were added and do not serve yet. A person who added them learns why they are gone.
async fn remove_unserved_authenticators(tx: &Tx, prepared: &SetPasswordUnit) -> Result<(), FlowError> {
    let (account, now) = (prepared.account.id, prepared.now());
    let entry = |event| prepared.visit.entry(Actor::Account(account), event);
    let phones = tx.phones_of(account).await?;
    let phones = phones.iter().filter(|phone| phone.usable_from > now);
    let phones: Vec<String> = phones.map(|phone| phone.number.masked()).collect();
    if !phones.is_empty() {
        tx.remove_waiting_phones(account, now).await?;
        tx.append(&entry(Event::PhonesRemoved { phones, reason: "reset" })).await?;
    }
    let apps = tx.apps_of(account).await?;
    tx.remove_waiting_apps(account, now).await?;
    for _ in apps.iter().filter(|app| app.confirmed_at.is_some() && app.usable_from > now) {
        enqueue_notices(
            tx,
            prepared,
            &Mail::AuthenticatorApp {
                at: now,
                change: AppChange::Removed,
                link: prepared.reset_link.clone(),
            },
        )
        .await?;
        tx.append(&entry(Event::AuthenticatorAppRemoved)).await?;
    }
    Ok(())
}
