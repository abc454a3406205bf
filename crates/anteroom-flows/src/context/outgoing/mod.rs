//! The one guarded client for requests to addresses that clients name: back-channel logout, `jwks_uri`, `request_uri` and
//! `sector_identifier_uri`.
//!
//! Invariants: https and public addresses only, unless the operator allows a network or the issuer is a loopback address in
//! development; no redirects, no proxy, limits on time and body; the address that was checked is the one connected to, because
//! the resolver itself checks it. Networks that the operator allows are reached for addresses in the configuration, and never for
//! those that clients registered themselves ([`Outgoing::of_registered`]).

mod errors;
mod network_policy;
mod refusal;
mod resolver;
mod slots;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use url::{Host, Url};

use errors::{no_answer, place};
pub use network_policy::{NetworkPolicy, Rule};
use resolver::GuardedResolver;
use slots::Slots;
pub use slots::{FetchKind, FetchRequest, Party, Share, Slot};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(8);
/// Connections that are kept open after an answer take file descriptors.
const IDLE_OF_HOST: usize = 4;
const IDLE_FOR: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct Outgoing {
    client: reqwest::Client,
    policy: Arc<NetworkPolicy>,
    slots: Slots,
    /// For addresses that clients registered themselves; `None` where this is for those.
    of_registered: Option<Arc<Outgoing>>,
}

#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    #[error("{0:?} is not reached: {1}")]
    Forbidden(String, Rule),
    #[error("the HTTP client cannot be built")]
    Client,
    #[error("the certificates in `outgoing.ca_file` cannot be parsed")]
    Authorities,
    #[error("no answer from {0:?}: {1:?}")]
    NoAnswer(String, String),
    #[error("answered {0}")]
    Status(u16),
    /// With the error in the body, which is text of the other server.
    #[error("answered {0}: {1:?}")]
    Refused(u16, String),
    #[error("answered more than {0} bytes")]
    TooLarge(usize),
    #[error("not fetched: too many documents are being fetched")]
    Busy,
}

impl Outgoing {
    /// For addresses in the configuration. `authorities` are certificates in PEM, trusted besides those that the system trusts.
    pub fn new(policy: NetworkPolicy, authorities: Option<&str>) -> Result<Self, OutgoingError> {
        Self::within(TOTAL_TIMEOUT, policy, authorities)
    }

    fn within(
        total: Duration,
        policy: NetworkPolicy,
        authorities: Option<&str>,
    ) -> Result<Self, OutgoingError> {
        let slots = Slots::default();
        let registered =
            Self::guarded(total, policy.of_registered(), authorities, slots.of_registered(), None)?;
        Self::guarded(total, policy, authorities, slots, Some(Arc::new(registered)))
    }

    fn guarded(
        total: Duration,
        policy: NetworkPolicy,
        authorities: Option<&str>,
        slots: Slots,
        of_registered: Option<Arc<Self>>,
    ) -> Result<Self, OutgoingError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one guarded client")]
        let builder = reqwest::Client::builder();
        // A development issuer's clients speak plain http, also on a machine without any certificate authority.
        let builder = if policy == NetworkPolicy::Loopback { builder.tls_certs_only([]) } else { builder };
        let authorities = reqwest::Certificate::from_pem_bundle(authorities.unwrap_or_default().as_bytes());
        let policy = Arc::new(policy);
        let client = builder
            .tls_certs_merge(authorities.map_err(|_| OutgoingError::Authorities)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(total)
            .pool_max_idle_per_host(IDLE_OF_HOST)
            .pool_idle_timeout(IDLE_FOR)
            .dns_resolver(Arc::new(GuardedResolver { policy: Arc::clone(&policy) }))
            .user_agent("anteroom")
            .build();
        Ok(Self { client: client.map_err(|_| OutgoingError::Client)?, policy, slots, of_registered })
    }

    /// For addresses that clients registered themselves.
    #[must_use]
    pub fn of_registered(&self) -> &Self {
        self.of_registered.as_deref().unwrap_or(self)
    }

    /// Whether it is for addresses that clients registered themselves.
    pub(crate) const fn is_of_registered(&self) -> bool {
        self.slots.are_of_registered()
    }

    /// Where requests may go. What was fetched under one policy is not used under another.
    pub(crate) fn policy(&self) -> &Arc<NetworkPolicy> {
        &self.policy
    }

    /// Whether the policy lets requests go to this address. A name is checked only when a request resolves it. A refusal stays
    /// until the configuration or the client's registration changes.
    pub(crate) fn check(&self, url: &Url) -> Result<(), OutgoingError> {
        self.admit(url)
    }

    /// Posts a form. Any 2xx is success, and its body is not read. For any other status, the OAuth error in the body (RFC 6749
    /// §5.2) is in the returned error.
    pub async fn post_form(&self, url: &Url, form: &[(&str, &str)]) -> Result<(), OutgoingError> {
        let request = self.request(Method::POST, url)?.form(form);
        let answer = request.send().await.map_err(|error| no_answer(url, &error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(match refusal::read_error(answer).await {
            Some(error) => OutgoingError::Refused(status.as_u16(), error),
            None => OutgoingError::Status(status.as_u16()),
        })
    }

    /// Whether a server answers there, with any status.
    pub async fn check_reachable(&self, url: &Url) -> Result<(), OutgoingError> {
        let answer = self.request(Method::HEAD, url)?.send().await;
        answer.map(drop).map_err(|error| no_answer(url, &error))
    }

    /// The document there, of at most `largest` bytes. Nothing is requested where all slots are taken ([`OutgoingError::Busy`]).
    pub async fn get(
        &self,
        url: &Url,
        largest: usize,
        fetch: FetchRequest,
    ) -> Result<Vec<u8>, OutgoingError> {
        let slot = self.reserve(fetch)?;
        self.get_in(&slot, url, largest).await
    }

    /// Takes a slot, for a caller that has something to do between that and the request ([`Self::get_in`]).
    pub fn reserve(&self, fetch: FetchRequest) -> Result<Slot, OutgoingError> {
        self.slots.take(fetch).ok_or(OutgoingError::Busy)
    }

    /// The same as [`Self::get`], in a slot that is held already.
    pub async fn get_in(&self, slot: &Slot, url: &Url, largest: usize) -> Result<Vec<u8>, OutgoingError> {
        let mut request = self.request(Method::GET, url)?;
        if let Some(longest) = slot.what.longest() {
            request = request.timeout(longest);
        }
        let mut answer = request.send().await.map_err(|error| no_answer(url, &error))?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(OutgoingError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| no_answer(url, &error))? {
            if body.len() + chunk.len() > largest {
                return Err(OutgoingError::TooLarge(largest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, OutgoingError> {
        self.admit(url)?;
        Ok(self.client.request(method, url.clone()))
    }

    /// An IP address in the URL is not resolved, so it is checked here; a name is checked by the resolver.
    fn admit(&self, url: &Url) -> Result<(), OutgoingError> {
        let forbidden = |rule| OutgoingError::Forbidden(place(url), rule);
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
            Some(Host::Domain(_)) => None,
            None => return Err(forbidden(Rule::Https)),
        };
        let to_loopback = address.is_some_and(|address| address.is_loopback())
            || matches!(url.host(), Some(Host::Domain(name)) if name == "localhost");
        let scheme_ok = url.scheme() == "https"
            || (url.scheme() == "http" && to_loopback && *self.policy == NetworkPolicy::Loopback);
        if !scheme_ok {
            return Err(forbidden(Rule::Https));
        }
        match address.and_then(|address| self.policy.refuses(address)) {
            Some(rule) => Err(forbidden(rule)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const OF_ONE: FetchRequest = FetchRequest { what: FetchKind::Keys, shares: Vec::new() };

    fn public_only() -> NetworkPolicy {
        NetworkPolicy::Public { allowed: Vec::new() }
    }

    #[test]
    fn plain_http_goes_nowhere_but_to_a_loopback_of_development() {
        let reaches =
            |policy, url: &str| Outgoing::new(policy, None).unwrap().check(&url.parse().unwrap()).is_ok();
        assert!(reaches(public_only(), "https://app.example/logout"));
        assert!(!reaches(public_only(), "http://app.example/logout"));
        assert!(!reaches(public_only(), "https://127.0.0.1/logout"));
        assert!(!reaches(public_only(), "https://[::1]/logout"));
        assert!(!reaches(public_only(), "ftp://app.example/"));
        assert!(reaches(NetworkPolicy::Loopback, "http://127.0.0.1:9/logout"));
        assert!(!reaches(NetworkPolicy::Loopback, "http://app.example/logout"));
    }

    #[test]
    fn authorities_that_are_none_are_refused_at_start() {
        let garbage = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
        assert!(matches!(Outgoing::new(public_only(), Some(garbage)), Err(OutgoingError::Authorities)));
    }

    #[tokio::test]
    async fn a_closed_port_is_told_by_its_address() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/logout").parse().unwrap();
        for error in [
            of_development().get(&url, 10, OF_ONE).await.unwrap_err(),
            of_development().check_reachable(&url).await.unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(
                text.contains(&format!("127.0.0.1:{port}")) && text.contains("connection refused"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn an_address_that_is_refused_is_told_with_the_rule() {
        let allowing = |network: &str| NetworkPolicy::Public { allowed: vec![network.parse().unwrap()] };
        for (policy, url, rule) in [
            (public_only(), "https://10.1.2.3/logout", Some(Rule::Private)),
            (public_only(), "https://127.0.0.1/logout", Some(Rule::Loopback)),
            (public_only(), "http://app.example/logout", Some(Rule::Https)),
            (allowing("10.0.0.0/8"), "https://10.1.2.3/logout", None),
            (allowing("127.0.0.0/8"), "https://127.0.0.1/logout", None),
            (allowing("127.0.0.0/8"), "http://127.0.0.1/logout", Some(Rule::Https)),
        ] {
            let (outgoing, url) = (Outgoing::new(policy, None).unwrap(), url.parse().unwrap());
            let refused = |outgoing: &Outgoing| match outgoing.check(&url) {
                Err(OutgoingError::Forbidden(_, rule)) => Some(rule),
                _ => None,
            };
            assert_eq!(refused(&outgoing), rule, "{url}");
            assert!(
                refused(outgoing.of_registered()).is_some(),
                "{url}: never for a client that registered itself"
            );
        }
    }

    const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

    /// A server that gives the same answer to each request, and the number of requests that it got.
    async fn server(answer: String) -> (Url, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/document", listener.local_addr().unwrap()).parse().unwrap();
        let came = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&came);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    stream.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
                    // A client that has read enough hangs up.
                    let _ = stream.write_all(answer.as_bytes()).await;
                    // The client ends the connection.
                    let _ = stream.read_u8().await;
                });
            }
        });
        (url, came)
    }

    fn of_development() -> Outgoing {
        Outgoing::new(NetworkPolicy::Loopback, None).unwrap()
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let (elsewhere, came) = server(NOT_FOUND.to_owned()).await;
        let (url, _) =
            server(format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n")).await;
        let refused = of_development().get(&url, 100, OF_ONE).await;
        assert!(matches!(refused, Err(OutgoingError::Status(302))), "{refused:?}");
        let refused = of_development().post_form(&url, &[]).await;
        assert!(matches!(refused, Err(OutgoingError::Status(302))), "{refused:?}");
        assert_eq!(came.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn no_more_is_read_than_was_asked_for() {
        let (declared, _) =
            server(format!("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{}", "x".repeat(11))).await;
        let endless =
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n{}\r\n", "x".repeat(11));
        let (endless, _) = server(endless).await;
        for url in [&declared, &endless] {
            let refused = of_development().get(url, 10, OF_ONE).await;
            assert!(matches!(refused, Err(OutgoingError::TooLarge(10))), "{refused:?}");
        }
        assert_eq!(of_development().get(&declared, 11, OF_ONE).await.unwrap(), b"xxxxxxxxxxx");
    }

    #[tokio::test]
    async fn who_does_not_answer_or_does_not_end_is_given_up() {
        let outgoing = Outgoing::within(Duration::from_millis(50), NetworkPolicy::Loopback, None).unwrap();
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx"] {
            let (url, _) = server(answer.to_owned()).await;
            let refused = outgoing.get(&url, 10, OF_ONE).await;
            assert!(matches!(refused, Err(OutgoingError::NoAnswer(_, _))), "{refused:?}");
        }
        let (silent, _) = server(String::new()).await;
        let refused = outgoing.post_form(&silent, &[("logout_token", "x")]).await;
        assert!(matches!(refused, Err(OutgoingError::NoAnswer(_, _))), "{refused:?}");
    }

    /// A name could resolve to another address between a check and the connection, so the resolver of the connection checks it.
    #[tokio::test]
    async fn a_name_is_checked_where_it_resolves() {
        let (mut url, came) = server(NOT_FOUND.to_owned()).await;
        url.set_host(Some("localhost")).unwrap();
        let answered = of_development().get(&url, 10, OF_ONE).await;
        assert!(matches!(answered, Err(OutgoingError::Status(404))), "{answered:?}");
        assert_eq!(came.load(Ordering::SeqCst), 1);
        url.set_scheme("https").unwrap();
        let outgoing = Outgoing::new(public_only(), None).unwrap();
        assert!(outgoing.check(&url).is_ok(), "nothing is wrong with the name itself");
        let refused = outgoing.get(&url, 10, OF_ONE).await.unwrap_err();
        assert!(
            matches!(&refused, OutgoingError::Forbidden(what, Rule::Loopback) if what.starts_with("localhost ("))
        );
        assert_eq!(came.load(Ordering::SeqCst), 1);
    }
}
