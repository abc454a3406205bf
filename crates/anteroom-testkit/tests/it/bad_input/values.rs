//! What no endpoint should have to expect: oversized, malformed, not UTF-8, negative, far in the future, and meant for
//! another parser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// More than any parameter may have, and less than a request.
const OVERSIZED: usize = 9_000;

/// A client's library takes no address that is longer, and it is more than ours will read.
const LONGEST_QUERY: usize = 60_000;

/// Raw bytes: where something is carried that must be encoded, it is.
pub(super) fn values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        &b""[..],
        b"-1",
        b"0",
        b"9223372036854775808",
        b"253402300800",
        b"1e999",
        b"\0",
        b"\xff\xfe\xfd",
        b"%",
        b"a\r\nset-cookie: b=c",
        b"' OR 1=1 --",
        b"../../../etc/passwd",
        b"<script>alert(1)</script>",
        b"javascript:alert(1)",
        b"https://[::1",
        b"00000000-0000-0000-0000-000000000000",
        b"eyJhbGciOiJub25lIn0.e30.",
        b"a.b.c.d.e",
        "\u{202e}\u{0}\u{1f4a5}\u{feff}".as_bytes(),
    ]
    .map(<[u8]>::to_vec)
    .into();
    values.push(vec![b'a'; OVERSIZED]);
    values.push(b"[".repeat(OVERSIZED));
    values
}

/// Names that are read by an endpoint.
const NAMES: &[&str] = &[
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "display",
    "max_age",
    "ui_locales",
    "claims_locales",
    "login_hint",
    "id_token_hint",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "resource",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    "token",
    "token_type_hint",
    "access_token",
    "post_logout_redirect_uri",
    "logout_hint",
    "sid",
    "iss",
    "rel",
    "form_token",
    "interaction",
    "email",
    "password",
    "new_password",
    "confirm_password",
    "account",
    "decision",
    "again",
    "another",
    "session",
    "factor",
    "method",
    "phone",
    "phone_kind",
    "phone_id",
    "MessageStatus",
    "Digits",
];

const COOKIES: &[&str] = &["anteroom_session", "anteroom_device", "op_browser_state"];

/// One request, without its address.
#[derive(Debug)]
pub(super) struct RequestData {
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl RequestData {
    pub(super) fn nothing() -> Self {
        Self { query: String::new(), headers: HeaderMap::new(), body: Vec::new() }
    }

    /// As much of it as an address can be.
    fn asking(query: &str) -> Self {
        Self { query: query.chars().take(LONGEST_QUERY).collect(), ..Self::nothing() }
    }

    fn with(name: HeaderName, value: &[u8]) -> Option<Self> {
        let value = HeaderValue::from_bytes(value).ok()?;
        Some(Self { headers: HeaderMap::from_iter([(name, value)]), ..Self::nothing() })
    }

    fn posting(kind: &'static str, body: Vec<u8>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Self { headers, body, ..Self::nothing() }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// This value in every place that a request has, one place at a time.
pub(super) fn everywhere(value: &[u8], has_body: bool) -> Vec<RequestData> {
    let fields = fields(value);
    let mut data = vec![RequestData::asking(&fields)];
    let twice = format!("state={0}&state={0}&code={0}&code={0}&email={0}&email={0}", encoded(value));
    data.push(RequestData::asking(&twice));
    let basic = STANDARD.encode(value).into_bytes();
    for credentials in [[b"Bearer ", value].concat(), [b"Basic ", &basic[..]].concat(), value.to_vec()] {
        data.extend(RequestData::with(AUTHORIZATION, &credentials));
    }
    let cookies = COOKIES.iter().map(|name| [name.as_bytes(), b"=", value].concat());
    data.extend(RequestData::with(COOKIE, &cookies.collect::<Vec<_>>().join(&b"; "[..])));
    if has_body {
        data.push(RequestData::posting(FORM, fields.into_bytes()));
        data.push(RequestData::posting(FORM, twice.into_bytes()));
        data.push(RequestData::posting(FORM, value.to_vec()));
        data.push(RequestData::posting(JSON, value.to_vec()));
        let text = String::from_utf8_lossy(value);
        let members = NAMES.iter().map(|name| ((*name).to_owned(), Value::from(&*text)));
        data.push(RequestData::posting(JSON, Value::Object(members.collect()).to_string().into_bytes()));
        data.push(RequestData::posting("application/octet-stream; charset=\"", value.to_vec()));
    }
    data
}

fn fields(value: &[u8]) -> String {
    let value = encoded(value);
    NAMES.iter().map(|name| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// As it is carried in addresses and forms.
pub(super) fn encoded(value: &[u8]) -> String {
    url::form_urlencoded::byte_serialize(value).collect::<String>().replace('+', "%20")
}
