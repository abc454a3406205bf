//! What is read of headers, for tests that throw everything at it: it is no page's own, and a route would only be in
//! the way.

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

/// The proxy that is trusted.
pub const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

pub struct Read {
    pub sessions: Vec<OpaqueToken>,
    pub devices: Vec<DeviceId>,
    /// As a browser that keeps them would send them back.
    pub written_again: Vec<String>,
}

/// The only device that a cookie was ever made for.
pub fn known_device() -> DeviceId {
    DeviceId(Uuid::from_bytes([7; 16]))
}

/// The cookie of [`known_device`], as a browser sends it.
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

/// Whom a request is counted for.
pub fn address(headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    Forwarded::read(headers, peer, &[PROXY.into()]).client
}
