//! Rendering: a view in its frame, with the headers that every page has.

use anteroom_domain::account::Account;
use anteroom_domain::rate::Wait;
use anteroom_domain::session::Session;
use anteroom_flows::interaction::error_return::ErrorReturn;
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_pages::{
    Application, ErrorReturnPage, FormPostPage, HiddenField, Locale, Page, PageLayout, RedirectPage,
    SessionTimer, SignedInAs, SupportContact, Wait as WaitText,
};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE, VARY,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use cookie::Cookie;
use std::borrow::Cow;
use std::collections::BTreeSet;
use url::{Origin, Url};

use crate::page_context::PageContext;
use crate::paths::to_sign_in;
use crate::session_clock::session_clock;

/// Allows no inline script or style, and nothing from other origins.
const CSP: &str =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'";

/// The longest `Location`, in bytes. By default proxies accept 4 KB of response headers; this leaves room for cookies
/// and the other headers.
pub(crate) const LONGEST_LOCATION: usize = 2_048;
/// The longest list of origins in a policy, in bytes; a longer list is replaced by its schemes.
const LONGEST_ORIGINS: usize = 1_024;

/// How a page is sent: language, cookies, and whether its form may end in a redirect to a client.
pub(crate) struct PageResponse<'a> {
    context: &'a PageContext,
    locale: Locale,
    signed_in_as: Option<SignedInAs>,
    session: Option<SessionTimer>,
    leads_to_client: bool,
    /// Other sites may frame the page: it replaces a redirect, which works in frames too (`prompt=none`).
    frameable: bool,
    leaves_opener: bool,
    image_of: Option<String>,
    frames_of: BTreeSet<String>,
    cookies: Vec<Cookie<'static>>,
}

impl<'a> PageResponse<'a> {
    pub(crate) fn of(context: &'a PageContext) -> Self {
        Self {
            context,
            locale: context.locale(&[]),
            signed_in_as: None,
            session: None,
            leads_to_client: false,
            frameable: false,
            leaves_opener: false,
            image_of: None,
            frames_of: BTreeSet::new(),
            cookies: browser_cookie(context).into_iter().collect(),
        }
    }

    pub(crate) fn in_language_of(mut self, ui_locales: &[String]) -> Self {
        self.locale = self.context.locale(ui_locales);
        self
    }

    pub(crate) fn signed_in(mut self, account: &Account) -> Self {
        self.signed_in_as = Some(SignedInAs {
            name: account.display_name().to_owned(),
            email: account.primary_address.as_str().to_owned(),
        });
        self
    }

    /// Lets the page warn before this session ends.
    pub(crate) fn of_session(mut self, session: &Session) -> Self {
        self.session = Some(session_clock(self.context, session));
        self
    }

    pub(crate) fn leads_to_client(mut self) -> Self {
        self.leads_to_client = true;
        self
    }

    /// For pages of the account itself: a window that another site opened loses its connection to that site. Every other page
    /// keeps the connection, because a client that opened a window for a sign-in waits for the response there.
    pub(crate) fn isolated_from_opener(mut self) -> Self {
        self.leaves_opener = true;
        self
    }

    /// The page shows the image at `url`.
    pub(crate) fn with_image_of(mut self, url: Option<&Url>) -> Self {
        self.image_of = url.map(|url| url.origin().ascii_serialization()).filter(|origin| is_source(origin));
        self
    }

    /// The page may show frames of these origins only.
    pub(crate) fn with_frames_of(mut self, origins: impl Iterator<Item = Origin>) -> Self {
        let origins = origins.map(|origin| origin.ascii_serialization());
        self.frames_of = origins.filter(|origin| is_source(origin)).collect();
        self
    }

    /// Only origins are added to the constant policy, in their ASCII serialization.
    fn policy(&self) -> HeaderValue {
        let mut policy = CSP.to_owned();
        if !self.frameable {
            policy.push_str("; frame-ancestors 'none'");
        }
        policy.push_str("; img-src 'self'");
        if let Some(origin) = &self.image_of {
            policy.extend([" ", origin]);
        }
        // Chromium applies `form-action` to the whole redirect chain of a form, and these forms end at a client.
        if !self.leads_to_client {
            policy.push_str("; form-action 'self'");
        }
        if !self.frames_of.is_empty() {
            policy.push_str("; frame-src");
            policy.push_str(&sources(&self.frames_of));
        }
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(CSP))
    }

    pub(crate) fn page<P: Page>(self, status: StatusCode, view: &P) -> Response {
        let (snapshot, policy) = (self.context.visit.snapshot(), self.policy());
        let chrome = PageLayout {
            practice_name: snapshot.practice.name.clone(),
            locale: self.locale,
            demo: snapshot.practice.demo,
            support_contact: snapshot
                .practice
                .support_contact
                .clone()
                .map(|label| SupportContact { label, href: None }),
            signed_in_as: self.signed_in_as,
            session: self.session,
        };
        match self.context.web.theme().render(&chrome, view) {
            Ok(html) => {
                let headers = [
                    (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                    (CONTENT_SECURITY_POLICY, policy),
                    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
                    (VARY, HeaderValue::from_static("accept-language, cookie")),
                ];
                let mut response = (status, headers, html).into_response();
                if self.leaves_opener {
                    let same_origin = HeaderValue::from_static("same-origin");
                    response.headers_mut().insert(CROSS_ORIGIN_OPENER_POLICY, same_origin);
                }
                with_cookies(response, &self.cookies)
            }
            Err(error) => {
                // Every template was rendered at the start, so only a defect can lead here.
                tracing::error!(reference = %self.context.visit.reference, "the page could not be rendered: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, self.context.visit.reference.to_string()).into_response()
            }
        }
    }
}

/// Whether the origin is exactly one source expression (CSP 3 §2.3.1): a comma would begin another policy, a semicolon
/// another directive. Registered hosts have neither; this also covers origins from other places.
fn is_source(origin: &str) -> bool {
    origin.len() <= LONGEST_ORIGINS
        && origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte))
}

/// The origins or, if they are too long for a header, their schemes.
fn sources(origins: &BTreeSet<String>) -> String {
    let joined =
        |words: &mut dyn Iterator<Item = &str>| words.flat_map(|word| [" ", word]).collect::<String>();
    let listed = joined(&mut origins.iter().map(String::as_str));
    if listed.len() <= LONGEST_ORIGINS {
        return listed;
    }
    let schemes: BTreeSet<&str> =
        origins.iter().filter_map(|origin| origin.split_inclusive(':').next()).collect();
    joined(&mut schemes.into_iter())
}

/// A browser without an identifier gets one with its first page, because forms are bound to it.
fn browser_cookie(context: &PageContext) -> Option<Cookie<'static>> {
    context.jar.browser_is_new.then(|| context.jar.session_cookie(context.web.secure_cookies()))
}

pub(crate) fn with_cookies(mut response: Response, cookies: &[Cookie<'static>]) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

/// A point in time in the practice's time zone.
pub(crate) fn moment(context: &PageContext, at: jiff::Timestamp) -> anteroom_pages::Moment {
    context.web.branding().moment(at)
}

pub(crate) fn wait_text(wait: Wait) -> WaitText {
    WaitText::seconds(u64::try_from(wait.0.as_secs()).unwrap_or(1).max(1))
}

pub(crate) fn retry_after(mut response: Response, wait: Wait) -> Response {
    let seconds = u64::try_from(wait.0.as_secs()).unwrap_or(1).max(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// 303: the next request is a GET, whatever the method was (RFC 9110 §15.4.4). For our own short addresses; for others
/// use [`redirect_to`].
pub(crate) fn see_other(target: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(target) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Redirects to a page of ours that opens only in this browser, so a browser without an identifier gets one with the
/// response.
pub(crate) fn redirect_in_browser(context: &PageContext, target: &str) -> Response {
    with_cookies(redirect_to(context, target), browser_cookie(context).as_slice())
}

/// Redirects to an address of any length; if it is too long for a header, by a page that goes there.
///
/// A cross-site POST carries no `SameSite=Lax` cookies. A response that set them would replace the browser's session,
/// so this one sets none.
pub(crate) fn redirect_to(context: &PageContext, target: &str) -> Response {
    if target.len() <= LONGEST_LOCATION {
        return see_other(target);
    }
    let frame = PageResponse { frameable: true, cookies: Vec::new(), ..PageResponse::of(context) };
    let mut page = frame.page(StatusCode::OK, &RedirectPage { href: target.to_owned() });
    page.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    page
}

/// The authorization response: a redirect, or a page whose form the browser posts.
pub(crate) fn to_application(context: &PageContext, response: &AuthorizationResponse) -> Response {
    match response {
        AuthorizationResponse::Redirect(location) => {
            let mut redirect = redirect_to(context, location);
            // RFC 9700 §4.2.4: the code must not leak in a `Referer` header.
            redirect.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            let redirect = with_cookies(redirect, browser_cookie(context).as_slice());
            with_cookies(redirect, context.jar.new_state_cookie().as_slice())
        }
        AuthorizationResponse::FormPost { action, parameters } => {
            let fields = hidden_fields(parameters);
            let page = FormPostPage { action: action.clone(), fields, application: Application::unnamed() };
            let frame = PageResponse { frameable: true, ..PageResponse::of(context).leads_to_client() };
            let response = frame.page(StatusCode::OK, &page);
            with_cookies(response, context.jar.new_state_cookie().as_slice())
        }
    }
}

/// The page that asks before the browser goes to an unknown client with an error.
pub(crate) fn error_return_page(context: &PageContext, error_return: &ErrorReturn) -> Response {
    let (href, action, fields) = match &error_return.response {
        AuthorizationResponse::Redirect(location) => (Some(location.clone()), None, Vec::new()),
        AuthorizationResponse::FormPost { action, parameters } => {
            (None, Some(action.clone()), hidden_fields(parameters))
        }
    };
    let reference = context.visit.reference.to_string();
    let (host, forward) = (error_return.host.clone(), to_sign_in());
    let view = ErrorReturnPage { host, href, action, fields, forward, reference };
    let frame = PageResponse::of(context).in_language_of(&error_return.ui_locales).leads_to_client();
    let mut page = frame.page(StatusCode::BAD_REQUEST, &view);
    page.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    page
}

fn hidden_fields(parameters: &[(Cow<'static, str>, String)]) -> Vec<HiddenField> {
    let field = |(name, value): &(Cow<'static, str>, String)| HiddenField {
        name: name.to_string(),
        value: value.clone(),
    };
    parameters.iter().map(field).collect()
}

pub(crate) const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_source_comes_into_no_policy() {
        for (origin, expected) in [
            ("https://app-1.practice.example", true),
            ("http://127.0.0.1:3000", true),
            ("https://[2001:db8::1]", true),
            ("https://evil.example,frame-src", false),
            ("https://evil.example;sandbox", false),
            ("https://*", false),
            ("https://evil.example 'self'", false),
            (&format!("https://{}", "a".repeat(2_000)), false),
        ] {
            assert_eq!(is_source(origin), expected, "{origin}");
        }
    }

    #[test]
    fn a_policy_for_many_frames_stays_short() {
        let origins =
            |count| (0..count).map(|number| format!("https://app{number}.practice.example")).collect();
        assert_eq!(sources(&origins(2)), " https://app0.practice.example https://app1.practice.example");
        let mut many: BTreeSet<String> = origins(200);
        assert_eq!(sources(&many), " https:");
        many.insert("http://127.0.0.1:3000".to_owned());
        assert_eq!(sources(&many), " http: https:");
    }
}
