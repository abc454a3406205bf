//! The checks that every request passes first (the right host, a node that is ready, a bounded body, a time limit, no
//! panic), and the headers that every response has.

use anteroom_flows::context::limits::count_request;
use anteroom_flows::error::FlowError;
use anteroom_flows::node::health;
use anteroom_oidc::Issuer;
use anteroom_oidc::discovery::paths;
use anteroom_oidc::display_text::shorten;
use anteroom_pages::{ErrorKind, NextLink, NextLinkKind};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, HOST, LOCATION, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::IpAddr;
use std::sync::Arc;

use crate::endpoints::unavailable::unavailable;
use crate::page_context::{PageContext, request_from};
use crate::page_error::PageError;
use crate::paths::to_sign_in;
use crate::respond::{LONGEST_LOCATION, REFERRER_POLICY};
use crate::state::Web;

/// For requests to the issuer: the right host, and a node that is ready.
pub(crate) async fn to_issuer(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let snapshot = web.provider.snapshot();
    let issuer = &snapshot.issuer;
    // Links are built from the configured issuer, never from `Host`; a request for another host is refused with 421 (RFC 9110
    // §15.5.20).
    match check_host(requested_host(request.headers(), request.uri()).as_ref(), issuer) {
        HostCheck::Ours => ready(&web, request, next).await,
        HostCheck::OtherLoopbackName => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            let target = format!("{}{path}", issuer.origin());
            let short = Some(target).filter(|target| target.len() <= LONGEST_LOCATION);
            match short.and_then(|target| HeaderValue::from_str(&target).ok()) {
                Some(target) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, target)]).into_response(),
                None => StatusCode::BAD_REQUEST.into_response(),
            }
        }
        HostCheck::Malformed => {
            // RFC 9112 §3.2.
            not_here(&web, issuer, request, StatusCode::BAD_REQUEST, MALFORMED_HOST).await
        }
        HostCheck::Misdirected => {
            not_here(&web, issuer, request, StatusCode::MISDIRECTED_REQUEST, OTHER_HOST).await
        }
    }
}

const MALFORMED_HOST: &str =
    "a request without a `Host` header, with several, or with a value that is not host and port";
const OTHER_HOST: &str = "a request for another host than the issuer's: a proxy in front must pass the \
                          `Host` header on with its port (nginx: `proxy_set_header Host $http_host`)";

async fn not_here(
    web: &Arc<Web>,
    issuer: &Issuer,
    request: Request,
    status: StatusCode,
    why: &str,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let context = PageContext::of(&mut parts, web);
    tracing::warn!(
        reference = %context.visit.reference,
        received = shorten(&received_host(&parts.headers, &parts.uri)),
        expected = issuer.origin(),
        "{why}"
    );
    let forward = NextLink { kind: NextLinkKind::SignIn, href: format!("{}/sign-in", issuer.origin()) };
    closing(PageError::page(status, ErrorKind::MisdirectedHost, forward).answer(&context).await)
}

#[derive(Debug, PartialEq, Eq)]
enum HostCheck {
    Ours,
    /// Another name of this machine, with a loopback issuer: redirected to the issuer's own name, so that cookies
    /// match.
    OtherLoopbackName,
    Misdirected,
    /// No host, several, or a value that is not host and port.
    Malformed,
}

/// The one host that the request names. User information before the host (`user@host`) is not allowed in `Host` (RFC
/// 9110 §7.2), and a proxy in front that compares texts would see another host than this provider.
fn requested_host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let mut hosts = headers.get_all(HOST).iter();
    let of_header = hosts.next();
    if hosts.next().is_some() {
        return None;
    }
    let host = match uri.authority() {
        Some(authority) => authority.clone(),
        None => of_header?.to_str().ok()?.parse().ok()?,
    };
    Some(host).filter(|host: &Authority| !host.as_str().contains('@'))
}

/// The hosts as they were sent, for the log; several headers are joined.
fn received_host(headers: &HeaderMap, uri: &Uri) -> String {
    if let Some(authority) = uri.authority() {
        return authority.to_string();
    }
    let hosts = headers.get_all(HOST).iter().map(|host| String::from_utf8_lossy(host.as_bytes()));
    hosts.collect::<Vec<_>>().join(", ")
}

fn check_host(host: Option<&Authority>, issuer: &Issuer) -> HostCheck {
    let Some(host) = host else { return HostCheck::Malformed };
    let url = issuer.url();
    let default_port =
        |port: Option<u16>| port.or(url.port_or_known_default().filter(|_| url.port().is_none()));
    let same_port = default_port(host.port_u16()) == default_port(url.port());
    let ours = url.host_str().is_some_and(|name| name.eq_ignore_ascii_case(host.host()));
    if ours && same_port {
        HostCheck::Ours
    } else if issuer.is_loopback_http() && same_port && is_loopback_name(host.host()) {
        HostCheck::OtherLoopbackName
    } else {
        HostCheck::Misdirected
    }
}

pub(crate) fn is_loopback_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Every address has a limit of requests, of any kind; requests that cost more have further limits in their use case.
pub(crate) async fn limited(web: &Arc<Web>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let address = request_from(&mut parts, web).address;
    match count_request(&web.provider, address) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => {
            let context = PageContext::of(&mut parts, web);
            refuse(&context, parts.uri.path(), error).await
        }
    }
}

/// Whether clients request the path. They get JSON and no page.
fn is_for_programs(path: &str) -> bool {
    let programs = [
        paths::CONFIGURATION,
        paths::AUTHORIZATION_SERVER,
        paths::WEBFINGER,
        paths::JWKS,
        paths::TOKEN,
        paths::USERINFO,
        paths::REVOCATION,
        paths::INTROSPECTION,
        paths::REGISTRATION,
        paths::PUSHED_AUTHORIZATION,
        "/healthz",
        "/readyz",
        "/assets",
        "/callbacks",
    ];
    programs.iter().any(|program| {
        path.strip_prefix(program).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// A node that is not ready (no database, wrong clock, rolled-back database) answers every request with 503.
async fn ready(web: &Arc<Web>, request: Request, next: Next) -> Response {
    let Err(error) = health::may_serve(&web.provider) else { return next.run(request).await };
    let (mut parts, _) = request.into_parts();
    let context = PageContext::of(&mut parts, web);
    refuse(&context, parts.uri.path(), error).await
}

/// JSON for clients, a page for people.
pub(crate) async fn refuse(context: &PageContext, path: &str, error: FlowError) -> Response {
    if is_for_programs(path) {
        return closing(unavailable(context, &error));
    }
    closing(PageError::from(error).answer(context).await)
}

/// 404 for a path with a segment that its route cannot parse.
pub(crate) async fn nothing_there(context: &PageContext) -> Response {
    if is_for_programs(&context.path) {
        tracing::info!(reference = %context.visit.reference, path = context.path, "no such address");
        let body = serde_json::json!({
            "error": "invalid_request",
            "error_description": "there is nothing at this address",
        });
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    }
    PageError::page(StatusCode::NOT_FOUND, ErrorKind::NotFound, to_sign_in()).answer(context).await
}

/// 408 for a request that did not arrive completely in time.
pub(crate) async fn too_slow(context: &PageContext, path: &str) -> Response {
    if is_for_programs(path) {
        return closing(StatusCode::REQUEST_TIMEOUT.into_response());
    }
    let failure = PageError::page(StatusCode::REQUEST_TIMEOUT, ErrorKind::TooSlow, to_sign_in());
    closing(failure.answer(context).await)
}

/// The request's body was not read, so the connection cannot take another request. The header says so, so that a proxy
/// or client does not send its next request on it (RFC 9112 §9.6).
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Sets the headers of every response.
pub(crate) fn with_headers(web: &Web, mut response: Response) -> Response {
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        response = closing(response);
    }
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // With `no-referrer`, browsers would send `Origin: null` with our own forms.
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    if web.secure_cookies() {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    response
}

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_ours_led_here_or_misdirected() {
        for (issuer, host, expected) in [
            ("https://id.example", "id.example", HostCheck::Ours),
            ("https://id.example", "ID.example:443", HostCheck::Ours),
            ("https://id.example", "id.example:8443", HostCheck::Misdirected),
            ("https://id.example", "evil.example", HostCheck::Misdirected),
            ("https://id.example", "localhost", HostCheck::Misdirected),
            ("http://localhost:8080", "localhost:8080", HostCheck::Ours),
            ("http://localhost:8080", "127.0.0.1:8080", HostCheck::OtherLoopbackName),
            ("http://localhost:8080", "[::1]:8080", HostCheck::OtherLoopbackName),
            ("http://localhost:8080", "127.0.0.1:9090", HostCheck::Misdirected),
            ("http://localhost:8080", "evil.example:8080", HostCheck::Misdirected),
        ] {
            let issuer = Issuer::parse(issuer).unwrap();
            assert_eq!(check_host(Some(&host.parse().unwrap()), &issuer), expected, "{host}");
        }
        assert_eq!(check_host(None, &Issuer::parse("https://id.example").unwrap()), HostCheck::Malformed);
    }

    #[test]
    fn rfc9112_3_2_a_request_names_one_host_and_no_user() {
        for (uri, hosts, expected) in [
            ("/", &["id.example"][..], Some("id.example")),
            ("/", &["id.example:8443"], Some("id.example:8443")),
            ("/", &[], None),
            ("/", &[""], None),
            ("/", &["id.example", "id.example"], None),
            ("/", &["id.example", "evil.example"], None),
            ("/", &["evil@id.example"], None),
            ("/", &["@id.example"], None),
            ("/", &["id.example/evil"], None),
            ("https://id.example/", &[], Some("id.example")),
            ("https://id.example/", &["id.example"], Some("id.example")),
            ("https://id.example/", &["id.example", "id.example"], None),
            ("https://evil@id.example/", &["id.example"], None),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_static(host));
            }
            let host = requested_host(&headers, &uri.parse().unwrap());
            assert_eq!(host.as_ref().map(Authority::as_str), expected, "{uri} {hosts:?}");
        }
    }
}
