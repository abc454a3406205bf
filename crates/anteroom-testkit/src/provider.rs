//! A provider that runs: real HTTP on a free port, a clock that tests move, accounts, and what it has written down.

use anteroom_config::{Configuration, Settings};
use anteroom_crypto::PasswordHasher;
use anteroom_domain::clock::Clock;
use anteroom_domain::ids::MessageId;
use anteroom_domain::message::Message;
use anteroom_flows::context::call::Call;
use anteroom_flows::context::provider::Provider;
use anteroom_flows::context::refusals;
use anteroom_flows::context::registered_clients;
use anteroom_flows::keys::signing_keys;
use anteroom_flows::node::database_history;
use anteroom_flows::people::mail_requests;
use anteroom_flows::protocol::backchannel;
use anteroom_flows::sessions::end_sessions;
use anteroom_server::wiring::{self, Environment};
use anteroom_server::{background, housekeeping, sending};
use anteroom_storage::{AuditRecord, InstanceKind, MessageState, MessageStatus};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::answer::TestResponse;
use crate::backend::{Backend, Nodes};
use crate::browser::Browser;
use crate::node::Node;
use crate::node_client::NodeClient;
use crate::person::AccountBuilder;
use crate::relying_party::RelyingParty;
use crate::settings::TestSettings;

/// When every test begins: a Monday morning.
pub const MORNING: &str = "2027-01-04T08:00:00Z";

/// Settles what the provider of a test is like. Dotted keys are those of the configuration reference, values TOML.
#[derive(Clone, Debug)]
pub struct Builder {
    backend: Backend,
    pub(crate) settings: TestSettings,
    real_hashing: bool,
    pub(crate) clock: Clock,
    pub(crate) issuer: Option<String>,
}

impl Builder {
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.set(key, value);
        self
    }

    #[must_use]
    pub fn unset(mut self, key: &str) -> Self {
        self.settings.unset(key);
        self
    }

    /// More `[[clients]]` and `[[groups]]`, beside the usual ones ([`crate::CLIENTS`]).
    #[must_use]
    pub fn clients(mut self, toml: &str) -> Self {
        self.settings.add_clients(toml);
        self
    }

    /// Hashes as `[hashing]` says instead of as cheaply as can be.
    #[must_use]
    pub fn real_hashing(mut self) -> Self {
        self.real_hashing = true;
        self
    }

    /// Another node of the installation that `first` is one of: the same issuer, the same clock.
    #[must_use]
    pub fn another_node_of(mut self, first: &TestProvider) -> Self {
        self.issuer = Some(first.issuer.clone());
        self.clock = first.clock.clone();
        self
    }

    /// Its clock is ahead of where it stood, from now on on its own.
    #[must_use]
    pub fn ahead_by(mut self, by: SignedDuration) -> Self {
        self.clock = Clock::manual(self.clock.now() + by);
        self
    }

    /// Answers under this name, which may be an https one, as behind a proxy.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// Time goes by as it does everywhere else.
    #[must_use]
    pub fn real_time(mut self) -> Self {
        self.clock = Clock::system();
        self
    }

    /// Listens. Alice (staff and clinicians) and Bob (staff) are there.
    pub async fn start(self) -> TestProvider {
        // On the heap: tests hold what is under way in their own futures.
        Box::pin(self.begin()).await
    }

    async fn begin(mut self) -> TestProvider {
        let first = Node::listen(|address| {
            let issuer = self.issuer.get_or_insert_with(|| format!("http://localhost:{}", address.port()));
            self.settings.set("issuer", &format!("\"{issuer}\""));
            self.place(address)
        })
        .await;
        let issuer = self.issuer.clone().unwrap_or_default();
        let wire = NodeClient::new(first.address, &issuer);
        let second = match self.backend.nodes {
            Nodes::One => None,
            Nodes::TwoInTurn => Some(self.another().await),
        };
        if let Some(second) = &second {
            wire.alternate_with(second.address);
        }
        let test = TestProvider {
            issuer,
            provider: Arc::clone(&first.provider),
            clock: self.clock.clone(),
            settings: first.settings.clone(),
            wire,
            first,
            second: Mutex::new(second),
            builder: self,
        };
        if test.settle_in().await {
            test.person("alice@practice.example").groups(&["staff", "clinicians"]).create().await;
            test.person("bob@practice.example").groups(&["staff"]).create().await;
        }
        test
    }

    /// Another node under the issuer's name.
    async fn another(&self) -> Node {
        Node::listen(|address| self.clone().place(address)).await
    }

    /// What the node at this address is configured with.
    pub(crate) fn place(&mut self, address: SocketAddr) -> (Configuration, Environment) {
        self.settings.set("server.listen", &format!("\"{address}\""));
        let around = Environment {
            clock: self.clock.clone(),
            random: self.backend.random.clone(),
            kind: InstanceKind::Production,
            may_make_keys: true,
            may_open_demo: false,
            hasher: if self.real_hashing {
                PasswordHasher::new
            } else {
                |_, keyring, random| PasswordHasher::cheap_for_tests(keyring, random)
            },
            key_maker: self.backend.keys.clone(),
        };
        (self.settings.read(&self.backend), around)
    }
}

/// A running installation: one node, or two that are asked in turn. It stops when it goes.
pub struct TestProvider {
    pub issuer: String,
    /// Of the first node.
    pub provider: Arc<Provider>,
    pub clock: Clock,
    settings: Settings,
    wire: NodeClient,
    first: Node,
    second: Mutex<Option<Node>>,
    builder: Builder,
}

impl TestProvider {
    pub async fn start(backend: &Backend) -> Self {
        Self::on(backend).start().await
    }

    pub fn on(backend: &Backend) -> Builder {
        Builder {
            backend: backend.clone(),
            settings: TestSettings::default(),
            real_hashing: false,
            clock: Clock::manual(MORNING.parse().unwrap()),
            issuer: None,
        }
    }

    /// Where there are two nodes, one goes, and another that knows only what the database knows takes its place. From here
    /// on the requests that the one would have served go to the other. One node alone goes on.
    pub async fn replace_a_node(&self) {
        let gone = self.second.lock().unwrap().take();
        if let Some(gone) = gone {
            gone.stop().await;
            let fresh = self.builder.another().await;
            self.wire.alternate_with(fresh.address);
            *self.second.lock().unwrap() = Some(fresh);
        }
    }

    /// Whether this is the first node on its database.
    async fn settle_in(&self) -> bool {
        let alice = anteroom_domain::address::FoldedAddress::from_entered("alice@practice.example");
        self.provider.store.account_by_address(&alice).await.unwrap().is_none()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> Browser {
        Browser::new(self.wire.clone())
    }

    /// A browser in which this person, with the usual password, is signed in.
    pub async fn signed_in(&self, address: &str) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(address, crate::PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.page_summary());
        browser
    }

    /// An account to add.
    pub fn person(&self, address: &str) -> AccountBuilder<'_> {
        AccountBuilder::new(&self.provider, address)
    }

    /// An application among those configured.
    pub fn client(&self, id: &str) -> RelyingParty {
        let configured = self.settings.clients.iter().find(|client| client.metadata.client_id.as_str() == id);
        RelyingParty::new(self.wire.clone(), configured.unwrap())
    }

    /// Asks as a program does, with a bearer token where there is one; what is sent is JSON.
    pub async fn call(&self, method: &str, target: &str, bearer: Option<&str>, json: &Value) -> TestResponse {
        let mut headers = HeaderMap::new();
        if let Some(token) = bearer {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = if json.is_null() { String::new() } else { json.to_string() };
        self.wire.send(method.parse().unwrap(), target, headers, body).await
    }

    /// Whatever can be said over HTTP, without cookies and credentials of its own.
    pub async fn ask(&self, method: Method, target: &str, headers: HeaderMap, body: Vec<u8>) -> TestResponse {
        self.wire.send(method, target, headers, body).await
    }

    /// Where the first node listens, for what no client would send.
    pub fn address(&self) -> SocketAddr {
        self.first.address
    }

    /// Every path that is answered, as the router has it: `/clients/{client}`.
    pub fn routes(&self) -> &[String] {
        &self.first.routes
    }

    /// The application that the registration endpoint told this about.
    pub fn registered(&self, client: &Value) -> RelyingParty {
        RelyingParty::registered(self.wire.clone(), client)
    }

    /// What the background does each second about clients that registered at another node.
    pub async fn follow_clients(&self) {
        registered_clients::refresh_registered_clients(&self.provider).await.unwrap();
    }

    /// What the background does each minute about keys.
    pub async fn refresh_keys(&self) {
        let schedule = wiring::key_schedule(&self.settings);
        housekeeping::rotate_keys(&self.provider, &schedule).await.unwrap();
        background::reload_keys(&self.provider, &mut None).await.unwrap();
    }

    /// What `anteroom keys rotate` does.
    pub async fn rotate_keys(&self, reason: signing_keys::RotationReason) -> signing_keys::Rotated {
        let (schedule, parts) = (wiring::key_schedule(&self.settings), &self.provider);
        let rotation = signing_keys::KeyRotation {
            store: &parts.store,
            keyring: &parts.keyring,
            schedule: &schedule,
            trigger: signing_keys::RotationTrigger::Operator(reason),
            audit: self.local().audit().clone(),
        };
        signing_keys::rotate(rotation).await.unwrap()
    }

    /// The context of an operator's command, or of a background round, that begins now.
    pub fn local(&self) -> Call {
        Call::local(&self.provider)
    }

    /// One look of the node at its database.
    pub async fn look_at_history(&self) {
        database_history::check_now(&self.provider).await.unwrap();
    }

    /// What `anteroom database accept` does.
    pub async fn accept_database(&self) {
        let call = self.local();
        database_history::accept(call.store(), call.audit(), None).await.unwrap();
    }

    /// What the background does each minute about what is only counted.
    pub async fn write_tallies(&self) {
        refusals::write_audit_counters(&self.local()).await.unwrap();
    }

    /// What the background does each minute about sessions whose time has passed.
    pub async fn end_lapsed_sessions(&self) {
        end_sessions::end_lapsed(&self.local()).await.unwrap();
        end_sessions::end_sessions_of_old_epochs(&self.local()).await.unwrap();
    }

    /// What the background does each minute by the clock, with `running` on the stopwatch.
    pub async fn tidy_up(&self, rounds: &mut housekeeping::HousekeepingState, running: Duration) {
        let retention = self.settings.audit.retention;
        housekeeping::expire_and_delete(&self.provider, retention, rounds, running).await.unwrap();
    }

    /// One round of back-channel logout; how many deliveries were tried.
    pub async fn deliver_logouts(&self) -> usize {
        backchannel::deliver_due(&self.local()).await.unwrap()
    }

    /// What the background does twice a second about mails that were asked for; how many asks were answered.
    pub async fn answer_asks(&self) -> usize {
        mail_requests::queue_requested_mails(&self.local()).await.unwrap()
    }

    /// Messages to people, newest first, once what was asked for is answered.
    pub async fn outbox(&self) -> Vec<Message> {
        self.answer_asks().await;
        self.provider.store.newest_messages(100).await.unwrap()
    }

    /// Lets the worker send what is queued until this message is over, then stops it.
    pub async fn send_until_over(&self, id: MessageId) {
        let over = |state: &MessageState| matches!(state.status, MessageStatus::Sent | MessageStatus::Failed);
        self.send_until(id, over).await;
    }

    /// The same until this message has become what is waited for.
    pub async fn send_until(&self, id: MessageId, reached: impl Fn(&MessageState) -> bool) {
        let sending = sending::start(&self.first.web, &self.settings).unwrap().unwrap();
        let look = async {
            while !reached(&self.provider.store.message_state(id).await.unwrap().unwrap()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), look).await.unwrap();
        sending.finish().await;
    }

    /// The trail, newest first.
    pub async fn audit(&self) -> Vec<AuditRecord> {
        self.provider.store.recent_entries(1_000).await.unwrap()
    }

    /// The trail's entries of one kind, newest first.
    pub async fn audited(&self, kind: &str) -> Vec<AuditRecord> {
        self.audit().await.into_iter().filter(|entry| entry.kind == kind).collect()
    }

    /// How often Argon2 has run, on the nodes that are there now.
    pub fn hashes_computed(&self) -> u64 {
        let on = |provider: &Provider| provider.hashing.hasher().hashes_computed();
        on(&self.provider) + self.second.lock().unwrap().as_ref().map_or(0, |second| on(&second.provider))
    }
}

impl Browser {
    /// The same browser, led to another node.
    pub fn lead_to(&mut self, node: &TestProvider) {
        self.set_node(node.wire.clone());
    }
}
