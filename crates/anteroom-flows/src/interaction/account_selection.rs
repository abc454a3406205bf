//! The account that a step is about: one that is signed in in this browser, or was proven in this interaction.

use anteroom_domain::account::Account;
use anteroom_domain::address::{EmailAddress, FoldedAddress};
use anteroom_domain::client::Client;
use anteroom_domain::interaction::{InteractionProof, InteractionState};
use anteroom_oidc::authorization::RequestContent;
use anteroom_oidc::{Prompt, Subject};

use crate::context::active_session::ActiveSession;
use crate::context::call::{Call, FormOwner, Visit};
use crate::error::FlowError;
use crate::interaction::open_interaction::OpenInteraction;
use crate::protocol::subject::subject;

pub(crate) enum AccountSelection<'a> {
    NoAccount,
    Several(Vec<ActiveSession>),
    SignedIn(Box<ActiveSession>),
    Proven(Box<Account>, &'a InteractionProof),
}

impl<'a> AccountSelection<'a> {
    /// The account that was chosen in this interaction, else the one that the request requires or hints at, else the only one;
    /// for the dashboard the current one. If the hint is of an account that is not signed in here, the person chooses. If the
    /// chosen account is not signed in any more, no account is selected, and never another one instead.
    pub(crate) async fn select(
        visit: &Visit,
        interaction: &'a OpenInteraction,
        client: Option<&Client>,
        mut live: Vec<ActiveSession>,
    ) -> Result<Self, FlowError> {
        let state = &interaction.state;
        // An account that was signed in to or chosen since the proof was given comes first.
        if let Some(proof) = interaction.proof().filter(|proof| state.account == Some(proof.account))
            && let Some(account) = visit.store().account(proof.account).await?
            && proof.is_current_for(&account, visit.now)
        {
            return Ok(Self::Proven(Box::new(account), proof));
        }
        let chosen = state.account.map(|chosen| live.iter().position(|one| one.account.id == chosen));
        let place = match chosen {
            Some(None) => return Ok(Self::NoAccount),
            Some(Some(place)) => Some(place),
            None if must_choose(state) && !live.is_empty() => return Ok(Self::Several(live)),
            None if hints_at_signed_out_account(state, &live) => return Ok(Self::Several(live)),
            None => named(visit, state, client, &live).await?.or(match live.len() {
                0 => return Ok(Self::NoAccount),
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
            Self::NoAccount | Self::Several(_) => None,
            Self::SignedIn(live) => Some(&live.account),
            Self::Proven(account, _) => Some(account),
        }
    }

    /// A form must not act for another account or session than its page showed. `Err`: the account that is selected instead.
    pub(crate) fn if_shown_by(self, form: FormOwner) -> Result<Self, Box<Account>> {
        match self {
            Self::SignedIn(live) if !form.allows(&live) => Err(Box::new(live.account)),
            Self::Proven(account, _) if !form.allows_account(account.id) => Err(account),
            shown => Ok(shown),
        }
    }

    pub(crate) fn into_choices(self) -> Vec<ActiveSession> {
        match self {
            Self::Several(live) => live,
            Self::SignedIn(live) => vec![*live],
            Self::NoAccount | Self::Proven(..) => Vec::new(),
        }
    }
}

fn must_choose(state: &InteractionState) -> bool {
    ask_of(state).is_some_and(|ask| ask.prompt.contains(Prompt::SelectAccount))
}

fn ask_of(state: &InteractionState) -> Option<&RequestContent> {
    state.request().map(|request| &request.ask)
}

/// Whether `login_hint` is the address of an account that is not signed in here. With `prompt=none` there is no page to choose on,
/// and with `prompt=login` or `max_age=0` the person signs in again anyway, so that the hint decides nothing there.
fn hints_at_signed_out_account(state: &InteractionState, live: &[ActiveSession]) -> bool {
    let Some(ask) = ask_of(state).filter(|_| state.required_sub.is_none()) else { return false };
    let silent = ask.prompt.contains(Prompt::None);
    let signs_in = ask.prompt.contains(Prompt::Login) || ask.max_age == Some(0);
    let hint = ask.login_hint.as_deref().filter(|hint| EmailAddress::parse(hint).is_ok());
    let hint = hint.map(FoldedAddress::from_entered);
    let is_here = |hint| live.iter().any(|one| one.account.primary_address.folded() == hint);
    !silent && !signs_in && !live.is_empty() && hint.is_some_and(|hint| !is_here(hint))
}

/// The place of the account that the request requires, or whose address it hints at (OpenID Connect Core §3.1.2.1).
///
/// With `prompt=none` the answer would disclose whether the hinted account is signed in here. So an account that has not consented
/// to the client is not selected by a hint.
async fn named(
    call: &Call,
    state: &InteractionState,
    client: Option<&Client>,
    live: &[ActiveSession],
) -> Result<Option<usize>, FlowError> {
    let Some(place) = hinted(call, state, client, live)? else { return Ok(None) };
    let silent = ask_of(state).is_some_and(|ask| ask.prompt.contains(Prompt::None));
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
    client: Option<&Client>,
    live: &[ActiveSession],
) -> Result<Option<usize>, FlowError> {
    if let (Some(_), Some(client)) = (&state.required_sub, client) {
        let here: Vec<Subject> =
            live.iter().map(|one| subject(call, client, one.account.id)).collect::<Result<_, _>>()?;
        return Ok(state.required_subs().find_map(|wanted| here.iter().position(|sub| sub == wanted)));
    }
    let hint = ask_of(state).and_then(|ask| ask.login_hint.as_deref());
    let hint = hint.map(FoldedAddress::from_entered);
    Ok(hint.and_then(|hint| live.iter().position(|one| one.account.primary_address.folded() == hint)))
}
