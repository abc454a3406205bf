//! The keys of clients at their `jwks_uri` (OpenID Connect Core §10.1.1): fetched when they are needed, kept for a while, and
//! fetched again when one is missing.
//!
//! Each node keeps its own. An address is asked once a minute at most, whatever strangers send, and once more for the client
//! itself, so that a stranger who names unknown keys cannot keep a new key of the client's from being found. The client is
//! told from strangers by the networks that it has signed from before. Who hangs up ends no fetch that others wait for.

use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::keys::{ClientJwks, ClientJwksError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

use crate::outgoing::{Fetched, Outgoing, OutgoingError, Reach};

/// Then they are looked at again, so that a key that its client took back does not count much longer.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);
/// While an address does not answer, what it said last counts for so long.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
const BETWEEN_FETCHES: SignedDuration = SignedDuration::from_mins(1);
const LARGEST: usize = 64 * 1024;
/// Whoever registers names addresses: beyond this many, those that nobody is asking now are forgotten.
const MOST_PLACES: usize = 1_000;
/// The networks of one client that are remembered.
const MOST_NETWORKS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0}")]
    Outgoing(#[from] OutgoingError),
    #[error("what is there is {0}")]
    Unreadable(#[from] ClientJwksError),
    #[error("it was asked less than a minute ago")]
    TooSoon,
    #[error("the fetch was broken off")]
    BrokenOff,
}

/// By their address, and by where requests for it may go: what was fetched for a client of the configuration is nothing to one
/// that registered itself.
#[derive(Default)]
pub(crate) struct FetchedKeys(Mutex<HashMap<Source, Arc<Place>>>);

/// Where keys are, and what may be reached from there.
type Source = (Url, Arc<Reach>);

#[derive(Default)]
struct Place {
    known: Mutex<Option<Known>>,
    /// From where signatures came that these keys verified; the newest last.
    signed_from: Mutex<Vec<AddressPrefix>>,
    /// The task that holds it is asking now.
    asked: tokio::sync::Mutex<Asked>,
}

/// When an address was last asked.
#[derive(Clone, Copy, Default)]
struct Asked {
    for_anybody: Option<Timestamp>,
    /// The one time more.
    for_the_client: Option<Timestamp>,
}

impl Asked {
    /// Whether it may be asked now; notes that it is.
    fn admit(&mut self, now: Timestamp, is_the_client: bool) -> bool {
        let recent =
            |at: Option<Timestamp>| at.is_some_and(|at| now.duration_since(at).abs() < BETWEEN_FETCHES);
        let last = if !recent(self.for_anybody) {
            &mut self.for_anybody
        } else if is_the_client && !recent(self.for_the_client) {
            &mut self.for_the_client
        } else {
            return false;
        };
        *last = Some(now);
        true
    }
}

/// When something that a client signed is looked at, and from where it came; none where a browser carried it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented {
    pub(crate) now: Timestamp,
    pub(crate) from: Option<AddressPrefix>,
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
        let place = self.place(outgoing, url);
        let younger_than =
            |age: SignedDuration| move |known: &Known| now.duration_since(known.fetched_at).abs() < age;
        let known = place.known();
        if let Some(known) = known.clone().filter(younger_than(FRESH_FOR)) {
            return Ok(known.keys);
        }
        match place.ask_on(outgoing, url, Presented { now, from: None }).await {
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
        presented: Presented,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let place = self.place(outgoing, url);
        match place.known() {
            Some(known) if !Arc::ptr_eq(&known.keys, seen) => Ok(known.keys),
            _ => place.ask_on(outgoing, url, presented).await,
        }
    }

    /// A signature that came from there was verified with the keys at this address.
    pub(crate) fn note_signature(&self, outgoing: &Outgoing, url: &Url, from: Option<AddressPrefix>) {
        let Some(from) = from else { return };
        let place = self.place(outgoing, url);
        let mut networks = place.signed_from.lock().unwrap_or_else(PoisonError::into_inner);
        networks.retain(|known| *known != from);
        if networks.len() >= MOST_NETWORKS {
            networks.remove(0);
        }
        networks.push(from);
    }

    fn place(&self, outgoing: &Outgoing, url: &Url) -> Arc<Place> {
        let key = (url.clone(), Arc::clone(outgoing.reach()));
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST_PLACES && !places.contains_key(&key) {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(places.entry(key).or_default())
    }
}

pub(crate) async fn fetch(outgoing: &Outgoing, url: &Url) -> Result<ClientJwks, FetchError> {
    let document = outgoing.get(url, LARGEST, (Fetched::Keys, url.as_str())).await?;
    Ok(ClientJwks::from_json(&document)?)
}

impl Place {
    fn known(&self) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Before the client has signed anything here it cannot be told from a stranger.
    fn is_of_the_client(&self, from: Option<AddressPrefix>) -> bool {
        let networks = self.signed_from.lock().unwrap_or_else(PoisonError::into_inner);
        from.is_some_and(|from| networks.is_empty() || networks.contains(&from))
    }

    /// In a task of its own, which goes on when whoever began it hangs up.
    async fn ask_on(
        self: Arc<Self>,
        outgoing: &Outgoing,
        url: &Url,
        presented: Presented,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let (outgoing, url) = (outgoing.clone(), url.clone());
        let asking = tokio::spawn(async move { self.ask(&outgoing, &url, presented).await });
        asking.await.unwrap_or(Err(FetchError::BrokenOff))
    }

    async fn ask(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        Presented { now, from }: Presented,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let before = self.known();
        let mut asked = self.asked.lock().await;
        // Another task may have asked while this one waited.
        let is_another =
            |known: &Known| before.as_ref().is_none_or(|old| !Arc::ptr_eq(&old.keys, &known.keys));
        if let Some(known) = self.known().filter(is_another) {
            return Ok(known.keys);
        }
        let before = *asked;
        if !asked.admit(now, self.is_of_the_client(from)) {
            return Err(FetchError::TooSoon);
        }
        let keys = fetch(outgoing, url).await;
        // The address itself was not asked.
        if matches!(keys, Err(FetchError::Outgoing(OutgoingError::Busy))) {
            *asked = before;
        }
        let keys = keys?;
        let known = Known { keys: Arc::new(keys), fetched_at: now };
        let keys = Arc::clone(&known.keys);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

    async fn answer(asked: &mut TcpStream) {
        asked.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{KEYS}", KEYS.len());
        asked.write_all(answer.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn core_10_1_1_who_hangs_up_ends_no_fetch_that_others_need() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: Url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        let (fetched, outgoing) = (FetchedKeys::default(), Outgoing::new(Reach::Loopback, None).unwrap());
        let now = Timestamp::UNIX_EPOCH;
        // Asked, and not answered yet, when the first one goes.
        let mut asked = tokio::select! {
            _ = fetched.get(&outgoing, &url, now) => panic!("nobody answered"),
            asked = listener.accept() => asked.unwrap().0,
        };
        answer(&mut asked).await;
        // Within the minute in which the address is not asked again.
        assert!(fetched.get(&outgoing, &url, now).await.is_ok());
    }

    #[tokio::test]
    async fn core_10_1_1_strangers_do_not_spend_the_clients_own_look_for_a_new_key() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: Url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        let publishing = tokio::spawn(async move {
            loop {
                answer(&mut listener.accept().await.unwrap().0).await;
            }
        });
        let (fetched, outgoing) = (FetchedKeys::default(), Outgoing::new(Reach::Loopback, None).unwrap());
        let prefix = |address: &str| Some(AddressPrefix::of(address.parse().unwrap()));
        let (client, stranger) = (prefix("192.0.2.1"), prefix("198.51.100.7"));
        let begin = Timestamp::UNIX_EPOCH;
        let mut seen = fetched.get(&outgoing, &url, begin).await.unwrap();
        fetched.note_signature(&outgoing, &url, client);
        for (minutes, from, is_asked) in [
            (1, stranger, true),
            (1, stranger, false),
            (1, None, false),
            (1, client, true),
            (1, client, false),
            (2, client, true),
            (2, client, true),
            (2, stranger, false),
        ] {
            let presented = Presented { now: begin + SignedDuration::from_mins(minutes), from };
            let newer = fetched.newer(&outgoing, &url, &seen, presented).await;
            assert_eq!(newer.is_ok(), is_asked, "{minutes} {from:?} {newer:?}");
            seen = newer.unwrap_or(seen);
        }
        publishing.abort();
    }
}
