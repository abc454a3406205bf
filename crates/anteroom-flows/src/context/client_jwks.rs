//! The keys of clients at their `jwks_uri` (OpenID Connect Core §10.1.1): fetched when they are needed, kept for a while, and
//! fetched again when one is missing.
//!
//! Each node keeps its own. An address is fetched at most once a minute for requests that name an unknown key, and once more for
//! the client itself, so that a forged request cannot keep a new key of the client from being found. The client is recognised by
//! the networks that it has signed from before. A fetch runs in a task of its own, so a request that is cancelled does not
//! cancel a fetch that other requests wait for.

use anteroom_domain::rate::{AddressPrefix, Wait};
use anteroom_oidc::ClientId;
use anteroom_oidc::keys::{ClientJwks, ClientJwksError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

use crate::context::outgoing::{
    FetchKind, FetchRequest, NetworkPolicy, Outgoing, OutgoingError, Party, Share,
};

/// After this the JWKS is fetched again, so that a key the client has removed is soon not accepted any more.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How long the last JWKS is used while its address does not answer.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
const BETWEEN_FETCHES: SignedDuration = SignedDuration::from_mins(1);
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Clients that register themselves name any number of addresses. Beyond this many, those that are not being fetched are dropped.
const MAX_CACHED_JWKS: usize = 1_000;
/// Fetches at once for clients that registered themselves, from one host and for one network. One client has one fetch at a time.
const AT_ONCE: usize = 4;
/// How many networks of one client are remembered.
const MOST_NETWORKS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0}")]
    Outgoing(#[from] OutgoingError),
    #[error("the document is {0}")]
    Unreadable(#[from] ClientJwksError),
    #[error("it was fetched less than a minute ago")]
    TooSoon { wait: Wait },
    #[error("the fetch was broken off")]
    BrokenOff,
}

/// The key includes the client, because a client that names another client's `jwks_uri` would use up that client's fetches. It
/// includes the URL and the network policy, because both change with the registration.
#[derive(Default)]
pub(crate) struct ClientJwksCache(Mutex<HashMap<JwksCacheKey, Arc<CachedJwks>>>);

/// The client, where its keys are, and which addresses may be reached for them.
type JwksCacheKey = (ClientId, Url, Arc<NetworkPolicy>);

/// The `jwks_uri` of a client, and what fetches it.
#[derive(Clone, Copy)]
pub(crate) struct JwksUri<'a> {
    pub(crate) client: &'a ClientId,
    pub(crate) url: &'a Url,
    pub(crate) outgoing: &'a Outgoing,
    /// The network whose request needs the keys, where there is one.
    pub(crate) asked_by: Option<AddressPrefix>,
}

impl JwksUri<'_> {
    /// Hosts of the configuration are the operator's choice and few. A client that registers itself can name any number of hosts
    /// that never answer, and the host of another client, so only such clients have shares.
    fn shares(&self) -> Vec<Share> {
        if !self.outgoing.is_of_registered() {
            return Vec::new();
        }
        let host = self.url.host_str().map(|host| Share::new(Party::Host, host, AT_ONCE));
        let network = self.asked_by.map(|network| Share::new(Party::Network, &network.to_string(), AT_ONCE));
        host.into_iter().chain(network).collect()
    }

    fn cache_key(&self) -> JwksCacheKey {
        (self.client.clone(), self.url.clone(), Arc::clone(self.outgoing.policy()))
    }
}

#[derive(Default)]
struct CachedJwks {
    known: Mutex<Option<FetchedJwks>>,
    /// The networks that signatures came from which these keys verified; the newest last.
    signed_from: Mutex<Vec<AddressPrefix>>,
    /// Held by the task that fetches.
    last_fetches: tokio::sync::Mutex<LastFetches>,
}

/// When an address was last fetched.
#[derive(Clone, Copy, Default)]
struct LastFetches {
    for_any_request: Option<Timestamp>,
    /// The additional fetch that only the client itself causes.
    for_the_client: Option<Timestamp>,
}

impl LastFetches {
    /// Notes a fetch at `now`, or says how long the next one has to wait.
    fn admit(&mut self, now: Timestamp, is_the_client: bool) -> Result<(), Wait> {
        let recent =
            |at: Option<Timestamp>| at.is_some_and(|at| now.duration_since(at).abs() < BETWEEN_FETCHES);
        let last = if !recent(self.for_any_request) {
            &mut self.for_any_request
        } else if is_the_client && !recent(self.for_the_client) {
            &mut self.for_the_client
        } else {
            let own = self.for_the_client.filter(|_| is_the_client);
            let ago = |at: Timestamp| now.duration_since(at).abs();
            let longest =
                [self.for_any_request, own].into_iter().flatten().map(ago).max().unwrap_or_default();
            return Err(Wait(BETWEEN_FETCHES - longest));
        };
        *last = Some(now);
        Ok(())
    }
}

/// When a signature of a client is verified, and from which network it came; `None` where a browser carried it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignatureContext {
    pub(crate) now: Timestamp,
    pub(crate) from: Option<AddressPrefix>,
}

impl FetchError {
    /// All slots for fetches are taken, which is no fault of the client or its keys.
    const fn is_busy(&self) -> bool {
        matches!(self, Self::Outgoing(OutgoingError::Busy))
    }
}

#[derive(Clone)]
struct FetchedJwks {
    keys: Arc<ClientJwks>,
    fetched_at: Timestamp,
}

impl ClientJwksCache {
    /// The keys as they were fetched at most five minutes ago, or fetched now.
    pub(crate) async fn get(&self, at: JwksUri<'_>, now: Timestamp) -> Result<Arc<ClientJwks>, FetchError> {
        let cached = self.cached(at);
        let is_younger =
            |known: &FetchedJwks, age: SignedDuration| now.duration_since(known.fetched_at).abs() < age;
        let known = match cached.known() {
            Some(known) if is_younger(&known, FRESH_FOR) => return Ok(known.keys),
            known => known.filter(|known| is_younger(known, KEPT_FOR)),
        };
        let fetched = cached.fetch_in_task(at, SignatureContext { now, from: None }).await;
        fetched.or_else(|error| known.map(|known| known.keys).ok_or(error))
    }

    /// Newer keys than `seen`, in which the key of a signature was missing.
    pub(crate) async fn newer(
        &self,
        at: JwksUri<'_>,
        seen: &Arc<ClientJwks>,
        presented: SignatureContext,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let cached = self.cached(at);
        match cached.known() {
            Some(known) if !Arc::ptr_eq(&known.keys, seen) => Ok(known.keys),
            _ => cached.fetch_in_task(at, presented).await,
        }
    }

    /// Whether the client has signed from this network before. Only such a sender learns that the address was fetched lately,
    /// because that shows requests of others.
    pub(crate) fn has_signed_from(&self, at: JwksUri<'_>, from: Option<AddressPrefix>) -> bool {
        let cached = self.cached(at);
        let networks = cached.signed_from.lock().unwrap_or_else(PoisonError::into_inner);
        from.is_some_and(|from| networks.contains(&from))
    }

    /// Notes that a signature from this network was verified with the keys at this address.
    pub(crate) fn note_signature(&self, at: JwksUri<'_>, from: Option<AddressPrefix>) {
        let Some(from) = from else { return };
        let cached = self.cached(at);
        let mut networks = cached.signed_from.lock().unwrap_or_else(PoisonError::into_inner);
        networks.retain(|known| *known != from);
        if networks.len() >= MOST_NETWORKS {
            networks.remove(0);
        }
        networks.push(from);
    }

    fn cached(&self, at: JwksUri<'_>) -> Arc<CachedJwks> {
        let key = at.cache_key();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_CACHED_JWKS && !all.contains_key(&key) {
            // Clients that register themselves drop entries of each other, and none of configured clients, which have another
            // network policy.
            let stays = |known: &JwksCacheKey| known.2 != key.2;
            all.retain(|known, cached| stays(known) || Arc::strong_count(cached) > 1);
        }
        Arc::clone(all.entry(key).or_default())
    }
}

pub(crate) async fn fetch(
    outgoing: &Outgoing,
    url: &Url,
    shares: Vec<Share>,
) -> Result<ClientJwks, FetchError> {
    let document = outgoing.get(url, MAX_BODY_BYTES, FetchRequest { what: FetchKind::Keys, shares }).await?;
    Ok(ClientJwks::from_json(&document)?)
}

impl CachedJwks {
    fn known(&self) -> Option<FetchedJwks> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client is recognised by the networks it has signed from. Before its first valid signature every network counts as
    /// the client's.
    fn is_of_the_client(&self, from: Option<AddressPrefix>) -> bool {
        let networks = self.signed_from.lock().unwrap_or_else(PoisonError::into_inner);
        from.is_some_and(|from| networks.is_empty() || networks.contains(&from))
    }

    /// Fetches in a task of its own, which continues when the request that began it is cancelled.
    async fn fetch_in_task(
        self: Arc<Self>,
        at: JwksUri<'_>,
        presented: SignatureContext,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let (outgoing, url, shares) = (at.outgoing.clone(), at.url.clone(), at.shares());
        let fetch = tokio::spawn(async move { self.fetch_if_due(&outgoing, &url, shares, presented).await });
        fetch.await.unwrap_or(Err(FetchError::BrokenOff))
    }

    async fn fetch_if_due(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        shares: Vec<Share>,
        SignatureContext { now, from }: SignatureContext,
    ) -> Result<Arc<ClientJwks>, FetchError> {
        let before = self.known();
        let mut last_fetches = self.last_fetches.lock().await;
        // Another task may have fetched while this one waited.
        let is_another =
            |known: &FetchedJwks| before.as_ref().is_none_or(|old| !Arc::ptr_eq(&old.keys, &known.keys));
        if let Some(known) = self.known().filter(is_another) {
            return Ok(known.keys);
        }
        let before = *last_fetches;
        last_fetches.admit(now, self.is_of_the_client(from)).map_err(|wait| FetchError::TooSoon { wait })?;
        let keys = fetch(outgoing, url, shares).await;
        // Nothing was requested from the `jwks_uri`, so this attempt does not count.
        if keys.as_ref().is_err_and(FetchError::is_busy) {
            *last_fetches = before;
        }
        let keys = keys?;
        let known = FetchedJwks { keys: Arc::new(keys), fetched_at: now };
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
    async fn core_10_1_1_a_cancelled_request_ends_no_fetch_that_others_need() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: Url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        let (fetched, outgoing) =
            (ClientJwksCache::default(), Outgoing::new(NetworkPolicy::Loopback, None).unwrap());
        let client = "app".parse().unwrap();
        let at = JwksUri { client: &client, url: &url, outgoing: &outgoing, asked_by: None };
        let now = Timestamp::UNIX_EPOCH;
        // The first request is cancelled before its fetch is answered.
        let mut asked = tokio::select! {
            _ = fetched.get(at, now) => panic!("nothing was answered"),
            asked = listener.accept() => asked.unwrap().0,
        };
        answer(&mut asked).await;
        // Within the minute in which the address is not fetched again.
        assert!(fetched.get(at, now).await.is_ok());
    }

    #[tokio::test]
    async fn core_10_1_1_requests_of_others_do_not_use_up_the_clients_own_fetch_for_a_new_key() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: Url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        let publishing = tokio::spawn(async move {
            loop {
                answer(&mut listener.accept().await.unwrap().0).await;
            }
        });
        let (fetched, outgoing) =
            (ClientJwksCache::default(), Outgoing::new(NetworkPolicy::Loopback, None).unwrap());
        let prefix = |address: &str| Some(AddressPrefix::of(address.parse().unwrap()));
        let (client, other) = (prefix("192.0.2.1"), prefix("198.51.100.7"));
        let (app, begin) = ("app".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let at = JwksUri { client: &app, url: &url, outgoing: &outgoing, asked_by: None };
        let mut seen = fetched.get(at, begin).await.unwrap();
        fetched.note_signature(at, client);
        for (minutes, from, is_asked) in [
            (1, other, true),
            (1, other, false),
            (1, None, false),
            (1, client, true),
            (1, client, false),
            (2, client, true),
            (2, client, true),
            (2, other, false),
        ] {
            let presented = SignatureContext { now: begin + SignedDuration::from_mins(minutes), from };
            let newer = fetched.newer(at, &seen, presented).await;
            assert_eq!(newer.is_ok(), is_asked, "{minutes} {from:?} {newer:?}");
            seen = newer.unwrap_or(seen);
        }
        publishing.abort();
    }

    #[tokio::test]
    async fn core_10_1_1_another_client_at_the_same_address_has_an_allowance_of_its_own() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: Url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        let publishing = tokio::spawn(async move {
            loop {
                answer(&mut listener.accept().await.unwrap().0).await;
            }
        });
        let (fetched, outgoing) =
            (ClientJwksCache::default(), Outgoing::new(NetworkPolicy::Loopback, None).unwrap());
        let (ours, other) = ("ours".parse().unwrap(), "other".parse().unwrap());
        let at = |client| JwksUri { client, url: &url, outgoing: &outgoing, asked_by: None };
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1);
        let presented = SignatureContext { now: later, from: None };
        let mut seen = Vec::new();
        for client in [&ours, &other] {
            seen.push(fetched.get(at(client), Timestamp::UNIX_EPOCH).await.unwrap());
        }
        // The other client uses up its fetches.
        let newer = fetched.newer(at(&other), &seen[1], presented).await.unwrap();
        assert!(fetched.newer(at(&other), &newer, presented).await.is_err());
        let own = fetched.newer(at(&ours), &seen[0], presented).await.unwrap();
        assert!(!Arc::ptr_eq(&own, &newer), "it was not asked for this one");
        publishing.abort();
    }
}
