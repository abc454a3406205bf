//! A browser: the cookies that the web would set, and visits made as the web makes them.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::ids::{BrowserId, DeviceId};
use anteroom_flows::context::browser::{Browser, FetchContext};
use anteroom_flows::context::call::{Call, Visit};
use anteroom_flows::error::FlowError;
use anteroom_flows::interaction::next::{Next, StepPage};
use anteroom_flows::interaction::open_interaction::{InteractionRef, OpenInteraction};
use anteroom_flows::people::sign_in::{Credentials, SignInOutcome, sign_in};
use anteroom_flows::protocol::sign_out::end_all_of_browser;
use anteroom_flows::sessions::browser_sessions::active_sessions;
use anteroom_flows::sessions::new_session::NewCookies;
use anteroom_oidc::session_state::OpBrowserState;
use anteroom_testkit::PASSWORD;
use std::net::IpAddr;

use crate::installation::{Installation, PRACTICE};

/// A copy is another tab, with the cookies of this moment.
#[derive(Clone, Debug)]
pub(crate) struct TestBrowser {
    pub(crate) id: BrowserId,
    pub(crate) keeps_cookies: bool,
    pub(crate) sessions: Vec<OpaqueToken>,
    pub(crate) devices: Vec<DeviceId>,
    pub(crate) address: IpAddr,
    pub(crate) state: OpBrowserState,
}

impl TestBrowser {
    pub(crate) fn new(at: &Installation) -> Self {
        Self {
            id: BrowserId(at.node.random.uuid_v4()),
            keeps_cookies: true,
            sessions: Vec::new(),
            devices: Vec::new(),
            address: PRACTICE,
            state: OpBrowserState::from_random(at.node.random.bytes()),
        }
    }

    /// A request without a form.
    pub(crate) fn visit(&self, at: &Installation) -> Visit {
        let from = at.from(self.address);
        let browser = Browser {
            id: self.id,
            keeps_cookies: self.keeps_cookies,
            sessions: self.sessions.clone(),
            devices: self.devices.clone(),
            state: self.state,
            next_state: OpBrowserState::from_random(at.node.random.bytes()),
            fetch_context: FetchContext::Page,
            device_label: "a browser".to_owned(),
            languages: Vec::new(),
        };
        Visit::new(Call::of_request(&at.node, from), browser, from)
    }

    /// A form of a page that showed no account, opened for this submission.
    pub(crate) fn form(&self, at: &Installation) -> Visit {
        self.form_with(at, &at.node.random.token().encode())
    }

    /// The same with this token. Two visits with one token are one form that is sent twice.
    pub(crate) fn form_with(&self, at: &Installation, token: &str) -> Visit {
        let mut visit = self.visit(at);
        visit.sends_form(token, &[]);
        visit
    }

    /// A form of this page.
    pub(crate) fn form_of(&self, at: &Installation, page: &StepPage) -> (Visit, Option<InteractionRef>) {
        let visit = Visit { form: page.owner(), ..self.form(at) };
        let interaction_ref = reference(&visit, &page.interaction);
        (visit, interaction_ref)
    }

    pub(crate) fn remember(&mut self, cookies: &NewCookies) {
        self.sessions.clone_from(&cookies.sessions);
        self.remember_device(cookies.device);
    }

    pub(crate) fn remember_device(&mut self, device: DeviceId) {
        self.devices.retain(|known| *known != device);
        self.devices.insert(0, device);
    }

    /// Enters an address and a password on the sign-in page, and keeps the cookies of the answer.
    pub(crate) async fn sign_in(
        &mut self,
        at: &Installation,
        address: &str,
        password: &str,
    ) -> SignInOutcome {
        let outcome = attempt(self.form(at), address, password, None).await.unwrap();
        if let SignInOutcome::SignedIn { cookies, .. } = &outcome {
            self.remember(cookies);
        }
        outcome
    }

    /// The same in the interaction of this page.
    pub(crate) async fn sign_in_on(
        &mut self,
        at: &Installation,
        page: &StepPage,
        address: &str,
        password: &str,
    ) -> SignInOutcome {
        let (visit, interaction_ref) = self.form_of(at, page);
        let outcome = attempt(visit, address, password, interaction_ref).await.unwrap();
        if let SignInOutcome::SignedIn { cookies, .. } = &outcome {
            self.remember(cookies);
        }
        outcome
    }

    /// Signs every account out, and keeps the cookies of the answer.
    pub(crate) async fn sign_out(&mut self, at: &Installation) {
        let result = end_all_of_browser(&self.visit(at)).await.unwrap();
        (self.id, self.sessions) = (result.browser, result.remaining);
    }

    /// Whether an account is signed in here.
    pub(crate) async fn is_signed_in(&self, at: &Installation) -> bool {
        !active_sessions(&self.visit(at)).await.unwrap().is_empty()
    }
}

/// A browser in which this account, with the usual password, is signed in.
pub(crate) async fn signed_in(at: &Installation, address: &str) -> TestBrowser {
    let mut browser = at.browser();
    let outcome = browser.sign_in(at, address, PASSWORD).await;
    assert!(matches!(outcome, SignInOutcome::SignedIn { .. }), "{outcome:?}");
    browser
}

pub(crate) async fn attempt(
    visit: Visit,
    address: &str,
    password: &str,
    interaction_ref: Option<InteractionRef>,
) -> Result<SignInOutcome, FlowError> {
    let address = FoldedAddress::from_entered(address);
    Box::pin(sign_in(&visit, Credentials { address, password: password.into(), interaction_ref })).await
}

/// What the form of a page names its interaction by.
pub(crate) fn reference(call: &Call, interaction: &OpenInteraction) -> Option<InteractionRef> {
    let value = interaction.form_value(call).unwrap()?;
    Some(InteractionRef::parse(&value).unwrap())
}

pub(crate) fn page(next: Next) -> Box<StepPage> {
    match next {
        Next::Page(page) => page,
        other => panic!("no page: {other:?}"),
    }
}
