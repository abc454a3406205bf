//! An authorization request is answered once: with a code, with tokens or with an error.
//!
//! A browser can reopen any page of an interaction from its history, and one authorization request can be in several sealed
//! pages, rows and mailed links at once. All of them name the request's identifier, and the response inserts one row under it:
//! the first response wins, however many are made at the same time. A request that is answered at once, without a page, is in no
//! page and no row, and nothing is written for it. A pushed request is stored under its request_uri; the response ends that row
//! (RFC 9126 §4). If no account is signed in, nothing else is written for a pushed request: a client could otherwise have a row
//! written for each request that it pushes, without a browser.
//!
//! A double click or a broken connection makes the browser submit the form twice. For `ANSWER_REPEATED_FOR` the same browser
//! gets the same response again.

use anteroom_crypto::{KeyPurpose, KeyedDigest};
use anteroom_domain::client::Client;
use anteroom_domain::ids::{AccountId, InteractionId, RequestId};
use anteroom_domain::interaction::{
    ANSWER_REPEATED_FOR, Destination, Interaction, InteractionState, RequestSource,
};
use anteroom_oidc::ClientId;
use anteroom_oidc::authorization::{AuthorizationRequest, ResponseDelivery};
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_storage::{Tx, Unit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::context::active_session::SessionOfEpoch;
use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::consent_decision_record::ConsentDecisionRecord;
use crate::interaction::end_pushed_request::EndPushedRequest;
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::step::{AnsweredBefore, Next};
use crate::protocol::authorization_response::{PreparedResponse, account_changed};
use crate::protocol::hybrid::HybridGrant;

/// Result of an attempt to answer.
enum RespondResult {
    Now,
    /// Nothing was written: the client has changed since its consent page was shown.
    ClientChanged,
    /// It was answered before. The row of that answer, if one was written.
    Before(Option<Box<Interaction>>),
}

/// Why a unit is rolled back.
enum FinishError {
    Flow(FlowError),
    /// The response holds tokens, and the account has changed or its session has ended since they were minted.
    AccountChanged,
}

impl<E: Into<FlowError>> From<E> for FinishError {
    fn from(error: E) -> Self {
        Self::Flow(error.into())
    }
}

/// What the row of an answered request holds, sealed.
#[derive(Serialize, Deserialize)]
struct StoredResponse {
    /// The account that was signed in.
    account: Option<AccountId>,
    response: AuthorizationResponse,
    /// The `session_state` in the response. Release 0.1.0 wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_state: Option<String>,
}

const CONTEXT: &str = "answered request";

/// Finishes the interaction with this response. If another response finished it before, this one is dropped: it is never sent, and
/// nothing of what it would have written stays.
pub(crate) async fn respond(
    visit: &Visit,
    interaction: &OpenInteraction,
    account: Option<AccountId>,
    prepared: PreparedResponse,
) -> Result<Next, FlowError> {
    let request =
        interaction.state.request().ok_or(FlowError::Inconsistent("an answer without a request"))?;
    let mut result = respond_once(visit, interaction, request, account, prepared).await;
    if matches!(result, Err(FinishError::AccountChanged)) {
        let client = visit.client(Some(&request.ask.client_id)).ok_or(FlowError::ClientChanged)?;
        let error = account_changed(visit, &client, &request.reply).await?;
        result = respond_once(visit, interaction, request, account, error).await;
    }
    result.map_err(|error| match error {
        FinishError::Flow(error) => error,
        FinishError::AccountChanged => FlowError::Inconsistent("an error response with tokens"),
    })
}

async fn respond_once(
    visit: &Visit,
    interaction: &OpenInteraction,
    request: &AuthorizationRequest,
    account: Option<AccountId>,
    PreparedResponse { response, session, grant, keeps_consent, session_state }: PreparedResponse,
) -> Result<Next, FinishError> {
    let pushed = interaction.pushed();
    let consent = interaction.consent.clone().filter(|_| keeps_consent);
    let session = session.or(consent.as_ref().map(|consent| consent.session()));
    let client = visit.client(Some(&request.ask.client_id));
    let kept = KeptWithAnswer { session, client, consent, grant };
    let key = interaction.response_key().filter(|_| pushed.is_some() || interaction.is_resumable);
    let Some(key) = key else {
        if !kept.is_nothing() {
            visit.store().run(kept).await.1?;
        }
        return Ok(Next::Application(Box::new(response)));
    };
    let answer = StoredResponse { account, response, session_state };
    let only_pushed = pushed.filter(|_| account.is_none() && !interaction.is_resumable);
    let finished = if let Some(digest) = only_pushed {
        // No page and no row has this request, and no account is signed in: the request ends, and no row is written.
        let ended = visit.store().run(EndPushedRequest { digest, now: visit.now }).await.1?;
        if ended { RespondResult::Now } else { RespondResult::Before(None) }
    } else {
        let answered = answered_row(visit, interaction, request, &answer)?;
        let unit = RespondUnit {
            answered,
            digests: digests(visit, &key),
            digest: visit.keyring().mac(KeyPurpose::TokenHash).digest(CONTEXT, &key),
            row: interaction.row(),
            pushed,
            kept,
        };
        visit.store().run(unit).await.1?
    };
    Ok(match finished {
        RespondResult::Now => Next::Application(Box::new(answer.response)),
        RespondResult::ClientChanged => return Err(FlowError::ClientChanged.into()),
        RespondResult::Before(Some(before)) => repeat_response(visit, &before, account),
        RespondResult::Before(None) => pushed_request_finished(visit, Some(&request.ask.client_id)),
    })
}

/// What is checked and written together with an answer, by the unit that answers: so nothing of an answer stays that is not given.
struct KeptWithAnswer {
    /// Must still be active: of the person whose tokens or consent these are.
    session: Option<SessionOfEpoch>,
    /// That the person must be entitled to use.
    client: Option<Arc<Client>>,
    consent: Option<Arc<ConsentDecisionRecord>>,
    /// Of the tokens in the response.
    grant: Option<Arc<HybridGrant>>,
}

impl KeptWithAnswer {
    const fn is_nothing(&self) -> bool {
        self.session.is_none() && self.consent.is_none() && self.grant.is_none()
    }

    /// Whether the session is still active.
    async fn lock_session(&self, tx: &Tx) -> Result<bool, FlowError> {
        match (&self.session, &self.client) {
            (Some(session), Some(client)) => Ok(session.lock(tx, client).await?),
            (Some(_), None) => Ok(false),
            (None, _) => Ok(true),
        }
    }

    /// Whether the client is still as its consent page showed it.
    async fn is_to_this_client(&self, tx: &Tx) -> Result<bool, FlowError> {
        match &self.consent {
            Some(consent) => consent.is_to_this_client(tx).await,
            None => Ok(true),
        }
    }

    async fn keep(&self, tx: &Tx) -> Result<(), FinishError> {
        if let Some(consent) = &self.consent {
            consent.keep(tx).await?;
        }
        match &self.grant {
            Some(grant) if !grant.keep(tx).await? => Err(FinishError::AccountChanged),
            Some(_) | None => Ok(()),
        }
    }
}

/// Runs in a transaction of its own if no row is written for the response: for pages of release 0.1.0, which name no request, and
/// for a request that is answered without a page.
impl Unit for KeptWithAnswer {
    type Output = ();
    type Error = FinishError;

    const NAME: &'static str = "keep_with_answer";

    async fn run(&self, tx: &Tx) -> Result<(), FinishError> {
        if !self.lock_session(tx).await? {
            return Err(FinishError::AccountChanged);
        }
        if !self.is_to_this_client(tx).await? {
            return Err(FlowError::ClientChanged.into());
        }
        self.keep(tx).await
    }
}

/// The answer to a pushed request that ended without a row of its answer.
pub(crate) fn pushed_request_finished(call: &Call, client: Option<&ClientId>) -> Next {
    Next::AnsweredBefore(Box::new(AnsweredBefore { client: call.client(client), repeat: None }))
}

/// The earlier response, from its row. It is repeated only for the account that it was given to (`account`: the one that is signed
/// in now).
pub(crate) fn repeat_response(visit: &Visit, before: &Interaction, account: Option<AccountId>) -> Next {
    let request = before.state.request();
    let client = visit.client(request.map(|request| &request.ask.client_id));
    let mut repeat = None;
    if may_repeat(before, visit)
        && let Some(answer) = open(visit, before).filter(|answer| answer.account == account)
    {
        repeat = Some(Box::new(match request {
            Some(request) => answer.with_present_session_state(visit, request),
            None => answer.response,
        }));
    }
    Next::AnsweredBefore(Box::new(AnsweredBefore { client, repeat }))
}

impl StoredResponse {
    /// Session Management 1.0 §3.1: the client compares `session_state` with the cookie that the browser has. A sign-in form that is
    /// sent again gets another cookie, so the response must fit that one. The salt stays, so that with the same cookie the
    /// response is the same.
    fn with_present_session_state(
        self,
        visit: &Visit,
        request: &AuthorizationRequest,
    ) -> AuthorizationResponse {
        let ResponseDelivery::Redirect(reply) = &request.reply;
        let (Some(before), Some(origin)) = (self.session_state, reply.redirect_uri.origin()) else {
            return self.response;
        };
        let salt = before.split_once('.').and_then(|(_, salt)| URL_SAFE_NO_PAD.decode(salt).ok());
        let Some(salt) = salt.and_then(|salt| salt.try_into().ok()) else { return self.response };
        let now = visit.browser.state.session_state(&request.ask.client_id, &origin, salt);
        match self.response {
            AuthorizationResponse::Redirect(location) => {
                AuthorizationResponse::Redirect(location.replace(&before, &now))
            }
            AuthorizationResponse::FormPost { action, mut parameters } => {
                for (_, value) in parameters.iter_mut().filter(|(name, _)| name == "session_state") {
                    value.replace_range(.., &now);
                }
                AuthorizationResponse::FormPost { action, parameters }
            }
        }
    }
}

/// Only in the browser that was answered, and within [`ANSWER_REPEATED_FOR`].
pub(crate) fn may_repeat(before: &Interaction, visit: &Visit) -> bool {
    let at = before.finished_at.unwrap_or(before.created_at);
    before.state.browser == visit.browser.id && visit.now.duration_since(at) < ANSWER_REPEATED_FOR
}

/// The row of the answer to this interaction's request, if it was answered.
pub(crate) async fn find(
    call: &Call,
    interaction: &OpenInteraction,
) -> Result<Option<Interaction>, FlowError> {
    match interaction.response_key().filter(|_| interaction.state.request().is_some()) {
        Some(key) => Ok(call.store().interaction(&digests(call, &key)).await?),
        None => Ok(None),
    }
}

/// The same by the identifier of the request.
pub(crate) async fn find_by_id(call: &Call, request: RequestId) -> Result<Option<Interaction>, FlowError> {
    Ok(call.store().interaction(&digests(call, request.0.as_bytes())).await?)
}

/// All interactions of one pushed request are the same request, however often its page is loaded.
pub(crate) fn id_of_pushed(digest: &KeyedDigest) -> RequestId {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    RequestId(uuid::Uuid::from_bytes(bytes))
}

struct RespondUnit {
    answered: Interaction,
    digests: Vec<KeyedDigest>,
    digest: KeyedDigest,
    /// The row of the interaction, which the answer finishes.
    row: Option<InteractionId>,
    pushed: Option<KeyedDigest>,
    kept: KeptWithAnswer,
}

impl Unit for RespondUnit {
    type Output = RespondResult;
    type Error = FinishError;

    const NAME: &'static str = "finish_interaction";

    async fn run(&self, tx: &Tx) -> Result<RespondResult, FinishError> {
        let Self { answered, digests, digest, row, pushed, kept } = self;
        let is_active = kept.lock_session(tx).await?;
        if let Some(before) = tx.interaction(digests).await? {
            return Ok(RespondResult::Before(Some(Box::new(before))));
        }
        if !is_active {
            return Err(FinishError::AccountChanged);
        }
        if !kept.is_to_this_client(tx).await? {
            return Ok(RespondResult::ClientChanged);
        }
        let now = answered.created_at;
        if let Some(pushed) = pushed
            && !tx.end_pushed_request(pushed, now).await?
        {
            return Ok(RespondResult::Before(tx.interaction(digests).await?.map(Box::new)));
        }
        if !tx.insert_interaction(answered, digest).await? {
            let before = tx.interaction(digests).await?;
            let before = before.ok_or(FlowError::Inconsistent("an answered request without its row"))?;
            return Ok(RespondResult::Before(Some(Box::new(before))));
        }
        if let Some(row) = row {
            tx.finish_interaction(*row, now).await?;
        }
        kept.keep(tx).await?;
        Ok(RespondResult::Now)
    }
}

/// The row that holds the answer to the request.
fn answered_row(
    visit: &Visit,
    interaction: &OpenInteraction,
    request: &AuthorizationRequest,
    answer: &StoredResponse,
) -> Result<Interaction, FlowError> {
    let id = InteractionId(visit.new_id());
    let plain = serde_json::to_vec(answer)
        .map_err(|_| FlowError::Inconsistent("the authorization response could not be serialized"))?;
    let sealer = visit.keyring().sealer(KeyPurpose::InteractionSeal);
    Ok(Interaction {
        id,
        state: without_parameters(&interaction.state, request),
        proof: None,
        created_at: visit.now,
        expires_at: expiry(visit, &interaction.state.source),
        finished_at: Some(visit.now),
        // Only a repeated form gets the response again. Without a page there was no form, so none is stored.
        authorization_response: interaction
            .is_resumable
            .then(|| sealer.seal(visit.random(), &associated_data(id), &plain)),
    })
}

/// The clocks of two nodes may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The row must outlive every page, row and link in which the request could still be opened; otherwise the request could be
/// answered twice. A pushed request cannot be used after its own expiry, so its row need not outlive that.
fn expiry(visit: &Visit, source: &RequestSource) -> Timestamp {
    let policy = &visit.snapshot().policy;
    let (from, kept) = match source {
        RequestSource::Pushed { ends_at, .. } => (*ends_at, SKEW),
        RequestSource::Plain | RequestSource::RequestObject { .. } => {
            (visit.now, policy.interaction.lifetime.max(policy.recovery.link_lifetime))
        }
    };
    from.checked_add(kept).unwrap_or(Timestamp::MAX)
}

/// The row of an answered request names the browser and the client that were answered. The client chooses the length of all other
/// parameters, so they are not stored.
fn without_parameters(state: &InteractionState, request: &AuthorizationRequest) -> InteractionState {
    let destination = Destination::Application(Box::new(request.response_target_only()));
    InteractionState {
        picked_at: state.picked_at,
        request_id: state.request_id,
        source: state.source,
        signed: state.signed,
        ..InteractionState::new(destination, state.browser, state.began_at)
    }
}

fn associated_data(id: InteractionId) -> Vec<u8> {
    format!("interactions.answer\n{id}").into_bytes()
}

fn open(call: &Call, before: &Interaction) -> Option<StoredResponse> {
    let sealer = call.keyring().sealer(KeyPurpose::InteractionSeal);
    let plain = sealer.open(&associated_data(before.id), before.authorization_response.as_ref()?).ok()?;
    serde_json::from_slice(&plain).ok()
}

fn digests(call: &Call, key: &[u8]) -> Vec<KeyedDigest> {
    call.keyring().mac(KeyPurpose::TokenHash).digests(CONTEXT, key)
}
