//! The context of an HTTP request: the [`Visit`] of the use cases, and what only the web needs.

use anteroom_domain::reference::RequestReference;
use anteroom_flows::context::browser::{Browser, FetchContext, FetchMetadata};
use anteroom_flows::context::call::{Call, RequestFrom, Visit};
use anteroom_oidc::display_text::is_hidden;
use anteroom_pages::{Locale, accepted, negotiate};
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use axum::http::request::Parts;
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use crate::cookies::RequestCookies;
use crate::state::Web;

const DEVICE_LABEL_CHARS: usize = 120;
/// The longest part of a path that the log and the audit trail show, in characters.
const SHOWN_OF_PATH: usize = 200;
/// The longest part of an unreadable header that the log shows, in characters.
const SHOWN_OF_HEADER: usize = 80;

/// The context of a request by a browser or a client, for which no cookie was read.
#[derive(Clone)]
pub(crate) struct EndpointContext {
    pub web: Arc<Web>,
    pub call: Call,
    pub from: RequestFrom,
    /// The request's path without its query, for the log and the audit trail.
    pub path: String,
}

impl EndpointContext {
    /// Makes the context with the present time and configuration. A handler that reads a body makes it afterwards
    /// ([`crate::received`]).
    pub(crate) fn of(parts: &mut Parts, web: &Arc<Web>) -> Self {
        let from = request_from(parts, web);
        let path = parts.uri.path().chars().take(SHOWN_OF_PATH).collect();
        Self { web: Arc::clone(web), call: Call::of_request(&web.provider, from), from, path }
    }
}

/// For requests whose body is not read. The context takes the whole request, so that a handler cannot have both it and
/// the body: the client may send the body late, and the context would then have an earlier configuration, clients and
/// keys.
impl FromRequest<Arc<Web>> for EndpointContext {
    type Rejection = Infallible;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&mut request.into_parts().0, web))
    }
}

/// The context of a browser's request. Every page gets it.
#[derive(Clone)]
pub(crate) struct PageContext {
    endpoint: EndpointContext,
    pub visit: Visit,
    pub jar: RequestCookies,
    pub accept_language: Option<String>,
    /// The address at which the page of the submitted form can be opened again.
    pub reload_path: Option<String>,
}

impl Deref for PageContext {
    type Target = EndpointContext;

    fn deref(&self) -> &EndpointContext {
        &self.endpoint
    }
}

/// For GET requests of pages. A handler that reads a body has its own context ([`crate::received`]).
impl FromRequest<Arc<Web>> for PageContext {
    type Rejection = Infallible;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&mut request.into_parts().0, web))
    }
}

impl PageContext {
    /// Makes the context with the present time and configuration.
    pub(crate) fn of(parts: &mut Parts, web: &Arc<Web>) -> Self {
        let endpoint = EndpointContext::of(parts, web);
        let EndpointContext { call, from, .. } = &endpoint;
        let jar = RequestCookies::read(&parts.headers, web.secure_cookies(), call.keyring(), call.random());
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let browser = Browser {
            id: jar.browser,
            keeps_cookies: !jar.browser_is_new,
            sessions: jar.sessions.clone(),
            devices: jar.devices.clone(),
            state: jar.state,
            next_state: jar.next_state,
            fetch_context: fetch_context(&parts.headers),
            device_label: device_label(text(USER_AGENT).unwrap_or_default()),
            languages: text(ACCEPT_LANGUAGE).map(accepted).unwrap_or_default(),
        };
        let visit = Visit::new(call.clone(), browser, *from);
        let accept_language = text(ACCEPT_LANGUAGE).map(str::to_owned);
        Self { endpoint, visit, jar, accept_language, reload_path: None }
    }

    /// The `ui_locales` of the interaction's request first, then the browser's languages, then the practice's.
    pub(crate) fn locale(&self, ui_locales: &[String]) -> Locale {
        let (theme, default) = (self.web.theme(), self.web.settings.default_locale);
        negotiate(ui_locales, self.accept_language.as_deref(), &theme.locales(), default)
    }
}

/// The kind of load that the Fetch Metadata headers say.
pub(crate) fn fetch_context(headers: &HeaderMap) -> FetchContext {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    FetchContext::of(FetchMetadata {
        destination: text("sec-fetch-dest"),
        mode: text("sec-fetch-mode"),
        site: text("sec-fetch-site"),
        purpose: text("sec-purpose").or_else(|| text("purpose")),
    })
}

/// The text of a browser in a list of devices, from its `User-Agent`.
fn device_label(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !is_hidden(*c)).take(DEVICE_LABEL_CHARS).collect()
}

/// The request's reference: random, made once, and the same wherever the request is mentioned.
pub(crate) fn reference(parts: &mut Parts, web: &Web) -> RequestReference {
    if let Some(known) = parts.extensions.get::<RequestReference>() {
        return *known;
    }
    let drawn = RequestReference::from_random(web.provider.random.bytes());
    parts.extensions.insert(drawn);
    drawn
}

/// The sender of the request, determined once.
pub(crate) fn request_from(parts: &mut Parts, web: &Web) -> RequestFrom {
    if let Some(known) = parts.extensions.get::<RequestFrom>() {
        return *known;
    }
    let from = RequestFrom { address: client_address(parts, web), reference: reference(parts, web) };
    parts.extensions.insert(from);
    from
}

/// The peer's address or, if the peer is a trusted proxy, the address that it forwards.
fn client_address(parts: &Parts, web: &Web) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)).to_canonical();
    let forwarded = Forwarded::read(&parts.headers, peer, &web.settings.trusted_proxies);
    if let Some(received) = forwarded.unreadable
        && web.unreadable_proxy.is_due(web.provider.clock.now())
    {
        let received: String = received.chars().take(SHOWN_OF_HEADER).collect();
        tracing::warn!(
            %peer,
            received = ?received,
            "a trusted proxy's X-Forwarded-For cannot be parsed: its requests count for the proxy's own address, in limits and in the audit trail"
        );
    }
    forwarded.client
}

/// The content of `X-Forwarded-For`.
pub(crate) struct Forwarded {
    /// The last address in it that is not a trusted proxy itself.
    pub(crate) client: IpAddr,
    /// The part of `X-Forwarded-For` that is not an IP address. Requests then count for the proxy's own address.
    unreadable: Option<String>,
}

impl Forwarded {
    pub(crate) fn read(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> Self {
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        let mut client = peer;
        for line in headers.get_all("x-forwarded-for").iter().rev() {
            for hop in String::from_utf8_lossy(line.as_bytes()).rsplit(',') {
                if !is_trusted(&client) {
                    return Self { client, unreadable: None };
                }
                let Some(address) = hop_address(hop) else {
                    return Self { client, unreadable: Some(hop.trim().to_owned()) };
                };
                client = address.to_canonical();
            }
        }
        Self { client, unreadable: None }
    }
}

/// Parses one entry. Some proxies also write the port, with brackets around IPv6, and some only the brackets.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    bare.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn forwarded_addresses_are_believed_only_from_trusted_proxies() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, header, expected) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "203.0.113.6:51234", "203.0.113.6"),
            ("10.0.0.1", "203.0.113.6:51234, 10.0.0.7:80", "203.0.113.6"),
            ("10.0.0.1", "[2001:db8::6]:51234", "2001:db8::6"),
            ("10.0.0.1", "[2001:db8::6]", "2001:db8::6"),
            ("10.0.0.1", "2001:db8::6", "2001:db8::6"),
            ("10.0.0.1", "198.51.100.1, naïve", "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(header.as_bytes()).unwrap());
            let got = Forwarded::read(&headers, peer.parse().unwrap(), &trusted);
            assert_eq!(got.client, expected.parse::<IpAddr>().unwrap(), "{peer} {header}");
            let is_unreadable = expected == "10.0.0.1";
            assert_eq!(got.unreadable.is_some(), is_unreadable, "{peer} {header}");
        }
    }
}
