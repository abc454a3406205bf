//! The client credentials grant (RFC 6749 §4.4): a token for the client itself. It writes nothing; the trail keeps counts
//! per client and minute.

use anteroom_domain::audit::Event;
use anteroom_oidc::token::{ClientCredentialsGrant, TokenResponse};

use super::{Exchange, TokenError, mint};

pub(super) fn issue(exchange: &Exchange<'_>, request: &ClientCredentialsGrant) -> Result<TokenResponse, TokenError> {
    let response = mint::for_client(exchange, request)?;
    exchange.provider.tallies.count(exchange.client.id());
    Ok(response)
}

/// What the trail says of a minute's worth of them.
pub(crate) fn tally(count: u32) -> Event {
    Event::ClientTokensGranted { count }
}
