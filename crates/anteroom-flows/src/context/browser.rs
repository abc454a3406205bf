//! What a browser sends with a request: its cookies, parsed at the edge, and what it says of itself. Nothing here has been
//! believed yet but the devices, whose cookie carries a MAC.

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
    /// What becomes of it where this request is a sign-in or a sign-out.
    pub next_state: OpBrowserState,
    /// What the browser loads with this request, as far as it says.
    pub loads: FetchContext,
    /// What the browser says it is, shortened for a list of devices.
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
    WithinPage,
    /// Uses it as an image, a script, a style or the like of another page, or asks for it from a script of another origin. A
    /// page can ask for any number of those, from any address, and none can lead a person through a sign-in. Or fetches it ahead
    /// of time, before a person has opened it.
    PartOfPage,
}

/// What a browser says of a request that it sends (Fetch Metadata section 2): each is the value of one header.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchMetadata<'a> {
    /// `Sec-FetchRequest-Dest`.
    pub destination: Option<&'a str>,
    /// `Sec-FetchRequest-Mode`.
    pub mode: Option<&'a str>,
    /// `Sec-FetchRequest-Site`.
    pub site: Option<&'a str>,
    /// `Sec-Purpose`, else `Purpose`, which Safari and Chromium before 2023 send.
    pub purpose: Option<&'a str>,
}

impl FetchMetadata<'_> {
    /// A page can have the browser fetch any address ahead of time, with the cookies of that address, and all other headers
    /// are then those of a person's own doing (Fetch, `Sec-Purpose`; `prefetch;prerender` where it is drawn as well).
    fn is_ahead_of_time(&self) -> bool {
        let purposes = self.purpose.unwrap_or_default().split([',', ';']);
        purposes.map(str::trim).any(|purpose| purpose.eq_ignore_ascii_case("prefetch"))
    }

    /// A script of another origin can read neither the answer nor the redirect in it, because no page for people answers with
    /// CORS headers. All that it could do is use up what the frames of other applications need. Frames navigate, so that a
    /// silent request from one is not among these. `none` is the person's own doing, or an extension's.
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
    pub fn of(said: FetchMetadata<'_>) -> Self {
        if said.is_ahead_of_time() || said.is_of_foreign_script() {
            return Self::PartOfPage;
        }
        match said.destination {
            None | Some("document") => Self::Page,
            Some(
                "audio" | "audioworklet" | "font" | "image" | "json" | "manifest" | "paintworklet" | "report"
                | "script" | "serviceworker" | "sharedworker" | "speculationrules" | "style" | "track"
                | "video" | "worker" | "xslt",
            ) => Self::PartOfPage,
            // `iframe` and `frame` among them: a silent request (`prompt=none`) may come from there.
            Some(_) => Self::WithinPage,
        }
    }
}
