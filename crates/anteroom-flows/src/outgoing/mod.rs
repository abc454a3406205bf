//! The one guarded client for requests to addresses that others gave us: back-channel logout, `jwks_uri` and
//! `request_uri`.
//!
//! Invariants: https and public addresses only, unless configured or a loopback issuer in development; no redirects, no
//! proxy, little time, little body; the address that was checked is the one connected to, because the check is the
//! resolver.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(8);

#[derive(Clone, Debug)]
pub struct Outgoing {
    client: reqwest::Client,
    reach: Arc<Reach>,
}

/// Where outgoing requests may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// https to public addresses, and to those private networks that the operator allows.
    Public { allowed: Vec<IpNet> },
    /// Loopback over http as well: a development issuer's clients live there.
    Loopback,
}

#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    #[error("{0:?} is not an address that requests may go to")]
    Forbidden(String),
    #[error("the HTTP client cannot be built")]
    Client,
    #[error("the certificates of authorities cannot be read")]
    Authorities,
    #[error("no answer: {0:?}")]
    NoAnswer(String),
    #[error("answered {0}")]
    Status(u16),
    #[error("answered more than {0} bytes")]
    TooLarge(usize),
}

impl Outgoing {
    /// `authorities` are certificates in PEM, trusted besides those that the system trusts.
    pub fn new(reach: Reach, authorities: Option<&str>) -> Result<Self, OutgoingError> {
        Self::within(TOTAL_TIMEOUT, reach, authorities)
    }

    fn within(total: Duration, reach: Reach, authorities: Option<&str>) -> Result<Self, OutgoingError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one guarded client")]
        let builder = reqwest::Client::builder();
        // A development issuer's clients speak plain http, also on a machine without any certificate authority.
        let builder = if reach == Reach::Loopback { builder.tls_certs_only([]) } else { builder };
        let authorities = reqwest::Certificate::from_pem_bundle(authorities.unwrap_or_default().as_bytes());
        let reach = Arc::new(reach);
        let client = builder
            .tls_certs_merge(authorities.map_err(|_| OutgoingError::Authorities)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(total)
            .dns_resolver(Arc::new(GuardedResolver { reach: Arc::clone(&reach) }))
            .user_agent("anteroom")
            .build();
        Ok(Self { client: client.map_err(|_| OutgoingError::Client)?, reach })
    }

    /// Posts a form; any 2xx is success, whatever its body, which is not read.
    pub async fn post_form(&self, url: &Url, form: &[(&str, &str)]) -> Result<(), OutgoingError> {
        if !self.may_reach(url) {
            return Err(OutgoingError::Forbidden(url.to_string()));
        }
        let answer = self.client.post(url.clone()).form(form).send().await;
        let answer = answer.map_err(|error| OutgoingError::NoAnswer(error.without_url().to_string()))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(OutgoingError::Status(answer.status().as_u16()))
        }
    }

    /// What is there, of at most `largest` bytes.
    pub async fn get(&self, url: &Url, largest: usize) -> Result<Vec<u8>, OutgoingError> {
        if !self.may_reach(url) {
            return Err(OutgoingError::Forbidden(url.to_string()));
        }
        let no_answer = |error: reqwest::Error| OutgoingError::NoAnswer(error.without_url().to_string());
        let mut answer = self.client.get(url.clone()).send().await.map_err(no_answer)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(OutgoingError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > largest {
                return Err(OutgoingError::TooLarge(largest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// An address in the URL never meets the resolver, so it is checked here; a name is checked where it resolves.
    fn may_reach(&self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
            Some(Host::Domain(_)) => None,
            None => return false,
        };
        let to_loopback = address.is_some_and(|address| address.is_loopback())
            || matches!(url.host(), Some(Host::Domain(name)) if name == "localhost");
        let scheme_ok = url.scheme() == "https"
            || (url.scheme() == "http" && to_loopback && *self.reach == Reach::Loopback);
        scheme_ok && address.is_none_or(|address| admits(&self.reach, address))
    }
}

struct GuardedResolver {
    reach: Arc<Reach>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = Arc::clone(&self.reach);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> = found.filter(|address| admits(&reach, address.ip())).collect();
            if admitted.is_empty() {
                return Err(OutgoingError::Forbidden(name.as_str().to_owned()).into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

fn admits(reach: &Reach, address: IpAddr) -> bool {
    let address = address.to_canonical();
    if address.is_loopback() {
        return *reach == Reach::Loopback;
    }
    if let Reach::Public { allowed } = reach
        && allowed.iter().any(|network| network.contains(&address))
    {
        return true;
    }
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = a == 0
                || a >= 240
                || (a == 192 && v4.octets() < [192, 0, 1, 0])
                || (a == 198 && b & 0xfe == 18);
            !(v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || shared
                || special)
        }
        IpAddr::V6(v6) => {
            // 2000::/3 is all that is globally routed; within it, tunnels lead back to IPv4 and documentation nowhere.
            let [first, second, ..] = v6.segments();
            let tunnels = first == 0x2002 || (first == 0x2001 && second == 0);
            let documentation = (first == 0x2001 && second == 0xdb8) || first == 0x3fff;
            first & 0xe000 == 0x2000 && !tunnels && !documentation
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

    fn public_only() -> Reach {
        Reach::Public { allowed: Vec::new() }
    }

    #[test]
    fn an_allowed_network_is_reached_and_no_other() {
        let reach = Reach::Public { allowed: vec!["10.1.0.0/16".parse().unwrap()] };
        assert!(admits(&reach, "10.1.2.3".parse().unwrap()));
        assert!(!admits(&reach, "10.2.0.1".parse().unwrap()));
    }

    #[test]
    fn only_public_addresses_are_reached() {
        for (address, public) in [
            ("93.184.216.34", true),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("224.0.0.1", false),
            ("198.18.0.1", false),
            ("2606:2800:220:1::1", true),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("64:ff9b::7f00:1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(admits(&public_only(), address.parse().unwrap()), public, "{address}");
        }
        assert!(admits(&Reach::Loopback, "127.0.0.1".parse().unwrap()));
        assert!(!admits(&Reach::Loopback, "10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn plain_http_goes_nowhere_but_to_a_loopback_of_development() {
        let reaches = |reach, url: &str| Outgoing::new(reach, None).unwrap().may_reach(&url.parse().unwrap());
        assert!(reaches(public_only(), "https://app.example/logout"));
        assert!(!reaches(public_only(), "http://app.example/logout"));
        assert!(!reaches(public_only(), "https://127.0.0.1/logout"));
        assert!(!reaches(public_only(), "https://[::1]/logout"));
        assert!(!reaches(public_only(), "ftp://app.example/"));
        assert!(reaches(Reach::Loopback, "http://127.0.0.1:9/logout"));
        assert!(!reaches(Reach::Loopback, "http://app.example/logout"));
    }

    #[test]
    fn authorities_that_are_none_are_refused_at_start() {
        let garbage = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
        assert!(matches!(Outgoing::new(public_only(), Some(garbage)), Err(OutgoingError::Authorities)));
    }

    const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

    /// A server that gives one answer to whoever comes, and how often somebody came.
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
                    // Whoever has read enough hangs up.
                    let _ = stream.write_all(answer.as_bytes()).await;
                    // The end is the client's.
                    let _ = stream.read_u8().await;
                });
            }
        });
        (url, came)
    }

    fn of_development() -> Outgoing {
        Outgoing::new(Reach::Loopback, None).unwrap()
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let (elsewhere, came) = server(NOT_FOUND.to_owned()).await;
        let (url, _) =
            server(format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n")).await;
        let refused = of_development().get(&url, 100).await;
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
            let refused = of_development().get(url, 10).await;
            assert!(matches!(refused, Err(OutgoingError::TooLarge(10))), "{refused:?}");
        }
        assert_eq!(of_development().get(&declared, 11).await.unwrap(), b"xxxxxxxxxxx");
    }

    #[tokio::test]
    async fn who_does_not_answer_or_does_not_end_is_given_up() {
        let outgoing = Outgoing::within(Duration::from_millis(50), Reach::Loopback, None).unwrap();
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx"] {
            let (url, _) = server(answer.to_owned()).await;
            let refused = outgoing.get(&url, 10).await;
            assert!(matches!(refused, Err(OutgoingError::NoAnswer(_))), "{refused:?}");
        }
        let (silent, _) = server(String::new()).await;
        let refused = outgoing.post_form(&silent, &[("logout_token", "x")]).await;
        assert!(matches!(refused, Err(OutgoingError::NoAnswer(_))), "{refused:?}");
    }

    /// Between a check and a connection of its own a name could lead elsewhere, so the check is where it is resolved.
    #[tokio::test]
    async fn a_name_is_checked_where_it_resolves() {
        let (mut url, came) = server(NOT_FOUND.to_owned()).await;
        url.set_host(Some("localhost")).unwrap();
        let answered = of_development().get(&url, 10).await;
        assert!(matches!(answered, Err(OutgoingError::Status(404))), "{answered:?}");
        assert_eq!(came.load(Ordering::SeqCst), 1);
        url.set_scheme("https").unwrap();
        let outgoing = Outgoing::new(public_only(), None).unwrap();
        assert!(outgoing.may_reach(&url), "nothing is wrong with the name itself");
        let refused = outgoing.get(&url, 10).await;
        assert!(matches!(refused, Err(OutgoingError::NoAnswer(_))), "{refused:?}");
        assert_eq!(came.load(Ordering::SeqCst), 1);
    }
}
