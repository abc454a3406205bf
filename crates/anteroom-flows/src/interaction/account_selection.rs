//! Whom a step is about: of those signed in in this browser, or proven in this journey, the one.

use anteroom_domain::account::Account;
use anteroom_domain::address::{EmailAddress, FoldedAddress};
use anteroom_domain::client::Client;
use anteroom_domain::interaction::{InteractionProof, InteractionState};
use anteroom_oidc::{Prompt, Subject};
use std::sync::Arc;

use crate::context::call::{Call, FormOwner, Visit};
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::interaction::open_interaction::OpenInteraction;
use crate::protocol::subject::subject;

pub(crate) enum AccountSelection {
    Nobody,
    Several(Vec<ActiveSession>),
    SignedIn(Box<ActiveSession>),
    Proven(Box<Account>, InteractionProof),
}

impl AccountSelection {
    /// Chosen on the way, else insisted on or hinted at by the application, else the only one; the dashboard takes the current
    /// one. Where the hint is of an account that is not signed in here, the person chooses. If the chosen account is not signed
    /// in any more, no account is selected; another one never takes its place.
    pub(crate) async fn select(
        visit: &Visit,
        (interaction, client): (&OpenInteraction, Option<&Arc<Client>>),
        mut live: Vec<ActiveSession>,
    ) -> Result<Self, FlowError> {
        let state = &interaction.state;
        // An account that was signed in to or chosen since the proof was given comes first.
        if let Some(proof) = interaction.proof().filter(|proof| state.account == Some(proof.account))
            && let Some(account) = visit.store().account(proof.account).await?
            && proof.is_current_for(&account, visit.now)
        {
            return Ok(Self::Proven(Box::new(account), proof.clone()));
        }
        let chosen = state.account.map(|chosen| live.iter().position(|one| one.account.id == chosen));
        let place = match chosen {
            Some(None) => return Ok(Self::Nobody),
            Some(Some(place)) => Some(place),
            None if must_choose(state) && !live.is_empty() => return Ok(Self::Several(live)),
            None if hints_at_signed_out_account(state, &live) => return Ok(Self::Several(live)),
            None => named(visit, state, client, &live).await?.or(match live.len() {
                0 => return Ok(Self::Nobody),
                1 => Some(0),
                _ if state.request().is_none() => Some(0),
                _ => None,
            }),
        };
        Ok(match place {
            Some(place) => Self::SignedIn(Box::new(live.swap_remove(place))),
            None => Self::Several(live),
        })
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        match self {
            Self::Nobody | Self::Several(_) => None,
            Self::SignedIn(live) => Some(&live.account),
            Self::Proven(account, _) => Some(account),
        }
    }

    /// Whether the page of a form showed this person. A form of a page that showed another one, or another session, must not
    /// act for this one.
    pub(crate) fn is_shown_by(&self, form: FormOwner) -> bool {
        match self {
            Self::Nobody | Self::Several(_) => true,
            Self::SignedIn(live) => form.allows(live),
            Self::Proven(account, _) => form.allows_account(account.id),
        }
    }

    pub(crate) fn into_choices(self) -> Vec<ActiveSession> {
        match self {
            Self::Several(live) => live,
            Self::SignedIn(live) => vec![*live],
            Self::Nobody | Self::Proven(..) => Vec::new(),
        }
    }
}

fn must_choose(state: &InteractionState) -> bool {
    state.request().is_some_and(|request| request.ask.prompt.contains(Prompt::SelectAccount))
}

/// Whether the application means an account that is not signed in here. It decides nothing without a page, where the session
/// is all there is to answer with, and nothing where the person signs in again anyway.
fn hints_at_signed_out_account(state: &InteractionState, live: &[ActiveSession]) -> bool {
    let Some(request) = state.request().filter(|_| state.insists_on.is_none()) else { return false };
    let silent = request.ask.prompt.contains(Prompt::None);
    let signs_in = request.ask.prompt.contains(Prompt::Login) || request.ask.max_age == Some(0);
    let hint = request.ask.login_hint.as_deref().filter(|hint| EmailAddress::parse(hint).is_ok());
    let hint = hint.map(FoldedAddress::from_entered);
    let is_here = |hint| live.iter().any(|one| one.account.primary_address.folded() == hint);
    !silent && !signs_in && !live.is_empty() && hint.is_some_and(|hint| !is_here(hint))
}

/// The one whom the application insists on, or whose address it hints at (OpenID Connect Core §3.1.2.1).
///
/// Without a page, an account that has not consented to the client is named by nothing: the answer would tell whether the hint is
/// that of an account that is signed in here.
async fn named(
    call: &Call,
    state: &InteractionState,
    client: Option<&Arc<Client>>,
    live: &[ActiveSession],
) -> Result<Option<usize>, FlowError> {
    let Some(place) = hinted(call, state, client, live)? else { return Ok(None) };
    let silent = state.request().is_some_and(|request| request.ask.prompt.contains(Prompt::None));
    let asks = client.filter(|client| silent && live.len() > 1 && !client.policy.first_party);
    if let (Some(client), Some(one)) = (asks, live.get(place))
        && call.store().consent(one.account.id, client.id()).await?.is_none()
    {
        return Ok(None);
    }
    Ok(Some(place))
}

fn hinted(
    call: &Call,
    state: &InteractionState,
    client: Option<&Arc<Client>>,
    live: &[ActiveSession],
) -> Result<Option<usize>, FlowError> {
    if let (Some(_), Some(client)) = (&state.insists_on, client) {
        let here: Vec<Subject> =
            live.iter().map(|one| subject(call, client, one.account.id)).collect::<Result<_, _>>()?;
        return Ok(state.required_subs().find_map(|wanted| here.iter().position(|sub| sub == wanted)));
    }
    let hint = state.request().and_then(|request| request.ask.login_hint.as_deref());
    let hint = hint.map(FoldedAddress::from_entered);
    Ok(hint.and_then(|hint| live.iter().position(|one| one.account.primary_address.folded() == hint)))
}
