//! The cookies. `anteroom_session` has the browser's identifier, to which forms are bound, and the secrets of its open
//! sessions. `anteroom_device` lists this browser's known devices, one for each account, under one MAC; it proves no
//! identity. `op_browser_state` is for the script of the session frame (Session Management 1.0): scripts can read it,
//! it is sent in frames of any site, and it gives access to nothing.

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring, OpaqueToken, Random};
use anteroom_domain::device::COOKIE_LIFE;
use anteroom_domain::ids::{BrowserId, DeviceId};
use anteroom_flows::sessions::browser_sessions::MAX_SESSIONS;
use anteroom_oidc::session_state::OpBrowserState;
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use uuid::Uuid;

const SESSION: &str = "anteroom_session";
const DEVICE: &str = "anteroom_device";
/// Without `__Host-`, because its name is part of the interface for clients. A forged value only makes the session frame report a
/// change.
const STATE: &str = "op_browser_state";
/// Release 0.1.0 wrote a MAC for each device, 65 bytes per device.
const DEVICE_MAC_CONTEXT_V1: &str = "known_device";
const DEVICE_MAC_CONTEXT_V2: &str = "known_devices";
/// The prefix of the present form. No value of 0.1.0 begins with it, and 0.1.0 reads no device from a value that does.
const DEVICES_V2_PREFIX: &str = "2.";
const MAC_BYTES: usize = 32;
const SEPARATOR: char = '.';
/// More people may use a shared workstation than have an open session at it at one time.
const MAX_DEVICES: usize = 32;

/// What the request's cookies hold.
#[derive(Clone, Debug)]
pub(crate) struct RequestCookies {
    pub browser: BrowserId,
    /// The browser sent no identifier, so the response must set one.
    pub browser_is_new: bool,
    pub sessions: Vec<OpaqueToken>,
    pub devices: Vec<DeviceId>,
    pub state: OpBrowserState,
    /// The value that replaces `state` at a sign-in and a sign-out. It equals `state` if the browser sent none.
    pub next_state: OpBrowserState,
    pub state_is_new: bool,
}

impl RequestCookies {
    pub(crate) fn read(headers: &HeaderMap, secure: bool, keyring: &Keyring, random: &Random) -> Self {
        let session = find(headers, &name(SESSION, secure));
        let mut parts = session.as_deref().unwrap_or_default().split(SEPARATOR);
        let browser = parts.next().and_then(|text| Uuid::try_parse(text).ok()).map(BrowserId);
        let sessions = parts.filter_map(OpaqueToken::parse).take(MAX_SESSIONS).collect();
        let next_state = OpBrowserState::from_random(random.bytes());
        let state = find(headers, STATE).and_then(|text| text.parse().ok());
        let device = find(headers, &name(DEVICE, secure));
        Self {
            browser: browser.unwrap_or_else(|| BrowserId(random.uuid_v4())),
            browser_is_new: browser.is_none(),
            sessions: if browser.is_some() { sessions } else { Vec::new() },
            devices: device.map(|text| parse_devices(keyring, &text)).unwrap_or_default(),
            state: state.unwrap_or(next_state),
            next_state,
            state_is_new: state.is_none(),
        }
    }

    /// Cookies to set after a sign-in, sign-out or step-up: the new session cookie and a new `op_browser_state`.
    pub(crate) fn of_other_sessions(&self, secure: bool) -> [Cookie<'static>; 2] {
        [self.session_cookie(secure), state_cookie(self.next_state)]
    }

    /// The cookie for a response that contains the state.
    pub(crate) fn new_state_cookie(&self) -> Option<Cookie<'static>> {
        self.state_is_new.then(|| state_cookie(self.state))
    }

    /// The session cookie. It has no expiry date and so ends with the browser, because workstations are shared.
    pub(crate) fn session_cookie(&self, secure: bool) -> Cookie<'static> {
        let secrets = self.sessions.iter().map(OpaqueToken::encode);
        let parts: Vec<String> =
            std::iter::once(self.browser.0.simple().to_string()).chain(secrets).collect();
        build(SESSION, parts.join("."), secure)
    }

    pub(crate) fn device_cookie(&self, secure: bool, keyring: &Keyring) -> Cookie<'static> {
        let mut cookie = build(DEVICE, encode_devices(keyring, &self.devices), secure);
        cookie.set_max_age(Duration::seconds(COOKIE_LIFE.as_secs()));
        cookie
    }

    /// Puts a device first; the least recently used one is dropped beyond the limit.
    pub(crate) fn remember_device(&mut self, device: DeviceId) {
        self.devices.retain(|known| *known != device);
        self.devices.insert(0, device);
        self.devices.truncate(MAX_DEVICES);
    }
}

fn name(base: &str, secure: bool) -> String {
    if secure { format!("__Host-{base}") } else { base.to_owned() }
}

fn build(base: &str, value: String, secure: bool) -> Cookie<'static> {
    Cookie::build((name(base, secure), value))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .build()
}

/// Browsers accept `SameSite=None` only with `Secure`, and treat loopback as secure. So the cookie is `Secure` on a
/// loopback issuer without TLS too.
fn state_cookie(state: OpBrowserState) -> Cookie<'static> {
    Cookie::build((STATE, state.to_string())).path("/").secure(true).same_site(SameSite::None).build()
}

/// Finds a cookie by name. A name sent twice counts as absent: another host or application set one of the two.
///
/// Names are compared byte for byte. Browsers reserve the prefix `__Host-` for cookies of this host, but accept a name
/// that has a Unicode space before the prefix from a neighboring host. So such a space is not trimmed. Cookies of other
/// applications may have bytes outside ASCII and stand in the same header line.
fn find(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        let start = pair.iter().position(|byte| !b" \t".contains(byte))?;
        pair.get(start..)?.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
    });
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    // Our cookies are ASCII without spaces.
    String::from_utf8(first.trim_ascii_end().to_vec()).ok()
}

/// The cookie's value: the MAC, then the device identifiers that it covers.
fn encode_devices(keyring: &Keyring, devices: &[DeviceId]) -> String {
    let ids: Vec<u8> = devices.iter().flat_map(|device| *device.0.as_bytes()).collect();
    let mac = keyring.mac(KeyPurpose::DeviceMac).digest(DEVICE_MAC_CONTEXT_V2, &ids);
    format!("{DEVICES_V2_PREFIX}{}", URL_SAFE_NO_PAD.encode([mac.as_bytes(), ids.as_slice()].concat()))
}

fn parse_devices(keyring: &Keyring, text: &str) -> Vec<DeviceId> {
    let mut devices = match text.strip_prefix(DEVICES_V2_PREFIX) {
        Some(together) => parse_devices_v2(keyring, together).unwrap_or_default(),
        None => text.split(SEPARATOR).filter_map(|one| parse_device_v1(keyring, one)).collect(),
    };
    devices.truncate(MAX_DEVICES);
    devices
}

fn parse_devices_v2(keyring: &Keyring, text: &str) -> Option<Vec<DeviceId>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (mac, ids) = bytes.split_at_checked(MAC_BYTES)?;
    let mac = KeyedDigest::from_slice(mac)?;
    if !keyring.mac(KeyPurpose::DeviceMac).verify(DEVICE_MAC_CONTEXT_V2, ids, &mac) {
        return None;
    }
    ids.chunks(16).map(|id| Uuid::from_slice(id).ok().map(DeviceId)).collect()
}

/// Parses the form that release 0.1.0 wrote.
fn parse_device_v1(keyring: &Keyring, text: &str) -> Option<DeviceId> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (id, mac) = bytes.split_at_checked(16)?;
    let mac = KeyedDigest::from_slice(mac)?;
    let genuine = keyring.mac(KeyPurpose::DeviceMac).verify(DEVICE_MAC_CONTEXT_V1, id, &mac);
    genuine.then(|| Uuid::from_slice(id).ok().map(DeviceId)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(cookies: &str, secure: bool) -> RequestCookies {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(cookies).unwrap());
        RequestCookies::read(&headers, secure, &Keyring::for_tests(1), &Random::seeded(1))
    }

    fn filled() -> RequestCookies {
        let random = Random::seeded(7);
        RequestCookies {
            browser: BrowserId(random.uuid_v4()),
            browser_is_new: false,
            sessions: vec![random.token(), random.token()],
            devices: vec![DeviceId(random.uuid_v4())],
            state: OpBrowserState::from_random([1; 16]),
            next_state: OpBrowserState::from_random([2; 16]),
            state_is_new: false,
        }
    }

    #[test]
    fn what_is_set_is_read_back() {
        for secure in [true, false] {
            let jar = filled();
            let device = jar.device_cookie(secure, &Keyring::for_tests(1));
            let session = jar.session_cookie(secure);
            let sent =
                format!("{}={}; {}={}", session.name(), session.value(), device.name(), device.value());
            let back = read(&sent, secure);
            assert_eq!(
                (back.browser, &back.sessions, &back.devices),
                (jar.browser, &jar.sessions, &jar.devices)
            );
            assert!(!back.browser_is_new);
        }
    }

    #[test]
    fn a_cookie_of_another_application_that_is_no_ascii_takes_ours_not_away() {
        let session = filled().session_cookie(true);
        for other in ["name=José".as_bytes(), b"name=Jos\xe9"] {
            let line = [other, b"; ", session.to_string().as_bytes()].concat();
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_bytes(&line).unwrap());
            let jar = RequestCookies::read(&headers, true, &Keyring::for_tests(1), &Random::seeded(1));
            assert_eq!((jar.browser, jar.sessions), (filled().browser, filled().sessions));
        }
    }

    /// Characters before the prefix with which browsers let a neighboring host set a cookie.
    #[test]
    fn rfc6265bis_4_1_3_a_space_of_unicode_in_front_of_the_prefix_makes_another_name() {
        let (own, planted) =
            (filled(), RequestCookies { browser: BrowserId(Random::seeded(9).uuid_v4()), ..filled() });
        let spaces = (0..=0x3000).filter_map(char::from_u32).filter(|c| c.is_whitespace());
        for space in spaces.filter(|c| !"\n\r \t".contains(*c)).chain(['\u{feff}', '\u{200b}']) {
            for (name, value) in [
                ("session", planted.session_cookie(true)),
                ("device", filled().device_cookie(true, &Keyring::for_tests(1))),
            ] {
                for line in [
                    format!("{space}__Host-anteroom_{name}={}", value.value()),
                    format!("__Host-anteroom_{name}{space}={}", value.value()),
                ] {
                    let line = format!("{line}; {}", own.session_cookie(true));
                    let mut headers = HeaderMap::new();
                    let Ok(line) = HeaderValue::from_bytes(line.as_bytes()) else { continue };
                    headers.insert(COOKIE, line);
                    let jar =
                        RequestCookies::read(&headers, true, &Keyring::for_tests(1), &Random::seeded(1));
                    assert_eq!((jar.browser, &jar.sessions), (own.browser, &own.sessions), "{space:?}");
                    assert!(jar.devices.is_empty(), "{space:?}");
                }
            }
        }
    }

    #[test]
    fn behind_tls_cookies_are_bound_to_the_host() {
        let cookie = filled().session_cookie(true).to_string();
        assert!(cookie.starts_with("__Host-anteroom_session="), "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Domain") && !cookie.contains("Max-Age"), "{cookie}");
    }

    #[test]
    fn session_management_3_2_the_state_is_for_scripts_in_frames_and_changes_with_the_sessions() {
        for secure in [true, false] {
            let [_, cookie] = filled().of_other_sessions(secure);
            let text = cookie.to_string();
            assert!(text.starts_with("op_browser_state=AgICAgICAgICAgICAgICAg; "), "{text}");
            assert!(text.contains("SameSite=None") && text.contains("Secure"), "{text}");
            assert!(!text.contains("HttpOnly"), "{text}");
            let back = read(&format!("op_browser_state={}", cookie.value()), secure);
            assert_eq!((back.state, back.new_state_cookie()), (filled().next_state, None));
        }
        let without = read("op_browser_state=made-up", true);
        assert_eq!(without.state, without.next_state);
        assert_eq!(without.new_state_cookie().unwrap().value(), without.state.to_string());
    }

    #[test]
    fn devices_of_an_earlier_release_are_read() {
        let (keyring, random) = (Keyring::for_tests(1), Random::seeded(3));
        let devices = [DeviceId(random.uuid_v4()), DeviceId(random.uuid_v4())];
        let parts = devices.map(|device| {
            let id = device.0.as_bytes();
            let mac = keyring.mac(KeyPurpose::DeviceMac).digest("known_device", id);
            URL_SAFE_NO_PAD.encode([id.as_slice(), mac.as_bytes()].concat())
        });
        let jar = read(&format!("anteroom_device={}", parts.join(".")), false);
        assert_eq!(jar.devices, devices);
        let renewed = jar.device_cookie(false, &keyring);
        assert_eq!(read(&format!("anteroom_device={}", renewed.value()), false).devices, devices);
    }

    #[test]
    fn the_cookies_of_a_shared_browser_stay_small() {
        let random = Random::seeded(5);
        let mut jar = filled();
        jar.sessions = (0..MAX_SESSIONS).map(|_| random.token()).collect();
        for _ in 0..2 * MAX_DEVICES {
            jar.remember_device(DeviceId(random.uuid_v4()));
        }
        let device = jar.device_cookie(true, &Keyring::for_tests(1));
        let [session, state] = jar.of_other_sessions(true);
        let bytes: usize = [&device, &session, &state].iter().map(|one| one.to_string().len() + 14).sum();
        assert!(bytes < 1_400, "{bytes}");
        assert_eq!(read(&format!("{}={}", device.name(), device.value()), true).devices, jar.devices);
    }

    #[test]
    fn a_made_up_or_doubled_cookie_is_no_cookie() {
        let forged = URL_SAFE_NO_PAD.encode([7; 48]);
        assert!(read(&format!("anteroom_device={forged}"), false).devices.is_empty());
        assert!(read(&format!("anteroom_device=2.{forged}"), false).devices.is_empty());
        for bad in
            ["anteroom_session=x", "anteroom_session=", "other=1", "anteroom_session=a; anteroom_session=b"]
        {
            let jar = read(bad, false);
            assert!(jar.browser_is_new && jar.sessions.is_empty(), "{bad}");
        }
        let session = filled().session_cookie(false);
        // Behind TLS a cookie without the prefix, which a neighboring http page can set, is ignored.
        assert!(read(&format!("{}={}", session.name(), session.value()), true).browser_is_new);
    }
}
