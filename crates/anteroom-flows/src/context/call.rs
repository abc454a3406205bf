//! The context of one request, or of one round of Anteroom's own work: what it sees and what its entries in the audit trail
//! have in common.
//!
//! It is made at the edge: by the web for a request, once its body is there, by a command for its operator, by a background task
//! for each round.
//!
//! Invariants: a call has one `now`, and one snapshot of the configuration and its clients at a time, so that two steps of one
//! request cannot decide under two configurations. The snapshot is replaced in one place, [`Call::refresh_for`], for all that
//! the request does from there on: a step after a wait uses the configuration of that moment, and a client that was looked up
//! once is known to every later step. The time is replaced by [`Call::at_present`], which a step uses after a wait of more than
//! a second. Signing keys are the present ones at each use: a key that was withdrawn while a request waited neither signs nor
//! verifies anything more.

use anteroom_crypto::{HashPool, KeyedDigest, Keyring, Random};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::{AccountId, NodeId, SessionId};
use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::reference::RequestReference;
use anteroom_oidc::ClientId;
use anteroom_storage::{Store, Unit};
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

use crate::audit::context::AuditContext;
use crate::context::active_session::ActiveSession;
use crate::context::browser::Browser;
use crate::context::outgoing::Outgoing;
use crate::context::provider::{Provider, Snapshot};
use crate::context::registered_clients;
use crate::error::FlowError;
use crate::keys::key_set::KeySet;

/// From where a request came, and the reference that names it in the log, in the audit trail and in answers.
#[derive(Clone, Copy, Debug)]
pub struct RequestFrom {
    pub address: IpAddr,
    pub reference: RequestReference,
}

/// What a use case needs of its surroundings. Cheap to clone.
#[derive(Clone)]
pub struct Call {
    /// When the request came, or the round began, or when the last long wait was over ([`Call::at_present`]).
    pub now: Timestamp,
    audit: AuditContext,
    parts: Arc<CallParts>,
}

/// The part of a [`Call`] that is the same at all of its times.
pub struct CallParts {
    pub span: RequestSpan,
    provider: Arc<Provider>,
    snapshots: SnapshotsSeen,
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
        let parts = CallParts {
            span: RequestSpan::current(),
            snapshots: SnapshotsSeen::from(provider.snapshot()),
            provider: Arc::clone(provider),
        };
        Self { now, audit: of(AuditContext::local(now, &provider.random)), parts: Arc::new(parts) }
    }

    /// The same call at the present time. A fetch of a client's keys or documents can take many seconds. What is issued after
    /// it would otherwise expire too early by as much, and its audit entries would have the time before it.
    #[must_use]
    pub fn at_present(&self) -> Self {
        let mut present = self.clone();
        present.now = self.provider.clock.now();
        present.audit.now = present.now;
        present
    }

    /// From where and when the request came, for its audit entries.
    pub fn audit(&self) -> &AuditContext {
        &self.audit
    }

    /// From where the request came; `None` where no request came.
    pub fn address(&self) -> Option<IpAddr> {
        self.audit.address
    }

    /// The reference of the request in the log, in the audit trail and in answers; `None` where no request came.
    pub fn reference(&self) -> Option<RequestReference> {
        self.audit.reference
    }

    /// An audit entry, filled in from this call.
    pub fn entry(&self, actor: Actor, event: Event) -> AuditEntry {
        self.audit.entry(actor, event)
    }

    /// Time-ordered identifiers keep the newest rows of an index together.
    pub fn new_id(&self) -> Uuid {
        self.audit.new_id()
    }

    /// Runs a unit that holds this call, for its time, its entries in the audit trail and its configuration.
    pub(crate) async fn run<U: Unit>(
        &self,
        unit: impl FnOnce(Self) -> U,
    ) -> (U, Result<U::Output, U::Error>) {
        self.store().run(unit(self.clone())).await
    }

    /// The time that is `duration` after `now`.
    pub fn after(&self, duration: SignedDuration) -> Timestamp {
        self.now.checked_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// The client, if it is registered, for the page that names it.
    pub(crate) fn client(&self, id: Option<&ClientId>) -> Option<Arc<Client>> {
        id.and_then(|id| self.snapshot().clients.get(id)).cloned()
    }

    /// Replaces the call's snapshot by the node's present configuration and clients. The client may have registered with another
    /// node a moment ago, so registered clients are read again where this one is not known.
    pub async fn refresh_for(&self, client: &ClientId) -> Result<(), FlowError> {
        let present = self.provider.snapshot();
        if present.clients.get(client).is_none() && !present.registration.policy.is_closed() {
            return self.refresh_clients().await;
        }
        self.snapshots.replace(present);
        Ok(())
    }

    /// The same after registered clients have changed.
    pub(crate) async fn refresh_clients(&self) -> Result<(), FlowError> {
        registered_clients::refresh_registered_clients(&self.provider).await?;
        self.snapshots.replace(self.provider.snapshot());
        Ok(())
    }

    /// Whether the client's registration is still the same. A step that has waited, for example for the client's keys, checks
    /// this before it continues.
    pub(crate) async fn is_unchanged(&self, client: &Client) -> Result<bool, FlowError> {
        self.refresh_for(client.id()).await?;
        let present = self.snapshot().clients.get(client.id());
        Ok(present.is_some_and(|present| present.version == client.version))
    }
}

impl Deref for Call {
    type Target = CallParts;

    fn deref(&self) -> &CallParts {
        &self.parts
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

    /// The methods for which something is configured that sends codes.
    pub fn methods(&self) -> &[DeliveryMethod] {
        &self.provider.methods
    }

    pub fn node(&self) -> NodeId {
        self.provider.node
    }

    pub fn snapshot(&self) -> &Arc<Snapshot> {
        self.snapshots.latest()
    }

    /// The keys of the present moment.
    pub fn key_set(&self) -> Arc<KeySet> {
        self.provider.key_set()
    }

    /// What fetches from the addresses of a client: networks that the operator allows are reached for configured clients alone.
    pub(crate) fn outgoing_for(&self, client: &ClientId) -> &Outgoing {
        let outgoing = &self.provider.outgoing;
        if self.snapshot().clients.is_configured(client) { outgoing } else { outgoing.of_registered() }
    }
}

/// The snapshots that a call has had. A step may still borrow from an earlier one, so all of them stay until the call is over.
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

    fn replace(&self, present: Arc<Snapshot>) {
        if !Arc::ptr_eq(self.latest(), &present) {
            // Another step of the same request may have added one at the same time, which is as new.
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
    /// The account and session that the page of the form showed, as the form's token says. Empty where no form was sent.
    pub form: FormOwner,
    /// The form itself. `None` where no form was sent, or its token is out of date.
    pub sent_form: Option<SubmittedForm>,
    /// The form with all that was entered in it. `None` as for the form.
    pub submission: Option<Uuid>,
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
            submission: None,
        }
    }

    /// The visit sends a form with these fields. `token` has been verified.
    pub fn sends_form(&mut self, token: &str, fields: &[(String, String)]) {
        let form = SubmittedForm::of(self, token);
        let entered = fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let entered: Vec<&[u8]> = entered.collect();
        self.submission = Some(form.submission_id(self, &entered));
        self.sent_form = Some(form);
    }

    /// The same visit at the present time ([`Call::at_present`]).
    #[must_use]
    pub(crate) fn at_present(&self) -> Self {
        Self { call: self.call.at_present(), ..self.clone() }
    }

    /// The same visit with the browser's state after its sessions have changed, or more was proven in one of them. The form has
    /// been answered by then, so the account that its page showed restricts no further step.
    pub(crate) fn after_session_change(&self) -> Self {
        let browser = Browser { state: self.browser.next_state, ..Browser::clone(&self.browser) };
        Self { browser: Arc::new(browser), form: FormOwner::default(), ..self.clone() }
    }
}

/// The span of the whole request. The client is added to it once the client is known.
#[derive(Clone, Debug)]
pub struct RequestSpan {
    span: tracing::Span,
    names_client: Arc<AtomicBool>,
}

impl RequestSpan {
    fn current() -> Self {
        Self { span: tracing::Span::current(), names_client: Arc::default() }
    }

    /// For known clients alone, so that no text of an unknown sender is in the span. Only the first client is added.
    pub fn set_client(&self, client: &ClientId) {
        if !self.names_client.swap(true, Ordering::Relaxed) {
            self.span.record("client", client.as_str());
        }
    }
}

/// A form that was sent, identified by its token, which no other page has.
#[derive(Clone, Copy, Debug)]
pub struct SubmittedForm(pub(crate) KeyedDigest);

/// The session and account that the page of a form showed, as far as it showed any.
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
