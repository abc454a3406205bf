//! The provider: everything that requests share. The parts that change (configuration, clients, keys) are one immutable
//! snapshot, swapped whole; a request clones an `Arc` and uses the same snapshot from beginning to end.

use anteroom_crypto::{HashPool, KeyedDigest, Keyring, Random};
use anteroom_domain::account::GroupName;
use anteroom_domain::client::Client;
use anteroom_domain::clock::Clock;
use anteroom_domain::ids::NodeId;
use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::policy::Policy;
use anteroom_domain::registration::RegistrationPolicy;
use anteroom_oidc::{Capabilities, ClientId, Issuer, RedirectUri};
use anteroom_storage::Store;
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::audit::counters::AuditCounters;
use crate::context::absent_clients::ConfiguredClientTracker as AbsentClients;
use crate::context::authenticated_client::SeenMethods;
use crate::context::confirmations::Confirmations;
use crate::context::database_history::History;
use crate::context::fetched_keys::ClientJwksCache;
use crate::context::memory_counters::MemoryCounters;
use crate::context::outgoing::Outgoing;
use crate::context::registered_client_cache::RegisteredClientCache;
use crate::keys::key_set::KeySet;
use crate::readiness::Readiness;

/// One application state for all of Anteroom; tests swap the parts inside.
pub struct Provider {
    /// Which of the nodes on the database this is; drawn anew at each start.
    pub node: NodeId,
    pub store: Store,
    pub keyring: Arc<Keyring>,
    pub hashing: HashPool,
    pub random: Random,
    pub clock: Clock,
    pub outgoing: Outgoing,
    /// The ways on which something is configured that sends codes; the same until the next start.
    pub methods: Vec<DeliveryMethod>,
    /// When the two snapshots were last known to be current.
    pub confirmations: Confirmations,
    /// What the checks in the background have found.
    pub readiness: Readiness,
    snapshot: ArcSwap<Snapshot>,
    /// What this node remembers of the database.
    pub history: History,
    /// How far the database's registered clients are known.
    pub(crate) followed: tokio::sync::Mutex<RegisteredClientCache>,
    key_set: ArcSwap<KeySet>,
    /// Rung when a logout was queued, so that its delivery does not wait for the next round.
    pub(crate) logout_queued: tokio::sync::Notify,
    pub(crate) tallies: AuditCounters,
    /// Of limits that this node counts for itself.
    pub(crate) memory_limits: MemoryCounters,
    pub(crate) configured: AbsentClients,
    pub(crate) fetched_keys: ClientJwksCache,
    pub(crate) seen_methods: SeenMethods,
}

/// The parts a provider is made of.
pub struct Parts {
    pub store: Store,
    pub keyring: Arc<Keyring>,
    pub hashing: HashPool,
    pub random: Random,
    pub clock: Clock,
    pub outgoing: Outgoing,
    pub methods: Vec<DeliveryMethod>,
    pub snapshot: Snapshot,
    pub key_set: KeySet,
    pub history: History,
}

/// What the operator configured, checked and indexed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub issuer: Issuer,
    /// What this configuration supports: discovery says it and requests are held against it.
    pub capabilities: Capabilities,
    pub practice: Practice,
    pub policy: Policy,
    pub registration: Registration,
    pub clients: Clients,
    pub groups: Vec<GroupName>,
    /// Of the configuration as a whole, for nodes to compare.
    pub digest: String,
    /// And of each part, for the log to say in what nodes differ.
    pub parts: BTreeMap<String, String>,
}

/// Of clients that register themselves.
#[derive(Clone, Debug)]
pub struct Registration {
    pub policy: RegistrationPolicy,
    /// Where registration needs a token, a client registers with one of these.
    pub initial_access_tokens: Vec<KeyedDigest>,
}

#[derive(Clone, Debug)]
pub struct Practice {
    pub name: String,
    /// Whom people ask for access and help.
    pub support_contact: Option<String>,
    /// Times in mails and on pages are the practice's.
    pub time_zone: jiff::tz::TimeZone,
    pub demo: bool,
}

impl Provider {
    pub fn new(parts: Parts) -> Self {
        Self {
            node: NodeId(parts.random.uuid_v4()),
            store: parts.store,
            keyring: parts.keyring,
            hashing: parts.hashing,
            random: parts.random,
            clock: parts.clock,
            outgoing: parts.outgoing,
            methods: parts.methods,
            confirmations: Confirmations::default(),
            readiness: Readiness::default(),
            snapshot: ArcSwap::from_pointee(parts.snapshot),
            history: parts.history,
            followed: tokio::sync::Mutex::default(),
            key_set: ArcSwap::from_pointee(parts.key_set),
            logout_queued: tokio::sync::Notify::new(),
            tallies: AuditCounters::default(),
            memory_limits: MemoryCounters::default(),
            configured: AbsentClients::default(),
            fetched_keys: ClientJwksCache::default(),
            seen_methods: SeenMethods::default(),
        }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Takes up a changed configuration, whole. Registered clients stay as they are until they are read again under it,
    /// unless it knows none.
    pub fn replace_snapshot(&self, snapshot: Snapshot) {
        let configured = Arc::new(snapshot);
        self.snapshot.rcu(move |running| {
            let mut next = Snapshot::clone(&configured);
            if !next.registration.policy.is_closed() {
                next.clients.registered = Arc::clone(&running.clients.registered);
                next.clients.registered_origins = Arc::clone(&running.clients.registered_origins);
            }
            next
        });
    }

    /// Takes up registered clients that were read under the configuration of this digest, unless it has changed.
    pub(crate) fn replace_registered(&self, clients: &Arc<HashMap<ClientId, Arc<Client>>>, digest: &str) {
        self.snapshot.rcu(|running| {
            if running.digest != digest {
                return Arc::clone(running);
            }
            let mut next = Snapshot::clone(running);
            next.clients.set_registered(clients);
            Arc::new(next)
        });
    }

    pub fn key_set(&self) -> Arc<KeySet> {
        self.key_set.load_full()
    }

    pub fn replace_key_set(&self, key_set: KeySet) {
        self.key_set.store(Arc::new(key_set));
    }
}

/// The clients by identifier: those of the configuration, in the operator's order, and those that registered themselves.
/// Both are one model, and an identifier that is configured is the configured client's.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    ordered: Arc<[Arc<Client>]>,
    by_id: Arc<HashMap<ClientId, Arc<Client>>>,
    registered: Arc<HashMap<ClientId, Arc<Client>>>,
    /// Of the redirect URIs of each of the two.
    origins: Arc<HashSet<String>>,
    registered_origins: Arc<HashSet<String>>,
}

impl Clients {
    pub fn new(clients: Vec<Client>) -> Self {
        let mut ordered: Vec<_> = clients.into_iter().map(Arc::new).collect();
        ordered.sort_by_key(|client| client.policy.tile.as_ref().map_or(i32::MAX, |tile| tile.order));
        let by_id = ordered.iter().map(|client| (client.id().clone(), Arc::clone(client))).collect();
        let origins = Arc::new(origins(ordered.iter()));
        Self { ordered: ordered.into(), by_id: Arc::new(by_id), origins, ..Self::default() }
    }

    fn set_registered(&mut self, registered: &Arc<HashMap<ClientId, Arc<Client>>>) {
        self.registered = Arc::clone(registered);
        self.registered_origins = Arc::new(origins(registered.values()));
    }

    /// Whether scripts of some client run under this origin.
    pub fn have_origin(&self, origin: &str) -> bool {
        self.origins.contains(origin) || self.registered_origins.contains(origin)
    }

    pub fn get(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.by_id.get(id).or_else(|| self.registered.get(id))
    }

    /// Whether it is one of the configuration, and did not register itself.
    pub fn is_configured(&self, id: &ClientId) -> bool {
        self.by_id.contains_key(id)
    }

    /// Those of the configuration alone.
    pub fn configured(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.ordered.iter()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.ordered.iter().chain(self.registered.values())
    }
}

fn origins<'a>(clients: impl Iterator<Item = &'a Arc<Client>>) -> HashSet<String> {
    clients.flat_map(|client| &client.metadata.redirect_uris).filter_map(RedirectUri::origin).collect()
}
