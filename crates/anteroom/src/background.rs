//! What runs beside the requests: deliveries, keys, the configuration, counts, sweeping. Each task is a loop around one use
//! case; a failure is logged and tried again with the next round.

use anteroom_config::{Configuration, Settings, Source};
use anteroom_domain::ids::NodeId;
use anteroom_flows::error::FlowError;
use anteroom_flows::provider::Provider;
use anteroom_flows::{admin, backchannel, health, key_set, keys, sign_out, trail};
use anteroom_oidc::{ClientId, SigningAlgorithm};
use anteroom_pages::{Theme, ThemeError};
use anteroom_storage::InstanceKind;
use anteroom_web::Web;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::wiring;

const EVERY_SECOND: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(15);
const EVERY_MINUTE: Duration = Duration::from_mins(1);
/// Rows that one sweep deletes of each kind, so that nobody waits behind it.
const SWEEP_BATCH: u32 = 500;
/// Batches of a round at most: what is left waits for the next, and the other tasks of the minute have their turn.
const BATCHES: u32 = 200;

/// The tasks of a running server; dropping the set stops them.
pub fn start(web: &Arc<Web>, settings: &Settings, source: Option<Source>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let provider = &web.provider;
    let shared = Arc::clone(provider);
    tasks.spawn(async move { backchannel::run(&shared).await });
    let schedule = wiring::key_schedule(settings);
    let algorithms = schedule.algorithms.clone();
    tasks.spawn(follow_keys(Arc::clone(provider), schedule));
    tasks.spawn(each_minute(Arc::clone(provider)));
    tasks.spawn(beat(Arc::clone(provider)));
    if let Some(source) = source {
        tasks.spawn(follow_configuration(Arc::clone(web), source, algorithms));
    }
    tasks
}

/// Rotates on schedule, and takes up within a second what another node or the operator rotated.
async fn follow_keys(provider: Arc<Provider>, schedule: keys::KeySchedule) {
    let mut ticks = interval(EVERY_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut round) = (None, 0_u32);
    loop {
        ticks.tick().await;
        let whole = round.is_multiple_of(60);
        round = round.wrapping_add(1);
        match refresh_keys(&provider, &schedule, &mut seen, whole).await {
            Ok(()) => {}
            Err(error) => tracing::error!("signing keys: {error}"),
        }
    }
}

/// One round: `whole` rotates what is due and lets time take effect, else only what others changed is taken up.
pub async fn refresh_keys(
    provider: &Provider,
    schedule: &keys::KeySchedule,
    seen: &mut Option<i64>,
    whole: bool,
) -> Result<(), FlowError> {
    let now = provider.clock.now();
    if whole {
        keys::rotate(&provider.store, &provider.keyring, &provider.random, schedule, now).await?;
    }
    let version = provider.store.keys_version().await?;
    // Once a minute in any case: a key's time to sign comes without a change of the version.
    if whole || *seen != Some(version) {
        provider.replace_key_set(key_set::load(&provider.store, &provider.keyring, now).await?);
        *seen = Some(version);
    }
    Ok(())
}

/// Tells the other nodes of this one.
async fn beat(provider: Arc<Provider>) {
    let node = NodeId(provider.random.uuid_v4());
    let mut ticks = interval(HEARTBEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = health::beat(&provider, node).await {
            tracing::error!("heartbeat: {error}");
        }
    }
}

async fn each_minute(provider: Arc<Provider>) {
    let mut ticks = interval(EVERY_MINUTE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = trail::write_tallies(&provider).await {
            tracing::error!("token counts: {error}");
        }
        if let Err(error) = end_lapsed(&provider).await {
            tracing::error!("lapsed sessions: {error}");
        }
        if let Err(error) = sweep(&provider).await {
            tracing::error!("sweeping: {error}");
        }
    }
}

/// Ends all sessions that have lapsed, batch by batch.
pub async fn end_lapsed(provider: &Provider) -> Result<(), FlowError> {
    for _ in 0..BATCHES {
        if sign_out::end_lapsed(provider).await? == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Deletes all that is over, batch by batch.
pub async fn sweep(provider: &Provider) -> Result<(), FlowError> {
    for _ in 0..BATCHES {
        if !provider.store.sweep(provider.clock.now(), SWEEP_BATCH).await?.more {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// A change is taken up whole, or refused whole while the running configuration stays. `algorithms` are those that keys
/// are made for: they stay until the next start.
async fn follow_configuration(web: Arc<Web>, source: Source, algorithms: Vec<SigningAlgorithm>) {
    let mut ticks = interval(EVERY_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut source = Some(source);
    loop {
        ticks.tick().await;
        let Some(mut watched) = source.take() else { return };
        let looked = tokio::task::spawn_blocking(move || {
            let found = watched.poll(&|name| std::env::var(name).ok());
            (watched, found)
        });
        let Ok((watched, found)) = looked.await else { return };
        source = Some(watched);
        match found {
            None => {}
            Some(Ok(configuration)) => match take_up(&web, &configuration, &algorithms) {
                Ok(()) => taken_up(&web, &configuration).await,
                Err(refused) => tracing::error!("{REFUSED}: {refused}"),
            },
            Some(Err(problems)) => tracing::error!("{REFUSED}\n{}", problems.render(false)),
        }
    }
}

const REFUSED: &str = "the changed configuration was refused, the running one stays";

/// Why a good configuration cannot take the place of the running one.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the issuer cannot change while the server runs")]
    Issuer,
    #[error(
        "the client `{0}` needs {1}, for which no key is made: keys.signing.algorithms waits for the next start"
    )]
    NoKey(ClientId, SigningAlgorithm),
    #[error("the theme: {0}")]
    Theme(#[from] ThemeError),
}

/// `algorithms` are those that keys are made for.
pub fn take_up(
    web: &Web,
    configuration: &Configuration,
    algorithms: &[SigningAlgorithm],
) -> Result<(), Refused> {
    let (provider, settings) = (&web.provider, &configuration.settings);
    let running = provider.snapshot();
    if running.issuer != settings.issuer {
        return Err(Refused::Issuer);
    }
    if let Some((client, algorithm)) = wiring::without_key(settings, algorithms) {
        return Err(Refused::NoKey(client.clone(), algorithm));
    }
    let theme = Theme::load(settings.theme.folder.as_deref())?;
    let kind = if running.practice.demo { InstanceKind::Demo } else { InstanceKind::Production };
    web.replace_theme(theme);
    provider.replace_snapshot(wiring::snapshot(configuration, &provider.keyring, kind, algorithms));
    Ok(())
}

async fn taken_up(web: &Web, configuration: &Configuration) {
    wiring::warn_of(configuration);
    tracing::info!(
        digest = %configuration.digest,
        "configuration taken up; what has changed in practice.default_locale, [server], [database], [keys], [hashing], \
         [outgoing], [email], [twilio], [text], [voice], [dev] and [log] waits for the next start"
    );
    if let Err(error) = admin::note_configuration(&web.provider).await {
        tracing::error!("the trail was not told of the configuration: {error}");
    }
}
