//! Ending sessions: at the dashboard (everyone in this browser), at an application (that session), by Anteroom itself.
//!
//! The end of a session ends its refresh tokens without `offline_access` and queues a back-channel logout to every
//! application that was signed in from it, in the same transaction; the person never waits for those. Applications that
//! are told in the browser are told by the page that follows (`front_channel.rs`).

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::{AccountId, MessageId, SessionId};
use anteroom_domain::session::{Session, SessionEnd};
use anteroom_domain::subject::SessionSid;
use anteroom_oidc::ClientId;
use anteroom_storage::{LogoutDelivery, SessionClient, Tx, Unit};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::context::call::Call;
use crate::context::provider::Snapshot;
use crate::error::FlowError;

/// After this an application that could not be told has long dropped the session by its own limits.
const DELIVERY_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// Ends these sessions, of whomever they are, because this person does what ends them.
pub(crate) async fn end_as(call: &Call, person: AccountId, sessions: Vec<Session>) -> Result<(), FlowError> {
    let recipients =
        LogoutRecipients { signed_out_by: Some(person), ..logout_recipients(call, SessionEnd::SignedOut) };
    end_and_notify(call, sessions, recipients).await
}

/// Ends these sessions, without a person who does it, with all that hangs on them.
async fn end(call: &Call, sessions: Vec<Session>, why: SessionEnd) -> Result<(), FlowError> {
    end_and_notify(call, sessions, logout_recipients(call, why)).await
}

async fn end_and_notify(
    call: &Call,
    sessions: Vec<Session>,
    recipients: LogoutRecipients,
) -> Result<(), FlowError> {
    if sessions.is_empty() {
        return Ok(());
    }
    call.store().run(EndSessions { call: call.clone(), sessions, recipients }).await.1?;
    call.provider().logout_queued.notify_one();
    Ok(())
}

struct EndSessions {
    call: Call,
    sessions: Vec<Session>,
    recipients: LogoutRecipients,
}

impl Unit for EndSessions {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "end_sessions";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        end_all(tx, self.call.audit(), &self.sessions, &self.recipients).await
    }
}

/// Why sessions end, and which clients hear of it. One that is not in the configuration at this moment may be back with the
/// next one, and hears of it then.
#[derive(Clone, Debug)]
pub(crate) struct LogoutRecipients {
    why: SessionEnd,
    /// Whose act it is; `None`: that of Anteroom itself.
    signed_out_by: Option<AccountId>,
    /// Known not to hear of this kind of end.
    not_notified: BTreeSet<ClientId>,
    /// Those that registered themselves, of which each lets so many wait and no more.
    registered: BTreeSet<ClientId>,
}

/// Deliveries that wait for a client that registered itself. An address that never answers would otherwise fill the queue with
/// each sign-out of an account.
const MAX_QUEUED_PER_CLIENT: u64 = 500;

pub(crate) fn logout_recipients(call: &Call, why: SessionEnd) -> LogoutRecipients {
    logout_recipients_in(call.snapshot(), why)
}

pub(crate) fn logout_recipients_in(snapshot: &Snapshot, why: SessionEnd) -> LogoutRecipients {
    let hears = |client: &Client| {
        let of_this = why != SessionEnd::Idle || client.policy.logout_on_idle;
        client.metadata.backchannel_logout_uri.is_some() && of_this
    };
    let id = |client: &Arc<Client>| client.id().clone();
    let silent = snapshot.clients.iter().filter(|client| !hears(client)).map(id).collect();
    let registered = snapshot.clients.iter().filter(|client| !snapshot.clients.is_configured(client.id()));
    LogoutRecipients {
        why,
        signed_out_by: None,
        not_notified: silent,
        registered: registered.map(id).collect(),
    }
}

impl LogoutRecipients {
    /// What is queued of these deliveries.
    async fn within_bounds(
        &self,
        tx: &Tx,
        deliveries: Vec<LogoutDelivery>,
    ) -> Result<Vec<LogoutDelivery>, FlowError> {
        let of_registered: BTreeSet<&ClientId> = deliveries
            .iter()
            .map(|delivery| &delivery.client)
            .filter(|client| self.registered.contains(*client))
            .collect();
        if of_registered.is_empty() {
            return Ok(deliveries);
        }
        let mut waiting = tx.waiting_logouts(&of_registered).await?;
        let fits = |delivery: &LogoutDelivery| {
            if !self.registered.contains(&delivery.client) {
                return true;
            }
            let count = waiting.entry(delivery.client.clone()).or_default();
            *count += 1;
            if *count == MAX_QUEUED_PER_CLIENT + 1 {
                let client = delivery.client.as_str();
                tracing::warn!(client, "back-channel logout not queued: too many wait for this client");
            }
            *count <= MAX_QUEUED_PER_CLIENT
        };
        Ok(deliveries.into_iter().filter(fits).collect())
    }
}

/// What hangs on them ends in as many statements for a hundred sessions as for one.
pub(crate) async fn end_all(
    tx: &Tx,
    audit: &AuditContext,
    sessions: &[Session],
    recipients: &LogoutRecipients,
) -> Result<(), FlowError> {
    for some in sessions.chunks(SESSIONS_PER_STATEMENT) {
        let ended = end_with_grants(tx, audit, some, recipients).await?;
        let entry = |session: &&Session| {
            let actor = recipients.signed_out_by.map_or(Actor::System, Actor::Account);
            entry(audit, actor, session, recipients.why)
        };
        tx.append_all(&ended.iter().map(entry).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Ends a session on the word of a client, which has an ID token of it, wherever its browser is. `false`: it has ended before.
pub(crate) async fn end_at_client(
    call: &Call,
    session: &Session,
    client: &ClientId,
) -> Result<bool, FlowError> {
    const WHY: SessionEnd = SessionEnd::RequestedByClient;
    let unit = EndSessionAtClient {
        call: call.clone(),
        entry: entry(call.audit(), Actor::Client, session, WHY).by_client(client),
        session: session.clone(),
        recipients: logout_recipients(call, WHY),
    };
    let ended = call.store().run(unit).await.1?;
    call.provider().logout_queued.notify_one();
    Ok(ended)
}

struct EndSessionAtClient {
    call: Call,
    session: Session,
    recipients: LogoutRecipients,
    entry: AuditEntry,
}

impl Unit for EndSessionAtClient {
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "end_session_at_client";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { call, session, recipients, entry } = self;
        let ended = end_with_grants(tx, call.audit(), std::slice::from_ref(session), recipients).await?;
        let ended = !ended.is_empty();
        if ended {
            tx.append(entry).await?;
        }
        Ok(ended)
    }
}

fn entry(audit: &AuditContext, actor: Actor, session: &Session, why: SessionEnd) -> AuditEntry {
    audit.entry(actor, Event::signed_out(why)).about(session.account).in_session(session.id)
}

/// Sessions that one statement ends.
const SESSIONS_PER_STATEMENT: usize = 100;

/// The end of sessions with all that hangs on it. Says which have ended now; the others had before.
async fn end_with_grants<'a>(
    tx: &Tx,
    audit: &AuditContext,
    sessions: &'a [Session],
    recipients: &LogoutRecipients,
) -> Result<Vec<&'a Session>, FlowError> {
    let all: Vec<SessionId> = sessions.iter().map(|session| session.id).collect();
    let ended = tx.end_sessions(&all, recipients.why, audit.now).await?;
    let of_now: Vec<&Session> = sessions.iter().filter(|session| ended.contains(&session.id)).collect();
    if of_now.is_empty() {
        return Ok(of_now);
    }
    let told = tx.clients_of_sessions(&ended).await?;
    let told = told.into_iter().filter(|participant| !recipients.not_notified.contains(&participant.client));
    let deliveries = told.filter_map(
        |SessionClient { session: SessionSid { id, .. }, client, subject_kind: subjects }| {
            let session = of_now.iter().find(|session| session.id == id)?;
            Some(LogoutDelivery {
                id: MessageId(audit.new_id()),
                client,
                session: id,
                account: session.account,
                subjects,
                attempts: 0,
                created_at: audit.now,
                expires_at: audit.now.checked_add(DELIVERY_LIFETIME).unwrap_or(Timestamp::MAX),
            })
        },
    );
    let deliveries = recipients.within_bounds(tx, deliveries.collect()).await?;
    tx.enqueue_logouts(&deliveries).await?;
    tx.revoke_grants_of_sessions(&ended, true, GrantEnd::SessionEnded, audit.now).await?;
    Ok(of_now)
}

/// Sessions that one round ends at most.
const LAPSED_BATCH: u64 = 200;

/// Sessions are worth nothing once an operator has accepted a database that went back. This notes their end and tells the
/// applications. Says how many; the next round takes more.
pub async fn end_sessions_of_old_epochs(call: &Call) -> Result<usize, FlowError> {
    let sessions = call.store().sessions_of_old_epochs(LAPSED_BATCH).await?;
    let count = sessions.len();
    end(call, sessions, SessionEnd::DatabaseAccepted).await?;
    Ok(count)
}

/// Ends sessions whose limits have passed, so that what hangs on them ends too. Says how many; the next round takes more.
pub async fn end_lapsed(call: &Call) -> Result<usize, FlowError> {
    let (policy, now) = (call.snapshot().policy.session, call.now);
    let lapsed = call.store().lapsed_sessions(policy, now, LAPSED_BATCH).await?;
    let count = lapsed.len();
    let too_old = |session: &Session| now.duration_since(session.auth_time) >= policy.absolute;
    let (old, idle): (Vec<Session>, Vec<Session>) = lapsed.into_iter().partition(too_old);
    end(call, idle, SessionEnd::Idle).await?;
    end(call, old, SessionEnd::TooOld).await?;
    Ok(count)
}
