//! The client credentials grant (RFC 6749 §4.4): a token for the client itself. It writes nothing; the audit trail has counts
//! per client and minute.

use anteroom_oidc::token::{ClientCredentialsGrant, TokenResponse};

use super::{TokenRequestContext, TokenRequestError, mint};
use crate::audit::counters::AuditCounter;

pub(super) fn issue(
    exchange: &TokenRequestContext<'_>,
    request: &ClientCredentialsGrant,
) -> Result<TokenResponse, TokenRequestError> {
    let response = mint::for_client(exchange, request)?;
    exchange.call.provider().counters.count(AuditCounter::ClientTokens(exchange.client.id().clone()));
    Ok(response)
}
