//! Counts what use cases do against the limits of `anteroom_domain::limits`, and holds the minimum time that the answer to a
//! failed sign-in takes.
//!
//! Invariant: a use case that writes, sends, hashes or fetches is counted before it does so, by the statement that decides
//! whether it may. A refusal is [`FlowError::Limited`], which the web answers with 429 and the wait. A
//! form that the browser sends twice is counted once: where the first was the last that the limit allows, both get its answer.

use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::limits::{Limit, LimitSubject, RateLimitCheck};
use anteroom_domain::rate::{RateLimit, Wait, limits_for, network_limit};
use anteroom_oidc::ClientId;
use anteroom_storage::{CountedForm, RateLimitResult, Tx, Unit};
use jiff::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use uuid::Uuid;

use crate::audit::counters::AuditCounter;
use crate::context::active_session::ActiveSession;
use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::browser::FetchContext;
use crate::context::call::{Call, Visit};
use crate::context::provider::{Provider, Snapshot};
use crate::error::FlowError;

impl Snapshot {
    /// The rate of a limit under this configuration.
    pub(crate) fn rate(&self, limit: Limit) -> RateLimit {
        match limit {
            Limit::SignIn => self.policy.sign_in.rate,
            Limit::Recovery | Limit::Invitation => self.policy.recovery.rate,
            Limit::ClientRegistration => self.registration.policy.rate,
            Limit::PhoneNumber => self.policy.telephony.per_number,
            Limit::PhoneNumberBesidesRecovery => self.policy.telephony.besides_recovery(),
            Limit::PhoneNumberOfOtherDevices => self.policy.telephony.of_other_devices(),
            Limit::PhonePrefix => self.policy.telephony.per_prefix,
            Limit::PhoneOverall => self.policy.telephony.overall,
            Limit::RequestUriOfClient | Limit::RequestUriOfRegistered => self.part_of_request_uri(2),
            Limit::RequestUriOfRegisteredClient => self.part_of_request_uri(4),
            other => self.policy.limits.get(other),
        }
    }

    fn part_of_request_uri(&self, parts: u32) -> RateLimit {
        let all = self.policy.limits.get(Limit::RequestUri);
        RateLimit { max: all.max.div_ceil(parts), ..all }
    }
}

/// One check for each prefix of the request's address that the limit counts; none where no request came.
pub(crate) fn of_address(call: &Call, limit: Limit) -> Vec<RateLimitCheck> {
    call.address().map(|address| for_address(call.snapshot(), address, limit)).unwrap_or_default()
}

fn for_address(snapshot: &Snapshot, address: IpAddr, limit: Limit) -> Vec<RateLimitCheck> {
    let (rate, own) = (snapshot.rate(limit), &snapshot.policy.own_networks);
    let prefixes: Vec<_> = match limit.definition().per {
        LimitSubject::Network => vec![network_limit(address, rate, own)],
        _ => limits_for(address, rate, own).collect(),
    };
    prefixes
        .into_iter()
        .map(|(prefix, rate)| RateLimitCheck { limit, limit_key: prefix.to_string(), rate })
        .collect()
}

/// The check for one session, account, client or grant.
pub(crate) fn of_one(call: &Call, limit: Limit, subject: &dyn ToString) -> RateLimitCheck {
    RateLimitCheck { limit, limit_key: subject.to_string(), rate: call.snapshot().rate(limit) }
}

/// Counts what is about to be done, in a write of its own; refuses it where one of the limits is used up.
pub(crate) async fn spend(call: &Call, checks: Vec<RateLimitCheck>) -> Result<(), FlowError> {
    spend_unit(call, Spend { form: None, choices: vec![checks], now: call.now }).await
}

/// The same for what a form asks for. `count`: which of the form's counts it is.
pub(crate) async fn spend_for_form(
    visit: &Visit,
    count: Limit,
    checks: Vec<RateLimitCheck>,
) -> Result<(), FlowError> {
    let form = counted_form(visit, count);
    spend_unit(visit, Spend { form, choices: vec![checks], now: visit.now }).await
}

/// The form that this visit sends, to be counted once.
pub(crate) fn counted_form(visit: &Visit, count: Limit) -> Option<CountedForm> {
    visit.submission.map(|submission| CountedForm { count, submission })
}

async fn spend_unit(call: &Call, unit: Spend) -> Result<(), FlowError> {
    match call.store().run(unit).await.1? {
        RateLimitResult::Counted => Ok(()),
        RateLimitResult::Refused { limit, wait } => Err(refused(call, limit, wait)),
    }
}

/// Counts for the first of the choices that allows it.
struct Spend {
    form: Option<CountedForm>,
    choices: Vec<Vec<RateLimitCheck>>,
    now: Timestamp,
}

impl Unit for Spend {
    type Output = RateLimitResult;
    type Error = FlowError;

    const NAME: &'static str = "spend";

    async fn run(&self, tx: &Tx) -> Result<RateLimitResult, FlowError> {
        Ok(tx.spend_for_form(self.form, &self.choices, self.now).await?)
    }
}

/// The refusal, counted for the audit trail.
pub(crate) fn refused(call: &Call, limit: Limit, wait: Wait) -> FlowError {
    refused_by(call.provider(), limit, wait)
}

fn refused_by(provider: &Provider, limit: Limit, wait: Wait) -> FlowError {
    provider.counters.count(AuditCounter::RateLimited(limit.name()));
    FlowError::Limited { limit, wait }
}

/// What a form is counted for; [`crate::interaction::form_limits::counted_for`] finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedFor {
    Session(SessionId, AccountId),
    /// An account that has proven its password or a mailed link and has no session yet, with the identifier of the interaction or
    /// of the link.
    Proven(Uuid, AccountId),
    /// No account is known: the address that sent the form.
    Address,
}

/// Whether the form's token verifies. `Stale` is any token that does not, also a forged or missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormToken {
    Valid,
    Invalid,
}

impl FormToken {
    /// Many people can be behind one address. A program behind the same address can send forms without a valid token. Such
    /// forms have a limit of their own, so that they do not use up the limit of people's forms.
    const fn limit_of_address(self) -> Limit {
        match self {
            Self::Valid => Limit::FormOfAddress,
            Self::Invalid => Limit::StaleFormOfAddress,
        }
    }
}

/// Counts a form that was sent: for its session (or the proof that is there before a session) and, beyond the first forms of each
/// session, for its account; without an account, for the address that sent it. Forms that have a limit of their own by address
/// (sign-in, forgotten password, another invitation) and sign-out are not counted here.
pub async fn spend_form(visit: &Visit, counted_for: CountedFor, token: FormToken) -> Result<(), FlowError> {
    let (session, account) = match counted_for {
        CountedFor::Session(session, account) => (session.0, account),
        CountedFor::Proven(id, account) => (id, account),
        CountedFor::Address => {
            let checks = of_address(visit, token.limit_of_address());
            return spend_for_form(visit, Limit::FormOfSession, checks).await;
        }
    };
    let of_session = || of_one(visit, Limit::FormOfSession, &session);
    let choices = vec![
        vec![of_one(visit, Limit::FirstFormsOfSession, &session), of_session()],
        vec![of_session(), of_one(visit, Limit::FormOfAccount, &account.0)],
    ];
    let form = counted_form(visit, Limit::FormOfSession);
    spend_unit(visit, Spend { form, choices, now: visit.now }).await
}

/// Counts a sign-out. It has a limit of its own, so that a person who has sent too many other forms can still sign out.
pub async fn spend_sign_out(
    visit: &Visit,
    counted_for: CountedFor,
    token: FormToken,
) -> Result<(), FlowError> {
    let checks = match counted_for {
        CountedFor::Session(session, _) => vec![of_one(visit, Limit::SignOut, &session.0)],
        CountedFor::Proven(..) | CountedFor::Address => of_address(visit, token.limit_of_address()),
    };
    spend_for_form(visit, Limit::SignOut, checks).await
}

/// Counts any request, in this node's memory. A request has no [`Call`] yet at this point: the call is made once the body is
/// there.
pub fn count_request(provider: &Provider, address: IpAddr) -> Result<(), FlowError> {
    let checks = for_address(&provider.snapshot(), address, Limit::Request);
    let spent = provider.memory_limits.spend(&checks, provider.clock.now());
    spent.map_err(|(limit, wait)| refused_by(provider, limit, wait))
}

/// What identifies the sender of a request in the name of a public client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender {
    Address,
    /// The account of the token in the request.
    Account(AccountId),
}

/// The checks for an authenticated client. Requests in the name of a public client can come from any sender. So these are
/// counted per client and sender, and one sender does not use up the limit of the client's users.
pub(crate) fn of_client(
    call: &Call,
    client: &AuthenticatedClient,
    sender: Sender,
    limit: Limit,
) -> Vec<RateLimitCheck> {
    let id = client.client().id().as_str();
    match sender {
        _ if client.is_confidential() => vec![of_one(call, limit, &id)],
        Sender::Account(account) => vec![of_one(call, limit, &format!("{} {id}", account.0))],
        Sender::Address => {
            let checks = of_address(call, limit).into_iter();
            checks
                .map(|check| RateLimitCheck { limit_key: format!("{} {id}", check.limit_key), ..check })
                .collect()
        }
    }
}

/// Counts a request of a client, in this node's memory.
pub fn count_client_request(call: &Call, client: &AuthenticatedClient) -> Result<(), FlowError> {
    let checks = of_client(call, client, Sender::Address, Limit::ClientRequest);
    spend_in_memory(call, &checks)
}

/// Counts requests that only read or sign, in this node's memory.
pub(crate) fn spend_in_memory(call: &Call, checks: &[RateLimitCheck]) -> Result<(), FlowError> {
    let spent = call.provider().memory_limits.spend(checks, call.now);
    spent.map_err(|(limit, wait)| refused(call, limit, wait))
}

/// Counts an authorization response. One application's page could otherwise use up the limit for all others, so each client has a
/// count of its own, and requests of frames and scripts are counted apart from pages that a person opens.
pub(crate) fn spend_authorization(
    visit: &Visit,
    live: &ActiveSession,
    client: &ClientId,
) -> Result<(), FlowError> {
    let session = live.session.id;
    let kind = if visit.browser.fetch_context == FetchContext::Page { "" } else { " within a page" };
    let of_client = format!("{} {}{kind}", session.0, client.as_str());
    let of_session = format!("{}{kind}", session.0);
    let of_account = format!("{}{kind}", live.account.id.0);
    let checks = [
        of_one(visit, Limit::Authorization, &of_client),
        of_one(visit, Limit::AuthorizationOfSession, &of_session),
        of_one(visit, Limit::AuthorizationOfAccount, &of_account),
    ];
    spend_in_memory(visit, &checks)
}

/// The time of an answer must not show whether the account exists. So the answer waits until `min_failure_time` has passed.
pub(crate) async fn wait_for_floor(started: tokio::time::Instant, snapshot: &Snapshot) {
    let floor = Duration::try_from(snapshot.policy.sign_in.min_failure_time).unwrap_or_default();
    tokio::time::sleep_until(started + floor).await;
}
