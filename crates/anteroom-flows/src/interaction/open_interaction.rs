//! How an interaction is stored between two requests of the browser: sealed in the page until a first form is submitted, then in a
//! row that the browser names by a handle.
//!
//! Both are bound to the browser in which the interaction began. An interaction can be copied to another browser, and a browser can lose its
//! cookie. There it counts as a new authorization request: no proof, chosen account or consent is taken over, a pushed request
//! is not accepted at all, and one from a request object is accepted until its `exp` ([`InteractionState::resume_in`]). The
//! same holds for an interaction with a proof of one account, once another account has signed in at that browser. All pages and
//! rows of one request share its one response (`answered.rs`).
//!
//! One submission is one row, however often it is sent: the row's handle is derived from the sealed value, or without one from the
//! form, and the browser. If the row has another state by then, is finished or is about another account, the submission gets a new
//! row, whose handle is derived in the same way. So does the first proof of an account.

use anteroom_crypto::{KeyPurpose, KeyedDigest, OpaqueToken};
use anteroom_domain::ids::{BrowserId, InteractionId};
use anteroom_domain::interaction::{
    ANSWER_REPEATED_FOR, Destination, Interaction, InteractionProof, InteractionState, RequestSource,
    UNAUTHENTICATED_LIFETIME,
};
use anteroom_storage::{Tx, Unit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::consent_decision_record::ConsentDecisionRecord;

/// What a form's `interaction` field holds, parsed but not yet opened.
#[derive(Clone, Debug)]
pub enum InteractionRef {
    Sealed(String),
    Row(OpaqueToken),
}

/// An interaction that was opened, and where it is stored.
#[derive(Clone, Debug)]
pub struct OpenInteraction {
    pub state: InteractionState,
    pub storage: InteractionStorage,
    /// The row of the answer, if the request was answered.
    pub(crate) answered: Option<Box<Interaction>>,
    /// It is in a page or a row that the browser can open again.
    pub(crate) is_resumable: bool,
    /// What the person has decided on the consent page. It is written together with the answer, and not without one.
    pub(crate) consent: Option<Arc<ConsentDecisionRecord>>,
}

#[derive(Clone, Debug)]
pub enum InteractionStorage {
    /// Only in a page. `submitted`: the digest of the page whose form was submitted; `None` before the first form.
    Sealed {
        submitted: Option<KeyedDigest>,
    },
    Row {
        interaction: Box<Interaction>,
        handle: OpaqueToken,
    },
}

/// The interaction cannot be opened: it has expired, was answered or belongs to another browser, or the value is not genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InteractionNotFound;

const AAD: &[u8] = b"interaction";
pub(crate) const HANDLE_CONTEXT: &str = "interaction";
const PAGE_CONTEXT: &str = "submitted page";
const PAGE_HANDLE_CONTEXT: &str = "handle of a submitted page";
/// Names the row of a form whose interaction was in no sealed page.
const FORM_ROW: &[u8] = b"row of a form";
/// A form has one field for handles and sealed values; the prefix distinguishes them.
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
        let storage = InteractionStorage::Sealed { submitted: None };
        Self { state, storage, answered: None, is_resumable: false, consent: None }
    }

    /// An interaction without a client, whose target is the dashboard.
    pub fn to_dashboard(visit: &Visit) -> Self {
        Self::new(InteractionState::new(Destination::Dashboard, visit.browser.id, visit.now))
    }

    /// The identifier of its row. `None`: it is sealed in a page.
    pub(crate) fn row(&self) -> Option<InteractionId> {
        match &self.storage {
            InteractionStorage::Sealed { .. } => None,
            InteractionStorage::Row { interaction, .. } => Some(interaction.id),
        }
    }

    /// Key of the response's row. An interaction of release 0.1.0 has no request identifier, so its own identifier is the key.
    pub(crate) fn response_key(&self) -> Option<Vec<u8>> {
        match (self.state.request_id, &self.storage) {
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
        match &self.storage {
            InteractionStorage::Sealed { .. } => None,
            InteractionStorage::Row { interaction, .. } => interaction.proof.as_ref(),
        }
    }

    /// Whether its row has its present state.
    pub(crate) fn is_persisted(&self) -> bool {
        match &self.storage {
            InteractionStorage::Sealed { .. } => false,
            InteractionStorage::Row { interaction, .. } => interaction.state == self.state,
        }
    }

    /// The value of the `interaction` field in the next page's form. `None`: the target is the dashboard and nothing was proven, so
    /// that there is nothing to store.
    pub fn form_value(&self, call: &Call) -> Result<Option<String>, FlowError> {
        match &self.storage {
            InteractionStorage::Row { handle, .. } => Ok(Some(handle.encode())),
            InteractionStorage::Sealed { .. } if self.state.destination == Destination::Dashboard => Ok(None),
            InteractionStorage::Sealed { .. } => {
                let plain = serde_json::to_vec(&self.state)
                    .map_err(|_| FlowError::Inconsistent("the interaction could not be serialized"))?;
                let sealed =
                    call.keyring().sealer(KeyPurpose::InteractionSeal).seal(call.random(), AAD, &plain);
                Ok(Some(format!("{SEALED_PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed))))
            }
        }
    }

    /// Makes the interaction a row, or updates its row, in the transaction of the step that was taken. The first proof of an account
    /// makes a new row: another person at this browser may know the handle of the old one.
    pub(crate) async fn save(
        &self,
        tx: &Tx,
        new_interaction: &NewInteraction,
        proof: Option<&InteractionProof>,
    ) -> Result<SavedRow, FlowError> {
        self.save_in_state(tx, new_interaction, self.state.clone(), proof).await
    }

    /// The same in the state that the step led to. The caller gives the interaction this state before [`Self::saved_as`].
    pub(crate) async fn save_in_state(
        &self,
        tx: &Tx,
        new_interaction: &NewInteraction,
        state: InteractionState,
        proof: Option<&InteractionProof>,
    ) -> Result<SavedRow, FlowError> {
        let present = match &self.storage {
            InteractionStorage::Row { interaction: row, handle }
                if !proves_another(row.proof.as_ref(), proof) =>
            {
                Some((row, handle))
            }
            InteractionStorage::Row { .. } | InteractionStorage::Sealed { .. } => None,
        };
        let (id, created_at) =
            present.map_or((new_interaction.id, new_interaction.now), |(row, _)| (row.id, row.created_at));
        let end = new_interaction.end(created_at, &state, proof);
        let row = Interaction {
            id,
            state,
            proof: proof.copied(),
            created_at,
            expires_at: present.map_or(end, |(row, _)| row.expires_at.max(end)),
            finished_at: present.and_then(|(row, _)| row.finished_at),
            authorization_response: None,
        };
        if let Some((_, handle)) = present {
            tx.save_interaction(&row).await?;
            return Ok(SavedRow::new(row, handle));
        }
        for derived in &new_interaction.derived {
            if tx.insert_interaction(&row, &derived.digest).await? {
                return Ok(SavedRow::new(row, &derived.handle));
            }
            if let Some(found) = tx.interaction(std::slice::from_ref(&derived.digest)).await?
                && is_equivalent(&found, &row)
            {
                return Ok(SavedRow::new(found, &derived.handle));
            }
        }
        tx.insert_interaction(&row, &new_interaction.own.digest).await?;
        Ok(SavedRow::new(row, &new_interaction.own.handle))
    }

    /// The interaction in the row that [`Self::save`] wrote or found.
    pub(crate) fn saved_as(self, SavedRow { row, handle }: SavedRow) -> Self {
        let is_same_row = self.row() == Some(row.id);
        // A row that was found was written by an earlier submission of the same page.
        let state =
            InteractionState { began_at: row.state.began_at, picked_at: row.state.picked_at, ..self.state };
        Self {
            state,
            storage: InteractionStorage::Row { interaction: row, handle },
            answered: self.answered.filter(|_| is_same_row),
            is_resumable: true,
            consent: None,
        }
    }

    /// The same where the interaction may have stayed as it was.
    pub(crate) fn saved_if(self, saved: Option<SavedRow>) -> Self {
        match saved {
            Some(saved) => self.saved_as(saved),
            None => self,
        }
    }
}

/// The row that an interaction was saved in.
#[derive(Debug)]
pub(crate) struct SavedRow {
    row: Box<Interaction>,
    handle: OpaqueToken,
}

impl SavedRow {
    fn new(row: Interaction, handle: &OpaqueToken) -> Self {
        Self { row: Box::new(row), handle: handle.clone() }
    }

    pub(crate) fn id(&self) -> InteractionId {
        self.row.id
    }
}

fn proves_another(before: Option<&InteractionProof>, now: Option<&InteractionProof>) -> bool {
    now.is_some_and(|now| before.is_none_or(|before| before.account != now.account))
}

/// Whether the row that an earlier submission of the page wrote has the same state and proof as this submission.
fn is_equivalent(row: &Interaction, other: &Interaction) -> bool {
    let proven = |interaction: &Interaction| {
        interaction.proof.as_ref().map(|proof| (proof.account, proof.epoch, proof.kind.link()))
    };
    // A proof is of another submission if it is older than a moment: that row may have gone further since, and lapses sooner.
    let is_of_this_moment = match (&row.proof, &other.proof) {
        (Some(before), Some(now)) => now.at.duration_since(before.at) < ANSWER_REPEATED_FOR,
        (None, _) | (_, None) => true,
    };
    row.finished_at.is_none()
        && other.created_at < row.expires_at
        && is_same_but_for_times(&row.state, &other.state)
        && proven(row) == proven(other)
        && is_of_this_moment
}

/// Some forms write the time of their submission. Of two submissions, the row has the earlier time; to use that one for both
/// extends no limit.
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
    /// The handles that every submission of the same page or form derives, for as many states as it may lead to. The first one with a
    /// state inserts the row.
    derived: Vec<InteractionHandle>,
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
    /// row of the first one. `turn`: 0 is the first row; release 0.1.0 knows no other.
    fn of_page(call: &Call, page: &KeyedDigest, browser: BrowserId, turn: u8) -> Self {
        let turn: &[u8] = if turn == 0 { &[] } else { &[turn] };
        let data = [page.as_bytes().as_slice(), browser.0.as_bytes(), turn].concat();
        let handle = call.keyring().mac(KeyPurpose::TokenHash).digest(PAGE_HANDLE_CONTEXT, &data);
        Self::of(call, OpaqueToken::from_bytes(*handle.as_bytes()))
    }
}

/// Rows that one page or form can lead to by derived handles. Further ones have random handles.
const MAX_DERIVED: u8 = 4;

impl NewInteraction {
    pub fn prepare(visit: &Visit, interaction: &OpenInteraction) -> Self {
        let of_form = || visit.sent_form.map(|form| form.submission_digest(visit, &[FORM_ROW]));
        let page = match &interaction.storage {
            InteractionStorage::Sealed { submitted } => submitted.or_else(of_form),
            InteractionStorage::Row { .. } => of_form(),
        };
        let browser = interaction.state.browser;
        let derived = page.iter().flat_map(|page| {
            (0..MAX_DERIVED).map(move |turn| InteractionHandle::of_page(visit, page, browser, turn))
        });
        Self {
            id: InteractionId(visit.new_id()),
            own: InteractionHandle::of(visit, visit.random().token()),
            derived: derived.collect(),
            now: visit.now,
            lifetime: visit.snapshot().policy.interaction.lifetime,
        }
    }

    /// Anyone can cause rows without a proof and without an account, so those expire early.
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

/// Saves the interaction with another proof, in a transaction of its own.
pub(crate) async fn persist_with_proof(
    visit: &Visit,
    interaction: OpenInteraction,
    proof: InteractionProof,
) -> Result<OpenInteraction, FlowError> {
    let new_interaction = NewInteraction::prepare(visit, &interaction);
    let unit = PersistWithProof { interaction, new_interaction, proof };
    let (PersistWithProof { interaction, .. }, saved) = visit.store().run(unit).await;
    Ok(interaction.saved_as(saved?))
}

struct PersistWithProof {
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    proof: InteractionProof,
}

impl Unit for PersistWithProof {
    type Output = SavedRow;
    type Error = FlowError;

    const NAME: &'static str = "persist_with_proof";

    async fn run(&self, tx: &Tx) -> Result<SavedRow, FlowError> {
        self.interaction.save(tx, &self.new_interaction, Some(&self.proof)).await
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
