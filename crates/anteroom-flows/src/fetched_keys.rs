//! The keys of clients at their `jwks_uri` (OpenID Connect Core §10.1.1): fetched when they are needed, kept for a while, and
//! fetched again when one is missing.
//!
//! Each node keeps its own. An address is asked once a minute at most, whatever strangers send, and who hangs up ends no
//! fetch that others wait for.

use anteroom_oidc::keys::{ClientJwks, ClientJwksError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

use crate::outgoing::{Outgoing, OutgoingError};

/// Then they are looked at again, so that a key that its client took back does not count much longer.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);
/// While an address does not answer, what it said last counts for so long.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
const BETWEEN_FETCHES: SignedDuration = SignedDuration::from_mins(1);
const LARGEST: usize = 64 * 1024;
/// Whoever registers names addresses: beyond this many, those that nobody is asking now are forgotten.
const MOST_PLACES: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    Outgoing(#[from] OutgoingError),
    #[error("what is there is {0}")]
    Unreadable(#[from] ClientJwksError),
    #[error("it was asked less than a minute ago")]
    TooSoon,
    #[error("the fetch was broken off")]
    BrokenOff,
}

/// By their address.
#[derive(Default)]
pub(crate) struct FetchedKeys(Mutex<HashMap<Url, Arc<Place>>>);

#[derive(Default)]
struct Place {
    known: Mutex<Option<Known>>,
    /// When it was last asked. Whoever holds it is asking now.
    asked_at: tokio::sync::Mutex<Option<Timestamp>>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<ClientJwks>,
    fetched_at: Timestamp,
}

impl FetchedKeys {
    /// The keys as they were fetched lately.
    pub(crate) async fn get(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        now: Timestamp,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let place = self.place(url);
        let younger_than =
            |age: SignedDuration| move |known: &Known| now.duration_since(known.fetched_at).abs() < age;
        let known = place.known();
        if let Some(known) = known.clone().filter(younger_than(FRESH_FOR)) {
            return Ok(known.keys);
        }
        match place.ask_on(outgoing, url, now).await {
            Ok(keys) => Ok(keys),
            Err(error) => match known.filter(younger_than(KEPT_FOR)) {
                Some(known) => Ok(known.keys),
                None => Err(error),
            },
        }
    }

    /// Newer ones than `seen`, among which one was missing.
    pub(crate) async fn newer(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        seen: &Arc<ClientJwks>,
        now: Timestamp,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let place = self.place(url);
        match place.known() {
            Some(known) if !Arc::ptr_eq(&known.keys, seen) => Ok(known.keys),
            _ => place.ask_on(outgoing, url, now).await,
        }
    }

    fn place(&self, url: &Url) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST_PLACES && !places.contains_key(url) {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(places.entry(url.clone()).or_default())
    }
}

impl Place {
    fn known(&self) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// In a task of its own, which goes on when whoever began it hangs up.
    async fn ask_on(
        self: Arc<Self>,
        outgoing: &Outgoing,
        url: &Url,
        now: Timestamp,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let (outgoing, url) = (outgoing.clone(), url.clone());
        let asking = tokio::spawn(async move { self.ask(&outgoing, &url, now).await });
        asking.await.unwrap_or(Err(FetchError::BrokenOff))
    }

    async fn ask(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        now: Timestamp,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let before = self.known().map(|known| known.fetched_at);
        let mut asked_at = self.asked_at.lock().await;
        // Somebody else may have asked while we waited.
        if let Some(known) = self.known().filter(|known| Some(known.fetched_at) != before) {
            return Ok(known.keys);
        }
        if asked_at.is_some_and(|at| now.duration_since(at).abs() < BETWEEN_FETCHES) {
            return Err(FetchError::TooSoon);
        }
        *asked_at = Some(now);
        let document = outgoing.get(url, LARGEST).await?;
        let keys = ClientJwks::from_json(&document)?;
        let known = Known { keys: Arc::new(keys), fetched_at: now };
        let keys = Arc::clone(&known.keys);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(keys)
    }
}
