//! Ending sessions: at the dashboard (all sessions of the browser), at an application (that session), by Anteroom itself.
//!
//! The end of a session ends its refresh tokens without `offline_access` and queues a back-channel logout to every
//! application that was signed in from it, in the same transaction; the person never waits for those. The page that follows
//! notifies applications with front-channel logout (`front_channel.rs`).

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::{AccountId, MessageId, SessionId};
use anteroom_domain::session::{Session, SessionEnd};
use anteroom_domain::subject::SessionSid;
use anteroom_oidc::ClientId;
use anteroom_storage::{LogoutDelivery, SessionClient, Tx, Unit};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

use crate::context::call::Call;
use crate::error::FlowError;

/// How long delivery is tried. After that the application has long ended its session by its own limits.
const DELIVERY_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// Ends these sessions, of any account, as the act of this person.
pub(crate) async fn end_as(call: &Call, person: AccountId, sessions: Vec<Session>) -> Result<(), FlowError> {
    let ending = SessionEnding { signed_out_by: Some(person), ..session_ending(call, SessionEnd::SignedOut) };
    end_and_notify(call, ending, sessions).await
}

async fn end_and_notify(call: &Call, ending: SessionEnding, sessions: Vec<Session>) -> Result<(), FlowError> {
    if sessions.is_empty() {
        return Ok(());
    }
    call.store().run(EndSessions { sessions, ending }).await.1?;
    call.provider().logout_queued.notify_one();
    Ok(())
}

struct EndSessions {
    sessions: Vec<Session>,
    ending: SessionEnding,
}

impl Unit for EndSessions {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "end_sessions";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        end_all(tx, &self.sessions, &self.ending).await
    }
}

/// Why sessions end, by whose act, and in which call.
pub(crate) struct SessionEnding {
    call: Call,
    why: SessionEnd,
    /// The account whose person ends them; `None`: Anteroom itself.
    signed_out_by: Option<AccountId>,
}

/// The end of sessions as an act of Anteroom itself.
pub(crate) fn session_ending(call: &Call, why: SessionEnd) -> SessionEnding {
    SessionEnding { call: call.clone(), why, signed_out_by: None }
}

/// Deliveries that wait for a client that registered itself. An address that never answers would otherwise fill the queue with
/// each sign-out of an account.
const MAX_QUEUED_PER_CLIENT: u64 = 500;

impl SessionEnding {
    /// Whether the client is known not to be notified of this kind of end. A client that is not in the configuration now may be in
    /// the next one, and is notified then.
    fn is_excluded(&self, client: &ClientId) -> bool {
        self.call.snapshot().clients.get(client).is_some_and(|client| {
            let is_idle = self.why == SessionEnd::Idle;
            client.metadata.backchannel_logout_uri.is_none() || is_idle && !client.policy.logout_on_idle
        })
    }

    /// Whether the client registered itself: only so many deliveries wait for each of these.
    fn is_bounded(&self, client: &ClientId) -> bool {
        let clients = &self.call.snapshot().clients;
        clients.get(client).is_some() && !clients.is_configured(client)
    }

    /// Those of these deliveries that are queued.
    async fn within_bounds(
        &self,
        tx: &Tx,
        deliveries: Vec<LogoutDelivery>,
    ) -> Result<Vec<LogoutDelivery>, FlowError> {
        let clients = deliveries.iter().map(|delivery| &delivery.client);
        let bounded: BTreeSet<&ClientId> = clients.filter(|client| self.is_bounded(client)).collect();
        if bounded.is_empty() {
            return Ok(deliveries);
        }
        let waiting = tx.waiting_logouts(&bounded).await?;
        let mut counts: BTreeMap<&ClientId, u64> =
            bounded.iter().map(|client| (*client, waiting.get(*client).copied().unwrap_or(0))).collect();
        let mut fits = |delivery: &LogoutDelivery| {
            let Some(count) = counts.get_mut(&delivery.client) else { return true };
            *count += 1;
            if *count == MAX_QUEUED_PER_CLIENT + 1 {
                let client = delivery.client.as_str();
                tracing::warn!(client, "back-channel logout not queued: too many wait for this client");
            }
            *count <= MAX_QUEUED_PER_CLIENT
        };
        let fit: Vec<bool> = deliveries.iter().map(&mut fits).collect();
        Ok(deliveries.into_iter().zip(fit).filter_map(|(delivery, fits)| fits.then_some(delivery)).collect())
    }
}

/// Ends sessions with their grants. It takes as many statements for a hundred sessions as for one.
pub(crate) async fn end_all(tx: &Tx, sessions: &[Session], ending: &SessionEnding) -> Result<(), FlowError> {
    let actor = ending.signed_out_by.map_or(Actor::System, Actor::Account);
    for some in sessions.chunks(SESSIONS_PER_STATEMENT) {
        let ended = end_with_grants(tx, some, ending).await?;
        let entries: Vec<AuditEntry> =
            ended.into_iter().map(|session| entry(&ending.call, actor, session, ending.why)).collect();
        tx.append_all(&entries).await?;
    }
    Ok(())
}

/// Ends a session at the request of a client, which has sent an ID token of that session. The request may come from another browser.
/// `false`: the session has ended before.
pub(crate) async fn end_at_client(
    call: &Call,
    session: Session,
    client: &ClientId,
) -> Result<bool, FlowError> {
    const WHY: SessionEnd = SessionEnd::RequestedByClient;
    let unit = EndSessionAtClient {
        entry: entry(call, Actor::Client, &session, WHY).by_client(client),
        session,
        ending: session_ending(call, WHY),
    };
    let ended = call.store().run(unit).await.1?;
    call.provider().logout_queued.notify_one();
    Ok(ended)
}

struct EndSessionAtClient {
    session: Session,
    ending: SessionEnding,
    entry: AuditEntry,
}

impl Unit for EndSessionAtClient {
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "end_session_at_client";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let ended = end_with_grants(tx, std::slice::from_ref(&self.session), &self.ending).await?;
        let ended = !ended.is_empty();
        if ended {
            tx.append(&self.entry).await?;
        }
        Ok(ended)
    }
}

fn entry(call: &Call, actor: Actor, session: &Session, why: SessionEnd) -> AuditEntry {
    call.entry(actor, Event::signed_out(why)).about(session.account).in_session(session.id)
}

/// Sessions that one statement ends.
const SESSIONS_PER_STATEMENT: usize = 100;

/// Ends sessions, revokes their grants and queues the logout deliveries. Returns those that have ended now; the others had before.
async fn end_with_grants<'a>(
    tx: &Tx,
    sessions: &'a [Session],
    ending: &SessionEnding,
) -> Result<Vec<&'a Session>, FlowError> {
    let SessionEnding { call, why, .. } = ending;
    let all: Vec<SessionId> = sessions.iter().map(|session| session.id).collect();
    let ended = tx.end_sessions(&all, *why, call.now).await?;
    let of_now: Vec<&Session> = sessions.iter().filter(|session| ended.contains(&session.id)).collect();
    if of_now.is_empty() {
        return Ok(of_now);
    }
    let participants = tx.clients_of_sessions(&ended).await?.into_iter();
    let notified = participants.filter(|participant| !ending.is_excluded(&participant.client));
    let deliveries = notified.filter_map(
        |SessionClient { session: SessionSid { id, .. }, client, subject_kind: subjects }| {
            let session = of_now.iter().find(|session| session.id == id)?;
            Some(LogoutDelivery {
                id: MessageId(call.new_id()),
                client,
                session: id,
                account: session.account,
                subjects,
                attempts: 0,
                created_at: call.now,
                expires_at: call.after(DELIVERY_LIFETIME),
            })
        },
    );
    let deliveries = ending.within_bounds(tx, deliveries.collect()).await?;
    tx.enqueue_logouts(&deliveries).await?;
    tx.revoke_grants_of_sessions(&ended, true, GrantEnd::SessionEnded, call.now).await?;
    Ok(of_now)
}

/// Sessions that one round ends at most.
const LAPSED_BATCH: u64 = 200;

/// Sessions are not valid any more once an operator has accepted an older copy of the database. This records their end and notifies
/// the applications. Returns how many sessions were ended; the next round takes more.
pub async fn end_sessions_of_old_epochs(call: &Call) -> Result<usize, FlowError> {
    let sessions = call.store().sessions_of_old_epochs(LAPSED_BATCH).await?;
    let count = sessions.len();
    end_and_notify(call, session_ending(call, SessionEnd::DatabaseAccepted), sessions).await?;
    Ok(count)
}

/// Ends sessions whose limits have passed, so that their grants end too. Returns how many sessions were ended; the next round takes
/// more.
pub async fn end_lapsed(call: &Call) -> Result<usize, FlowError> {
    let (policy, now) = (call.snapshot().policy.session, call.now);
    let lapsed = call.store().lapsed_sessions(policy, now, LAPSED_BATCH).await?;
    let count = lapsed.len();
    let too_old = |session: &Session| now.duration_since(session.auth_time) >= policy.absolute;
    let (old, idle): (Vec<Session>, Vec<Session>) = lapsed.into_iter().partition(too_old);
    end_and_notify(call, session_ending(call, SessionEnd::Idle), idle).await?;
    end_and_notify(call, session_ending(call, SessionEnd::TooOld), old).await?;
    Ok(count)
}
