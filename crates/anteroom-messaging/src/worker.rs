//! The worker: takes what is due from the outbox, sends it, and says what became of it.
//!
//! Invariants:
//! - each channel has a lane of its own, and each message in it a time limit: a slow provider holds up no other channel;
//! - a refusal that is not about the message pauses its channel and does not count as an attempt of the message;
//! - a lease is longer than an attempt may take, so only one node sends a message at a time; messages of a stopped node are due
//!   again when the lease ends;
//! - a stop takes nothing new and waits for what is under way, so that nothing is sent twice on its account;
//! - expired messages are erased, also on channels without a provider.

use anteroom_domain::clock::Clock;
use anteroom_domain::message::{Channel, Mail, Message, MessageBody};
use anteroom_pages::RenderError;
use anteroom_storage::{LeasedMessage, MessageResult, Store, StoreError};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

use crate::channel_backoff::{ChannelBackoff, ChannelHealth, Jitter, LONGEST_FOR_CODES};
use crate::rendered::Rendered;
use crate::sending::{DeliveryError, MessageHeader, Reason, Senders};
use crate::units::{ExpireMessagesUnit, FinishMessageUnit, LeaseMessagesUnit};

/// How long one may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Longer than an attempt, with what is written before and after it.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How often a lane looks for what is due.
const ROUND: Duration = Duration::from_millis(500);
/// How often messages whose time is over are erased, and how many at once.
const EXPIRY_ROUND: Duration = Duration::from_secs(15);
const EXPIRY_BATCH: u64 = 500;
/// Waits between attempts; the last one stands for all that follow. The fifth attempt comes after some five and a half
/// minutes: servers that put an unknown sender off mostly do it for five.
const BACKOFF_SECONDS: [i64; 7] = [5, 30, 120, 180, 600, 3_600, 14_400];
/// The longest of them while the set-up is wrong: once it is put right, what waited goes out soon.
const MAX_BACKOFF_MISCONFIGURED: SignedDuration = SignedDuration::from_mins(5);
/// What became of an attempt is worth a few tries to write down: without it the message goes out again.
const WRITES: u32 = 5;

/// Puts a message into the words of the theme and the practice as they are now.
pub type Renderer = Box<dyn Fn(&Message) -> Result<Rendered, RenderError> + Send + Sync>;

pub struct Worker {
    pub store: Store,
    pub clock: Clock,
    pub senders: Senders,
    pub writer: Renderer,
    /// While this says so nothing is sent: what waits in a database that went back may have been sent already.
    pub is_stopped_by_rollback: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Worker {
    /// Runs until `stop` is true or its sender is dropped.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        tokio::join!(
            self.channel_loop(Channel::Email, stop.clone()),
            self.channel_loop(Channel::Text, stop.clone()),
            self.channel_loop(Channel::Call, stop.clone()),
            self.expire(stop),
        );
    }

    async fn channel_loop(&self, channel: Channel, mut stop: watch::Receiver<bool>) {
        // Mail can wait for a server that is configured later. A person waits for a code, and is told to try another way.
        if channel == Channel::Email && !self.senders.serves(channel) {
            return;
        }
        let pause = Mutex::new(None);
        let mut under_way = FuturesUnordered::new();
        loop {
            let stopping = *stop.borrow();
            if !stopping {
                let at_once = self.senders.at_once(channel);
                let room = ChannelBackoff::remaining_capacity(
                    *locked(&pause),
                    self.clock.now(),
                    at_once,
                    under_way.len(),
                );
                match self.lease(channel, room).await {
                    Ok(leased) => under_way.extend(leased.into_iter().map(|one| self.attempt(one, &pause))),
                    Err(error) => tracing::error!(channel = channel.as_str(), "outbox: {error}"),
                }
            }
            if under_way.is_empty() {
                self.senders.close_idle(channel, stopping).await;
            }
            if stopping && under_way.is_empty() {
                return;
            }
            tokio::select! {
                Some(()) = under_way.next() => {}
                () = tokio::time::sleep(ROUND) => {}
                changed = stop.changed(), if !stopping => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn lease(&self, channel: Channel, room: usize) -> Result<Vec<LeasedMessage>, StoreError> {
        let now = self.clock.now();
        let limit = u64::try_from(room).unwrap_or(0);
        // A look costs nothing, a unit of work its turn in the queue.
        if limit == 0 || (self.is_stopped_by_rollback)() || !self.store.are_messages_due(channel, now).await?
        {
            return Ok(Vec::new());
        }
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let (_, leased) = self.store.run(LeaseMessagesUnit { channel, now, until, limit }).await;
        leased
    }

    async fn attempt(&self, leased: LeasedMessage, pause: &Mutex<Option<ChannelBackoff>>) {
        let LeasedMessage { message, attempt } = leased;
        let sent = self.send(&message).await;
        let now = self.clock.now();
        let paused = paused(&message, &sent, now, pause);
        let result = match (&sent, paused) {
            (Ok(()), _) => MessageResult::Sent,
            (Err(failure), Some(pause)) if failure.affects_channel => {
                put_off(failure, attempt, pause, message.expires_at)
            }
            (Err(failure), _) => result_of(failure, attempt, Jitter::of(message.id), now, message.expires_at),
        };
        note(&message, attempt, &sent, result);
        self.finish(&message, result, now).await;
    }

    async fn send(&self, message: &Message) -> Result<(), DeliveryError> {
        let rendered = (self.writer)(message);
        let rendered =
            rendered.map_err(|error| DeliveryError::new(Reason::Unwritable).detailed(error.to_string()))?;
        let ticket = MessageHeader { id: message.id, at: message.created_at, expires_at: message.expires_at };
        let name = self.name_of(message).await;
        let sending = self.senders.send(ticket, name.as_deref(), &rendered);
        let timed_out = |_| Err(DeliveryError::new(Reason::TimedOut));
        tokio::time::timeout(ATTEMPT, sending).await.unwrap_or_else(timed_out)
    }

    /// Stands beside the address. A mail without it is better than none.
    async fn name_of(&self, message: &Message) -> Option<String> {
        let MessageBody::Email { mail, .. } = &message.body else { return None };
        if let Mail::Invitation { name: Some(name), .. } = mail {
            return Some(name.clone());
        }
        let account = self.store.account(message.account?).await.ok()??;
        let name = account.display_name();
        (name != account.primary_address.as_str()).then(|| name.to_owned())
    }

    async fn finish(&self, message: &Message, result: MessageResult, now: Timestamp) {
        let mut unit = FinishMessageUnit { id: message.id, result, now };
        for attempt in 1..=WRITES {
            let (finish, written) = self.store.run(unit).await;
            match written {
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(message_id = %message.id, "the result of a message could not be stored: {error}");
                }
            }
            unit = finish;
            tokio::time::sleep(ROUND * attempt).await;
        }
    }

    async fn erase_expired(&self) -> Result<u64, StoreError> {
        if (self.is_stopped_by_rollback)() {
            return Ok(0);
        }
        let unit = ExpireMessagesUnit { now: self.clock.now(), limit: EXPIRY_BATCH };
        let (_, count) = self.store.run(unit).await;
        count
    }

    async fn expire(&self, mut stop: watch::Receiver<bool>) {
        loop {
            match self.erase_expired().await {
                Ok(0) => {}
                Ok(count) => tracing::warn!(count, "messages were not sent before their time was over"),
                Err(error @ StoreError::Closed) => return tracing::debug!("outbox: {error}"),
                Err(error) => tracing::error!("outbox: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(EXPIRY_ROUND) => {}
                _ = stop.changed() => return,
            }
        }
    }
}

fn locked(pause: &Mutex<Option<ChannelBackoff>>) -> MutexGuard<'_, Option<ChannelBackoff>> {
    pause.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an attempt means for its channel, and the pause that there is now.
fn paused(
    message: &Message,
    sent: &Result<(), DeliveryError>,
    now: Timestamp,
    pause: &Mutex<Option<ChannelBackoff>>,
) -> Option<ChannelBackoff> {
    let channel = message.body.channel();
    let longest = if channel == Channel::Email { MAX_BACKOFF_MISCONFIGURED } else { LONGEST_FOR_CODES };
    let mut pause = locked(pause);
    let before = pause.take();
    *pause = ChannelBackoff::after(before, channel_health(sent), now, longest, Jitter::of(message.id));
    if let (Err(failure), Some(begun)) = (sent, pause.filter(|_| *pause != before)) {
        tracing::error!(channel = channel.as_str(), until = %begun.until, "the channel is paused: {failure}");
    }
    *pause
}

const fn channel_health(sent: &Result<(), DeliveryError>) -> ChannelHealth {
    match sent {
        Err(failure) if failure.affects_channel => ChannelHealth::Failing(failure.retry_after),
        Ok(())
        | Err(DeliveryError {
            reason: Reason::Rejected | Reason::TextRefused | Reason::InvalidNumber | Reason::NotAnswered,
            ..
        }) => ChannelHealth::Working,
        Err(_) => ChannelHealth::Unknown,
    }
}

/// Until the channel is tried again, unless the message is of no use then.
fn put_off(
    failure: &DeliveryError,
    attempt: u32,
    pause: ChannelBackoff,
    expires_at: Timestamp,
) -> MessageResult {
    let error = failure.reason.as_str();
    if pause.until < expires_at {
        MessageResult::Deferred { attempt, at: pause.until, error }
    } else {
        MessageResult::Failed { error }
    }
}

/// Another attempt, if it can help and comes before the message is of no use.
fn result_of(
    failure: &DeliveryError,
    attempt: u32,
    jitter: Jitter,
    now: Timestamp,
    expires_at: Timestamp,
) -> MessageResult {
    let error = failure.reason.as_str();
    if !failure.reason.is_transient() {
        return MessageResult::Failed { error };
    }
    let wait = if failure.reason.is_configuration_error() {
        backoff(attempt).min(MAX_BACKOFF_MISCONFIGURED)
    } else {
        backoff(attempt)
    };
    let wait = jitter.spread(wait.max(failure.retry_after.unwrap_or_default()));
    match now.checked_add(wait) {
        Ok(at) if at < expires_at => MessageResult::Retry { attempt, at, error },
        _ => MessageResult::Failed { error },
    }
}

fn backoff(attempt: u32) -> SignedDuration {
    let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
    let seconds = BACKOFF_SECONDS.get(place).or(BACKOFF_SECONDS.last()).copied().unwrap_or_default();
    SignedDuration::from_secs(seconds)
}

/// Says nothing of a message without a recipient: its end is in the trail, under the reference of its request.
fn note(message: &Message, attempt: u32, sent: &Result<(), DeliveryError>, result: MessageResult) {
    let (kind, channel) = (message.body.kind(), message.body.channel().as_str());
    let to = match &message.body {
        MessageBody::Email { to, .. } => to.masked(),
        MessageBody::Unaddressed { .. } => return,
        MessageBody::Text { to, .. } | MessageBody::Call { to, .. } | MessageBody::Notice { to, .. } => {
            to.masked()
        }
    };
    let id = message.id;
    match (sent, result) {
        (Err(failure), MessageResult::Retry { .. } | MessageResult::Deferred { .. }) => {
            tracing::warn!(message_id = %id, kind, channel, to, attempt, "not sent yet: {failure}");
        }
        (Err(failure), _) => {
            tracing::error!(message_id = %id, kind, channel, to, attempt, "not sent, and given up: {failure}");
        }
        (Ok(()), _) => tracing::info!(message_id = %id, kind, channel, to, attempt, "sent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_pass_is_tried_again_while_it_is_of_use() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |seconds: i64| now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        let busy = |seconds: Option<i64>| DeliveryError {
            retry_after: seconds.map(SignedDuration::from_secs),
            ..DeliveryError::new(Reason::Busy)
        };
        let retry = |attempt, seconds| MessageResult::Retry { attempt, at: after(seconds), error: "busy" };
        let failed = |error| MessageResult::Failed { error };
        for (failure, attempt, expires, expected) in [
            (busy(None), 1, 600, retry(1, 5)),
            (busy(None), 2, 600, retry(2, 30)),
            (busy(None), 3, 600, retry(3, 120)),
            // Greylisting: 335 seconds after the first.
            (busy(None), 4, 600, retry(4, 180)),
            (busy(None), 5, 600, failed("busy")),
            (busy(None), 5, 86_400, retry(5, 600)),
            (busy(None), 60, 86_400, retry(60, 14_400)),
            (busy(Some(40)), 1, 600, retry(1, 40)),
            (busy(Some(2)), 2, 600, retry(2, 30)),
            (busy(Some(3_600)), 1, 600, failed("busy")),
            (
                DeliveryError::new(Reason::ProviderConfiguration),
                60,
                86_400,
                MessageResult::Retry { attempt: 60, at: after(300), error: "set_up" },
            ),
            (DeliveryError::new(Reason::TextRefused), 1, 600, failed("text_refused")),
        ] {
            let jitter = Jitter::of("01936f5e-0000-7000-8000-000000000000".parse().unwrap());
            let found = result_of(&failure, attempt, jitter, now, after(expires));
            assert_eq!(found, expected, "{attempt} {expires}");
        }
    }
}
