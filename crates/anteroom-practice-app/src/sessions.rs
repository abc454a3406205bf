//! Who is signed in to this application, and how that ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::claims::ReceivedClaims;
use crate::logout::{ACCEPTABLE_FOR, LogoutNotice};
use crate::relying_party::SignedIn;
use crate::shelf::Shelf;
use crate::sign_ins::random_id;

const IDLE_LIMIT: SignedDuration = SignedDuration::from_mins(30);
const ABSOLUTE_LIMIT: SignedDuration = SignedDuration::from_hours(12);
const CAPACITY: usize = 10_000;

pub(crate) struct Session {
    pub(crate) signed_in: SignedIn,
    began: Timestamp,
}

impl Session {
    pub(crate) fn claims(&self) -> &ReceivedClaims {
        &self.signed_in.claims
    }
}

pub(crate) struct Sessions(Mutex<Inner>);

struct Inner {
    live: Shelf<String, Arc<Session>>,
    /// `sid`s that the provider has ended: a sign-in whose code was on its way meanwhile must not revive one.
    ended: Shelf<String, ()>,
    /// `jti`s of logout tokens (Back-Channel Logout 2.6, step 8).
    spent: Shelf<String, ()>,
}

#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the provider ended this session while the sign-in was on its way")]
pub(crate) struct AlreadyEnded;

#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("a logout token with this jti was here before")]
pub(crate) struct Replayed;

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Inner {
            live: Shelf::new(IDLE_LIMIT, CAPACITY),
            ended: Shelf::new(ACCEPTABLE_FOR, CAPACITY),
            spent: Shelf::new(ACCEPTABLE_FOR, CAPACITY),
        }))
    }

    /// Begins a session in the place of the one the browser had, and gives its identifier.
    pub(crate) fn begin(
        &self,
        signed_in: SignedIn,
        replaces: Option<&str>,
        now: Timestamp,
    ) -> Result<String, AlreadyEnded> {
        let mut inner = self.lock();
        if signed_in.claims.sid().is_some_and(|sid| inner.ended.get(sid, now).is_some()) {
            return Err(AlreadyEnded);
        }
        if let Some(old) = replaces {
            inner.live.take(old);
        }
        let id = random_id();
        inner.live.put(id.clone(), Arc::new(Session { signed_in, began: now }), now);
        Ok(id)
    }

    /// The session of this identifier; finding it counts as activity.
    pub(crate) fn find(&self, id: &str, now: Timestamp) -> Option<Arc<Session>> {
        let mut inner = self.lock();
        let session = inner.live.get(id, now)?.clone();
        if now.duration_since(session.began) >= ABSOLUTE_LIMIT {
            inner.live.take(id);
            return None;
        }
        inner.live.put(id.to_owned(), session.clone(), now);
        Some(session)
    }

    pub(crate) fn end(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().live.take(id)
    }

    /// Ends what a verified logout token names, once per token, and says how many sessions that were.
    pub(crate) fn end_by_notice(&self, notice: &LogoutNotice, now: Timestamp) -> Result<usize, Replayed> {
        let mut inner = self.lock();
        if inner.spent.get(&notice.jti, now).is_some() {
            return Err(Replayed);
        }
        inner.spent.put(notice.jti.clone(), (), now);
        if let Some(sid) = &notice.sid {
            inner.ended.put(sid.clone(), (), now);
        }
        Ok(inner.live.take_all(|session| notice.names(session.claims())))
    }

    /// Ends what the provider calls `sid`, and says how many sessions that were.
    pub(crate) fn end_by_sid(&self, sid: &str, now: Timestamp) -> usize {
        let mut inner = self.lock();
        inner.ended.put(sid.to_owned(), (), now);
        inner.live.take_all(|session| session.claims().sid() == Some(sid))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
