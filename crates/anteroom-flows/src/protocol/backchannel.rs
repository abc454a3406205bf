//! Delivers logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.5). No request waits for it: a sign-out queues one delivery
//! per application, and this background task sends them in parallel under a time limit and retries those that fail.
//!
//! A client that does not answer must not delay the others. So each client has at most a few deliveries at once
//! (`MAX_PER_CLIENT`), and its next ones begin when those have ended. Clients of the configuration come before those that
//! registered themselves, which have a third of the deliveries at once together, so that they delay only each other.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::ids::MessageId;
use anteroom_domain::subject::{SessionSid, SubjectNamespace};
use anteroom_oidc::ClientId;
use anteroom_oidc::jwe::Payload;
use anteroom_oidc::jwt::{LogoutEvent, LogoutTokenClaims};
use anteroom_storage::{DeliveryResult, LogoutClients, LogoutDelivery, LogoutLease, Tx, Unit};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::context::call::Call;
use crate::context::outgoing::OutgoingError;
use crate::context::provider::Provider;
use crate::error::FlowError;
use crate::protocol::subject::{logout_subject_kind, named_session, sid_of_kind, subject_of_kind};
use crate::protocol::token_encryption::Recipient;

/// Deliveries at once on this node, to all clients and to one client of the configuration. Each has a connection.
const MAX_IN_PROGRESS: u32 = 96;
const MAX_PER_CLIENT: u32 = 8;
/// The same to all clients that registered themselves, and to one of them.
const MAX_OF_REGISTERED: u32 = 32;
const MAX_PER_REGISTERED: u32 = 2;
/// Longer than a delivery may take. After this, other nodes take the deliveries of a node that has stopped.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often the queue is read; a sign-out on this node causes a read at once.
const ROUND: Duration = Duration::from_secs(2);
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(2);
/// Waits between attempts, in seconds; the attempt after the last wait is the last one.
const BACKOFF_SECONDS: [i64; 6] = [5, 30, 120, 600, 3_600, 14_400];

/// Runs until the task is aborted.
pub async fn run(provider: &Arc<Provider>) {
    let mut busy = DeliveriesInProgress::default();
    let mut running = FuturesUnordered::new();
    loop {
        let call = Call::local(provider);
        match lease(&call, &busy).await {
            Ok(due) => {
                for (client, deliveries) in by_client(due) {
                    busy.begin(&call, &client, deliveries.len());
                    let call = call.at_present();
                    running.push(async move { (client, deliver_all(&call, deliveries).await) });
                }
            }
            Err(error) => tracing::error!("back-channel logout: {error}"),
        }
        tokio::select! {
            Some((client, result)) = running.next() => {
                busy.0.remove(&client);
                if let Err(error) = result {
                    tracing::error!(client = client.as_str(), "back-channel logout: {error}");
                }
            }
            () = provider.logout_queued.notified() => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// One round of deliveries, of each client at most as many as may be at once. Returns how many were tried.
#[tracing::instrument(name = "deliver_logout_tokens", skip_all)]
pub async fn deliver_due(call: &Call) -> Result<usize, FlowError> {
    let due = lease(call, &DeliveriesInProgress::default()).await?;
    let count = due.len();
    deliver_all(call, due).await?;
    Ok(count)
}

/// The clients to which deliveries are being sent, with their number.
#[derive(Debug, Default)]
struct DeliveriesInProgress(BTreeMap<ClientId, ClientDeliveries>);

#[derive(Clone, Copy, Debug)]
struct ClientDeliveries {
    deliveries: u32,
    is_configured: bool,
}

impl DeliveriesInProgress {
    fn begin(&mut self, call: &Call, client: &ClientId, deliveries: usize) {
        let deliveries = u32::try_from(deliveries).unwrap_or(MAX_PER_CLIENT);
        let is_configured = call.snapshot().clients.is_configured(client);
        self.0.insert(client.clone(), ClientDeliveries { deliveries, is_configured });
    }

    /// How many more deliveries there may be in all, and to clients that registered themselves.
    fn free_slots(&self) -> (u32, u32) {
        let all: u32 = self.0.values().map(|of_client| of_client.deliveries).sum();
        let registered = self.0.values().filter(|of_client| !of_client.is_configured);
        let registered = registered.map(|of_client| of_client.deliveries).sum();
        (MAX_IN_PROGRESS.saturating_sub(all), MAX_OF_REGISTERED.saturating_sub(registered))
    }
}

/// Self-registered clients could fill the queue. So the deliveries of configured clients are leased first.
async fn lease(call: &Call, busy: &DeliveriesInProgress) -> Result<Vec<LogoutDelivery>, FlowError> {
    let (free_slots, free_of_registered) = busy.free_slots();
    if free_slots == 0 || call.provider().history.is_rolled_back() {
        return Ok(Vec::new());
    }
    let until = call.after(LEASE);
    let clients = &call.snapshot().clients;
    let configured = || clients.configured().map(|client| client.id().clone());
    let free = configured().filter(|client| !busy.0.contains_key(client)).collect();
    let known = configured().chain(busy.0.keys().cloned()).collect();
    let own = LogoutLease { until, per_client: MAX_PER_CLIENT, of: LogoutClients::These(free) };
    let others = LogoutLease { until, per_client: MAX_PER_REGISTERED, of: LogoutClients::AllBut(known) };
    let unit = LeaseLogouts { own, others, free_slots, free_of_registered, now: call.now };
    call.store().run(unit).await.1
}

/// Takes deliveries to configured clients, up to the free slots, and then to others, up to the slots that are left.
struct LeaseLogouts {
    own: LogoutLease,
    others: LogoutLease,
    free_slots: u32,
    free_of_registered: u32,
    now: Timestamp,
}

impl Unit for LeaseLogouts {
    type Output = Vec<LogoutDelivery>;
    type Error = FlowError;

    const NAME: &'static str = "lease_logouts";

    async fn run(&self, tx: &Tx) -> Result<Vec<LogoutDelivery>, FlowError> {
        let Self { own, others, free_slots, free_of_registered, now } = self;
        let mut due = tx.lease_logouts(*now, own, *free_slots).await?;
        let left = free_slots.saturating_sub(u32::try_from(due.len()).unwrap_or(u32::MAX));
        let left = left.min(*free_of_registered);
        if left > 0 {
            due.extend(tx.lease_logouts(*now, others, left).await?);
        }
        Ok(due)
    }
}

fn by_client(due: Vec<LogoutDelivery>) -> BTreeMap<ClientId, Vec<LogoutDelivery>> {
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for delivery in due {
        all.entry(delivery.client.clone()).or_default().push(delivery);
    }
    all
}

/// Sends deliveries in parallel. A failure of one does not end the others.
async fn deliver_all(call: &Call, deliveries: Vec<LogoutDelivery>) -> Result<(), FlowError> {
    let all = deliveries.into_iter().map(|delivery| deliver(call, delivery));
    join_all(all).await.into_iter().collect()
}

async fn deliver(call: &Call, delivery: LogoutDelivery) -> Result<(), FlowError> {
    let snapshot = call.snapshot();
    let sent = match snapshot.clients.get(&delivery.client) {
        Some(client) => send(call, client, &delivery).await,
        // A reload may have dropped the client by mistake. So its deliveries are retried for as long as its grants are kept
        // (`end_grants_after`).
        None if call.now.duration_since(delivery.created_at) < snapshot.policy.clients.end_grants_after => {
            Err(SendError::Absent)
        }
        None => Ok(LogoutSendResult::NothingToSend),
    };
    // The client may have taken seconds to answer, and the next attempt is due so long after that.
    let call = &call.at_present();
    let attempts = delivery.attempts.saturating_add(1);
    let (result, event) = match sent {
        Ok(LogoutSendResult::Delivered) => (DeliveryResult::Done, Some(Event::LogoutDelivered)),
        Ok(LogoutSendResult::NothingToSend) => (DeliveryResult::Done, None),
        Err(error) => {
            if error.is_logged(attempts) {
                tracing::warn!(
                    client = delivery.client.as_str(),
                    attempts,
                    "back-channel logout not delivered: {error}"
                );
            }
            match error.may_pass().then(|| retry_at(attempts, call.now)).flatten() {
                Some(at) => (DeliveryResult::Retry { at }, None),
                None => (DeliveryResult::Failed, Some(Event::LogoutUndelivered { attempts })),
            }
        }
    };
    let entry = event.map(|event| {
        let entry = call.entry(Actor::System, event).about(delivery.account);
        entry.by_client(&delivery.client).in_session(delivery.session)
    });
    call.store().run(FinishDelivery { delivery: delivery.id, result, entry }).await.1
}

struct FinishDelivery {
    delivery: MessageId,
    result: DeliveryResult,
    entry: Option<AuditEntry>,
}

impl Unit for FinishDelivery {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "finish_delivery";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        tx.finish_logout(self.delivery, self.result).await?;
        if let Some(entry) = &self.entry {
            tx.append(entry).await?;
        }
        Ok(())
    }
}

enum LogoutSendResult {
    Delivered,
    /// The client or its logout address is no longer configured, or the client must not get the `sub` of this account.
    NothingToSend,
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the client is not in the configuration")]
    Absent,
    /// The address of a client that registered itself is not allowed. The configuration cannot change that.
    #[error("given up: {0}")]
    Refused(OutgoingError),
    /// The address of a configured client is not allowed, until the operator changes it, or allows its network and restarts.
    #[error("not until the configuration allows it: {0}")]
    NotAllowed(OutgoingError),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl SendError {
    /// Whether another attempt can succeed.
    const fn may_pass(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Absent | Self::NotAllowed(_) | Self::Outgoing(_) | Self::Flow(_) => true,
        }
    }

    /// A mistake in the configuration is logged at the first attempt alone, because it is the same at each of them.
    const fn is_logged(&self, attempts: u32) -> bool {
        !matches!(self, Self::NotAllowed(_)) || attempts == 1
    }
}

async fn send(
    call: &Call,
    client: &Client,
    delivery: &LogoutDelivery,
) -> Result<LogoutSendResult, SendError> {
    let Some(uri) = &client.metadata.backchannel_logout_uri else {
        return Ok(LogoutSendResult::NothingToSend);
    };
    let Some(kind) = logout_subject_kind(call, client, delivery.subjects.as_ref()) else {
        tracing::info!(
            client = client.id().as_str(),
            "back-channel logout not sent: since the sign-in the client has changed by which `sub` it knows people"
        );
        return Ok(LogoutSendResult::NothingToSend);
    };
    let outgoing = call.outgoing_for(client.id());
    let is_configured = call.snapshot().clients.is_configured(client.id());
    let refused = if is_configured { SendError::NotAllowed } else { SendError::Refused };
    outgoing.check(uri).map_err(refused)?;
    let recipient = Recipient::find(call, client, client.metadata.id_token_encryption).await?;
    let call = &call.at_present();
    let session = named_session(call, delivery.session).await?;
    let token = logout_token(call, client, delivery, &kind, session)?;
    // Back-Channel Logout §2.6: like ID tokens, or the client should refuse it. §2.4: its issuer stands outside as well.
    let token = match recipient {
        Some(recipient) => recipient.encrypt(call, Payload::JwtOf(&token, &call.snapshot().issuer))?,
        None => token,
    };
    outgoing.post_form(uri, &[("logout_token", &token)]).await?;
    Ok(LogoutSendResult::Delivered)
}

fn logout_token(
    call: &Call,
    client: &Client,
    delivery: &LogoutDelivery,
    kind: &SubjectNamespace,
    session: SessionSid,
) -> Result<String, FlowError> {
    let subject = subject_of_kind(call, kind, delivery.account)?;
    let sid = sid_of_kind(call, kind, session);
    // A retry sends a new token, because clients refuse a `jti` that they have seen.
    let jti = call.random().uuid_v4().to_string();
    // Back-Channel Logout §2.4: a client that reads `sub` and ignores `sid` ends every session of the person. A client that is
    // registered to need `sid` gets no `sub`, so that it ends the one session alone.
    let subject = Some(&subject).filter(|_| !client.metadata.backchannel_logout_session_required);
    let claims = LogoutTokenClaims {
        iss: &call.snapshot().issuer,
        aud: client.id(),
        sub: subject,
        sid: Some(&sid),
        iat: call.now,
        exp: call.after(TOKEN_LIFETIME),
        jti: &jti,
        events: LogoutEvent,
    };
    let keys = call.key_set();
    let key = keys.signer(client.metadata.id_token_signed_response_alg)?;
    claims.sign(key).map_err(|_| FlowError::Inconsistent("a logout token could not be signed"))
}

fn retry_at(attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let wait = BACKOFF_SECONDS.get(place)?;
    now.checked_add(SignedDuration::from_secs(*wait)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_client_is_tried_for_hours_and_then_given_up() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(retry_at(1, now), now.checked_add(SignedDuration::from_secs(5)).ok());
        assert_eq!(retry_at(6, now), now.checked_add(SignedDuration::from_hours(4)).ok());
        assert_eq!(retry_at(7, now), None);
    }
}
