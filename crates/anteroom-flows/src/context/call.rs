//! The context of one request, or of one round of Anteroom's own work: what it sees and what its entries in the audit trail
//! have in common.
//!
//! It is made at the edge: by the web for a request, once its body is there, by a command for its operator, by a background task for
//! each round.
//!
//! Invariants: a call has one `now`, and one snapshot of the configuration and its clients at a time, so that two steps of one
//! request cannot decide under two configurations. The snapshot moves on in one place, [`Call::refresh_for`], for all that the
//! request does from there on: a step that follows upon a wait sees what there is then, and a client that was looked up once
//! is known to every later step. Signing keys are the present ones at each use: one that was withdrawn while a request waited
//! signs nothing more and proves nothing more.

use anteroom_crypto::{HashPool, KeyedDigest, Keyring, Random};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::{AccountId, NodeId, SessionId};
use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::reference::RequestReference;
use anteroom_oidc::ClientId;
use anteroom_storage::Store;
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

use crate::audit::context::AuditContext;
use crate::context::browser::Browser;
use crate::context::live::ActiveSession;
use crate::context::outgoing::Outgoing;
use crate::context::provider::{Provider, Snapshot};
use crate::context::registered_clients;
use crate::error::FlowError;
use crate::keys::key_set::KeySet;

/// From where a request came, and the reference by which it is known wherever it is spoken of.
#[derive(Clone, Copy, Debug)]
pub struct RequestFrom {
    pub address: IpAddr,
    pub reference: RequestReference,
}

/// What a use case needs of its surroundings. Cheap to clone.
#[derive(Clone)]
pub struct Call(Arc<CallParts>);

/// What a [`Call`] holds.
pub struct CallParts {
    /// When the request came, or the round began.
    pub now: Timestamp,
    pub span: RequestSpan,
    provider: Arc<Provider>,
    snapshots: SnapshotsSeen,
    audit: AuditContext,
}

impl Call {
    pub fn of_request(provider: &Arc<Provider>, from: RequestFrom) -> Self {
        let RequestFrom { address, reference } = from;
        Self::with(provider, |audit| AuditContext {
            address: Some(address),
            reference: Some(reference),
            ..audit
        })
    }

    /// An act of Anteroom itself, or of an operator at the shell.
    pub fn local(provider: &Arc<Provider>) -> Self {
        Self::with(provider, |audit| audit)
    }

    fn with(provider: &Arc<Provider>, of: impl FnOnce(AuditContext) -> AuditContext) -> Self {
        let now = provider.clock.now();
        Self(Arc::new(CallParts {
            now,
            span: RequestSpan::current(),
            snapshots: SnapshotsSeen::from(provider.snapshot()),
            audit: of(AuditContext::local(now, &provider.random)),
            provider: Arc::clone(provider),
        }))
    }

    /// From here on, the call has the node's present configuration and clients, in which this client is known if it is known
    /// anywhere: it may have registered with another node a moment ago.
    pub async fn refresh_for(&self, client: &ClientId) -> Result<(), FlowError> {
        let present = self.provider.snapshot();
        if present.clients.get(client).is_none() && !present.registration.policy.is_closed() {
            return self.refresh_clients().await;
        }
        self.snapshots.move_on_to(present);
        Ok(())
    }

    /// The same, where registered clients have changed.
    pub(crate) async fn refresh_clients(&self) -> Result<(), FlowError> {
        registered_clients::refresh_registered_clients(&self.provider).await?;
        self.snapshots.move_on_to(self.provider.snapshot());
        Ok(())
    }

    /// Whether the client is still what it was. A step that has waited (for its keys, say) asks before it goes on.
    pub(crate) async fn is_unchanged(&self, client: &Client) -> Result<bool, FlowError> {
        self.refresh_for(client.id()).await?;
        let present = self.snapshot().clients.get(client.id());
        Ok(present.is_some_and(|present| present.version == client.version))
    }
}

impl Deref for Call {
    type Target = CallParts;

    fn deref(&self) -> &CallParts {
        &self.0
    }
}

impl CallParts {
    pub fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    pub fn store(&self) -> &Store {
        &self.provider.store
    }

    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.provider.keyring
    }

    pub fn hashing(&self) -> &HashPool {
        &self.provider.hashing
    }

    pub fn random(&self) -> &Random {
        &self.provider.random
    }

    pub fn outgoing(&self) -> &Outgoing {
        &self.provider.outgoing
    }

    /// The ways on which something is configured that sends codes.
    pub fn methods(&self) -> &[DeliveryMethod] {
        &self.provider.methods
    }

    pub fn node(&self) -> NodeId {
        self.provider.node
    }

    pub fn snapshot(&self) -> &Arc<Snapshot> {
        self.snapshots.latest()
    }

    /// The keys of this moment.
    pub fn key_set(&self) -> Arc<KeySet> {
        self.provider.key_set()
    }

    /// From where and when it came, for its entries in the trail.
    pub fn audit(&self) -> &AuditContext {
        &self.audit
    }

    /// From where the request came; none where no request came.
    pub fn address(&self) -> Option<IpAddr> {
        self.audit.address
    }

    /// By which the request is known wherever it is spoken of.
    pub fn reference(&self) -> Option<RequestReference> {
        self.audit.reference
    }

    /// An entry of the trail, filled in from this call.
    pub fn entry(&self, actor: Actor, event: Event) -> AuditEntry {
        self.audit.entry(actor, event)
    }

    /// Time-ordered identifiers keep the newest rows of an index together.
    pub fn new_id(&self) -> Uuid {
        self.audit.new_id()
    }

    /// So long after `now`.
    pub fn after(&self, duration: SignedDuration) -> Timestamp {
        self.now.checked_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// What fetches from the addresses of a client: what the operator allows holds for those in the configuration.
    pub(crate) fn outgoing_for(&self, client: &ClientId) -> Outgoing {
        if self.snapshot().clients.is_configured(client) {
            self.provider.outgoing.clone()
        } else {
            self.provider.outgoing.of_registered()
        }
    }
}

/// The snapshots that a call has had. Those before the latest stay until the call is over, for what a step still has of them.
struct SnapshotsSeen {
    seen: Arc<Snapshot>,
    newer: OnceLock<Box<SnapshotsSeen>>,
}

impl From<Arc<Snapshot>> for SnapshotsSeen {
    fn from(seen: Arc<Snapshot>) -> Self {
        Self { seen, newer: OnceLock::new() }
    }
}

impl SnapshotsSeen {
    fn end(&self) -> &Self {
        let mut end = self;
        while let Some(newer) = end.newer.get() {
            end = newer;
        }
        end
    }

    fn latest(&self) -> &Arc<Snapshot> {
        &self.end().seen
    }

    fn move_on_to(&self, present: Arc<Snapshot>) {
        if !Arc::ptr_eq(self.latest(), &present) {
            // Another step of the same request may have been first, with one as new.
            drop(self.end().newer.set(Box::new(Self::from(present))));
        }
    }
}

/// A request from a browser: the call, the browser, and the form that was sent, if it is one.
#[derive(Clone)]
pub struct Visit {
    pub call: Call,
    pub browser: Arc<Browser>,
    pub address: IpAddr,
    pub reference: RequestReference,
    /// Whom the page showed from which a form was sent, as the form's token says. No account where it is no form.
    pub form: FormOwner,
    /// The form itself. `None` where it is no form, or its token is out of date.
    pub sent_form: Option<SubmittedForm>,
}

impl Deref for Visit {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl Visit {
    pub fn new(call: Call, browser: Browser, from: RequestFrom) -> Self {
        let RequestFrom { address, reference } = from;
        Self {
            call,
            browser: Arc::new(browser),
            address,
            reference,
            form: FormOwner::default(),
            sent_form: None,
        }
    }

    /// The same browser once its cookies say that other sessions are in it, or that more was proven in one of them.
    /// The form has been answered by then, so that whom its page showed binds no further step.
    pub(crate) fn after_session_change(&self) -> Self {
        let browser = Browser { state: self.browser.next_state, ..Browser::clone(&self.browser) };
        Self { browser: Arc::new(browser), form: FormOwner::default(), ..self.clone() }
    }
}

/// The span of the whole request, to which the client is added once it is known.
#[derive(Clone, Debug)]
pub struct RequestSpan {
    span: tracing::Span,
    names_client: Arc<AtomicBool>,
}

impl RequestSpan {
    fn current() -> Self {
        Self { span: tracing::Span::current(), names_client: Arc::default() }
    }

    /// Only of a client that is known: the span has no text of strangers. A second one is not added.
    pub fn is_about(&self, client: &ClientId) {
        if !self.names_client.swap(true, Ordering::Relaxed) {
            self.span.record("client", client.as_str());
        }
    }
}

/// A form as it came in, by its token, which no other page has.
#[derive(Clone, Copy, Debug)]
pub struct SubmittedForm(pub(crate) KeyedDigest);

/// Whose form it is that came in, as far as its page said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FormOwner {
    pub session: Option<SessionId>,
    pub account: Option<AccountId>,
}

impl FormOwner {
    pub fn of(live: &ActiveSession) -> Self {
        Self { session: Some(live.session.id), account: Some(live.account.id) }
    }

    pub const fn of_account(account: AccountId) -> Self {
        Self { session: None, account: Some(account) }
    }

    /// Whether a form of this page may act for this session. A page that showed no account is bound to none.
    pub(crate) fn allows(&self, live: &ActiveSession) -> bool {
        self.allows_account(live.account.id) && self.session.is_none_or(|session| session == live.session.id)
    }

    pub(crate) fn allows_account(&self, account: AccountId) -> bool {
        self.account.is_none_or(|shown| shown == account)
    }
}
