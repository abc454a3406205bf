//! Carrying a journey from page to page: sealed into the page until a first form is submitted, a row with a handle after.
//!
//! Either is bound to the browser it began in. An interaction can be copied to another browser, and a browser can lose its
//! cookie. There it counts as a new authorization request: no proof, chosen account or consent is taken over, a pushed request
//! is not accepted at all, and one from a request object is accepted until its `exp` ([`InteractionState::resume_in`]). The
//! same holds for an interaction with a proof of one account, once another account has signed in at that browser. All pages and
//! rows of one request share its one response (`answered.rs`).
//!
//! One page is one row, however often it is submitted: the row's handle is derived from the sealed value and the browser. If
//! the row has moved on, is finished or is about another account, the submission gets a new row, and so does the first proof of
//! who the person is.

use anteroom_crypto::{KeyPurpose, KeyedDigest, OpaqueToken};
use anteroom_domain::ids::{BrowserId, InteractionId};
use anteroom_domain::interaction::{
    Destination, Interaction, InteractionProof, InteractionState, RequestSource, UNAUTHENTICATED_LIFETIME,
};
use anteroom_storage::{Tx, Unit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::consent_answer::ConsentAnswer;

/// What a form's `interaction` field holds, parsed but not yet opened.
#[derive(Clone, Debug)]
pub enum InteractionRef {
    Sealed(String),
    Row(OpaqueToken),
}

/// A journey that was opened, with how it is carried.
#[derive(Clone, Debug)]
pub struct OpenInteraction {
    pub state: InteractionState,
    pub place: InteractionStorage,
    /// Its request has been answered: the row that says so.
    pub(crate) answered: Option<Box<Interaction>>,
    /// A page or a row has it, with which the person could come back.
    pub(crate) is_resumable: bool,
    /// What the person has just decided about the application. It is written with the answer, and with nothing else.
    pub(crate) consent: Option<Arc<ConsentAnswer>>,
}

#[derive(Clone, Debug)]
pub enum InteractionStorage {
    /// Still only in a page: the one that was submitted, where there was one.
    Sealed {
        submitted: Option<KeyedDigest>,
    },
    Row {
        interaction: Box<Interaction>,
        handle: OpaqueToken,
    },
}

/// The journey cannot be opened: too old, finished, of another browser, or made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InteractionNotFound;

const AAD: &[u8] = b"interaction";
pub(crate) const HANDLE_CONTEXT: &str = "interaction";
const PAGE_CONTEXT: &str = "submitted page";
const PAGE_HANDLE_CONTEXT: &str = "handle of a submitted page";
/// Handles and sealed values share a field; a prefix tells them apart.
const SEALED_PREFIX: &str = "s.";

impl InteractionRef {
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(SEALED_PREFIX) {
            Some(sealed) => Some(Self::Sealed(sealed.to_owned())),
            None => OpaqueToken::parse(text).map(Self::Row),
        }
    }
}

impl OpenInteraction {
    pub fn new(state: InteractionState) -> Self {
        let place = InteractionStorage::Sealed { submitted: None };
        Self { state, place, answered: None, is_resumable: false, consent: None }
    }

    /// An interaction without a client, whose target is the dashboard.
    pub fn to_dashboard(visit: &Visit) -> Self {
        Self::new(InteractionState::new(Destination::Dashboard, visit.browser.id, visit.now))
    }

    /// The row that carries it, if it is one.
    pub(crate) fn row(&self) -> Option<InteractionId> {
        match &self.place {
            InteractionStorage::Sealed { .. } => None,
            InteractionStorage::Row { interaction, .. } => Some(interaction.id),
        }
    }

    /// Key of the response's row. An interaction of release 0.1.0 has no request identifier, so its own identifier is the key.
    pub(crate) fn response_key(&self) -> Option<Vec<u8>> {
        match (self.state.request_id, &self.place) {
            (Some(request), _) => Some(request.0.as_bytes().to_vec()),
            (None, InteractionStorage::Sealed { submitted }) => {
                submitted.as_ref().map(|page| page.as_bytes().to_vec())
            }
            (None, InteractionStorage::Row { interaction, .. }) => Some(interaction.id.0.as_bytes().to_vec()),
        }
    }

    pub(crate) fn pushed(&self) -> Option<KeyedDigest> {
        match &self.state.source {
            RequestSource::Pushed { digest, .. } => Some(*digest),
            RequestSource::Plain | RequestSource::RequestObject { .. } => None,
        }
    }

    pub fn proof(&self) -> Option<&InteractionProof> {
        match &self.place {
            InteractionStorage::Sealed { .. } => None,
            InteractionStorage::Row { interaction, .. } => interaction.proof.as_ref(),
        }
    }

    /// Whether its row says all that the journey has come to.
    pub(crate) fn is_persisted(&self) -> bool {
        match &self.place {
            InteractionStorage::Sealed { .. } => false,
            InteractionStorage::Row { interaction, .. } => interaction.state == self.state,
        }
    }

    /// What the next page's `interaction` field holds. Nothing for someone on the way to the dashboard who has proven nothing.
    pub fn form_value(&self, call: &Call) -> Result<Option<String>, FlowError> {
        match &self.place {
            InteractionStorage::Row { handle, .. } => Ok(Some(handle.encode())),
            InteractionStorage::Sealed { .. } if self.state.destination == Destination::Dashboard => Ok(None),
            InteractionStorage::Sealed { .. } => {
                let plain = serde_json::to_vec(&self.state).map_err(|_| FlowError::Broken("journey"))?;
                let sealed =
                    call.keyring().sealer(KeyPurpose::InteractionSeal).seal(call.random(), AAD, &plain);
                Ok(Some(format!("{SEALED_PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed))))
            }
        }
    }

    /// Makes the journey a row, or brings its row up to date, inside the transaction of the step that was taken. A row in which
    /// an account is proven for the first time is a new one: the handle of the old one was there before the person was, and
    /// may be known to another person at this browser.
    pub async fn persist(
        &self,
        tx: &Tx,
        new_interaction: &NewInteraction,
        proof: Option<InteractionProof>,
    ) -> Result<Self, FlowError> {
        if let InteractionStorage::Row { interaction, handle } = &self.place
            && !proves_another(interaction.proof.as_ref(), proof.as_ref())
        {
            let lives_until = new_interaction.end(interaction.created_at, &self.state, proof.as_ref());
            let expires_at = interaction.expires_at.max(lives_until);
            let state = self.state.clone();
            let interaction = Interaction { state, proof, expires_at, ..(**interaction).clone() };
            tx.save_interaction(&interaction).await?;
            let place =
                InteractionStorage::Row { interaction: Box::new(interaction), handle: handle.clone() };
            return Ok(Self { place, ..self.clone() });
        }
        let expires_at = new_interaction.end(new_interaction.now, &self.state, proof.as_ref());
        let interaction = Interaction {
            id: new_interaction.id,
            state: self.state.clone(),
            proof,
            created_at: new_interaction.now,
            expires_at,
            finished_at: None,
            answer: None,
        };
        if let Some(name) = &new_interaction.of_page {
            if tx.insert_interaction(&interaction, &name.digest).await? {
                return Ok(Self::in_row(interaction, &name.handle));
            }
            if let Some(row) = tx.interaction(std::slice::from_ref(&name.digest)).await?
                && is_equivalent(&row, &interaction)
            {
                return Ok(Self::in_row(row, &name.handle));
            }
        }
        tx.insert_interaction(&interaction, &new_interaction.own.digest).await?;
        Ok(Self::in_row(interaction, &new_interaction.own.handle))
    }

    fn in_row(interaction: Interaction, handle: &OpaqueToken) -> Self {
        let state = interaction.state.clone();
        let place = InteractionStorage::Row { interaction: Box::new(interaction), handle: handle.clone() };
        Self { state, place, answered: None, is_resumable: true, consent: None }
    }
}

fn proves_another(before: Option<&InteractionProof>, now: Option<&InteractionProof>) -> bool {
    now.is_some_and(|now| before.is_none_or(|before| before.account != now.account))
}

/// Whether the row that a page became says all that another submission of the page came to, and nothing more.
fn is_equivalent(row: &Interaction, other: &Interaction) -> bool {
    let proven =
        |interaction: &Interaction| interaction.proof.as_ref().map(|proof| (proof.account, proof.epoch));
    row.finished_at.is_none()
        && other.created_at < row.expires_at
        && is_same_but_for_times(&row.state, &other.state)
        && proven(row) == proven(other)
}

/// A form writes the time of its submission in some cases. The earlier of two is in the row already, which the browser that sends the
/// form again can go on with as well, so that it gets no more by it.
fn is_same_but_for_times(row: &InteractionState, other: &InteractionState) -> bool {
    let picked_at = match (row.picked_at, other.picked_at) {
        (Some(_), Some(_)) => row.picked_at,
        (None, _) | (_, None) => other.picked_at,
    };
    *row == InteractionState { began_at: row.began_at, picked_at, ..other.clone() }
}

/// What a new row needs, drawn before the transaction so that the transaction can run again.
#[derive(Clone, Debug)]
pub struct NewInteraction {
    id: InteractionId,
    own: InteractionHandle,
    /// That of the row for the submitted page, whichever submission makes it.
    of_page: Option<InteractionHandle>,
    now: Timestamp,
    lifetime: SignedDuration,
}

#[derive(Clone, Debug)]
struct InteractionHandle {
    handle: OpaqueToken,
    digest: KeyedDigest,
}

impl InteractionHandle {
    fn of(call: &Call, handle: OpaqueToken) -> Self {
        let digest = call.keyring().mac(KeyPurpose::TokenHash).digest(HANDLE_CONTEXT, handle.as_bytes());
        Self { handle, digest }
    }

    /// The handle is derived from the browser too, so that a sealed page that is copied to another browser does not find the
    /// row of the first one.
    fn of_page(call: &Call, page: &KeyedDigest, browser: BrowserId) -> Self {
        let data = [page.as_bytes().as_slice(), browser.0.as_bytes()].concat();
        let handle = call.keyring().mac(KeyPurpose::TokenHash).digest(PAGE_HANDLE_CONTEXT, &data);
        Self::of(call, OpaqueToken::from_bytes(*handle.as_bytes()))
    }
}

impl NewInteraction {
    pub fn prepare(call: &Call, interaction: &OpenInteraction) -> Self {
        let page = match &interaction.place {
            InteractionStorage::Sealed { submitted } => submitted.as_ref(),
            InteractionStorage::Row { .. } => None,
        };
        let lifetime = call.snapshot().policy.interaction.lifetime;
        Self {
            id: InteractionId(call.new_id()),
            own: InteractionHandle::of(call, call.random().token()),
            of_page: page.map(|page| InteractionHandle::of_page(call, page, interaction.state.browser)),
            now: call.now,
            lifetime,
        }
    }

    /// A row that any stranger can cause lives shortly, so that few of them are there at a time.
    fn end(
        &self,
        created_at: Timestamp,
        state: &InteractionState,
        proof: Option<&InteractionProof>,
    ) -> Timestamp {
        let is_of_stranger = proof.is_none() && state.is_unauthenticated();
        let life = if is_of_stranger { self.lifetime.min(UNAUTHENTICATED_LIFETIME) } else { self.lifetime };
        created_at.checked_add(life).unwrap_or(Timestamp::MAX)
    }
}

/// The same journey with another proof, in a transaction of its own.
pub(crate) async fn persist_with_proof(
    visit: &Visit,
    interaction: OpenInteraction,
    proof: InteractionProof,
) -> Result<OpenInteraction, FlowError> {
    let new_interaction = NewInteraction::prepare(visit, &interaction);
    visit.store().run(PersistWithProof { interaction, new_interaction, proof }).await.1
}

struct PersistWithProof {
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    proof: InteractionProof,
}

impl Unit for PersistWithProof {
    type Output = OpenInteraction;
    type Error = FlowError;

    const NAME: &'static str = "persist_with_proof";

    async fn run(&self, tx: &Tx) -> Result<OpenInteraction, FlowError> {
        self.interaction.persist(tx, &self.new_interaction, Some(self.proof.clone())).await
    }
}

/// Digest of the sealed page. It is never stored: the stored handle is derived from it and the browser.
pub(crate) fn page_digest(call: &Call, text: &str) -> KeyedDigest {
    call.keyring().mac(KeyPurpose::TokenHash).digest(PAGE_CONTEXT, text.as_bytes())
}

pub(crate) fn unseal(call: &Call, text: &str) -> Option<InteractionState> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = call.keyring().sealer(KeyPurpose::InteractionSeal).open(AAD, &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}
