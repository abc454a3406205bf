//! The same form twice. After a double click a browser sends a form, drops the answer and sends the form again with the cookies
//! of before. Both submissions must have one effect, and the second answer must bring all that the first one brought.
//!
//! Invariants:
//! - all that a form creates has identifiers and secrets that are derived from the form with the master key: the secret of a
//!   session, the identifiers of a code, of a mail and of a wrong entry. So the second submission finds what the first created;
//! - a session is found by an old secret, or without a secret, only by the form that renewed or began it, and only for a moment.
//!   An old cookie without that form is worth nothing;
//! - another entry in the same form is another try.

use anteroom_crypto::{KeyPurpose, KeyedDigest, OpaqueToken};
use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::ANSWER_REPEATED_FOR;
use anteroom_storage::{FormWindow, SessionSecret};
use jiff::Timestamp;
use std::sync::Arc;
use uuid::{Builder, Uuid};

use crate::context::active_session::ActiveSession;
use crate::context::browser::Browser;
use crate::context::call::{Call, SubmittedForm, Visit};
use crate::error::FlowError;
use crate::sessions::browser_sessions::{active_sessions, session_digest};

const FORM_CONTEXT: &str = "form that was sent";
const NEXT_CONTEXT: &str = "next secret of a session";
const FIRST_CONTEXT: &str = "secret of a session of a form";
const ENTRY_CONTEXT: &str = "entry in a form";

/// How many sessions one form can begin in a moment, each after the one before has ended. Further ones get random secrets.
pub(crate) const MAX_REPEATS: u8 = 4;

/// A secret, with the digest by which the store finds it.
#[derive(Clone, Debug)]
pub(crate) struct DerivedSecret {
    pub token: OpaqueToken,
    pub stored: SessionSecret,
}

impl DerivedSecret {
    pub(crate) fn of(visit: &Visit, token: OpaqueToken) -> Self {
        let digest = session_digest(visit.keyring(), &token);
        Self { token, stored: SessionSecret { digest, form: visit.sent_form.map(|form| form.0) } }
    }
}

impl SubmittedForm {
    /// `token` has been verified. The form of another browser is another form, even if it has the token of the same page: what a form
    /// has begun belongs to its browser.
    pub fn of(visit: &Visit, token: &str) -> Self {
        let data = [visit.browser.id.0.as_bytes(), token.as_bytes()].concat();
        Self(visit.keyring().mac(KeyPurpose::TokenHash).digest(FORM_CONTEXT, &data))
    }

    /// Names what was entered in this form.
    pub(crate) fn submission_digest(&self, call: &Call, entered: &[&[u8]]) -> KeyedDigest {
        let mut data = self.0.as_bytes().to_vec();
        for part in entered {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        call.keyring().mac(KeyPurpose::TokenHash).digest(ENTRY_CONTEXT, &data)
    }

    /// Identifiers of the row that this entry creates now: the first is the row's own. The others are those that the same entry would
    /// have got a moment before, or gets at a node whose clock is ahead. After that moment the entry creates another row.
    pub(crate) fn row_ids(&self, call: &Call, entered: &[&[u8]]) -> [Uuid; 3] {
        let this_moment = call.now.as_second().div_euclid(ANSWER_REPEATED_FOR.as_secs());
        [0, -1, 1].map(|other| {
            let moment = this_moment.saturating_add(other).to_be_bytes();
            let entered: Vec<&[u8]> = entered.iter().copied().chain([moment.as_slice()]).collect();
            self.submission_id(call, &entered)
        })
    }

    /// The same as the identifier of a row.
    pub(crate) fn submission_id(&self, call: &Call, entered: &[&[u8]]) -> Uuid {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(self.submission_digest(call, entered).as_bytes()) {
            *to = *from;
        }
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Secrets of sessions that this form begins now, in the order in which they are used up, and then those of the moment
    /// before and of the next, in which a node with a clock ahead may have been. After that the same form derives other secrets,
    /// so that a secret that was replaced is never issued again.
    fn first_secrets(&self, call: &Call, account: AccountId) -> Vec<OpaqueToken> {
        let mac = call.keyring().mac(KeyPurpose::TokenHash);
        let this_moment = call.now.as_second().div_euclid(ANSWER_REPEATED_FOR.as_secs());
        let data = |moment: i64, turn: u8| {
            [self.0.as_bytes().as_slice(), account.0.as_bytes(), &moment.to_be_bytes(), &[turn]].concat()
        };
        let secret = |moment, turn| {
            OpaqueToken::from_bytes(*mac.digest(FIRST_CONTEXT, &data(moment, turn)).as_bytes())
        };
        let moments = [0, -1, 1].map(|other| this_moment.saturating_add(other));
        moments
            .into_iter()
            .flat_map(|moment| (0..MAX_REPEATS).map(move |turn| secret(moment, turn)))
            .collect()
    }
}

/// The secret that replaces this one when its session is renewed.
pub(crate) fn next_secret(call: &Call, token: &OpaqueToken) -> OpaqueToken {
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    OpaqueToken::from_bytes(*mac.digest(NEXT_CONTEXT, token.as_bytes()).as_bytes())
}

/// The secrets that a session of this account may begin with. Without a form there are none.
pub(crate) fn first_secrets(visit: &Visit, account: AccountId) -> Vec<DerivedSecret> {
    let tokens = visit.sent_form.map(|form| form.first_secrets(visit, account)).unwrap_or_default();
    tokens.into_iter().map(|token| DerivedSecret::of(visit, token)).collect()
}

/// A form that was answered after this time gets its answer again.
pub(crate) fn repeat_window_start(now: Timestamp) -> Timestamp {
    now.checked_sub(ANSWER_REPEATED_FOR).unwrap_or(Timestamp::MIN)
}

/// The browser as the first submission of its form left it, where it sends the form again with the cookies of before.
/// `account`: of a session that the form may have begun where there was none. The caller has checked that the person is there.
pub(crate) async fn repeated_submission(
    visit: &Visit,
    account: Option<AccountId>,
) -> Result<Option<RepeatedSubmission>, FlowError> {
    let Some(form) = visit.sent_form else { return Ok(None) };
    let next: Vec<OpaqueToken> =
        visit.browser.sessions.iter().map(|token| next_secret(visit, token)).collect();
    let begun = account.map(|account| form.first_secrets(visit, account)).unwrap_or_default();
    let digests: Vec<KeyedDigest> =
        next.iter().chain(&begun).map(|token| session_digest(visit.keyring(), token)).collect();
    if digests.is_empty() {
        return Ok(None);
    }
    let answered = FormWindow { form: &form.0, since: repeat_window_start(visit.now) };
    let found = visit.store().secrets_from_form(answered, &digests).await?;
    let is_found = |token: &OpaqueToken| found.contains(&session_digest(visit.keyring(), token));
    let held = visit.browser.sessions.iter().zip(&next);
    let stay: Vec<&OpaqueToken> = held.filter(|(_, next)| !is_found(next)).map(|(token, _)| token).collect();
    let secrets: Vec<OpaqueToken> = next.into_iter().chain(begun).filter(is_found).collect();
    if secrets.is_empty() {
        return Ok(None);
    }
    let sessions = secrets.iter().chain(stay).cloned().collect();
    let browser = Arc::new(Browser { sessions, ..Browser::clone(&visit.browser) });
    let visit = Visit { browser, ..visit.clone() };
    let live = active_sessions(&visit).await?;
    let is_there =
        live.iter().any(|live| secrets.contains(&live.token) && live.session.browser == visit.browser.id);
    Ok(is_there.then_some(RepeatedSubmission { visit, live, secrets }))
}

/// What the first submission of a form led to.
pub(crate) struct RepeatedSubmission {
    pub visit: Visit,
    pub live: Vec<ActiveSession>,
    /// Those that the form created.
    pub secrets: Vec<OpaqueToken>,
}
