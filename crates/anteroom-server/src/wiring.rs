//! Makes a provider from settings: opens the database, loads its keys, starts the hashing pool, reads the clients.

mod environment;
mod web;

use anteroom_config::{Configuration, SecretOrigin, Settings};
use anteroom_crypto::{
    HashParams, HashParamsError, HashPool, KeyPurpose, Keyring, KeyringError, MasterKey, MasterKeyError,
    PoolSize,
};
use anteroom_domain::audit_trail::chain::Checkpoint;
use anteroom_domain::client::{Client, ClientSecrets};
use anteroom_flows::audit::context::AuditContext;
use anteroom_flows::context::outgoing::{NetworkPolicy, Outgoing, OutgoingError};
use anteroom_flows::context::provider::{Clients, Practice, Provider, ProviderParts, Registration, Snapshot};
use anteroom_flows::context::registered_clients;
use anteroom_flows::error::FlowError;
use anteroom_flows::keys::key_set;
use anteroom_flows::keys::signing_keys::{self, KeySchedule, NewKeys};
use anteroom_flows::node::database_history;
use anteroom_flows::people::addresses;
use anteroom_flows::people::usernames;
use anteroom_flows::protocol::client_authentication::secret_digest;
use anteroom_flows::protocol::registration;
use anteroom_oidc::{Capabilities, ClientId, Scope, SigningAlgorithm, TokenEndpointAuthMethod};
use anteroom_pages::{Locale, ThemeError};
use anteroom_storage::{Instance, InstanceKind, Store, StoreError, StoreOptions, StoreWithoutKeys};
use anteroom_web::ConfigurationError;
use secrecy::ExposeSecret as _;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::checkpoints;
use crate::logging;
use crate::sending::{self, SendingError};
use crate::tls::TlsError;

pub use environment::Environment;
pub use web::{warn_of_theme, web};

#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "{origin}: {error}. If there is no database yet, `anteroom keys init` makes a master key; if there is one, \
         restore its master key from your copy"
    )]
    MasterKey { origin: SecretOrigin, error: MasterKeyError },
    #[error(
        "the database was made with another master key, or its keys were tampered with ({0}). Check \
         keys.master_key_file in the configuration"
    )]
    Keyring(#[from] KeyringError),
    #[error("the database has no keys yet: run `anteroom migrate`, which makes them")]
    NoKeys,
    #[error(
        "the keys of this database are missing from its table `sealed_keys`, and nothing sealed with them can be read: \
         restore the database from a backup"
    )]
    KeysLost,
    #[error("hashing: {0}")]
    Hashing(#[from] HashParamsError),
    #[error("the hashing threads could not be started: {0}")]
    Threads(std::io::Error),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("the checkpoints file {}: {}", .0.display(), .1)]
    Checkpoints(PathBuf, io::Error),
    #[error("the theme: {0}")]
    Theme(#[from] ThemeError),
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error(transparent)]
    Web(#[from] ConfigurationError),
    #[error(transparent)]
    Sending(#[from] SendingError),
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    #[error(
        "this database was made by `anteroom demo`: it holds known passwords and must not serve real people"
    )]
    DemoDatabase,
    #[error("this database belongs to a real installation: the demo does not open it")]
    ProductionDatabase,
}

/// Logs the warnings of a configuration that is in use.
pub fn warn_of(configuration: &Configuration) {
    if !configuration.warnings.is_empty() {
        tracing::warn!("the configuration is valid, with warnings");
        logging::report(tracing::Level::WARN, &configuration.warnings.render(false));
    }
}

/// Checked for every command that makes a provider: the PostgreSQL server must accept writes; settings that can lose commits are
/// logged.
fn check_postgres(store: &Store) -> Result<(), StoreError> {
    let Some(server) = store.server() else { return Ok(()) };
    server.check_writable()?;
    for setting in server.unsafe_settings() {
        tracing::warn!(
            "PostgreSQL runs with {setting} = off: a crash of its host can lose or damage committed data"
        );
    }
    Ok(())
}

/// Opens the database. Returns the store with its keys, and the keyring for everything else.
pub async fn open_store(
    settings: &Settings,
    environment: &Environment,
) -> Result<(Store, Arc<Keyring>), WiringError> {
    let master = master_key(settings)?;
    let unkeyed = Store::connect(&store_options(settings)?).await?;
    let instance = unkeyed.instance().await?;
    if let Some(instance) = instance
        && !(environment.may_open_demo && instance.kind == InstanceKind::Demo)
    {
        same_kind(instance, environment.kind)?;
    }
    // The instance is written last: a database without it is new, whatever an interrupted attempt has left in it.
    let keyring = Arc::new(open_keyring(&unkeyed, &master, instance.is_none(), environment).await?);
    if instance.is_none() {
        same_kind(unkeyed.init_instance(environment.kind, environment.clock.now()).await?, environment.kind)?;
    }
    let store = unkeyed.with_keys(Arc::clone(&keyring), environment.random.clone());
    Ok((store, keyring))
}

pub fn store_options(settings: &Settings) -> Result<StoreOptions, StoreError> {
    let mut options = StoreOptions::from_url(&settings.database.url)?;
    if let Some(most) = settings.database.max_connections {
        options.max_connections = most;
    }
    options.request_timeout = request_timeout(settings);
    Ok(options)
}

fn request_timeout(settings: &Settings) -> Duration {
    Duration::try_from(settings.server.request_timeout).unwrap_or(Duration::from_secs(15))
}

pub fn master_key(settings: &Settings) -> Result<MasterKey, WiringError> {
    let keys = &settings.keys;
    let parsed = MasterKey::parse(keys.master_key.expose_secret());
    parsed.map_err(|error| WiringError::MasterKey { origin: keys.master_key_origin.clone(), error })
}

pub fn same_kind(instance: Instance, kind: InstanceKind) -> Result<(), WiringError> {
    match (instance.kind, kind) {
        (InstanceKind::Demo, InstanceKind::Production) => Err(WiringError::DemoDatabase),
        (InstanceKind::Production, InstanceKind::Demo) => Err(WiringError::ProductionDatabase),
        (InstanceKind::Demo, InstanceKind::Demo) | (InstanceKind::Production, InstanceKind::Production) => {
            Ok(())
        }
    }
}

/// Adds keys for the purposes of a newer release. All keys are made only for a new database, and only on request.
async fn open_keyring(
    store: &StoreWithoutKeys,
    master: &MasterKey,
    is_new: bool,
    environment: &Environment,
) -> Result<Keyring, WiringError> {
    let present = store.sealed_keys().await?;
    if present.is_empty() {
        match (is_new, environment.may_make_keys) {
            (true, true) => {}
            (true, false) => return Err(WiringError::NoKeys),
            (false, _) => return Err(WiringError::KeysLost),
        }
    }
    let now = environment.clock.now().as_millisecond();
    let missing = Keyring::generate_missing(master, &present, &environment.random, now);
    if missing.is_empty() {
        return Ok(Keyring::open(master, &present)?);
    }
    // A database in use had this key. With another key every pairwise `sub` would change.
    if !is_new && missing.iter().any(|key| key.purpose == KeyPurpose::Subject) {
        return Err(WiringError::KeysLost);
    }
    // With a wrong master key, new keys could not be opened together with the old ones: then nothing is written.
    Keyring::open(master, &[present, missing.clone()].concat())?;
    Ok(Keyring::open(master, &store.insert_sealed_keys(&missing).await?)?)
}

/// The state that all requests share.
pub async fn provider(
    configuration: &Configuration,
    environment: &Environment,
) -> Result<Provider, WiringError> {
    let settings = &configuration.settings;
    let (store, keyring) = open_store(settings, environment).await?;
    check_postgres(&store)?;
    let schedule = KeySchedule { maker: Arc::clone(&environment.key_maker), ..key_schedule(settings) };
    let now = environment.clock.now();
    let kept = last_checkpoint(settings)?;
    if kept.is_none() {
        warn_of_missing_checkpoints(settings, &store).await?;
    }
    let history = database_history::at_start(&store, &keyring, kept.as_ref(), now).await?;
    // Nothing is written to a database that went back.
    if !history.is_rolled_back() {
        let rotation = signing_keys::KeyRotation {
            store: &store,
            keyring: &keyring,
            schedule: &schedule,
            trigger: signing_keys::RotationTrigger::Schedule,
            audit: AuditContext::local(now, &environment.random),
        };
        signing_keys::rotate(rotation).await?;
        addresses::normalize_domains(&store).await?;
        // Reserves the names that only profiles have; `user` and `client` commands come here too.
        usernames::reserve(&store).await?;
    }
    let key_set = key_set::load(&store, &keyring, now).await?;
    let hashing = hash_pool(settings, &keyring, environment)?;
    let provider = Provider::new(ProviderParts {
        snapshot: snapshot(configuration, &keyring, environment.kind, &schedule.algorithms),
        store,
        keyring,
        hashing,
        random: environment.random.clone(),
        clock: environment.clock.clone(),
        outgoing: outgoing(settings)?,
        methods: sending::methods(settings),
        key_set,
        history,
    });
    registered_clients::refresh_registered_clients(&provider).await?;
    Ok(provider)
}

/// The last checkpoint outside the database. A file that exists but cannot be read is an error: it may be evidence that
/// the database went back.
pub fn last_checkpoint(settings: &Settings) -> Result<Option<Checkpoint>, WiringError> {
    let Some(file) = checkpoints::file(settings) else { return Ok(None) };
    match checkpoints::last(&file) {
        Ok(checkpoint) => Ok(checkpoint),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WiringError::Checkpoints(file, error)),
    }
}

/// The problem of where checkpoints are kept, for `check` and for the log.
pub fn checkpoints_warning(settings: &Settings) -> Option<&'static str> {
    checkpoints::file(settings).is_none().then_some(
        "[audit] checkpoints_file is not set, and with PostgreSQL it has no default: at its start a node cannot find \
         out whether the database went back to an earlier state",
    )
}

/// A database that was restored to an earlier state is valid in itself; only the checkpoints file shows it.
async fn warn_of_missing_checkpoints(settings: &Settings, store: &Store) -> Result<(), WiringError> {
    let Some(file) = checkpoints::file(settings) else { return Ok(()) };
    if let Some(last) = store.last_checkpoint().await? {
        tracing::warn!(
            file = %file.display(),
            seq = last.link.seq,
            "the checkpoints file is missing or has no checkpoint, and the database has some: this node cannot find \
             out whether the database went back to an earlier state before this start. On a new node this is expected; \
             otherwise restore the file"
        );
    }
    Ok(())
}

/// The HTTP client for addresses that clients register.
pub fn outgoing(settings: &Settings) -> Result<Outgoing, OutgoingError> {
    let reach = if settings.issuer.is_loopback_http() {
        NetworkPolicy::Loopback
    } else {
        NetworkPolicy::Public { allowed: settings.outgoing.allow.clone() }
    };
    Outgoing::new(reach, settings.outgoing.authorities.as_deref())
}

fn hash_pool(
    settings: &Settings,
    keyring: &Keyring,
    environment: &Environment,
) -> Result<HashPool, WiringError> {
    let hashing = settings.hashing;
    let params = HashParams::new(hashing.memory_kib, hashing.iterations, hashing.parallelism)?;
    let params = if hashing.pepper { params } else { params.without_pepper() };
    let hasher = Arc::new((environment.hasher)(params, keyring, environment.random.clone()));
    let queue = usize::try_from(hashing.queue).ok().and_then(NonZeroUsize::new);
    let size = PoolSize::default();
    let size = PoolSize { queue: queue.unwrap_or(size.queue), ..size };
    HashPool::start(hasher, size).map_err(WiringError::Threads)
}

pub fn key_schedule(settings: &Settings) -> KeySchedule {
    let signing = &settings.keys.signing;
    KeySchedule {
        maker: Arc::new(NewKeys),
        algorithms: signing.algorithms.clone(),
        rotate_every: signing.rotate_every,
        overlap: signing.overlap,
    }
}

/// The part of the configuration that can change while the server runs. `algorithms` are those with signing keys.
pub fn snapshot(
    configuration: &Configuration,
    keyring: &Keyring,
    kind: InstanceKind,
    algorithms: &[SigningAlgorithm],
) -> Snapshot {
    let settings = &configuration.settings;
    let clients: Vec<Client> = settings
        .clients
        .iter()
        .map(|client| Client {
            metadata: client.metadata.clone(),
            secrets: ClientSecrets(
                client.secrets.iter().map(|secret| secret_digest(keyring, secret)).collect(),
            ),
            signing_secrets: match client.metadata.token_endpoint_auth_method {
                TokenEndpointAuthMethod::ClientSecretJwt => client.secrets.clone(),
                _ => Vec::new(),
            },
            policy: client.policy.clone(),
            version: client.version,
        })
        .collect();
    Snapshot {
        issuer: settings.issuer.clone(),
        capabilities: capabilities(settings, algorithms),
        practice: Practice {
            name: settings.practice.name.clone(),
            support_contact: settings.practice.support_contact.clone(),
            time_zone: settings.practice.time_zone.clone(),
            demo: kind == InstanceKind::Demo,
        },
        policy: settings.policy.clone(),
        registration: Registration {
            policy: settings.registration.policy.clone(),
            initial_access_tokens: settings
                .registration
                .initial_access_tokens
                .iter()
                .map(|token| registration::initial_token_digest(keyring, token))
                .collect(),
        },
        clients: Clients::new(clients),
        groups: settings.groups.iter().map(|group| group.name.clone()).collect(),
        digest: configuration.digest.to_string(),
        parts: configuration.parts.clone(),
    }
}

/// The capabilities under this configuration and these keys: discovery must announce neither more nor less.
fn capabilities(settings: &Settings, algorithms: &[SigningAlgorithm]) -> Capabilities {
    let locales = Locale::of_theme(settings.theme.folder.as_deref());
    let locales = locales.iter().map(|locale| locale.tag().to_owned()).collect();
    let mut capabilities = Capabilities::of_this_release(locales);
    capabilities.signing_algorithms.retain(|algorithm| algorithms.contains(algorithm));
    let registered = &settings.registration.policy;
    capabilities.registration = !registered.is_closed();
    if capabilities.registration {
        // A client that registers itself chooses among the announced methods. For a configured client its operator
        // chooses.
        capabilities.token_endpoint_auth_methods.retain(|method| registered.offers_method(*method));
    }
    let scopes = settings.clients.iter().flat_map(|client| client.metadata.scope.iter());
    let scopes = scopes.chain(registered.scope.iter().filter(|_| !registered.is_closed()));
    for scope in scopes.filter(|scope| matches!(scope, Scope::Other(_))) {
        capabilities.scopes.insert(scope.clone());
    }
    capabilities
}

/// A client that requires a signing algorithm for which there is no key.
pub fn without_key<'a>(
    settings: &'a Settings,
    algorithms: &[SigningAlgorithm],
) -> Option<(&'a ClientId, SigningAlgorithm)> {
    settings.clients.iter().map(|client| &client.metadata).find_map(|client| {
        let chosen = [
            Some(client.id_token_signed_response_alg),
            client.access_token_signature(),
            client.userinfo_signed_response_alg,
        ];
        let missing = chosen.into_iter().flatten().find(|chosen| !algorithms.contains(chosen));
        missing.map(|algorithm| (&client.client_id, algorithm))
    })
}
