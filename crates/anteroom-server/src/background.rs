//! Tasks that run beside the requests: deliveries, keys, registered clients, the configuration, the chain of the audit
//! trail, housekeeping. Each task is a loop around one use case; a failure is logged and retried in the next round.

use anteroom_config::{Configuration, ConfigurationFile, Settings};
use anteroom_domain::audit_trail::chain::Checkpoint;
use anteroom_domain::audit_trail::lines::ExportLine;
use anteroom_domain::ids::AuditId;
use anteroom_flows::audit::chain::{self, CheckpointTime};
use anteroom_flows::context::call::Call;
use anteroom_flows::context::confirmations::Cached;
use anteroom_flows::context::provider::Provider;
use anteroom_flows::context::refusals;
use anteroom_flows::context::registered_clients;
use anteroom_flows::error::FlowError;
use anteroom_flows::keys::key_set;
use anteroom_flows::node::database_history;
use anteroom_flows::node::health;
use anteroom_flows::people::mail_requests;
use anteroom_flows::protocol::backchannel;
use anteroom_storage::KeysVersion;
use anteroom_web::Web;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::reload::ConfigurationReloader;
use crate::{checkpoints, housekeeping, wiring};

const EVERY_SECOND: Duration = Duration::from_secs(1);
/// The shortest time between two checks of the database, however many requests fail because of it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// The addresses of requested mails are looked up on a fixed interval and not when a form arrives: the response time must not
/// show whether an account has the address.
const MAIL_REQUEST_INTERVAL: Duration = Duration::from_millis(500);
/// The node's clock may have been set since the keys were loaded, so they are reloaded after this many rounds.
const ROUNDS_OF_KEYS: u32 = 60;
/// The most batches that one round links: a long backlog of entries must not delay the checkpoints.
const LINK_BATCHES: u32 = 200;
/// Rounds between two reads of the checkpoints that other nodes have signed.
const ROUNDS_OF_CHECKPOINTS: u32 = 60;
/// The most unlinkable audit entries that one process logs one by one.
const MOST_NAMED: usize = 100;

/// The tasks of a running server; dropping the set stops them.
///
/// `watched` is the source of the configuration.
pub fn start(
    web: &Arc<Web>,
    configuration: &Configuration,
    watched: Option<ConfigurationFile>,
) -> JoinSet<()> {
    let settings = &configuration.settings;
    let mut tasks = JoinSet::new();
    let provider = &web.provider;
    let shared = Arc::clone(provider);
    tasks.spawn(async move { backchannel::run(&shared).await });
    let schedule = wiring::key_schedule(settings);
    tasks.spawn(watch_keys(Arc::clone(provider)));
    tasks.spawn(watch_clients(Arc::clone(provider)));
    tasks.spawn(watch_health(Arc::clone(provider)));
    tasks.spawn(queue_requested_mails(Arc::clone(provider)));
    tasks.spawn(extend_audit_trail(Arc::clone(provider), checkpoints::file(settings)));
    if let Some(source) = watched {
        let watcher =
            ConfigurationReloader::new(Arc::clone(web), source, configuration, schedule.algorithms.clone());
        tasks.spawn(watcher.run());
    }
    tasks.spawn(housekeeping::run(Arc::clone(provider), schedule, settings.audit.retention));
    tasks
}

/// Loads within a second the keys that this node, another node or the operator rotated. Nothing slow is done here,
/// because requests are served only while this task keeps confirming the keys.
async fn watch_keys(provider: Arc<Provider>) {
    let mut ticks = interval(EVERY_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut round) = (None, 0_u32);
    // The keys were loaded just before, when the provider was made.
    provider.confirmations.confirm(Cached::Keys, Instant::now());
    loop {
        ticks.tick().await;
        if round.is_multiple_of(ROUNDS_OF_KEYS) {
            seen = None;
        }
        round = round.wrapping_add(1);
        if provider.history.is_rolled_back() {
            continue;
        }
        if let Err(error) = reload_keys(&provider, &mut seen).await {
            tracing::error!("the signing keys could not be loaded: {error}");
        }
    }
}

/// One round: loads the keys if their version differs from `seen`, or if a key changes its role now.
pub async fn reload_keys(provider: &Provider, seen: &mut Option<KeysVersion>) -> Result<(), FlowError> {
    let asked = Instant::now();
    let version = provider.store.keys_version().await?;
    let now = provider.clock.now();
    if *seen != Some(version) || provider.key_set().is_outdated(now) {
        provider.replace_key_set(key_set::load(&provider.store, &provider.keyring, now).await?);
        *seen = Some(version);
    }
    provider.confirmations.confirm(Cached::Keys, asked);
    Ok(())
}

/// Loads within a second the clients that registered, changed or were removed at other nodes.
async fn watch_clients(provider: Arc<Provider>) {
    let mut ticks = interval(EVERY_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    provider.confirmations.confirm(Cached::RegisteredClients, Instant::now());
    loop {
        ticks.tick().await;
        if provider.history.is_rolled_back() {
            continue;
        }
        match registered_clients::refresh_registered_clients(&provider).await {
            Ok(looked_at) => provider.confirmations.confirm(Cached::RegisteredClients, looked_at),
            Err(error) => tracing::error!("the registered clients could not be loaded: {error}"),
        }
    }
}

/// Looks up the addresses for which mails were requested, and queues the mails.
async fn queue_requested_mails(provider: Arc<Provider>) {
    let mut ticks = interval(MAIL_REQUEST_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if provider.history.is_rolled_back() {
            continue;
        }
        if let Err(error) = mail_requests::queue_requested_mails(&Call::local(&provider)).await {
            tracing::error!("requested mails could not be queued: {error}");
        }
    }
}

/// Checks whether this node can serve, and writes the result for the other nodes. Afterwards it checks whether the database went
/// back to an earlier state, because a broken connection may mean that another server took over. A request that failed because of
/// the database triggers a check at once.
async fn watch_health(provider: Arc<Provider>) {
    let mut watch = health::HealthMonitor::default();
    provider.confirmations.confirm(Cached::DatabaseHistory, Instant::now());
    let mut ticks = interval(EVERY_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = provider.store.trouble() => watch.check_writes_next(),
        }
        watch.run_checks(&provider).await;
        let asked = Instant::now();
        match database_history::check_now(&provider).await {
            Ok(()) => provider.confirmations.confirm(Cached::DatabaseHistory, asked),
            Err(error) => tracing::warn!("the database could not be checked for an earlier state: {error}"),
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Links new entries and signs checkpoints of the audit trail. `file` receives a copy of the checkpoints outside the
/// database.
async fn extend_audit_trail(provider: Arc<Provider>, file: Option<PathBuf>) {
    let mut ticks = interval(EVERY_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut named = HashSet::new();
    let mut round = 0_u32;
    loop {
        ticks.tick().await;
        // New links at the end of a database that went back would hide the point to which it went back.
        if provider.history.is_rolled_back() {
            continue;
        }
        match extend_chain(&provider, file.as_deref(), CheckpointTime::Due).await {
            Ok(left_out) => log_left_out(left_out, &mut named),
            Err(error) => tracing::error!("the chain of the audit trail could not be extended: {error}"),
        }
        if round.is_multiple_of(ROUNDS_OF_CHECKPOINTS)
            && let Err(error) = keep_newest(&provider, file.as_deref()).await
        {
            tracing::error!(
                "the newest checkpoint of the audit trail could not be copied to the file: {error}"
            );
        }
        round = round.wrapping_add(1);
    }
}

/// Logs each entry once: it stays in the table until an operator removes it.
fn log_left_out(left_out: Vec<AuditId>, named: &mut HashSet<AuditId>) {
    for entry in left_out {
        if named.len() < MOST_NAMED && named.insert(entry) {
            tracing::error!(
                %entry,
                "an audit entry was not linked into the chain: it is linked already, or cannot be read. Another \
                 program has written it to the table `audit_waiting`. Run `anteroom audit verify`"
            );
        }
    }
}

/// One round: links all waiting entries, batch by batch, then signs a checkpoint if one is due. Returns the entries
/// that cannot be linked.
pub async fn extend_chain(
    provider: &Provider,
    file: Option<&Path>,
    when: CheckpointTime,
) -> Result<Vec<AuditId>, FlowError> {
    let mut left_out = Vec::new();
    for _ in 0..LINK_BATCHES {
        let linked = chain::link(&provider.store).await?;
        left_out = linked.left_out;
        if !linked.more {
            break;
        }
        tokio::task::yield_now().await;
    }
    let now = provider.clock.now();
    let signed = chain::checkpoint(&provider.store, &provider.keyring, when, now).await?;
    if let Some(checkpoint) = signed {
        copy_outside(checkpoint, file).await;
    }
    Ok(left_out)
}

/// Writes a checkpoint to the log and to the file. If one of them fails, the next checkpoint makes up for it, because
/// it covers all before it.
async fn copy_outside(checkpoint: Checkpoint, file: Option<&Path>) {
    let line = ExportLine::Checkpoint(checkpoint.clone()).write().unwrap_or_default();
    tracing::info!(seq = checkpoint.link.seq, line, "checkpoint of the audit trail");
    let Some(file) = file.map(Path::to_owned) else { return };
    let shown = file.display().to_string();
    let appended = tokio::task::spawn_blocking(move || checkpoints::append(&file, &checkpoint)).await;
    if let Ok(Err(error)) = appended {
        tracing::error!(file = shown, "the checkpoint could not be added to its file: {error}");
    }
}

/// Only one node signs each checkpoint, but every node appends it to its own file: at its next start the file is its
/// only evidence of a database rollback.
pub async fn keep_newest(provider: &Provider, file: Option<&Path>) -> Result<(), FlowError> {
    let Some(file) = file.map(Path::to_owned) else { return Ok(()) };
    let newest = chain::newest_checkpoint(&provider.store, &provider.keyring).await?;
    let Some(checkpoint) = newest else { return Ok(()) };
    let shown = file.display().to_string();
    let kept = tokio::task::spawn_blocking(move || checkpoints::append_newer(&file, &checkpoint)).await;
    if let Ok(Err(error)) = kept {
        tracing::error!(file = shown, "the newest checkpoint could not be added to its file: {error}");
    }
    Ok(())
}

/// Runs before the server stops: writes the counters and waiting entries to the audit trail, and signs it.
pub async fn finish_audit_trail(provider: &Arc<Provider>, settings: &Settings) -> Result<(), FlowError> {
    if provider.history.is_rolled_back() {
        return Ok(());
    }
    refusals::write_audit_counters(&Call::local(provider)).await?;
    let file = checkpoints::file(settings);
    extend_chain(provider, file.as_deref(), CheckpointTime::Now).await?;
    keep_newest(provider, file.as_deref()).await
}
