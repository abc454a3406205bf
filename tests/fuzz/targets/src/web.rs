//! What the web reads of headers: cookies (RFC 6265 §5.4), `X-Forwarded-For`, `Accept-Language`.
//!
//! Each line of the input is a header, `name: value`. What a cookie holds is written and read again as the same; a device
//! counts only with our MAC; an address that nobody whom we trust named is the peer's.

use anteroom_web::for_tests::{self, Read};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, Ipv4Addr};

use crate::Verdict;

pub(crate) fn headers(input: &[u8]) -> Verdict {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(100) {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let name = halves.next().and_then(|name| HeaderName::from_bytes(name).ok());
        let value = HeaderValue::from_bytes(halves.next().unwrap_or_default().trim_ascii());
        if let (Some(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let read = for_tests::read(&headers);
    let mut again = HeaderMap::new();
    for cookie in &read.written_again {
        again.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
    }
    let Read { sessions, devices, .. } = for_tests::read(&again);
    assert!(sessions == read.sessions && devices == read.devices, "another browser");
    assert!(devices.iter().all(|device| *device == for_tests::known_device()), "a device without our MAC");
    let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    assert_eq!(for_tests::address(&headers, peer), peer);
    let _ = for_tests::address(&headers, for_tests::PROXY);
    Verdict::of(!read.sessions.is_empty() || !read.devices.is_empty())
}
