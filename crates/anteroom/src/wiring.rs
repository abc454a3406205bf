//! From settings to a provider: opening the database, its keys, the hashing pool, the clients.

use anteroom_config::{Configuration, Settings};
use anteroom_crypto::{
    HashParams, HashParamsError, HashPool, Keyring, KeyringError, MasterKey, MasterKeyError, PasswordHasher,
    PoolSize, Random,
};
use anteroom_domain::client::{Client, ClientSecrets};
use anteroom_domain::clock::Clock;
use anteroom_flows::client_auth::secret_digest;
use anteroom_flows::error::FlowError;
use anteroom_flows::key_set;
use anteroom_flows::keys::{self, KeySchedule};
use anteroom_flows::outgoing::{Outgoing, OutgoingError, Reach};
use anteroom_flows::provider::{Clients, Parts, Practice, Provider, Snapshot};
use anteroom_oidc::{Capabilities, Scope};
use anteroom_pages::{Locale, Theme, ThemeError};
use anteroom_storage::{InstanceKind, Store, StoreError, StoreOptions, UnkeyedStore};
use anteroom_web::{ConfigurationError, Web, WebSettings};
use secrecy::ExposeSecret as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the master key: {0}")]
    MasterKey(#[from] MasterKeyError),
    #[error(
        "the database was made under another master key, or its keys were tampered with ({0}). \
         Check keys.master_key_file in the configuration"
    )]
    Keyring(#[from] KeyringError),
    #[error(
        "the database has no keys yet: run `anteroom keys init` first, or `anteroom migrate` if it is new"
    )]
    NoKeys,
    #[error("hashing: {0}")]
    Hashing(#[from] HashParamsError),
    #[error("the hashing threads could not be started: {0}")]
    Threads(std::io::Error),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("the theme: {0}")]
    Theme(#[from] ThemeError),
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error(transparent)]
    Web(#[from] ConfigurationError),
    #[error(
        "this database was made by `anteroom demo`: it holds known passwords and must not serve real people"
    )]
    DemoDatabase,
    #[error("this database belongs to a real installation: the demo does not touch it")]
    ProductionDatabase,
}

/// What differs between a server, a demo and a test.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub clock: Clock,
    pub random: Random,
    pub kind: InstanceKind,
    /// Whether keys may be made for a database that has none: only where the database was new a moment ago.
    pub may_make_keys: bool,
    /// Makes what hashes passwords; tests have a cheap one.
    pub hasher: fn(HashParams, &Keyring, Random) -> PasswordHasher,
}

/// The store with its keys open, and the keyring for everybody else.
pub async fn open_store(
    settings: &Settings,
    around: &Surroundings,
) -> Result<(Store, Arc<Keyring>), WiringError> {
    let mut options = StoreOptions::from_url(&settings.database.url)?;
    options.max_connections = settings.database.max_connections;
    let unkeyed = Store::connect(&options).await?;
    let instance = unkeyed.init_instance(around.kind, around.clock.now()).await?;
    match (instance.kind, around.kind) {
        (InstanceKind::Demo, InstanceKind::Production) => return Err(WiringError::DemoDatabase),
        (InstanceKind::Production, InstanceKind::Demo) => return Err(WiringError::ProductionDatabase),
        (InstanceKind::Demo, InstanceKind::Demo) | (InstanceKind::Production, InstanceKind::Production) => {}
    }
    let keyring = Arc::new(open_keyring(&unkeyed, settings, around).await?);
    let store = unkeyed.unlock(Arc::clone(&keyring), around.random.clone());
    Ok((store, keyring))
}

/// Keys of purposes that came with a newer release are added; over a database that has none they are made only on request.
async fn open_keyring(
    store: &UnkeyedStore,
    settings: &Settings,
    around: &Surroundings,
) -> Result<Keyring, WiringError> {
    let master = MasterKey::parse(settings.keys.master_key.expose_secret())?;
    let present = store.sealed_keys().await?;
    if present.is_empty() && !around.may_make_keys {
        return Err(WiringError::NoKeys);
    }
    let now = around.clock.now().as_millisecond();
    let missing = Keyring::generate_missing(&master, &present, &around.random, now);
    let all = if missing.is_empty() { present } else { store.insert_sealed_keys(&missing).await? };
    Ok(Keyring::open(&master, &all)?)
}

/// Everything that requests share.
pub async fn provider(configuration: &Configuration, around: &Surroundings) -> Result<Provider, WiringError> {
    let settings = &configuration.settings;
    let (store, keyring) = open_store(settings, around).await?;
    let schedule = key_schedule(settings);
    let now = around.clock.now();
    keys::rotate(&store, &keyring, &around.random, &schedule, now).await?;
    let key_set = key_set::load(&store, &keyring, now).await?;
    let hashing = hash_pool(settings, &keyring, around)?;
    let reach = if settings.issuer.is_loopback_http() { Reach::Loopback } else { Reach::Public { allowed: Vec::new() } };
    Ok(Provider::new(Parts {
        snapshot: snapshot(configuration, &keyring, around.kind),
        store,
        keyring,
        hashing,
        random: around.random.clone(),
        clock: around.clock.clone(),
        outgoing: Outgoing::new(reach)?,
        key_set,
    }))
}

fn hash_pool(settings: &Settings, keyring: &Keyring, around: &Surroundings) -> Result<HashPool, WiringError> {
    let hashing = settings.hashing;
    let params = HashParams::new(hashing.memory_kib, hashing.iterations, hashing.parallelism)?;
    let params = if hashing.pepper { params } else { params.without_pepper() };
    let hasher = Arc::new((around.hasher)(params, keyring, around.random.clone()));
    let queue = usize::try_from(hashing.queue).ok().and_then(NonZeroUsize::new);
    let size = PoolSize::default();
    let size = PoolSize { queue: queue.unwrap_or(size.queue), ..size };
    HashPool::start(hasher, size).map_err(WiringError::Threads)
}

pub fn key_schedule(settings: &Settings) -> KeySchedule {
    let signing = &settings.keys.signing;
    KeySchedule {
        algorithms: signing.algorithms.clone(),
        rotate_every: signing.rotate_every,
        overlap: signing.overlap,
    }
}

/// The part of the configuration that can change while the server runs.
pub fn snapshot(configuration: &Configuration, keyring: &Keyring, kind: InstanceKind) -> Snapshot {
    let settings = &configuration.settings;
    let clients: Vec<Client> = settings
        .clients
        .iter()
        .map(|client| Client {
            metadata: client.metadata.clone(),
            secrets: ClientSecrets(
                client.secrets.iter().map(|secret| secret_digest(keyring, secret)).collect(),
            ),
            policy: client.policy.clone(),
            version: client.version,
        })
        .collect();
    Snapshot {
        issuer: settings.issuer.clone(),
        capabilities: capabilities(settings),
        practice: Practice {
            name: settings.practice.name.clone(),
            support_contact: settings.practice.support_contact.clone(),
            time_zone: settings.practice.time_zone.clone(),
            demo: kind == InstanceKind::Demo,
        },
        policy: settings.policy.clone(),
        clients: Clients::new(clients),
        groups: settings.groups.iter().map(|group| group.name.clone()).collect(),
        digest: configuration.digest.to_string(),
    }
}

/// What this configuration supports: discovery must announce neither more nor less.
fn capabilities(settings: &Settings) -> Capabilities {
    let locales = Locale::ALL.iter().map(|locale| locale.tag().to_owned()).collect();
    let mut capabilities = Capabilities::of_this_release(locales);
    capabilities.signing_algorithms.retain(|algorithm| settings.keys.signing.algorithms.contains(algorithm));
    let scopes = settings.clients.iter().flat_map(|client| client.metadata.scope.iter());
    for scope in scopes.filter(|scope| matches!(scope, Scope::Other(_))) {
        capabilities.scopes.insert(scope.clone());
    }
    capabilities
}

pub fn web(settings: &Settings, provider: Arc<Provider>) -> Result<Web, WiringError> {
    let theme = Theme::load(settings.theme.folder.as_deref())?;
    let web_settings = WebSettings {
        trusted_proxies: settings.server.trusted_proxies.clone(),
        request_timeout: Duration::try_from(settings.server.request_timeout)
            .unwrap_or(Duration::from_secs(30)),
        max_body: usize::try_from(settings.server.max_body).unwrap_or(usize::MAX),
        default_locale: Locale::from_tag(&settings.practice.default_locale).unwrap_or(Locale::En),
        dev_outbox: settings.dev.outbox,
        listens_on_loopback: settings.server.listen.ip().is_loopback(),
    };
    Ok(Web::new(provider, theme, web_settings)?)
}
