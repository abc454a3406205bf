//! Follows the configuration's files: a changed configuration is applied as a whole, or refused as a whole and the
//! running one stays.
//!
//! A configuration that removes clients is read a second time some seconds later. A folder that is being moved, or a
//! file system that was just unmounted, looks like one without files, and every client in it would be refused at once.

use anteroom_config::{
    Changes, Configuration, ConfigurationDigest, ConfigurationFile, Diagnostics, PartDigests, Settings,
};
use anteroom_flows::context::confirmations::Cached;
use anteroom_oidc::{ClientId, SigningAlgorithm};
use anteroom_web::Web;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::applied_configuration::{RELOAD_REFUSED, apply_configuration, record_applied_configuration};
use crate::logging;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The time between the two reads of a configuration that removes clients.
pub const SECOND_LOOK_AFTER: Duration = Duration::from_secs(5);

/// The most keys, groups or clients named in one log line.
const MOST_NAMED: usize = 40;

/// Reads the configuration's files, and applies changes.
pub struct ConfigurationReloader {
    web: Arc<Web>,
    /// `None` during a read.
    source: Option<ConfigurationFile>,
    /// Algorithms with signing keys: they stay the same until the next start.
    algorithms: Vec<SigningAlgorithm>,
    /// The clients of the running configuration.
    clients: Vec<ClientId>,
    /// The digests of the configuration with which the node started.
    started: PartDigests,
    /// The digests of the configuration that was applied last.
    running: PartDigests,
    pending: Option<PendingReload>,
}

/// A configuration that removes clients, between its first and second read.
#[derive(Clone, Copy)]
struct PendingReload {
    digest: ConfigurationDigest,
    since: Instant,
}

impl ConfigurationReloader {
    /// `started` are the digests of `source` when it was loaded.
    pub fn new(
        web: Arc<Web>,
        source: ConfigurationFile,
        started: &Configuration,
        algorithms: Vec<SigningAlgorithm>,
    ) -> Self {
        Self {
            web,
            source: Some(source),
            algorithms,
            clients: ids(&started.settings),
            started: started.digests.clone(),
            running: started.digests.clone(),
            pending: None,
        }
    }

    /// Runs until the task is aborted.
    pub async fn run(mut self) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.web.provider.confirmations.confirm(Cached::Configuration, Instant::now());
        loop {
            ticks.tick().await;
            if !self.check(Instant::now()).await {
                return;
            }
        }
    }

    /// Checks the files once; false if no further check is possible.
    pub async fn check(&mut self, now: Instant) -> bool {
        let Some(mut source) = self.source.take() else { return false };
        let is_second =
            self.pending.is_some_and(|pending| now.duration_since(pending.since) >= SECOND_LOOK_AFTER);
        let looked = tokio::task::spawn_blocking(move || {
            let env = |name: &str| std::env::var(name).ok();
            let found = if is_second { Some(source.load(&env)) } else { source.poll(&env) };
            (source, found)
        });
        let Ok((source, found)) = looked.await else { return false };
        self.source = Some(source);
        if let Some(found) = found {
            self.apply_found(found, now).await;
        }
        self.web.provider.confirmations.confirm(Cached::Configuration, now);
        true
    }

    async fn apply_found(&mut self, found: Result<Configuration, Diagnostics>, now: Instant) {
        let pending = self.pending.take();
        let configuration = match found {
            Ok(configuration) => configuration,
            Err(problems) => {
                tracing::error!("{RELOAD_REFUSED}");
                return logging::report(tracing::Level::ERROR, &problems.render(false));
            }
        };
        let missing = self.missing(&configuration);
        let agrees = pending.is_some_and(|pending| {
            pending.digest == configuration.digest && now.duration_since(pending.since) >= SECOND_LOOK_AFTER
        });
        if !missing.is_empty() && !agrees {
            self.pending = Some(PendingReload { digest: configuration.digest, since: now });
            tracing::warn!(
                clients = self.named(&missing),
                "the changed configuration removes clients: it is read again in {} seconds before it is applied",
                SECOND_LOOK_AFTER.as_secs()
            );
            return;
        }
        if let Err(refused) = apply_configuration(&self.web, &configuration, &self.algorithms).await {
            return tracing::error!("{RELOAD_REFUSED}: {refused}");
        }
        if !missing.is_empty() {
            tracing::warn!(
                clients = self.named(&missing),
                "clients were removed: their requests are refused from now on"
            );
        }
        self.clients = ids(&configuration.settings);
        say_changes(&Changes::of(&configuration.digests, &self.running, &self.started), configuration.digest);
        self.running = configuration.digests.clone();
        record_applied_configuration(&self.web, &configuration).await;
    }

    /// The running configuration's clients that the new one lacks.
    fn missing(&self, configuration: &Configuration) -> Vec<ClientId> {
        let kept: HashSet<ClientId> = ids(&configuration.settings).into_iter().collect();
        self.clients.iter().filter(|client| !kept.contains(client)).cloned().collect()
    }

    fn named(&self, missing: &[ClientId]) -> String {
        if missing.len() == self.clients.len() {
            return format!("all {}", missing.len());
        }
        missing.iter().map(ClientId::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn say_changes(changes: &Changes, digest: ConfigurationDigest) {
    let changed = listed(&changes.changed).unwrap_or_else(|| "nothing".to_owned());
    let waiting = listed(&changes.waiting);
    tracing::info!(changed, waits_for_next_start = waiting, %digest, "configuration applied");
}

/// `None` for an empty list.
fn listed(names: &[String]) -> Option<String> {
    let (shown, rest) = names.split_at(names.len().min(MOST_NAMED));
    let mut text = shown.join(", ");
    if !rest.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, " and {} more", rest.len());
    }
    (!names.is_empty()).then_some(text)
}

fn ids(settings: &Settings) -> Vec<ClientId> {
    settings.clients.iter().map(|client| client.metadata.client_id.clone()).collect()
}
