//! Tasks that run once a minute: rotation that is due, counters for the audit trail, expired sessions, deletion of
//! expired rows.
//!
//! What ends or is deleted by the clock cannot be restored, so both pause while the clock may be wrong: after it
//! jumped, and while it differs from the database's clock.

use anteroom_domain::clock::{ClockMonitor, ClockStatus};
use anteroom_flows::audit::context::AuditContext;
use anteroom_flows::audit::pruning::{Pruning, prune};
use anteroom_flows::context::call::Call;
use anteroom_flows::context::provider::Provider;
use anteroom_flows::context::refusals;
use anteroom_flows::error::FlowError;
use anteroom_flows::keys::signing_keys;
use anteroom_flows::node::configured_clients;
use anteroom_flows::node::health;
use anteroom_flows::people::addresses;
use anteroom_flows::people::expiry_warnings;
use anteroom_flows::people::usernames;
use anteroom_flows::sessions::end_sessions;
use anteroom_storage::Sweeps;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::logging;

const EVERY_MINUTE: Duration = Duration::from_mins(1);
/// The most rows of one kind that a batch deletes, so that no request waits long for the writer.
const SWEEP_BATCH: u32 = 500;
/// The most batches in one round. The rest is left for the next round, so that the other tasks of the minute run.
const BATCHES: u32 = 200;
/// Nodes and commands of release 0.1.0 may write a `preferred_username` that is not reserved. Finding these reads a whole table,
/// so it is done once an hour.
const USERNAMES_EVERY: Duration = Duration::from_hours(1);
/// The same for devices that were not seen for long, and for old passwords: new ones are trimmed when they are set.
const WHOLE_TABLES_EVERY: Duration = Duration::from_hours(24);

/// When a task last ran, by monotonic time. A task that never ran is due.
#[derive(Clone, Copy, Debug, Default)]
struct LastRun(Option<Duration>);

impl LastRun {
    fn is_due(self, every: Duration, running: Duration) -> bool {
        self.0.is_none_or(|last| running.saturating_sub(last) >= every)
    }
}

/// What earlier rounds observed and did.
#[derive(Debug, Default)]
pub struct HousekeepingState {
    watch: ClockMonitor,
    devices: LastRun,
    passwords: LastRun,
    /// The number of old passwords an account kept when they were last swept.
    remembered: Option<u16>,
}

impl HousekeepingState {
    /// Due also after the configured number has changed.
    fn are_passwords_due(&self, remembered: u16, running: Duration) -> bool {
        self.remembered != Some(remembered) || self.passwords.is_due(WHOLE_TABLES_EVERY, running)
    }
}

/// Runs until the task is aborted.
pub async fn run(provider: Arc<Provider>, schedule: signing_keys::KeySchedule, retention: SignedDuration) {
    let mut ticks = interval(EVERY_MINUTE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (started, mut rounds) = (Instant::now(), HousekeepingState::default());
    let (mut reported, mut names) = (usernames::ReportedAccounts::default(), LastRun::default());
    loop {
        ticks.tick().await;
        logging::log_left_out_lines();
        // A due task may already have been done in the database before it went back.
        if provider.history.is_rolled_back() {
            continue;
        }
        if let Err(error) = rotate_keys(&provider, &schedule).await {
            tracing::error!("the keys could not be rotated: {error}");
        }
        if let Err(error) = refusals::write_audit_counters(&Call::local(&provider)).await {
            tracing::error!("the counters of the audit trail could not be written: {error}");
        }
        if let Err(error) = expiry_warnings::send_due(&Call::local(&provider)).await {
            tracing::error!("the warnings of password expiry could not be queued: {error}");
        }
        if let Err(error) = addresses::normalize_domains(&provider.store).await {
            tracing::error!("the domains of addresses could not be updated: {error}");
        }
        if names.is_due(USERNAMES_EVERY, started.elapsed()) {
            match usernames::reserve_and_report(&provider.store, &mut reported).await {
                Ok(()) => names = LastRun(Some(started.elapsed())),
                Err(error) => tracing::error!("usernames could not be added to accounts: {error}"),
            }
            // Once an hour too, for the same reason: nodes of release 0.1.0 may run at the same time.
            if let Err(error) = provider.store.backfill_authenticators(provider.clock.now()).await {
                tracing::error!("the table of authenticators could not be filled: {error}");
            }
        }
        if let Err(error) = configured_clients::record(&Call::local(&provider)).await {
            tracing::error!("the configured clients could not be recorded: {error}");
        }
        if let Err(error) = expire_and_delete(&provider, retention, &mut rounds, started.elapsed()).await {
            tracing::error!("expired rows could not be deleted: {error}");
        }
    }
}

/// Makes and retires the keys that are due.
pub async fn rotate_keys(provider: &Provider, schedule: &signing_keys::KeySchedule) -> Result<(), FlowError> {
    let rotation = signing_keys::KeyRotation {
        store: &provider.store,
        keyring: &provider.keyring,
        schedule,
        trigger: signing_keys::RotationTrigger::Schedule,
        audit: AuditContext::local(provider.clock.now(), &provider.random),
    };
    signing_keys::rotate(rotation).await?;
    Ok(())
}

/// Ends expired sessions and deletes expired rows, unless the clock may be wrong. `retention` is that of the audit
/// trail, `running` is monotonic time.
pub async fn expire_and_delete(
    provider: &Arc<Provider>,
    retention: SignedDuration,
    rounds: &mut HousekeepingState,
    running: Duration,
) -> Result<(), FlowError> {
    match rounds.watch.observe(provider.clock.now(), running) {
        ClockStatus::Steady => {}
        ClockStatus::Jumped(by) => {
            tracing::warn!(
                seconds = by.as_secs(),
                "the clock jumped: for a while no session is ended and no row is \
                                                    deleted"
            );
            configured_clients::reset_absence(&Call::local(provider));
            return Ok(());
        }
        ClockStatus::Settling => return Ok(()),
    }
    if let Err(reason) = health::clock_agrees(provider).await {
        tracing::warn!("no session is ended and no row is deleted: {reason}");
        return Ok(());
    }
    end_lapsed(provider).await?;
    configured_clients::end_grants_of_absent_clients(&Call::local(provider)).await?;
    sweep(provider, rounds, running).await?;
    prune_audit_trail(provider, retention).await
}

/// Ends all sessions that have expired, or whose epoch is over, batch by batch.
async fn end_lapsed(provider: &Arc<Provider>) -> Result<(), FlowError> {
    for _ in 0..BATCHES {
        let call = Call::local(provider);
        if end_sessions::end_lapsed(&call).await? + end_sessions::end_sessions_of_old_epochs(&call).await?
            == 0
        {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Deletes expired rows and passwords that are no longer remembered, batch by batch. A statement whose batch was not
/// full does not run again in this round.
async fn sweep(
    provider: &Provider,
    rounds: &mut HousekeepingState,
    running: Duration,
) -> Result<(), FlowError> {
    let remembered = provider.snapshot().policy.new_password.remembered;
    let devices_due = rounds.devices.is_due(WHOLE_TABLES_EVERY, running);
    let passwords_due = rounds.are_passwords_due(remembered, running);
    let mut left = if devices_due { Sweeps::ALL } else { Sweeps::FREQUENT };
    let mut passwords_left = passwords_due;
    for _ in 0..BATCHES {
        if !left.is_empty() {
            left = provider.store.sweep(provider.clock.now(), SWEEP_BATCH, left).await?.unfinished;
        }
        if passwords_left {
            let rows = provider.store.sweep_old_passwords(remembered, SWEEP_BATCH).await?;
            passwords_left = rows >= u64::from(SWEEP_BATCH);
        }
        if left.is_empty() && !passwords_left {
            break;
        }
        tokio::task::yield_now().await;
    }
    if devices_due && left.is_empty() {
        rounds.devices = LastRun(Some(running));
    }
    if passwords_due && !passwords_left {
        (rounds.passwords, rounds.remembered) = (LastRun(Some(running)), Some(remembered));
    }
    Ok(())
}

/// Removes audit entries beyond their retention, batch by batch.
async fn prune_audit_trail(provider: &Provider, retention: SignedDuration) -> Result<(), FlowError> {
    for _ in 0..BATCHES {
        let origin = AuditContext::local(provider.clock.now(), &provider.random);
        match prune(&provider.store, &provider.keyring, &origin, retention).await? {
            Pruning::Nothing => break,
            Pruning::Done(entries) => {
                tracing::info!(entries, "the oldest entries of the audit trail were removed");
            }
            Pruning::Refused(findings) => {
                let first = findings.first().map(ToString::to_string).unwrap_or_default();
                tracing::error!(
                    "the oldest audit entries differ from what was written, so none is removed: {first}. Run `anteroom \
                     audit verify`"
                );
                break;
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_passwords_of_all_accounts_are_swept_at_the_start_after_a_change_and_once_a_day() {
        let hours = |count| Duration::from_hours(count);
        let mut rounds = HousekeepingState::default();
        assert!(rounds.are_passwords_due(10, hours(0)), "at the start");
        (rounds.passwords, rounds.remembered) = (LastRun(Some(hours(0))), Some(10));
        for (remembered, running, due) in [(10, 1, false), (10, 23, false), (5, 1, true), (10, 24, true)] {
            assert_eq!(rounds.are_passwords_due(remembered, hours(running)), due, "{remembered} {running}");
        }
    }
}
