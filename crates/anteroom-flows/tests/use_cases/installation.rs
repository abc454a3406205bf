//! The installation of a test: a database, and one node or several that share it and the clock.

use anteroom_domain::ids::{AccountId, AuthenticatorAppId};
use anteroom_domain::lockout::Lockout;
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::reference::RequestReference;
use anteroom_domain::totp::{AuthenticatorApp, TimeStep, TotpSecret};
use anteroom_flows::context::call::{Call, RequestFrom};
use anteroom_flows::context::provider::Provider;
use anteroom_flows::people::mail_requests;
use anteroom_storage::{AuditRecord, FirstCode};
use anteroom_testkit::{AccountBuilder, Backend, Builder, TestProvider};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::mpsc;
use url::Url;

use anteroom_crypto::{KeyPurpose, QueueKey};

use crate::browser::TestBrowser;

/// The seed of every test: each has a database of its own.
const SEED: u64 = 20_270_104;
/// Where every request comes from that does not say another address.
pub(crate) const PRACTICE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// One node of the installation.
pub(crate) struct Installation {
    builder: Builder,
    pub(crate) node: Arc<Provider>,
}

impl Installation {
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::with(backend, |builder| builder).await
    }

    /// The same with settings that are not the usual ones.
    pub(crate) async fn with(backend: Backend, settle: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = settle(TestProvider::on(&backend.seeded(SEED)));
        // On the heap: tests hold what is under way in their own futures.
        let node = Box::pin(builder.provider()).await;
        Self { builder, node }
    }

    pub(crate) async fn another_node(&self) -> Self {
        Self { node: Box::pin(self.builder.provider()).await, builder: self.builder.clone() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.builder.clock().now()
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.builder.clock().advance(by);
    }

    pub(crate) fn person(&self, address: &str) -> AccountBuilder<'_> {
        AccountBuilder::new(&self.node, address)
    }

    /// A browser that has opened a page here before, so that it keeps a cookie, and in which no account is signed in.
    pub(crate) fn browser(&self) -> TestBrowser {
        TestBrowser::new(self)
    }

    pub(crate) fn from(&self, address: IpAddr) -> RequestFrom {
        RequestFrom { address, reference: RequestReference::from_random(self.node.random.bytes()) }
    }

    /// The call of a client's request.
    pub(crate) fn call(&self) -> Call {
        self.call_from(PRACTICE)
    }

    pub(crate) fn call_from(&self, address: IpAddr) -> Call {
        Call::of_request(&self.node, self.from(address))
    }

    /// The call of an operator, or of a background round.
    pub(crate) fn local(&self) -> Call {
        Call::local(&self.node)
    }

    /// The trail's entries of one kind, newest first.
    pub(crate) async fn audited(&self, kind: &str) -> Vec<AuditRecord> {
        let all = self.node.store.recent_entries(1_000).await.unwrap();
        all.into_iter().filter(|entry| entry.kind == kind).collect()
    }

    /// How many entries of this kind have this in their detail.
    pub(crate) async fn count_audited(&self, kind: &str, detail: &str) -> usize {
        self.audited(kind).await.iter().filter(|entry| entry.detail.contains(detail)).count()
    }

    /// Messages to people, newest first, once the requests for mails are answered.
    pub(crate) async fn outbox(&self) -> Vec<Message> {
        mail_requests::queue_requested_mails(&self.local()).await.unwrap();
        self.node.store.newest_messages(100).await.unwrap()
    }

    /// How many messages of a kind are in the outbox.
    pub(crate) async fn count_messages(&self, kind: &str) -> usize {
        self.outbox().await.iter().filter(|message| message.body.kind() == kind).count()
    }

    /// The newest mail of a recovery: the token of its link, and the code that can be typed in its place.
    pub(crate) async fn recovery_mail(&self) -> (String, String) {
        let found = self.outbox().await.into_iter().find_map(|message| match message.body {
            MessageBody::Email { mail: Mail::Recovery { link, code, .. }, .. } => Some((link, code)),
            _ => None,
        });
        let (link, code) = found.unwrap();
        (token_of(&link), code.unwrap())
    }

    /// The token of the newest invitation.
    pub(crate) async fn invitation(&self) -> String {
        let found = self.outbox().await.into_iter().find_map(|message| match message.body {
            MessageBody::Email { mail: Mail::Invitation { link, .. }, .. } => Some(link),
            _ => None,
        });
        token_of(&found.unwrap())
    }

    /// The digits of the code that was sent last.
    pub(crate) async fn digits(&self) -> String {
        let found = self.outbox().await.into_iter().find_map(|message| match message.body {
            MessageBody::Text { code, .. } | MessageBody::Call { code, .. } => Some(code.digits),
            _ => None,
        });
        found.unwrap()
    }

    pub(crate) async fn lockout(&self, account: AccountId) -> Lockout {
        self.node.store.account(account).await.unwrap().unwrap().lockout
    }

    /// How many sessions of the account have not ended.
    pub(crate) async fn sessions(&self, account: AccountId) -> usize {
        let sessions = self.node.store.write(move |tx| async move { tx.sessions_of_account(account).await });
        let sessions: Result<_, anteroom_storage::StoreError> = sessions.await;
        sessions.unwrap().iter().filter(|session| session.ended_at.is_none()).count()
    }

    /// Adds an authenticator app that can be used.
    pub(crate) async fn add_app(&self, account: AccountId) {
        let (random, now, id) = (&self.node.random, self.now(), AuthenticatorAppId(self.local().new_id()));
        let secret = TotpSecret::generate(random);
        let sealer = self.node.keyring.sealer(KeyPurpose::FactorSeal);
        let app = AuthenticatorApp {
            id,
            account,
            secret_sealed: sealer.seal(random, &AuthenticatorApp::associated_data(id), secret.as_bytes()),
            confirmed_at: None,
            usable_from: now,
            last_step: None,
            created_at: now,
        };
        let code = FirstCode { step: TimeStep(0), at: now, usable_from: now };
        let added = self.node.store.write(move |tx| {
            let app = app.clone();
            async move {
                tx.begin_app(&app).await?;
                tx.confirm_app(account, id, code).await
            }
        });
        let added: Result<bool, anteroom_storage::StoreError> = added.await;
        assert!(added.unwrap());
    }

    pub(crate) async fn hash(&self, password: &str) -> anteroom_crypto::PasswordHash {
        let password = SecretString::from(password);
        self.node.hashing.hash(QueueKey::Prefix(0), &password).await.unwrap()
    }

    /// Keeps every hashing thread of the node busy until [`HeldHashes::release`]: a hash that is asked for waits.
    pub(crate) async fn hold_hashes(&self) -> HeldHashes {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut held = Vec::with_capacity(threads);
        for number in 0..threads {
            let (release, wait) = mpsc::channel::<()>();
            let (busy, is_busy) = tokio::sync::oneshot::channel();
            let node = Arc::clone(&self.node);
            let work = tokio::spawn(async move {
                let work = move || {
                    let _ = busy.send(());
                    // Also over once the sender is dropped.
                    let _ = wait.recv();
                };
                node.hashing.run(QueueKey::Prefix(number as u64), work).await.unwrap();
            });
            is_busy.await.unwrap();
            held.push((release, work));
        }
        HeldHashes { node: Arc::clone(&self.node), held }
    }
}

/// Hashing threads that a test keeps busy.
pub(crate) struct HeldHashes {
    node: Arc<Provider>,
    held: Vec<(mpsc::Sender<()>, tokio::task::JoinHandle<()>)>,
}

impl HeldHashes {
    /// Until so many hashes wait: the requests that asked for them have read what they decide by.
    pub(crate) async fn wait_for(&self, queued: usize) {
        while self.node.hashing.queued() < queued {
            tokio::task::yield_now().await;
        }
    }

    /// One of the threads works on.
    pub(crate) async fn release_one(&mut self) {
        let (release, work) = self.held.pop().unwrap();
        drop(release);
        work.await.unwrap();
    }

    pub(crate) async fn release(self) {
        for (release, work) in self.held {
            drop(release);
            work.await.unwrap();
        }
    }
}

fn token_of(link: &str) -> String {
    let link: Url = link.parse().unwrap();
    let (_, token) = link.query_pairs().find(|(name, _)| name == "token").unwrap();
    token.into_owned()
}
