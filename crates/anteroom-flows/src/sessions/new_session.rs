//! A new session of an account in a browser: after a right password, and after the person has set a new one.

use anteroom_crypto::{KeyedDigest, OpaqueToken};
use anteroom_domain::account::{Account, AccountEpoch};
use anteroom_domain::device::KnownDevice;
use anteroom_domain::ids::{AccountId, DeviceId, SessionId};
use anteroom_domain::session::{MAX_OF_ACCOUNT, Session, SessionEnd};
use anteroom_domain::session_limit::sessions_over_limit;
use anteroom_oidc::{Acr, AmrSet};
use anteroom_storage::{FormWindow, Tx};
use jiff::Timestamp;

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::sessions::browser_sessions::{MAX_SESSIONS, kept_sessions};
use crate::sessions::end_sessions::{end_all, end_as, session_ending};
use crate::sessions::repeated_form::{
    DerivedSecret, MAX_REPEATS, first_secrets, next_secret, repeat_window_start,
};

/// What a session and its device need, drawn before the transaction so that the transaction can run again.
#[derive(Debug)]
pub(crate) struct NewSession {
    /// Derived from the form, so that a second submission of the form finds the session that the first one began.
    of_form: Vec<DerivedSecret>,
    /// Used where every secret that is derived from the form is taken.
    pub drawn: DerivedSecret,
    pub session: SessionId,
    pub device: DeviceId,
}

/// A session that a browser has already, and the secret that replaces the one in its cookie when its person signs in again.
/// The new secret is derived from the old one with the master key: if two tabs sign in at once, both renew the session of their
/// one cookie, and both answers bring the same secret, whichever answer the browser keeps.
#[derive(Debug)]
pub(crate) struct RenewedSession {
    pub session: Session,
    pub next: DerivedSecret,
    /// It was read with its next secret already: an earlier submission of the form has renewed it.
    is_renewed: bool,
}

fn is_of(session: &Session, account: &Account) -> bool {
    session.account == account.id && session.epoch == account.epoch && session.ended_at.is_none()
}

/// Sessions of an account that are read to find those over the limit. Release 0.1.0 had no limit: sessions beyond these run until
/// they lapse.
const LOOKED_AT: u64 = 500;

impl RenewedSession {
    pub(crate) fn of(visit: &Visit, live: &ActiveSession) -> Self {
        Self::with_secret(visit, live, next_secret(visit, &live.token), false)
    }

    /// One that this very form has renewed: the second answer brings the secret of the first.
    pub(crate) fn already_renewed(visit: &Visit, live: &ActiveSession) -> Self {
        Self::with_secret(visit, live, live.token.clone(), true)
    }

    fn with_secret(visit: &Visit, live: &ActiveSession, next: OpaqueToken, is_renewed: bool) -> Self {
        Self { session: live.session, next: DerivedSecret::of(visit, next), is_renewed }
    }

    /// Whether an earlier submission of the form has renewed the session. That one may have run at the same time, and have renewed it
    /// after it was read here.
    pub(crate) async fn is_renewed_by_form(&self, tx: &Tx, now: Timestamp) -> Result<bool, FlowError> {
        let Some(form) = &self.next.stored.form else { return Ok(false) };
        if self.is_renewed {
            return Ok(true);
        }
        let answered = FormWindow { form, since: repeat_window_start(now) };
        Ok(!tx.secrets_from_form(answered, &[self.next.stored.digest]).await?.is_empty())
    }
}

/// The secret that a session begins with.
pub(crate) struct InitialSecret<'a> {
    pub secret: &'a DerivedSecret,
    /// The session that has it already: the same form began it a moment ago.
    pub begun: Option<Session>,
}

impl NewSession {
    pub(crate) fn prepare(visit: &Visit, account: Option<AccountId>) -> Self {
        Self {
            of_form: account.map(|account| first_secrets(visit, account)).unwrap_or_default(),
            drawn: DerivedSecret::of(visit, visit.random().token()),
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
    ) -> Result<InitialSecret<'_>, FlowError> {
        let Some(form) = self.of_form.first().and_then(|secret| secret.stored.form) else {
            return Ok(InitialSecret { secret: &self.drawn, begun: None });
        };
        let digests: Vec<KeyedDigest> = self.of_form.iter().map(|secret| secret.stored.digest).collect();
        let answered = FormWindow { form: &form, since: repeat_window_start(now) };
        let mut found = tx.sessions_of_secrets(&digests, answered).await?;
        for secret in &self.of_form {
            let begun = found.iter().position(|one| {
                one.secret == secret.stored.digest && one.is_answer && is_of(&one.session, account)
            });
            if let Some(place) = begun {
                return Ok(InitialSecret { secret, begun: Some(found.swap_remove(place).session) });
            }
        }
        // Secrets of the previous window only find existing sessions; a new session never gets one.
        let mut of_this_moment = self.of_form.iter().take(usize::from(MAX_REPEATS));
        let is_free = |secret: &DerivedSecret| found.iter().all(|one| one.secret != secret.stored.digest);
        let free = of_this_moment.find(|secret| is_free(secret));
        Ok(InitialSecret { secret: free.unwrap_or(&self.drawn), begun: None })
    }

    /// The browser's own device of the account, else a new one. If the account has its maximum of devices that passed a second
    /// factor, the new device is revoked at once. The session still refers to it, and a second factor makes it known. `epoch`: that
    /// of the password that was right there, read or raised under the account's lock.
    pub(crate) async fn keep_device(
        &self,
        tx: &Tx,
        visit: &Visit,
        account: AccountId,
        epoch: AccountEpoch,
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
        visit: &Visit,
        session: &Session,
        secret: &DerivedSecret,
    ) -> Result<(), FlowError> {
        let running = tx.sessions_used_last(session.account, LOOKED_AT).await?;
        let full = running.len() >= MAX_OF_ACCOUNT as usize;
        let devices: Vec<DeviceId> = running.iter().filter(|_| full).filter_map(|one| one.device).collect();
        let known = tx.devices_among(session.account, &devices).await?;
        let surplus = sessions_over_limit(running, session.device, &known);
        if !surplus.is_empty() {
            end_all(tx, &surplus, &session_ending(visit, SessionEnd::TooMany)).await?;
        }
        Ok(tx.insert_session(session, &secret.stored).await?)
    }

    pub(crate) fn session(
        &self,
        visit: &Visit,
        account: &Account,
        device: DeviceId,
        acr: Acr,
        amr: AmrSet,
    ) -> Session {
        let now = visit.now;
        Session {
            id: self.session,
            account: account.id,
            epoch: account.epoch,
            browser: visit.browser.id,
            device: Some(device),
            auth_time: now,
            acr,
            amr,
            created_at: now,
            last_active_at: now,
            ended_at: None,
            sid_by_sector: true,
            not_current_since: None,
        }
    }
}

#[derive(Debug)]
pub struct NewCookies {
    pub sessions: Vec<OpaqueToken>,
    pub device: DeviceId,
}

/// The cookies of a browser in which this session is the current one from now on, and its sessions. A session that the cookie has
/// no room for ends, because its person could not sign out of it any more.
pub(crate) async fn make_current(
    visit: &Visit,
    current: ActiveSession,
    before: Vec<ActiveSession>,
) -> Result<(NewCookies, Vec<ActiveSession>), FlowError> {
    let device = current.session.device.ok_or(FlowError::Inconsistent("a session without its device"))?;
    let account = current.account.id;
    let others = before.into_iter().filter(|other| other.account.id != account);
    let mut live: Vec<ActiveSession> = std::iter::once(current).chain(others).collect();
    let dropped = live.split_off(live.len().min(MAX_SESSIONS));
    end_as(visit, account, dropped.into_iter().map(|one| one.session).collect()).await?;
    Ok((NewCookies { sessions: kept_sessions(&live), device }, live))
}
