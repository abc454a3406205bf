//! An authorization request is answered once: with a code, with tokens or with an error.
//!
//! A browser can reopen any page of an interaction from its history, and one authorization request can be in several sealed
//! pages, rows and mailed links at once. All of them name the request's identifier, and the response inserts one row under it:
//! the first response wins, however many are made at the same time. A request that is answered in the moment it comes, without
//! a page, has no carrier, and nothing is written for it; one that was pushed has its name, which the answer ends. Where no
//! person is signed in, that is all: a client could otherwise have a row written for each request that it pushes, without a
//! browser.
//!
//! A double click or a broken connection makes the browser submit the form twice. For `ANSWER_REPEATED_FOR` the same browser
//! gets the same response again.

use anteroom_crypto::{KeyPurpose, KeyedDigest};
use anteroom_domain::ids::{AccountId, InteractionId, RequestId};
use anteroom_domain::interaction::{
    ANSWER_REPEATED_FOR, Destination, Interaction, InteractionState, RequestSource,
};
use anteroom_oidc::ClientId;
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_storage::{Tx, Unit};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::consent_answer::ConsentAnswer;
use crate::interaction::open_interaction::OpenInteraction;
use crate::interaction::step::{AlreadyFinished, Next};
use crate::protocol::authorization_response::{PreparedResponse, account_changed};
use crate::protocol::hybrid::HybridGrant;

/// What became of an attempt to answer.
enum FinishResult {
    Now,
    /// Nothing was written: what was agreed to is not what the client is now.
    ClientChanged,
    /// It was answered before: the row that says so, where there is one.
    Before(Option<Box<Interaction>>),
}

/// Why nothing of a unit stays.
enum FinishError {
    Flow(FlowError),
    /// Tokens were to be released for a person whose account has changed, or whose session has ended.
    AccountChanged,
}

impl<E: Into<FlowError>> From<E> for FinishError {
    fn from(error: E) -> Self {
        Self::Flow(error.into())
    }
}

/// What rests, sealed, in the row of an answered request.
#[derive(Serialize, Deserialize)]
struct AuthorizationResult {
    /// Who was signed in for it.
    account: Option<AccountId>,
    response: AuthorizationResponse,
}

const CONTEXT: &str = "answered request";

/// Finishes the interaction with this response. If another response finished it before, this one is dropped: it is never sent, and
/// nothing of what it would have written stays.
pub(crate) async fn answer(
    visit: &Visit,
    interaction: &OpenInteraction,
    account: Option<AccountId>,
    prepared: PreparedResponse,
) -> Result<Next, FlowError> {
    match answer_with(visit, interaction, account, prepared).await {
        Ok(next) => Ok(next),
        Err(FinishError::Flow(error)) => Err(error),
        Err(FinishError::AccountChanged) => {
            let request = interaction.state.request().ok_or(FlowError::Broken("tokens for no request"))?;
            let told = account_changed(visit, &request.reply).into();
            match answer_with(visit, interaction, account, told).await {
                Err(FinishError::AccountChanged) => Err(FlowError::Broken("an error with tokens")),
                Err(FinishError::Flow(error)) => Err(error),
                Ok(next) => Ok(next),
            }
        }
    }
}

async fn answer_with(
    visit: &Visit,
    interaction: &OpenInteraction,
    account: Option<AccountId>,
    PreparedResponse { response, grant }: PreparedResponse,
) -> Result<Next, FinishError> {
    let pushed = matches!(interaction.state.source, RequestSource::Pushed { .. });
    let kept = KeptWithAnswer { consent: interaction.consent.clone(), grant };
    let name = interaction.response_key().filter(|_| pushed || interaction.is_resumable);
    let Some(name) = name else {
        if !kept.is_nothing() {
            visit.store().run(kept).await.1?;
        }
        return Ok(Next::Application(Box::new(response)));
    };
    let answer = AuthorizationResult { account, response };
    let only_pushed = interaction.pushed().filter(|_| account.is_none() && !interaction.is_resumable);
    let finished = if let Some(digest) = only_pushed {
        finish_by_name(visit, digest).await?
    } else {
        let finishing = FinishInteractionUnit::prepare(visit, (interaction, &name), &answer, kept)?;
        let finishing = Arc::new(finishing);
        visit.store().write(move |tx| finish(tx, Arc::clone(&finishing))).await?
    };
    Ok(match (finished, interaction.state.request()) {
        (FinishResult::Now, _) => Next::Application(Box::new(answer.response)),
        (FinishResult::ClientChanged, _) => return Err(FlowError::ClientChanged.into()),
        (FinishResult::Before(Some(before)), _) => repeat_response(visit, &before, account),
        (FinishResult::Before(None), Some(request)) => {
            pushed_request_finished(visit, Some(&request.ask.client_id))
        }
        (FinishResult::Before(None), None) => Next::ApplicationGone,
    })
}

/// What an answer brings about besides itself. It is written by the unit that answers, so that nothing stays of an answer that is
/// not given.
struct KeptWithAnswer {
    consent: Option<Arc<ConsentAnswer>>,
    /// Of the tokens that leave with the answer.
    grant: Option<Arc<HybridGrant>>,
}

impl KeptWithAnswer {
    const fn is_nothing(&self) -> bool {
        self.consent.is_none() && self.grant.is_none()
    }

    async fn lock_account(&self, tx: &Tx) -> Result<(), FinishError> {
        if let Some(grant) = &self.grant {
            grant.lock_account(tx).await?;
        }
        Ok(())
    }

    /// Whether the client still is what the person agreed to.
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

/// By itself for pages of release 0.1.0, which name no request, and for a request without a page, which nothing carries: no row
/// says that theirs was answered.
impl Unit for KeptWithAnswer {
    type Output = ();
    type Error = FinishError;

    const NAME: &'static str = "keep_with_answer";

    async fn run(&self, tx: &Tx) -> Result<(), FinishError> {
        self.lock_account(tx).await?;
        if !self.is_to_this_client(tx).await? {
            return Err(FlowError::ClientChanged.into());
        }
        self.keep(tx).await
    }
}

/// Answers a pushed request that no page carries and for which no account is signed in.
async fn finish_by_name(visit: &Visit, digest: KeyedDigest) -> Result<FinishResult, FlowError> {
    let now = visit.now;
    let write = visit
        .store()
        .write(move |tx| async move { Ok::<_, FlowError>(tx.end_pushed_request(&digest, now).await?) });
    Ok(if write.await? { FinishResult::Now } else { FinishResult::Before(None) })
}

/// A pushed request was answered, and no row says by what.
pub(crate) fn pushed_request_finished(call: &Call, client: Option<&ClientId>) -> Next {
    let client = client.and_then(|id| call.snapshot().clients.get(id).cloned());
    Next::AnsweredBefore(Box::new(AlreadyFinished { client, repeat: None }))
}

/// The row of an earlier answer, for the one who is signed in now (`account`).
pub(crate) fn repeat_response(visit: &Visit, before: &Interaction, account: Option<AccountId>) -> Next {
    let request = before.state.request();
    let client = request.and_then(|request| visit.snapshot().clients.get(&request.ask.client_id).cloned());
    let mut repeat = None;
    if may_repeat(before, visit)
        && let Some(answer) = open(visit, before).filter(|answer| answer.account == account)
    {
        repeat = Some(Box::new(answer.response));
    }
    Next::AnsweredBefore(Box::new(AlreadyFinished { client, repeat }))
}

/// In the browser that was answered, and only for a moment.
pub(crate) fn may_repeat(before: &Interaction, visit: &Visit) -> bool {
    let at = before.finished_at.unwrap_or(before.created_at);
    before.state.browser == visit.browser.id && visit.now.duration_since(at) < ANSWER_REPEATED_FOR
}

/// The row of the answer to what is carried here, if it was answered.
pub(crate) async fn find(
    call: &Call,
    interaction: &OpenInteraction,
) -> Result<Option<Interaction>, FlowError> {
    match interaction.response_key().filter(|_| interaction.state.request().is_some()) {
        Some(name) => Ok(call.store().interaction(&digests(call, &name)).await?),
        None => Ok(None),
    }
}

/// The same for a request of which only the name is there.
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

struct FinishInteractionUnit {
    /// The row that says that the request was answered, and by what.
    answered: Interaction,
    digests: Vec<KeyedDigest>,
    digest: KeyedDigest,
    /// The row that carried the request here.
    row: Option<InteractionId>,
    pushed: Option<KeyedDigest>,
    kept: KeptWithAnswer,
}

impl FinishInteractionUnit {
    fn prepare(
        visit: &Visit,
        (interaction, name): (&OpenInteraction, &[u8]),
        answer: &AuthorizationResult,
        kept: KeptWithAnswer,
    ) -> Result<Self, FlowError> {
        let id = InteractionId(visit.new_id());
        let plain = serde_json::to_vec(answer).map_err(|_| FlowError::Broken("an answer"))?;
        let sealer = visit.keyring().sealer(KeyPurpose::InteractionSeal);
        let answered = Interaction {
            id,
            state: without_parameters(&interaction.state),
            proof: None,
            created_at: visit.now,
            expires_at: kept_until(visit, &interaction.state.source),
            finished_at: Some(visit.now),
            // Only a repeated form gets the response again. Without a page there was no form, so none is stored.
            answer: interaction
                .is_resumable
                .then(|| sealer.seal(visit.random(), &associated_data(id), &plain)),
        };
        let mac = visit.keyring().mac(KeyPurpose::TokenHash);
        Ok(Self {
            digests: digests(visit, name),
            digest: mac.digest(CONTEXT, name),
            row: interaction.row(),
            pushed: interaction.pushed(),
            kept,
            answered,
        })
    }
}

/// The earlier answer, if there is one.
async fn finish(tx: Tx, finishing: Arc<FinishInteractionUnit>) -> Result<FinishResult, FinishError> {
    let FinishInteractionUnit { answered, digests, digest, row, pushed, kept } = &*finishing;
    kept.lock_account(&tx).await?;
    if let Some(before) = tx.interaction(digests).await? {
        return Ok(FinishResult::Before(Some(Box::new(before))));
    }
    if !kept.is_to_this_client(&tx).await? {
        return Ok(FinishResult::ClientChanged);
    }
    let now = answered.created_at;
    if let Some(pushed) = pushed
        && !tx.end_pushed_request(pushed, now).await?
    {
        return Ok(FinishResult::Before(tx.interaction(digests).await?.map(Box::new)));
    }
    if !tx.insert_interaction(answered, digest).await? {
        let before = tx.interaction(digests).await?;
        let before = before.ok_or(FlowError::Broken("an answered request without its row"))?;
        return Ok(FinishResult::Before(Some(Box::new(before))));
    }
    if let Some(row) = row {
        tx.finish_interaction(*row, now).await?;
    }
    kept.keep(&tx).await?;
    Ok(FinishResult::Now)
}

/// Clocks of nodes may differ by as much.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The row must outlive every page, row and link in which the request could still be opened; otherwise the request could be
/// answered twice. A pushed request cannot be used after its own end, so that its row need not outlive that.
fn kept_until(visit: &Visit, source: &RequestSource) -> Timestamp {
    let policy = &visit.snapshot().policy;
    let (from, kept) = match source {
        RequestSource::Pushed { ends_at, .. } => (*ends_at, SKEW),
        RequestSource::Plain | RequestSource::RequestObject { .. } => {
            (visit.now, policy.interaction.lifetime.max(policy.recovery.link_lifetime))
        }
    };
    from.checked_add(kept).unwrap_or(Timestamp::MAX)
}

/// What the row of an answered request has to say of it: in which browser it was answered, and for which client. The client
/// chooses the length of all other parameters, so they are not stored.
fn without_parameters(state: &InteractionState) -> InteractionState {
    let destination = match &state.destination {
        Destination::Application(request) => {
            Destination::Application(Box::new(request.response_target_only()))
        }
        other => other.clone(),
    };
    InteractionState {
        destination,
        account: None,
        consented_by: None,
        consent_question: None,
        insists_on: None,
        also_insists_on: Vec::new(),
        recovery: None,
        ..state.clone()
    }
}

fn associated_data(id: InteractionId) -> Vec<u8> {
    format!("interactions.answer\n{id}").into_bytes()
}

fn open(call: &Call, before: &Interaction) -> Option<AuthorizationResult> {
    let sealer = call.keyring().sealer(KeyPurpose::InteractionSeal);
    let plain = sealer.open(&associated_data(before.id), before.answer.as_ref()?).ok()?;
    serde_json::from_slice(&plain).ok()
}

fn digests(call: &Call, name: &[u8]) -> Vec<KeyedDigest> {
    call.keyring().mac(KeyPurpose::TokenHash).digests(CONTEXT, name)
}
