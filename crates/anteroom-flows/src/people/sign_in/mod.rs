//! `POST /sign-in`: an address and a password.
//!
//! Invariants: the attempt is counted before anything else; every attempt costs one hash, or three where more than ASCII was
//! typed, known address or not; the decision is made on the account row read again under the lock; counters, session and audit
//! entry are one transaction, committed on failure too; a refusal takes at least `min_failure_time`, whatever its reason.

mod checked_password;
mod lock_notice;
mod unit;

use anteroom_crypto::{KeyedDigest, OpaqueToken, PasswordHash, PasswordVerification, QueueKey};
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::ids::AccountId;
use anteroom_domain::limits::Limit;
use anteroom_domain::password_text::{candidates, normalized};
use anteroom_domain::rate::Wait;
use anteroom_storage::{SignInView, Tx, Unit};
use secrecy::{ExposeSecret as _, SecretString};

use crate::audit::counters::AuditCounter;
use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, Visit};
use crate::context::limits::{of_address, of_one, spend_for_form, wait_for_floor};
use crate::error::FlowError;
use crate::interaction::next::{Next, persist_for_redirect, proceed_with};
use crate::interaction::open_interaction::{InteractionNotFound, InteractionRef, OpenInteraction};
use crate::interaction::reopen::open_or_dashboard;
use crate::people::known_device::{known_device, waits_apart};
use crate::sessions::browser_sessions::{active_sessions, retain_active};
use crate::sessions::new_session::{NewCookies, make_current};
use crate::sessions::repeated_form::repeated_submission;
use checked_password::CheckedPassword;
use unit::{SignInResult, SignInUnit};

/// What the form said, parsed.
pub struct Credentials {
    pub address: FoldedAddress,
    pub password: SecretString,
    pub interaction_ref: Option<InteractionRef>,
}

#[derive(Debug)]
pub enum SignInOutcome {
    /// Signed in: new cookies, and the next step of the interaction.
    SignedIn {
        cookies: NewCookies,
        next: Next,
    },
    /// The password was right and has expired: the person is not signed in, and the interaction goes on.
    Proven {
        next: Next,
    },
    /// The same for every reason, except on a known device of the account.
    Refused {
        disclosure: RefusalDisclosure,
        interaction: OpenInteraction,
    },
    RateLimited {
        wait: Wait,
        interaction: OpenInteraction,
    },
    /// The password was right, and too many were from browsers that the account does not know.
    TooManySignIns {
        wait: Wait,
        interaction: OpenInteraction,
    },
    /// The interaction of the form cannot be found any more.
    InteractionNotFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalDisclosure {
    Nothing,
    /// To a known device of the account: it is locked.
    Locked,
    /// The password was right, and no session was begun: the browser would not keep its cookie.
    NoCookies,
}

#[tracing::instrument(skip_all)]
pub async fn sign_in(visit: &Visit, credentials: Credentials) -> Result<SignInOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let snapshot = visit.snapshot();
    let interaction = match open_or_dashboard(visit, credentials.interaction_ref.as_ref()).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(SignInOutcome::InteractionNotFound),
    };
    match count(visit, &credentials.address).await {
        Err(FlowError::Limited { wait, .. }) => return Ok(SignInOutcome::RateLimited { wait, interaction }),
        counted => counted?,
    }
    let view = visit.store().sign_in_view(&credentials.address, &visit.browser.devices).await?;
    let here = BrowserSessions::of(visit).await?;
    let verdict = verify(visit, view.as_ref(), &credentials.password).await?;
    // The attempt may have waited for its hash. A session and its limits begin when the password was verified, and sessions that
    // have reached theirs since are no longer the browser's.
    let visit = &visit.at_present();
    let here = here.at_present(visit);
    let entry = entry(visit, &credentials.address, &credentials.password);
    let checked = CheckedPassword { view, verdict, entry };
    let (unit, result) = visit.store().run(SignInUnit::new(visit, interaction, checked, &here)).await;
    let SignInUnit { mut interaction, checked, .. } = unit;
    match result? {
        SignInResult::SignedIn { current, saved } => {
            // The session exists already. If the rehash fails, the next sign-in tries again.
            if let Err(error) = rehash_if_outdated(visit, checked, &credentials.password).await {
                tracing::warn!(reference = %visit.reference, "a password was not hashed anew: {error}");
            }
            interaction.state = interaction.state.signed_in_as(current.account.id);
            signed_in(visit, interaction.saved_if(saved), *current, here.live).await
        }
        SignInResult::Expired { account, saved } => {
            interaction.state.account = Some(account);
            let next = proceed_with(visit, interaction.saved_as(saved), here.live).await?;
            Ok(SignInOutcome::Proven { next })
        }
        SignInResult::Limited(wait) => {
            visit.provider().counters.count(AuditCounter::RateLimited(Limit::RightPassword.name()));
            Ok(SignInOutcome::TooManySignIns { wait, interaction })
        }
        SignInResult::Refused { disclosure, saved } => {
            wait_for_floor(started, snapshot).await;
            Ok(SignInOutcome::Refused { disclosure, interaction: interaction.saved_if(saved) })
        }
    }
}

/// The sessions of the browser.
struct BrowserSessions {
    live: Vec<ActiveSession>,
    /// The secrets that an earlier submission of this form created.
    secrets: Vec<OpaqueToken>,
}

impl BrowserSessions {
    async fn of(visit: &Visit) -> Result<Self, FlowError> {
        let live = active_sessions(visit).await?;
        // Where each secret of the cookie has its session, none was renewed.
        if live.len() < visit.browser.sessions.len()
            && let Some(answered) = repeated_submission(visit, None).await?
        {
            return Ok(Self { live: answered.live, secrets: answered.secrets });
        }
        Ok(Self { live, secrets: Vec::new() })
    }

    /// Without the sessions that have reached a limit since they were read.
    fn at_present(mut self, visit: &Visit) -> Self {
        retain_active(visit, &mut self.live);
        self
    }
}

/// Names what was entered, for the count of wrong passwords.
fn entry(visit: &Visit, address: &FoldedAddress, password: &SecretString) -> Option<KeyedDigest> {
    let entered = [address.as_str().as_bytes(), password.expose_secret().as_bytes()];
    visit.sent_form.map(|form| form.submission_digest(visit, &entered))
}

/// Another person in the same network can use up the limit of its IP address. A browser that is a known device of the account then
/// has a limit of its own.
async fn count(visit: &Visit, address: &FoldedAddress) -> Result<(), FlowError> {
    let counted = spend_for_form(visit, Limit::SignIn, of_address(visit, Limit::SignIn)).await;
    if visit.browser.devices.is_empty() || !matches!(counted, Err(FlowError::Limited { .. })) {
        return counted;
    }
    let view = visit.store().sign_in_view(address, &visit.browser.devices).await?;
    match view.and_then(|view| known_device(&view).map(|device| device.id)) {
        Some(device) => {
            let budget = of_one(visit, Limit::SignInOfKnownDevice, &device);
            spend_for_form(visit, Limit::SignInOfKnownDevice, vec![budget]).await
        }
        None => counted,
    }
}

/// The new session comes first among those of the browser, and the interaction goes on.
async fn signed_in(
    visit: &Visit,
    interaction: OpenInteraction,
    current: ActiveSession,
    before: Vec<ActiveSession>,
) -> Result<SignInOutcome, FlowError> {
    let (cookies, live) = make_current(visit, current, before).await?;
    let visit = &visit.after_session_change();
    let next = proceed_with(visit, interaction, live).await?;
    let next = persist_for_redirect(visit, next).await?;
    Ok(SignInOutcome::SignedIn { cookies, next })
}

/// Stronger parameters, or a new pepper, take effect for a password when its person next enters it.
async fn rehash_if_outdated(
    call: &Call,
    checked: CheckedPassword,
    password: &SecretString,
) -> Result<(), FlowError> {
    let CheckedPassword { verdict: PasswordVerification::Match { outdated: true }, view: Some(view), .. } =
        checked
    else {
        return Ok(());
    };
    let (account, Some(credential)) = (view.account.id, view.credential) else { return Ok(()) };
    // The person is signed in already: a full queue only puts this off until next time.
    let lane = QueueKey::Account(account.0.as_u128());
    let Ok(new) = call.hashing().hash(lane, &normalized(password)).await else { return Ok(()) };
    call.store().run(ReplaceHashUnit { account, old: credential.hash, new }).await.1?;
    Ok(())
}

struct ReplaceHashUnit {
    account: AccountId,
    old: PasswordHash,
    new: PasswordHash,
}

impl Unit for ReplaceHashUnit {
    /// `false`: the password is another one by now.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "replace_hash";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        Ok(tx.replace_hash(self.account, &self.old, &self.new).await?)
    }
}

/// Every spelling of the password that was typed is verified, also after one that matched: against the account's hash, or a dummy of
/// the same cost.
async fn verify(
    visit: &Visit,
    view: Option<&SignInView>,
    password: &SecretString,
) -> Result<PasswordVerification, FlowError> {
    let policy = visit.snapshot().policy.lockout;
    let lane = match view.filter(|view| waits_apart(view, &visit.browser, policy)) {
        Some(view) => QueueKey::KnownDevice(view.account.id.0.as_u128()),
        None => QueueKey::of_address(visit.address),
    };
    let credential = view.and_then(|view| view.credential.as_ref());
    let hash = credential.map(|credential| &credential.hash);
    // A hash that is not marked as one of the normalized form is made anew while the text is here.
    let unmarked = credential.is_some_and(|old| old.form.is_none());
    let unmarked = unmarked && !password.expose_secret().is_ascii();
    let mut result = PasswordVerification::Mismatch;
    for (place, form) in candidates(password).iter().enumerate() {
        let verdict = visit.hashing().verify(lane, form, hash).await?;
        if let (PasswordVerification::Mismatch, PasswordVerification::Match { outdated }) = (result, verdict)
        {
            result = PasswordVerification::Match { outdated: outdated || unmarked || place > 0 };
        }
    }
    Ok(result)
}
