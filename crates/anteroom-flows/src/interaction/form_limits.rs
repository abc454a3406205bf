//! For whom a form that came in counts ([`crate::context::limits::spend_form`]).

use anteroom_crypto::OpaqueToken;

use crate::context::call::{FormOwner, Visit};
use crate::context::limits::CountedFor;
use crate::error::FlowError;
use crate::interaction::open_interaction::InteractionRef;
use crate::interaction::reopen::proven_account;
use crate::messages::links::token_digests;
use crate::sessions::browser_sessions::active_sessions;

/// What a form says of where its person stands, parsed and not yet believed.
#[derive(Debug)]
pub struct FormReferences<'a> {
    pub interaction: &'a str,
    /// The token of a mailed link.
    pub token: &'a str,
}

/// The session that is the current one of this browser, and its account.
pub async fn form_owner(visit: &Visit) -> Result<FormOwner, FlowError> {
    let live = active_sessions(visit).await?;
    Ok(live.first().map(FormOwner::of).unwrap_or_default())
}

/// A person without a session who has given a proof on the way, or holds a mailed link, must not wait for what a stranger at the
/// same address sends. A handle or a token that is made up finds no row, so it brings no budget of its own.
pub async fn counted_for(visit: &Visit, brought: FormReferences<'_>) -> Result<CountedFor, FlowError> {
    let owner = form_owner(visit).await?;
    if let (Some(session), Some(account)) = (owner.session, owner.account) {
        return Ok(CountedFor::Session(session, account));
    }
    if let Some(InteractionRef::Row(handle)) = InteractionRef::parse(brought.interaction)
        && let Some((interaction, account)) = proven_account(visit, &handle).await?
    {
        return Ok(CountedFor::OnTheWay(interaction.0, account));
    }
    Ok(of_link(visit, brought.token).await?.unwrap_or(CountedFor::Address))
}

async fn of_link(visit: &Visit, token: &str) -> Result<Option<CountedFor>, FlowError> {
    let Some(token) = OpaqueToken::parse(token) else { return Ok(None) };
    let link = visit.store().link(&token_digests(visit, &token)).await?;
    let link = link.filter(|link| link.ended_at.is_none() && visit.now < link.expires_at);
    let whose = link.and_then(|link| Some((link.id, link.account?)));
    Ok(whose.map(|(link, account)| CountedFor::OnTheWay(link.0, account)))
}
