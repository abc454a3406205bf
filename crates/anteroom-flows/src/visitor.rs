//! Who is asking: the browser, what it holds, and the time, address and reference of this one request.

use anteroom_crypto::{Digest, KeyPurpose, Keyring, Random, Token};
use anteroom_domain::account::Account;
use anteroom_domain::ids::{AccountId, BrowserId, DeviceId, SessionId};
use anteroom_domain::reference::Reference;
use anteroom_domain::session::{Session, SessionStanding};
use anteroom_oidc::ClientId;
use anteroom_oidc::session_state::OpBrowserState;
use anteroom_storage::FoundSession;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::FlowError;
use crate::limits::FormOwner;
use crate::provider::Provider;
use crate::repeated::SentForm;

/// At most this many accounts are signed in in one browser; the least recently used goes first.
pub const MAX_SESSIONS: usize = 5;

/// One request from one browser. The cookies were parsed at the edge; nothing here has been believed yet but the
/// devices, whose cookie carries a MAC.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub now: Timestamp,
    pub address: IpAddr,
    pub reference: Reference,
    pub browser: BrowserId,
    /// The identifier came in a cookie. The page of every form gives one, so a browser that sends none keeps none.
    pub keeps_cookies: bool,
    /// Secrets of the sessions in this browser, the current one first.
    pub sessions: Vec<Token>,
    pub devices: Vec<DeviceId>,
    pub browser_state: OpBrowserState,
    /// What becomes of it where this request is a sign-in or a sign-out.
    pub next_browser_state: OpBrowserState,
    /// What the browser loads with this request, as far as it says.
    pub loads: Loads,
    /// What the browser says it is, shortened for a list of devices.
    pub device_label: String,
    /// BCP 47 tags that the browser asks for, best first.
    pub languages: Vec<String>,
    /// Whom the page showed from which a form was sent, as the form's token says. No account where it is no form.
    pub form: FormOwner,
    /// The form itself. `None` where it is no form, or its token is out of date.
    pub sent_form: Option<SentForm>,
    pub span: RequestSpan,
}

/// The span of the whole request, to which the client is added once it is known.
#[derive(Clone, Debug)]
pub struct RequestSpan {
    span: tracing::Span,
    names_client: Arc<AtomicBool>,
}

impl RequestSpan {
    pub fn current() -> Self {
        Self { span: tracing::Span::current(), names_client: Arc::default() }
    }

    /// Only of a client that is known: the span has no text of strangers. A second one is not added.
    pub fn is_about(&self, client: &ClientId) {
        if !self.names_client.swap(true, Ordering::Relaxed) {
            self.span.record("client", client.as_str());
        }
    }
}

/// What a browser does with the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loads {
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

impl Loads {
    /// Browsers that send none of the headers are taken at their word.
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

impl Visitor {
    /// The same browser once its cookies say that other sessions are in it, or that more was proven in one of them.
    /// The form has been answered by then, so that whom its page showed binds no further step.
    pub(crate) fn with_other_sessions(&self) -> Self {
        Self { browser_state: self.next_browser_state, form: FormOwner::default(), ..self.clone() }
    }
}

impl FormOwner {
    pub fn of(live: &Live) -> Self {
        Self { session: Some(live.session.id), account: Some(live.account.id) }
    }

    pub const fn of_account(account: AccountId) -> Self {
        Self { session: None, account: Some(account) }
    }

    /// Whether a form of this page may act for this session. A page that showed no account is bound to none.
    pub(crate) fn allows(&self, live: &Live) -> bool {
        self.allows_account(live.account.id) && self.session.is_none_or(|session| session == live.session.id)
    }

    pub(crate) fn allows_account(&self, account: AccountId) -> bool {
        self.account.is_none_or(|shown| shown == account)
    }
}

/// A session that is alive now, with its account as it is now.
#[derive(Clone, Debug)]
pub struct Live {
    pub session: Session,
    pub account: Account,
    /// Which of the browser's secrets opened it.
    pub token: Token,
}

const SESSION_CONTEXT: &str = "session";

/// What the store knows a session's secret by.
pub(crate) fn session_digest(keyring: &Keyring, token: &Token) -> Digest {
    keyring.mac(KeyPurpose::TokenHash).digest(SESSION_CONTEXT, token.as_bytes())
}

/// The live sessions of the browser, in the cookie's order, those included that can be used only after a proof
/// ([`Session::wants_proof`]).
pub async fn live_sessions(provider: &Provider, visitor: &Visitor) -> Result<Vec<Live>, FlowError> {
    let policy = provider.snapshot().policy.session;
    let here = sessions_here(provider, visitor).await?.into_iter();
    let live = here
        .filter(|(row, _)| row.session.standing(&row.account, policy, visitor.now) == SessionStanding::Live);
    Ok(live.map(|(row, token)| Live { session: row.session, account: row.account, token }).collect())
}

/// Who is at work in the browser, where that is another person than the page of the form showed, or the same person in
/// another session. A form that acts on the current session must not act on theirs.
pub async fn another_person(provider: &Provider, visitor: &Visitor) -> Result<Option<Live>, FlowError> {
    let current = live_sessions(provider, visitor).await?.into_iter().next();
    Ok(current.filter(|live| !visitor.form.allows(live)))
}

/// Whether another person than this account's has signed in here after `at`, or used a session from before. The cookie can be edited
/// at the browser: what the browser's sessions were is known without it.
pub(crate) async fn another_signed_in_since(
    provider: &Provider,
    visitor: &Visitor,
    account: AccountId,
    at: Timestamp,
) -> Result<bool, FlowError> {
    let here = sessions_here(provider, visitor).await?;
    if here.iter().any(|(row, _)| row.session.is_of_another_since(account, at)) {
        return Ok(true);
    }
    Ok(provider.store.was_another_at_browser_since(visitor.browser, (account, at)).await?)
}

/// Alive or not, as long as there is something to say of them.
pub(crate) async fn sessions_here(
    provider: &Provider,
    visitor: &Visitor,
) -> Result<Vec<(FoundSession, Token)>, FlowError> {
    let mac = provider.keyring.mac(KeyPurpose::TokenHash);
    // Several digests a token: a session outlives the rotation of the hashing key.
    let tokens = visitor.sessions.iter().take(MAX_SESSIONS);
    let digests: Vec<(Digest, &Token)> = tokens
        .flat_map(|token| {
            mac.digests(SESSION_CONTEXT, token.as_bytes()).into_iter().map(move |digest| (digest, token))
        })
        .collect();
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<Digest> = digests.iter().map(|(digest, _)| *digest).collect();
    let mut found = provider.store.sessions_by_tokens(&wanted).await?;
    let mut here = Vec::new();
    for (digest, token) in digests {
        let Some(place) = found.iter().position(|row| row.digest == digest) else { continue };
        let mut row = found.swap_remove(place);
        // A node of release 0.1.0 notes nothing when another account becomes the current one.
        if visitor.sessions.first() != Some(token) {
            row.session.left_at = row.session.left_at.or(Some(row.session.last_active_at));
        }
        here.push((row, token.clone()));
    }
    Ok(here)
}

/// Those of the browser that are left when one of this account becomes the current one.
pub(crate) fn left_behind(live: &[Live], account: AccountId) -> Vec<SessionId> {
    live.iter().filter(|other| other.account.id != account).map(|other| other.session.id).collect()
}

/// The secrets that the browser keeps, newest first.
pub(crate) fn kept_sessions(live: &[Live]) -> Vec<Token> {
    live.iter().map(|one| one.token.clone()).take(MAX_SESSIONS).collect()
}

/// Time-ordered identifiers keep the newest rows of an index together.
pub(crate) fn new_id(random: &Random, now: Timestamp) -> uuid::Uuid {
    random.uuid_v7(u64::try_from(now.as_millisecond()).unwrap_or(0))
}
