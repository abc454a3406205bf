//! Functions that read headers, public for the fuzz tests. No route uses exactly these, and calling them through one
//! would slow the tests.

use anteroom_crypto::{Keyring, OpaqueToken, Random};
use anteroom_domain::ids::DeviceId;
use anteroom_pages::{Locale, negotiate};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use uuid::Uuid;

use crate::cookies::RequestCookies;
use crate::page_context::Forwarded;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| Keyring::for_tests(1));

/// The trusted proxy's address.
pub const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

pub struct Read {
    pub sessions: Vec<OpaqueToken>,
    pub devices: Vec<DeviceId>,
    /// The cookies as a browser would send them back.
    pub written_again: Vec<String>,
}

/// The one device for which a cookie was made.
pub fn known_device() -> DeviceId {
    DeviceId(Uuid::from_bytes([7; 16]))
}

/// The `Cookie` header value of [`known_device`].
pub fn device_cookie() -> String {
    let mut jar = RequestCookies::read(&HeaderMap::new(), true, &KEYS, &Random::seeded(1));
    jar.remember_device(known_device());
    jar.device_cookie(true, &KEYS).stripped().to_string()
}

pub fn read(headers: &HeaderMap) -> Read {
    let jar = RequestCookies::read(headers, true, &KEYS, &Random::seeded(1));
    let languages = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    negotiate::<&str>(&[], languages, &Locale::ALL, Locale::En);
    let cookies = [jar.session_cookie(true), jar.device_cookie(true, &KEYS)];
    let written_again = cookies.iter().map(|cookie| cookie.stripped().to_string()).collect();
    Read { sessions: jar.sessions, devices: jar.devices, written_again }
}

/// The address for which a request is counted.
pub fn address(headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    Forwarded::read(headers, peer, &[PROXY.into()]).client
}
