//! What clients publish for us to fetch: their keys at a `jwks_uri` (OpenID Connect Core §10.1.1), request objects at a
//! `request_uri` (§6.2), the redirect URIs of their sector at a `sector_identifier_uri` (Registration §5). Fetched when it
//! is needed; keys, and request objects that are named with their version, are kept for a while.
//!
//! Each node keeps its own, by address; what is kept decides nothing by itself, and is judged again at each use. An address is
//! asked once a minute at most for what is kept, whatever strangers send, and nobody who needs what is there waits for a fetch.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

use crate::outgoing::{Outgoing, OutgoingError};

/// Then it is looked at again, so that a key that its client took back does not count much longer.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);
/// While an address does not answer, what it said last counts for so long.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
const BETWEEN_FETCHES: SignedDuration = SignedDuration::from_mins(1);
/// Whoever registers names addresses: beyond this many, those that nobody is asking now are forgotten.
const MOST_PLACES: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0}")]
    Outgoing(#[from] OutgoingError),
    #[error("what is there is {0}")]
    Unreadable(String),
    #[error("it was asked less than a minute ago")]
    TooSoon,
}

/// How documents of one kind are read: of at most so many bytes, and what is wrong with one.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    pub(crate) largest: usize,
    pub(crate) read: fn(&[u8]) -> Result<T, String>,
}

/// Documents of one kind, by their address.
pub(crate) struct Fetched<T> {
    reading: Reading<T>,
    places: Mutex<HashMap<Url, Arc<Place<T>>>>,
}

struct Place<T> {
    known: Mutex<Option<Known<T>>>,
    /// When it was last asked. Whoever holds it is asking now.
    asked_at: tokio::sync::Mutex<Option<Timestamp>>,
}

struct Known<T> {
    document: Arc<T>,
    fetched_at: Timestamp,
}

impl<T> Clone for Known<T> {
    fn clone(&self) -> Self {
        Self { document: Arc::clone(&self.document), fetched_at: self.fetched_at }
    }
}

/// What is at an address now, whatever was there before.
pub(crate) async fn fetch<T>(outgoing: &Outgoing, url: &Url, reading: &Reading<T>) -> Result<T, FetchError> {
    let document = outgoing.get(url, reading.largest).await?;
    (reading.read)(&document).map_err(FetchError::Unreadable)
}

impl<T> Fetched<T> {
    pub(crate) fn new(reading: Reading<T>) -> Self {
        Self { reading, places: Mutex::default() }
    }

    /// The document as it was fetched lately.
    pub(crate) async fn get(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        now: Timestamp,
    ) -> Result<Arc<T>, FetchError> {
        let place = self.place(url);
        let younger_than =
            |age: SignedDuration| move |known: &Known<T>| now.duration_since(known.fetched_at).abs() < age;
        let known = place.known();
        if let Some(known) = known.clone().filter(younger_than(FRESH_FOR)) {
            return Ok(known.document);
        }
        match self.ask(&place, outgoing, url, now).await {
            Ok(document) => Ok(document),
            Err(error) => match known.filter(younger_than(KEPT_FOR)) {
                Some(known) => Ok(known.document),
                None => Err(error),
            },
        }
    }

    /// A newer one than `seen`, in which something was missing.
    pub(crate) async fn newer(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        seen: &Arc<T>,
        now: Timestamp,
    ) -> Result<Arc<T>, FetchError> {
        let place = self.place(url);
        match place.known() {
            Some(known) if !Arc::ptr_eq(&known.document, seen) => Ok(known.document),
            _ => self.ask(&place, outgoing, url, now).await,
        }
    }

    fn place(&self, url: &Url) -> Arc<Place<T>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST_PLACES && !places.contains_key(url) {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let nothing = || Arc::new(Place { known: Mutex::default(), asked_at: tokio::sync::Mutex::default() });
        Arc::clone(places.entry(url.clone()).or_insert_with(nothing))
    }

    async fn ask(
        &self,
        place: &Place<T>,
        outgoing: &Outgoing,
        url: &Url,
        now: Timestamp,
    ) -> Result<Arc<T>, FetchError> {
        let before = place.known().map(|known| known.fetched_at);
        let mut asked_at = place.asked_at.lock().await;
        // Somebody else may have asked while we waited.
        if let Some(known) = place.known().filter(|known| Some(known.fetched_at) != before) {
            return Ok(known.document);
        }
        if asked_at.is_some_and(|at| now.duration_since(at).abs() < BETWEEN_FETCHES) {
            return Err(FetchError::TooSoon);
        }
        *asked_at = Some(now);
        let document = Arc::new(fetch(outgoing, url, &self.reading).await?);
        let known = Known { document: Arc::clone(&document), fetched_at: now };
        *place.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(document)
    }
}

impl<T> Place<T> {
    fn known(&self) -> Option<Known<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
