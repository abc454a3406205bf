//! The client credentials grant (RFC 6749 §4.4): a token for the client itself. It writes nothing; the trail keeps counts
//! per client and minute.

use anteroom_oidc::token::{ClientCredentialsGrant, TokenResponse};

use super::{Exchange, TokenError, mint};
use crate::audit::counters::Tally;

pub(super) fn issue(
    exchange: &Exchange<'_>,
    request: &ClientCredentialsGrant,
) -> Result<TokenResponse, TokenError> {
    let response = mint::for_client(exchange, request)?;
    exchange.call.provider().tallies.count(Tally::ClientTokens(exchange.client.id().clone()));
    Ok(response)
}
