//! The provider: everything that requests share. Configuration, clients and keys change while the node runs; each change replaces
//! an immutable snapshot as a whole. A request uses one snapshot at a time and replaces it by the present one in known places
//! ([`Call`](crate::context::call::Call)).

use anteroom_crypto::{HashPool, KeyedDigest, Keyring, Random};
use anteroom_domain::account::GroupName;
use anteroom_domain::client::Client;
use anteroom_domain::client_registration::RegistrationPolicy;
use anteroom_domain::clock::Clock;
use anteroom_domain::ids::NodeId;
use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::policy::Policy;
use anteroom_oidc::{Capabilities, ClientId, Issuer};
use anteroom_storage::Store;
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::audit::counters::AuditCounters;
use crate::context::absent_clients::ConfiguredClientTracker;
use crate::context::authenticated_client::SeenMethods;
use crate::context::client_jwks::ClientJwksCache;
use crate::context::confirmations::Confirmations;
use crate::context::database_history::DatabaseHistory;
use crate::context::memory_counters::MemoryCounters;
use crate::context::outgoing::Outgoing;
use crate::context::registered_client_cache::{RegisteredClientCache, RegisteredClients, origins};
use crate::keys::key_set::KeySet;
use crate::readiness::Readiness;

/// The application state of a node; tests replace parts of it.
pub struct Provider {
    /// Identifies this node among those on the database; drawn at each start.
    pub node: NodeId,
    pub store: Store,
    pub keyring: Arc<Keyring>,
    pub hashing: HashPool,
    pub random: Random,
    pub clock: Clock,
    pub outgoing: Outgoing,
    /// The delivery methods with a configured sender; fixed until the next start.
    pub methods: Vec<DeliveryMethod>,
    /// When the signing keys, the configuration, the registered clients and the database history were last confirmed.
    pub confirmations: Confirmations,
    /// The findings of the checks in the background.
    pub readiness: Readiness,
    snapshot: ArcSwap<Snapshot>,
    /// The last position that this node has seen of the database.
    pub history: DatabaseHistory,
    /// The registered clients that were read from the database.
    pub(crate) registered_clients: tokio::sync::Mutex<RegisteredClientCache>,
    key_set: ArcSwap<KeySet>,
    /// Notified when a logout was queued, so that its delivery does not wait for the next round.
    pub(crate) logout_queued: tokio::sync::Notify,
    pub(crate) counters: AuditCounters,
    /// Counts of the limits that each node keeps for itself.
    pub(crate) memory_limits: MemoryCounters,
    pub(crate) configured: ConfiguredClientTracker,
    pub(crate) client_jwks: ClientJwksCache,
    pub(crate) seen_methods: SeenMethods,
}

/// The parts a provider is made of.
pub struct ProviderParts {
    pub store: Store,
    pub keyring: Arc<Keyring>,
    pub hashing: HashPool,
    pub random: Random,
    pub clock: Clock,
    pub outgoing: Outgoing,
    pub methods: Vec<DeliveryMethod>,
    pub snapshot: Snapshot,
    pub key_set: KeySet,
    pub history: DatabaseHistory,
}

/// What the operator configured, checked and indexed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub issuer: Issuer,
    /// What this configuration supports: discovery publishes it, and requests are checked against it.
    pub capabilities: Capabilities,
    pub practice: Practice,
    pub policy: Policy,
    pub registration: Registration,
    pub clients: Clients,
    pub groups: Vec<GroupName>,
    /// Digest of the whole configuration, for nodes to compare.
    pub digest: String,
    /// Fingerprint of each part, so that the log can name the parts in which nodes differ.
    pub parts: BTreeMap<String, String>,
}

/// The configuration for clients that register themselves.
#[derive(Clone, Debug)]
pub struct Registration {
    pub policy: RegistrationPolicy,
    /// The accepted tokens, where registration needs one.
    pub initial_access_tokens: Vec<KeyedDigest>,
}

#[derive(Clone, Debug)]
pub struct Practice {
    pub name: String,
    /// The contact for people who need access or help.
    pub support_contact: Option<String>,
    /// Of times in mails and on pages.
    pub time_zone: jiff::tz::TimeZone,
    pub demo: bool,
}

impl Provider {
    pub fn new(parts: ProviderParts) -> Self {
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
            registered_clients: tokio::sync::Mutex::default(),
            key_set: ArcSwap::from_pointee(parts.key_set),
            logout_queued: tokio::sync::Notify::new(),
            counters: AuditCounters::default(),
            memory_limits: MemoryCounters::default(),
            configured: ConfiguredClientTracker::default(),
            client_jwks: ClientJwksCache::default(),
            seen_methods: SeenMethods::default(),
        }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Replaces the whole configuration. Registered clients stay as they are until they are read again under the new one, unless
    /// it closes registration: then there are none.
    pub fn replace_snapshot(&self, snapshot: Snapshot) {
        let mut next = Arc::new(snapshot);
        self.snapshot.rcu(|running| {
            let next_parts = Arc::make_mut(&mut next);
            if !next_parts.registration.policy.is_closed() {
                next_parts.clients.registered = Arc::clone(&running.clients.registered);
            }
            Arc::clone(&next)
        });
    }

    /// Replaces the registered clients by those that were read under the configuration of this digest, unless it has changed.
    pub(crate) fn replace_registered(&self, clients: &Arc<RegisteredClients>, digest: &str) {
        self.snapshot.rcu(|running| {
            let mut next = Arc::clone(running);
            if next.digest == digest {
                Arc::make_mut(&mut next).clients.registered = Arc::clone(clients);
            }
            next
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
/// Where both have the same identifier, the configured client has it.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    ordered: Arc<[Arc<Client>]>,
    by_id: Arc<HashMap<ClientId, Arc<Client>>>,
    /// Of the redirect URIs of configured clients.
    origins: Arc<HashSet<String>>,
    registered: Arc<RegisteredClients>,
}

impl Clients {
    pub fn new(clients: Vec<Client>) -> Self {
        let mut ordered: Vec<_> = clients.into_iter().map(Arc::new).collect();
        ordered.sort_by_key(|client| client.policy.tile.as_ref().map_or(i32::MAX, |tile| tile.order));
        let by_id = ordered.iter().map(|client| (client.id().clone(), Arc::clone(client))).collect();
        let origins = Arc::new(origins(ordered.iter()));
        Self { ordered: ordered.into(), by_id: Arc::new(by_id), origins, ..Self::default() }
    }

    /// Whether a redirect URI of some client has this origin, so that scripts of the client run there.
    pub fn have_origin(&self, origin: &str) -> bool {
        self.origins.contains(origin) || self.registered.origins.contains(origin)
    }

    pub fn get(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.by_id.get(id).or_else(|| self.registered.by_id.get(id))
    }

    /// Whether the client is in the configuration, rather than registered by itself.
    pub fn is_configured(&self, id: &ClientId) -> bool {
        self.by_id.contains_key(id)
    }

    /// The clients of the configuration alone.
    pub fn configured(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.ordered.iter()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.ordered.iter().chain(self.registered.by_id.values())
    }
}
