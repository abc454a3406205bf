//! Which account, interaction or IP address a form is counted for ([`crate::context::limits::spend_form`]).

use anteroom_crypto::OpaqueToken;

use crate::context::call::{FormOwner, Visit};
use crate::context::limits::CountedFor;
use crate::error::FlowError;
use crate::interaction::open_interaction::InteractionRef;
use crate::interaction::reopen::proven_account;
use crate::messages::links::token_digests;
use crate::sessions::browser_sessions::active_sessions;

/// The interaction and the link token that a form names, not verified.
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

/// Strangers behind the same IP address must not use up the forms of a person who has proven an account in this interaction or
/// followed a mailed link. So those forms are counted for the interaction or the link. A made-up handle or token finds no row
/// and is counted for the IP address.
pub async fn counted_for(visit: &Visit, named: FormReferences<'_>) -> Result<CountedFor, FlowError> {
    let owner = form_owner(visit).await?;
    if let (Some(session), Some(account)) = (owner.session, owner.account) {
        return Ok(CountedFor::Session(session, account));
    }
    if let Some(InteractionRef::Row(handle)) = InteractionRef::parse(named.interaction)
        && let Some((interaction, account)) = proven_account(visit, &handle).await?
    {
        return Ok(CountedFor::Proven(interaction.0, account));
    }
    Ok(of_link(visit, named.token).await?.unwrap_or(CountedFor::Address))
}

async fn of_link(visit: &Visit, token: &str) -> Result<Option<CountedFor>, FlowError> {
    let Some(token) = OpaqueToken::parse(token) else { return Ok(None) };
    let link = visit.store().link(&token_digests(visit, &token)).await?;
    let link = link.filter(|link| link.ended_at.is_none() && visit.now < link.expires_at);
    let owned = link.and_then(|link| Some((link.id, link.account?)));
    Ok(owned.map(|(link, account)| CountedFor::Proven(link.0, account)))
}
