//! What a browser sends with a request: its cookies, parsed at the edge, and its headers. Only the devices are verified, by the
//! MAC in their cookie; the session secrets are not looked up yet.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::ids::{BrowserId, DeviceId};
use anteroom_oidc::session_state::OpBrowserState;

#[derive(Clone, Debug)]
pub struct Browser {
    pub id: BrowserId,
    /// The identifier came in a cookie. Every page with a form sets this cookie. So a form without it comes from a browser that
    /// does not store cookies.
    pub keeps_cookies: bool,
    /// Secrets of the sessions in this browser, the current one first.
    pub sessions: Vec<OpaqueToken>,
    pub devices: Vec<DeviceId>,
    pub state: OpBrowserState,
    /// The state after this request, where it is a sign-in or a sign-out.
    pub next_state: OpBrowserState,
    /// How the browser uses the answer, as far as it says.
    pub fetch_context: FetchContext,
    /// The browser's name and system by its `User-Agent`, shortened for a list of devices.
    pub device_label: String,
    /// BCP 47 tags that the browser asks for, best first.
    pub languages: Vec<String>,
}

/// What a browser does with the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchContext {
    /// Opens it as a page.
    Page,
    /// Opens it in a frame of another page, or gives it to a script of our own pages.
    FrameOrOwnScript,
    /// Uses it as an image, a script, a style or the like of another page, requests it from a script of another origin, or
    /// prefetches it before a person has opened it. A page can cause any number of such requests, and none of them can lead a
    /// person through a sign-in.
    NotNavigation,
}

/// The Fetch Metadata headers of a request (Fetch Metadata section 2).
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchMetadata<'a> {
    /// `Sec-Fetch-Dest`.
    pub destination: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
    /// `Sec-Purpose`, else `Purpose`, which Safari and Chromium before 2023 send.
    pub purpose: Option<&'a str>,
}

impl FetchMetadata<'_> {
    /// A page can have the browser prefetch any address, with the cookies of that address, and all other headers are then the
    /// same as when a person opens it (Fetch, `Sec-Purpose`; `prefetch;prerender` where the page is rendered as well).
    fn is_prefetch(&self) -> bool {
        let purposes = self.purpose.unwrap_or_default().split([',', ';']);
        purposes.map(str::trim).any(|purpose| purpose.eq_ignore_ascii_case("prefetch"))
    }

    /// A script of another origin can read neither the answer nor its redirect, because no page for people answers with CORS
    /// headers. It could only use up the limits that frames of other applications need. A frame navigates, so a silent request in
    /// a frame is not counted here. The site is `none` where the person, or an extension, opened the address.
    fn is_of_foreign_script(&self) -> bool {
        match self.mode {
            Some("no-cors") => true,
            // Programs send `cors` alone: Node.js does. A browser sends all three.
            Some("cors" | "websocket") if self.destination.is_none() && self.site.is_none() => false,
            mode => {
                let is_script =
                    self.destination == Some("empty") || matches!(mode, Some("cors" | "websocket"));
                is_script && !matches!(self.site, Some("same-origin" | "none"))
            }
        }
    }
}

impl FetchContext {
    /// A browser without Fetch Metadata headers is treated as one that opens a page.
    pub fn of(metadata: FetchMetadata<'_>) -> Self {
        if metadata.is_prefetch() || metadata.is_of_foreign_script() {
            return Self::NotNavigation;
        }
        match metadata.destination {
            None | Some("document") => Self::Page,
            Some(
                "audio" | "audioworklet" | "font" | "image" | "json" | "manifest" | "paintworklet" | "report"
                | "script" | "serviceworker" | "sharedworker" | "speculationrules" | "style" | "track"
                | "video" | "worker" | "xslt",
            ) => Self::NotNavigation,
            // `iframe` and `frame` among them: a silent request (`prompt=none`) may come from there.
            Some(_) => Self::FrameOrOwnScript,
        }
    }
}
