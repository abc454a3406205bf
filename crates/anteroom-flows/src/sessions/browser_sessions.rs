//! The sessions in a browser, read by the secrets in its cookie.

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring, OpaqueToken};
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::session::SessionStatus;
use anteroom_storage::FoundSession;
use jiff::Timestamp;

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;

/// At most this many accounts are signed in in one browser; the least recently used goes first.
pub const MAX_SESSIONS: usize = 5;

const SESSION_CONTEXT: &str = "session";

/// The digest by which the store finds a session's secret.
pub(crate) fn session_digest(keyring: &Keyring, token: &OpaqueToken) -> KeyedDigest {
    keyring.mac(KeyPurpose::TokenHash).digest(SESSION_CONTEXT, token.as_bytes())
}

/// The active sessions of the browser, in the cookie's order, with those that can be used only after a proof
/// ([`anteroom_domain::session::Session::requires_reauthentication`]).
pub async fn active_sessions(visit: &Visit) -> Result<Vec<ActiveSession>, FlowError> {
    let policy = visit.snapshot().policy.session;
    let here = sessions_of_browser(visit).await?.into_iter();
    let live = here.filter(|(row, _)| {
        row.session.current_status(&row.account, policy, visit.now) == SessionStatus::Live
    });
    Ok(live.map(|(row, token)| ActiveSession { session: row.session, account: row.account, token }).collect())
}

/// Drops the sessions that have reached a limit since they were read.
pub(crate) fn retain_active(visit: &Visit, live: &mut Vec<ActiveSession>) {
    let policy = visit.snapshot().policy.session;
    live.retain(|one| one.session.current_status(&one.account, policy, visit.now) == SessionStatus::Live);
}

/// The current session of the browser, where it is of another person than the page of the form showed, or another session of
/// the same person. A form that acts on the current session must not act on that one.
pub async fn account_mismatch(visit: &Visit) -> Result<Option<ActiveSession>, FlowError> {
    let current = active_sessions(visit).await?.into_iter().next();
    Ok(current.filter(|live| !visit.form.allows(live)))
}

/// Whether another account has signed in at this browser after `at`, or used a session from before. A person can edit the cookie at
/// the browser, so the browser's sessions are also looked up without it.
pub(crate) async fn other_account_used_browser_since(
    visit: &Visit,
    account: AccountId,
    at: Timestamp,
) -> Result<bool, FlowError> {
    let here = sessions_of_browser(visit).await?;
    if here.iter().any(|(row, _)| row.session.is_of_another_since(account, at)) {
        return Ok(true);
    }
    Ok(visit.store().has_other_account_at_browser_since(visit.browser.id, account, at).await?)
}

/// The sessions of the browser's cookie, active or ended.
pub(crate) async fn sessions_of_browser(
    visit: &Visit,
) -> Result<Vec<(FoundSession, OpaqueToken)>, FlowError> {
    let mac = visit.keyring().mac(KeyPurpose::TokenHash);
    // A session outlives the rotation of the hashing key, so each token has several digests.
    let tokens = visit.browser.sessions.iter().take(MAX_SESSIONS);
    let digests: Vec<(KeyedDigest, &OpaqueToken)> = tokens
        .flat_map(|token| {
            mac.digests(SESSION_CONTEXT, token.as_bytes()).into_iter().map(move |digest| (digest, token))
        })
        .collect();
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<KeyedDigest> = digests.iter().map(|(digest, _)| *digest).collect();
    let mut found = visit.store().sessions_by_tokens(&wanted).await?;
    let mut here = Vec::new();
    for (digest, token) in digests {
        let Some(place) = found.iter().position(|row| row.digest == digest) else { continue };
        let mut row = found.swap_remove(place);
        // A node of release 0.1.0 does not write `left_at` when another account becomes current. So a session that is not first
        // in the cookie counts as left since its last activity.
        if visit.browser.sessions.first() != Some(token) {
            row.session.not_current_since =
                row.session.not_current_since.or(Some(row.session.last_active_at));
        }
        here.push((row, token.clone()));
    }
    Ok(here)
}

/// The browser's sessions that stop being the current one when a session of this account becomes it.
pub(crate) fn sessions_of_other_accounts(live: &[ActiveSession], account: AccountId) -> Vec<SessionId> {
    live.iter().filter(|other| other.account.id != account).map(|other| other.session.id).collect()
}

/// The secrets that the browser keeps, newest first.
pub(crate) fn kept_sessions(live: &[ActiveSession]) -> Vec<OpaqueToken> {
    live.iter().map(|one| one.token.clone()).take(MAX_SESSIONS).collect()
}
