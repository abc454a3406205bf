//! The transaction of one attempt to sign in.

use anteroom_crypto::{KeyedDigest, PasswordHash, PasswordVerification};
use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::device::KnownDevice;
use anteroom_domain::ids::{AccountId, DeviceId, MessageId, SessionId};
use anteroom_domain::interaction::{Destination, InteractionProof, ProofKind};
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::lockout::{FailureCounters, LockScope, Lockout};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::password::PasswordAge;
use anteroom_domain::rate::Wait;
use anteroom_domain::session::Session;
use anteroom_domain::sign_in::{SignInAttempt, SignInDecision, SignInRefusal, decide};
use anteroom_oidc::{Acr, Amr, AmrSet};
use anteroom_storage::{FormWindow, LockedAccount, RateLimitResult, SignInView, Tx};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use super::{BrowserSessions, LockDisclosure};
use crate::context::call::Visit;
use crate::context::limits::of_address;
use crate::context::live::ActiveSession;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::interaction::open_interaction::{NewInteraction, OpenInteraction};
use crate::sessions::browser_sessions::sessions_of_other_accounts;
use crate::sessions::new_session::{InitialSecret, NewSession, RenewedSession};
use crate::sessions::repeated_form::{DerivedSecret, repeat_window_start};

/// How long it is worth telling someone that their account was locked.
const LOCK_NOTICE_LIFETIME: SignedDuration = SignedDuration::from_hours(48);

/// Everything the transaction needs, drawn beforehand so that it can run again.
pub(super) struct SignInUnit {
    snapshot: Arc<Snapshot>,
    visit: Visit,
    interaction: OpenInteraction,
    view: Option<SignInView>,
    verdict: PasswordVerification,
    new_interaction: NewInteraction,
    /// What a row without a proof counts for.
    of_row: Vec<RateLimitCheck>,
    pub(super) new: NewSession,
    notice: MessageId,
    /// No account has it: it stands for one where the address is unknown.
    no_account: AccountId,
    /// The session of this very account that the browser holds already.
    held: Option<RenewedSession>,
    /// The same, where this very form has renewed it before.
    repeated: Option<Session>,
    /// What was entered, in this form.
    entry: Option<KeyedDigest>,
    /// The browser's other sessions: after a right password they are not the current one.
    no_longer_current: Vec<SessionId>,
}

pub(super) enum SignInResult {
    SignedIn {
        current: Box<ActiveSession>,
        interaction: OpenInteraction,
    },
    Expired(OpenInteraction),
    Refused {
        told: LockDisclosure,
        interaction: OpenInteraction,
    },
    /// The password was right, and too many were from browsers that the account does not know.
    Limited {
        wait: Wait,
        interaction: OpenInteraction,
    },
}

impl SignInUnit {
    pub(super) fn new(
        visit: &Visit,
        interaction: OpenInteraction,
        (view, verdict, entry): (Option<SignInView>, PasswordVerification, Option<KeyedDigest>),
        here: &BrowserSessions,
    ) -> Self {
        let random = visit.random();
        let account = view.as_ref().map(|view| view.account.id);
        let held = here.live.iter().find(|live| Some(live.account.id) == account);
        let live = &here.live;
        Self {
            snapshot: Arc::clone(visit.snapshot()),
            visit: visit.clone(),
            repeated: held.filter(|live| here.secrets.contains(&live.token)).map(|live| live.session.clone()),
            held: held.map(|live| {
                let renewed = if here.secrets.contains(&live.token) {
                    RenewedSession::already_renewed
                } else {
                    RenewedSession::of
                };
                renewed(visit, live)
            }),
            entry,
            no_longer_current: view
                .as_ref()
                .map(|view| sessions_of_other_accounts(live, view.account.id))
                .unwrap_or_default(),
            new_interaction: NewInteraction::prepare(visit, &interaction),
            of_row: of_address(visit, Limit::InteractionRows),
            interaction,
            view,
            verdict,
            new: NewSession::prepare(visit, account),
            notice: MessageId(visit.new_id()),
            no_account: AccountId(random.uuid_v4()),
        }
    }

    pub(super) fn account_id(&self) -> Option<AccountId> {
        self.view.as_ref().map(|view| view.account.id)
    }

    /// The hash that was verified, where it deserves a stronger one.
    pub(super) fn outdated_hash(&self) -> Option<PasswordHash> {
        let outdated = matches!(self.verdict, PasswordVerification::Match { outdated: true });
        let credential = self.view.as_ref().and_then(|view| view.credential.as_ref());
        credential.filter(|_| outdated).map(|credential| credential.hash.clone())
    }

    fn right_password(&self, account: AccountId) -> RateLimitCheck {
        let (limit, subject) = (Limit::RightPassword, account.0.to_string());
        RateLimitCheck { limit, limit_key: subject, rate: self.snapshot.rate(limit) }
    }

    fn now(&self) -> Timestamp {
        self.visit.now
    }

    /// Whether the network may have another row without a proof. Where not, the request waits on in its page: an error in place
    /// of that would undo the count of this attempt.
    async fn has_room(&self, tx: &Tx) -> Result<bool, FlowError> {
        Ok(tx.spend(&self.of_row, self.now()).await? == RateLimitResult::Counted)
    }

    /// From the first submitted form on, a waiting application is a row.
    async fn keep(&self, tx: &Tx, proof: Option<InteractionProof>) -> Result<OpenInteraction, FlowError> {
        let mut interaction = self.interaction.clone();
        if let Some(proof) = &proof {
            interaction.state.account = Some(proof.account);
        } else if interaction.state.destination == Destination::Dashboard
            || (interaction.row().is_none() && !self.has_room(tx).await?)
        {
            return Ok(interaction);
        }
        interaction.persist(tx, &self.new_interaction, proof).await
    }
}

pub(super) async fn run(tx: Tx, prepared: Arc<SignInUnit>) -> Result<SignInResult, FlowError> {
    let prepared = &*prepared;
    let locked = tx.lock_account(prepared.account_id().unwrap_or(prepared.no_account)).await?;
    let Some(locked) = locked else { return unknown(&tx, prepared).await };
    let device = device_under_lock(&tx, prepared).await?;
    let counted_before = counted_before(&tx, prepared, locked.account.id).await?;
    let decision = judge(prepared, &locked, (device.as_ref(), counted_before));
    tx.save_counters(locked.account.id, &decision.counters).await?;
    match decision.verdict {
        Ok(()) => admit(&tx, prepared, locked, device).await,
        Err(refusal) => refuse(&tx, prepared, &locked.account, (refusal, &decision), device.is_some()).await,
    }
}

/// No account has the address: the same statements as for a wrong password. The counters are those of no account.
async fn unknown(tx: &Tx, prepared: &SignInUnit) -> Result<SignInResult, FlowError> {
    counted_before(tx, prepared, prepared.no_account).await?;
    let counters = FailureCounters::new(Lockout::default(), None, prepared.snapshot.policy.lockout);
    tx.save_counters(prepared.no_account, &counters).await?;
    let event = Event::SignInRefused { reason: "unknown_address", failures: 0 };
    tx.append(&prepared.visit.entry(Actor::Anonymous, event)).await?;
    Ok(SignInResult::Refused { told: LockDisclosure::Nothing, interaction: prepared.keep(tx, None).await? })
}

/// Whether this very form has counted this wrong password already. If not, it has from now on.
async fn counted_before(tx: &Tx, prepared: &SignInUnit, account: AccountId) -> Result<bool, FlowError> {
    let Some(form) =
        prepared.entry.as_ref().filter(|_| matches!(prepared.verdict, PasswordVerification::Mismatch))
    else {
        return Ok(false);
    };
    let now = prepared.now();
    let counted =
        tx.is_wrong_password_counted(account, FormWindow { form, since: repeat_window_start(now) }).await?;
    tx.record_wrong_password(account, form, now).await?;
    Ok(counted)
}

/// The device's counter as it is now: parallel attempts have moved it since the view was read.
async fn device_under_lock(tx: &Tx, prepared: &SignInUnit) -> Result<Option<KnownDevice>, FlowError> {
    // In the cookie's order: the one this account was last signed in with comes first.
    let known = prepared.view.as_ref().and_then(|view| {
        let mut named = prepared.visit.browser.devices.iter();
        named.find_map(|id| view.devices.iter().find(|device| device.id == *id))
    });
    match known {
        Some(device) => Ok(tx.device(device.id).await?),
        None => Ok(None),
    }
}

fn judge(
    prepared: &SignInUnit,
    locked: &LockedAccount,
    (device, counted_before): (Option<&KnownDevice>, bool),
) -> SignInDecision {
    let policy = prepared.snapshot.policy.lockout;
    let verified =
        prepared.view.as_ref().and_then(|view| view.credential.as_ref()).map(|credential| &credential.hash);
    let current = locked.credential.as_ref().map(|credential| &credential.hash);
    let device = device.map(|device| device.counter(locked.account.epoch));
    let attempt = SignInAttempt {
        status: locked.account.status,
        counters: FailureCounters::new(locked.account.lockout, device, policy),
        password_matches: matches!(prepared.verdict, PasswordVerification::Match { .. }),
        credential_unchanged: verified == current,
        counted_before,
    };
    decide(attempt, policy, prepared.now())
}

async fn refuse(
    tx: &Tx,
    prepared: &SignInUnit,
    account: &Account,
    (refusal, decision): (SignInRefusal, &SignInDecision),
    known_device: bool,
) -> Result<SignInResult, FlowError> {
    let event = Event::sign_in_refused(refusal, decision.failures);
    tx.append(&prepared.visit.entry(Actor::Anonymous, event).about(account.id)).await?;
    if let Some(scope) = decision.locks {
        tx.append(&prepared.visit.entry(Actor::System, Event::locked(scope)).about(account.id)).await?;
        tx.enqueue(&lock_notice(prepared, account)).await?;
    }
    // Devices that count as unknown ones from now on are not locked by that.
    let locks = decision.locks.is_some_and(|scope| scope != LockScope::EarlierDevices);
    let locked = matches!(refusal, SignInRefusal::Locked(_)) || locks;
    let told = if known_device && locked { LockDisclosure::Locked } else { LockDisclosure::Nothing };
    Ok(SignInResult::Refused { told, interaction: prepared.keep(tx, None).await? })
}

fn lock_notice(prepared: &SignInUnit, account: &Account) -> Message {
    let now = prepared.now();
    Message {
        id: prepared.notice,
        account: Some(account.id),
        locale: account.locale.clone(),
        parcel: MessageBody::Email {
            to: account.primary_address.clone(),
            mail: Mail::AccountLocked {
                at: now,
                link: prepared.snapshot.issuer.endpoint("/forgot-password").to_string(),
            },
        },
        reference: Some(prepared.visit.reference),
        created_at: now,
        expires_at: now.checked_add(LOCK_NOTICE_LIFETIME).unwrap_or(Timestamp::MAX),
    }
}

/// A right password: a session, unless the password is too old to be worth one.
async fn admit(
    tx: &Tx,
    prepared: &SignInUnit,
    locked: LockedAccount,
    device: Option<KnownDevice>,
) -> Result<SignInResult, FlowError> {
    let LockedAccount { account, credential } = locked;
    let first = prepared.new.secret(tx, &account, prepared.now()).await?;
    let repeated = prepared.repeated.as_ref().or(first.begun.as_ref());
    // Known devices are not counted: the sign-ins of a thief of the password do not shut the owner out. Nor is a form that is sent
    // a second time.
    if device.is_none()
        && repeated.is_none()
        && let RateLimitResult::Refused { wait, .. } =
            tx.spend(&[prepared.right_password(account.id)], prepared.now()).await?
    {
        // Told apart from the counted refusals, so that the owner who asks finds it. The number of these entries is bounded by
        // the sign-in limit of the IP address.
        let event = Event::SignInRefused { reason: "too_many_sign_ins", failures: 0 };
        tx.append(&prepared.visit.entry(Actor::Anonymous, event).about(account.id)).await?;
        return Ok(SignInResult::Limited { wait, interaction: prepared.interaction.clone() });
    }
    if !prepared.visit.browser.keeps_cookies {
        return no_cookies(tx, prepared, &account).await;
    }
    let facts = credential.ok_or(FlowError::Broken("a verified password without its row"))?.facts;
    if prepared.snapshot.policy.password_age.age(facts, prepared.now()) == PasswordAge::Expired {
        let event = prepared.visit.entry(Actor::Account(account.id), Event::PasswordExpiredNoticed);
        tx.append(&event).await?;
        let proof = InteractionProof {
            account: account.id,
            epoch: account.epoch,
            at: prepared.now(),
            kind: ProofKind::ExpiredPassword { told: false },
            device: device.map(|device| device.id),
            factor: None,
        };
        return Ok(SignInResult::Expired(prepared.keep(tx, Some(proof)).await?));
    }
    let new_device = device.is_none();
    // The second answer of a form brings the device of the first.
    let known = device.map(|device| device.id).or(repeated.and_then(|session| session.device));
    let owner = (account.id, account.epoch);
    let device = prepared.new.keep_device(tx, &prepared.visit, owner, known).await?;
    let (session, secret) = open_session(tx, prepared, &account, device, first).await?;
    tx.mark_not_current(&prepared.no_longer_current, prepared.now()).await?;
    let event = Event::SignedIn { acr: session.acr, device: Some(device), new_device };
    tx.append(&prepared.visit.entry(Actor::Account(account.id), event).in_session(session.id)).await?;
    let mut interaction = prepared.interaction.clone();
    interaction.state = interaction.state.signed_in_as(account.id);
    // A sign-in with the old password replaces a recovery that was begun in this interaction, so its proof is dropped.
    if interaction.proof().is_some() {
        interaction = interaction.persist(tx, &prepared.new_interaction, None).await?;
    }
    Ok(SignInResult::SignedIn {
        current: Box::new(ActiveSession { session, account, token: secret.token }),
        interaction,
    })
}

/// A session whose cookie is not kept could be neither used nor ended by its person, who would see an empty form again. The
/// page that says so brings the cookie once more, for a browser that only lost it.
async fn no_cookies(tx: &Tx, prepared: &SignInUnit, account: &Account) -> Result<SignInResult, FlowError> {
    let event = Event::SignInRefused { reason: "no_cookies", failures: 0 };
    tx.append(&prepared.visit.entry(Actor::Anonymous, event).about(account.id)).await?;
    Ok(SignInResult::Refused { told: LockDisclosure::NoCookies, interaction: prepared.keep(tx, None).await? })
}

/// Signing in again where this account is signed in already keeps its session, with a new secret. So does the form that began it,
/// sent a second time by a browser that has not the cookie yet.
async fn open_session(
    tx: &Tx,
    prepared: &SignInUnit,
    account: &Account,
    device: DeviceId,
    first: InitialSecret,
) -> Result<(Session, DerivedSecret), FlowError> {
    let proven = (Acr::Pwd, AmrSet::from_iter([Amr::Pwd]));
    let fresh = prepared.new.session(&prepared.visit, (account, account.epoch), device, proven);
    let renewed = |held: &Session| Session {
        id: held.id,
        created_at: held.created_at,
        pairwise_sid: held.pairwise_sid,
        ..fresh.clone()
    };
    if let Some(held) = prepared.held.as_ref().filter(|held| held.session.epoch == account.epoch) {
        let renewed = renewed(&held.session);
        if tx.renew_session(&renewed, &held.next.stored).await? {
            return Ok((renewed, held.next.clone()));
        }
    }
    let InitialSecret { mut secret, begun } = first;
    if let Some(begun) = begun {
        let renewed = renewed(&begun);
        if tx.renew_session(&renewed, &secret.stored).await? {
            return Ok((renewed, secret));
        }
        // It has just ended, and its secret with it.
        secret = prepared.new.drawn.clone();
    }
    prepared.new.insert(tx, prepared.visit.audit(), (&fresh, &secret), &prepared.snapshot).await?;
    Ok((fresh, secret))
}
