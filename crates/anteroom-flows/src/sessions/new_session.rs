//! Opening a session: after a right password, and after a new one was set by someone who proved who they are.

use anteroom_crypto::KeyedDigest;
use anteroom_crypto::OpaqueToken;
use anteroom_domain::account::{Account, AccountEpoch};
use anteroom_domain::device::KnownDevice;
use anteroom_domain::ids::{AccountId, DeviceId, SessionId};
use anteroom_domain::session::{MAX_OF_ACCOUNT, Session, SessionEnd};
use anteroom_domain::session_limit::sessions_over_limit;
use anteroom_oidc::{Acr, AmrSet};
use anteroom_storage::{FormWindow, Tx};
use jiff::Timestamp;

use crate::audit::context::AuditContext;
use crate::context::call::Visit;
use crate::context::live::ActiveSession;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::sessions::browser_sessions::{MAX_SESSIONS, kept_sessions};
use crate::sessions::end_sessions::{end_all, end_as, logout_recipients_in};
use crate::sessions::repeated_form::{
    DerivedSecret, MAX_REPEATS, first_secrets, next_secret, repeat_window_start,
};

/// What a session and its device need, drawn before the transaction so that the transaction can run again.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    /// Derived from the form, so that the same form finds what it began.
    of_form: Vec<DerivedSecret>,
    /// Used when every secret derived from the form is taken.
    pub drawn: DerivedSecret,
    pub session: SessionId,
    pub device: DeviceId,
}

/// A session that a browser holds already, and the secret that takes the place of the one in its cookie where its person signs in
/// again. The new one is derived from the old one: of two tabs that sign in at once, both renew the session that their one
/// cookie holds, and both answers bring the same secret, whichever the browser keeps. To derive it takes the master key.
#[derive(Clone, Debug)]
pub(crate) struct RenewedSession {
    pub session: Session,
    pub next: DerivedSecret,
}

fn is_of(session: &Session, account: &Account) -> bool {
    session.account == account.id && session.epoch == account.epoch && session.ended_at.is_none()
}

/// Release 0.1.0 had no bound: of more than these the others run until they lapse.
const LOOKED_AT: u64 = 500;

impl RenewedSession {
    pub(crate) fn of(visit: &Visit, live: &ActiveSession) -> Self {
        let next = DerivedSecret::of(visit, next_secret(visit, &live.token));
        Self { session: live.session.clone(), next }
    }

    /// One that this very form has renewed: the second answer brings what the first one brought.
    pub(crate) fn already_renewed(visit: &Visit, live: &ActiveSession) -> Self {
        let next = DerivedSecret::of(visit, live.token.clone());
        Self { session: live.session.clone(), next }
    }
}

/// The secret that a session begins with.
pub(crate) struct InitialSecret {
    pub secret: DerivedSecret,
    /// The session that has it already: the same form began it a moment ago.
    pub begun: Option<Session>,
}

impl NewSession {
    pub(crate) fn prepare(visit: &Visit, account: Option<AccountId>) -> Self {
        let (random, _now) = (visit.random(), visit.now);
        Self {
            of_form: account.map(|account| first_secrets(visit, account)).unwrap_or_default(),
            drawn: DerivedSecret::of(visit, random.token()),
            session: SessionId(visit.new_id()),
            device: DeviceId(visit.new_id()),
        }
    }

    /// The secret that the session gets.
    pub(crate) async fn secret(
        &self,
        tx: &Tx,
        account: &Account,
        now: Timestamp,
    ) -> Result<InitialSecret, FlowError> {
        let Some(form) = self.of_form.first().and_then(|secret| secret.stored.form) else {
            return Ok(InitialSecret { secret: self.drawn.clone(), begun: None });
        };
        let digests: Vec<KeyedDigest> = self.of_form.iter().map(|secret| secret.stored.digest).collect();
        let answered = FormWindow { form: &form, since: repeat_window_start(now) };
        let found = tx.sessions_of_secrets(&digests, answered).await?;
        let holder = |secret: &DerivedSecret| found.iter().find(|one| one.secret == secret.stored.digest);
        for secret in &self.of_form {
            if let Some(one) = holder(secret).filter(|one| one.is_answer && is_of(&one.session, account)) {
                return Ok(InitialSecret { secret: secret.clone(), begun: Some(one.session.clone()) });
            }
        }
        // Secrets of the previous window only find existing sessions; a new session never gets one.
        let mut of_this_moment = self.of_form.iter().take(usize::from(MAX_REPEATS));
        let free = of_this_moment.find(|secret| holder(secret).is_none());
        Ok(InitialSecret { secret: free.unwrap_or(&self.drawn).clone(), begun: None })
    }

    /// The browser's own device of the account, else a new one. If the account has its maximum of devices that passed a second
    /// factor, the new device is revoked at once. The session still refers to it, and a second factor makes it known. `epoch`: of the password
    /// that was right there, read or raised under the account's lock.
    pub(crate) async fn keep_device(
        &self,
        tx: &Tx,
        visit: &Visit,
        (account, epoch): (AccountId, AccountEpoch),
        known: Option<DeviceId>,
    ) -> Result<DeviceId, FlowError> {
        // One that was swept since it was read is not to be referred to.
        if let Some(known) = known
            && tx.touch_device(known, epoch, visit.now).await?
        {
            return Ok(known);
        }
        let device = KnownDevice {
            id: self.device,
            account,
            failures: 0,
            stepped_up_at: None,
            label: visit.browser.device_label.clone(),
            created_at: visit.now,
            last_seen_at: visit.now,
            reset_at: None,
            password_epoch: Some(epoch),
        };
        tx.insert_device(&device).await?;
        tx.revoke_surplus_devices(account, visit.now).await?;
        Ok(device.id)
    }

    /// Writes the session. Where its device or the account has as many as it may, another one ends.
    pub(crate) async fn insert(
        &self,
        tx: &Tx,
        audit: &AuditContext,
        (session, secret): (&Session, &DerivedSecret),
        snapshot: &Snapshot,
    ) -> Result<(), FlowError> {
        let running = tx.sessions_used_last(session.account, LOOKED_AT).await?;
        let full = running.len() >= MAX_OF_ACCOUNT as usize;
        let devices: Vec<DeviceId> = running.iter().filter(|_| full).filter_map(|one| one.device).collect();
        let known = tx.devices_among(session.account, &devices).await?;
        let surplus = sessions_over_limit(running, session.device, &known);
        if !surplus.is_empty() {
            const WHY: SessionEnd = SessionEnd::TooMany;
            end_all(tx, audit, &surplus, &logout_recipients_in(snapshot, WHY)).await?;
        }
        Ok(tx.insert_session(session, &secret.stored).await?)
    }

    pub(crate) fn session(
        &self,
        visit: &Visit,
        (account, epoch): (&Account, AccountEpoch),
        device: DeviceId,
        (acr, amr): (Acr, AmrSet),
    ) -> Session {
        let now = visit.now;
        Session {
            id: self.session,
            account: account.id,
            epoch,
            browser: visit.browser.id,
            device: Some(device),
            auth_time: now,
            acr,
            amr,
            created_at: now,
            last_active_at: now,
            ended_at: None,
            pairwise_sid: true,
            not_current_since: None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewCookies {
    pub sessions: Vec<OpaqueToken>,
    pub device: DeviceId,
}

/// The cookies of a browser in which this session is the current one from now on, and its sessions. What the cookie has no room
/// for ends: it could not be signed out of any more.
pub(crate) async fn make_current(
    visit: &Visit,
    current: ActiveSession,
    before: Vec<ActiveSession>,
) -> Result<(NewCookies, Vec<ActiveSession>), FlowError> {
    let device = current.session.device.ok_or(FlowError::Broken("a session without its device"))?;
    let account = current.account.id;
    let others = before.into_iter().filter(|other| other.account.id != account);
    let live: Vec<ActiveSession> = std::iter::once(current).chain(others).collect();
    let dropped: Vec<Session> = live.iter().skip(MAX_SESSIONS).map(|one| one.session.clone()).collect();
    end_as(visit, account, dropped).await?;
    Ok((NewCookies { sessions: kept_sessions(&live), device }, live))
}
