//! What is done once a minute: rotation that is due, counts for the audit trail, lapsed sessions, sweeping.
//!
//! Ending and deleting by the clock cannot be taken back, so both pause while the clock is not to be trusted: after it
//! jumped, and while the database's shows something else.

use anteroom_domain::clock::{JumpWatch, Steadiness};
use anteroom_flows::error::FlowError;
use anteroom_flows::provider::Provider;
use anteroom_flows::pruning::{Pruning, prune};
use anteroom_flows::trail::Origin;
use anteroom_flows::{
    addresses, configured_clients, expiry_warnings, health, keys, sign_out, trail, usernames,
};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::logging;

const EVERY_MINUTE: Duration = Duration::from_mins(1);
/// Rows that one sweep deletes of each kind, so that nobody waits behind it.
const SWEEP_BATCH: u32 = 500;
/// Batches of a round at most: what is left waits for the next, and the other tasks of the minute have their turn.
const BATCHES: u32 = 200;

/// Runs until the task is aborted.
pub async fn run(provider: Arc<Provider>, schedule: keys::KeySchedule, retention: SignedDuration) {
    let mut ticks = interval(EVERY_MINUTE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (started, mut watch) = (Instant::now(), JumpWatch::default());
    let mut told = usernames::Told::default();
    loop {
        ticks.tick().await;
        logging::tell_left_out();
        // What is due in a database that went back may have been done already.
        if provider.history.is_refused() {
            continue;
        }
        if let Err(error) = rotate_keys(&provider, &schedule).await {
            tracing::error!("rotation of keys: {error}");
        }
        if let Err(error) = trail::write_tallies(&provider).await {
            tracing::error!("token counts: {error}");
        }
        if let Err(error) = expiry_warnings::send_due(&provider).await {
            tracing::error!("warnings of expiry: {error}");
        }
        if let Err(error) = addresses::renew_domains(&provider.store).await {
            tracing::error!("domains of addresses: {error}");
        }
        if let Err(error) = usernames::enter(&provider.store, &mut told).await {
            tracing::error!("names of accounts: {error}");
        }
        if let Err(error) = configured_clients::note(&provider).await {
            tracing::error!("the clients of the configuration: {error}");
        }
        if let Err(error) = tidy_up(&provider, retention, &mut watch, started.elapsed()).await {
            tracing::error!("sweeping: {error}");
        }
    }
}

/// Makes and retires the keys whose time has come.
pub async fn rotate_keys(provider: &Provider, schedule: &keys::KeySchedule) -> Result<(), FlowError> {
    let now = provider.clock.now();
    let when = (now, keys::Occasion::Schedule);
    keys::rotate(&provider.store, &provider.keyring, &provider.random, schedule, when).await?;
    Ok(())
}

/// Ends what has lapsed and deletes what is over, unless the clock is in doubt. `retention` is that of the audit trail,
/// `running` is monotonic time.
pub async fn tidy_up(
    provider: &Provider,
    retention: SignedDuration,
    watch: &mut JumpWatch,
    running: Duration,
) -> Result<(), FlowError> {
    match watch.look(provider.clock.now(), running) {
        Steadiness::Steady => {}
        Steadiness::Jumped(by) => {
            tracing::warn!(seconds = by.as_secs(), "the clock jumped: nothing is ended or swept for a while");
            configured_clients::measure_anew(provider);
            return Ok(());
        }
        Steadiness::Settling => return Ok(()),
    }
    if let Err(reason) = health::clock_agrees(provider).await {
        tracing::warn!("nothing is ended or swept: {reason}");
        return Ok(());
    }
    end_lapsed(provider).await?;
    configured_clients::end_absent(provider).await?;
    sweep(provider).await?;
    prune_trail(provider, retention).await
}

/// Ends all sessions that have lapsed, or whose epoch has passed, batch by batch.
async fn end_lapsed(provider: &Provider) -> Result<(), FlowError> {
    for _ in 0..BATCHES {
        if sign_out::end_lapsed(provider).await? + sign_out::end_of_passed_epochs(provider).await? == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Deletes all that is over, and passwords that are not remembered any more, batch by batch.
async fn sweep(provider: &Provider) -> Result<(), FlowError> {
    let remembered = u32::from(provider.snapshot().policy.new_password.remembered);
    for _ in 0..BATCHES {
        let swept = provider.store.sweep(provider.clock.now(), SWEEP_BATCH).await?;
        let passwords = provider.store.sweep_old_passwords(remembered, SWEEP_BATCH).await?;
        if !swept.more && !passwords.more {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Removes what of the trail was kept long enough, batch by batch.
async fn prune_trail(provider: &Provider, retention: SignedDuration) -> Result<(), FlowError> {
    for _ in 0..BATCHES {
        let origin = Origin::local(provider.clock.now(), &provider.random);
        match prune(&provider.store, &provider.keyring, &origin, retention).await? {
            Pruning::Nothing => break,
            Pruning::Done(entries) => {
                tracing::info!(entries, "the oldest entries of the audit trail were removed");
            }
            Pruning::Refused(findings) => {
                let first = findings.first().map(ToString::to_string).unwrap_or_default();
                tracing::error!(
                    "the oldest entries of the audit trail are not as they were written, and none is removed: {first}. \
                     Run `anteroom audit verify`"
                );
                break;
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}
