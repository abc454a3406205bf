//! `POST /revoke` (RFC 7009). Revoking a refresh token ends its grant and every access token of the grant; revoking an access
//! token ends that token alone. An unknown or inactive token, or one of another client, is answered like success: there is
//! nothing to revoke.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::grant::{Grant, GrantEnd};
use anteroom_domain::ids::{AccountId, GrantId};
use anteroom_domain::limits::Limit;
use anteroom_oidc::jwt::AccessTokenClaims;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::call::Call;
use crate::context::limits::{Sender, of_client, of_one, spend};
use crate::error::FlowError;
use crate::protocol::access_token;
use crate::protocol::token::end_grant::EndGrant;
use crate::protocol::token::refresh::RefreshToken;

#[tracing::instrument(skip_all)]
pub async fn revoke(
    call: &Call,
    client: &AuthenticatedClient,
    token: &SecretString,
) -> Result<(), FlowError> {
    // The client's keys may have been fetched for its authentication.
    let call = &call.at_present();
    // The token itself shows its kind, so `token_type_hint` is not needed (RFC 7009 §2.1).
    if let Some(token) = RefreshToken::parse(call.keyring(), token.expose_secret()) {
        return match active_grant(call, client, token.grant).await? {
            Some(grant) => end_grant(call, client, grant).await,
            None => Ok(()),
        };
    }
    match access_token::read(call, token, call.now) {
        Some(claims) if claims.client_id == *client.client().id() => end_token(call, client, claims).await,
        _ => Ok(()),
    }
}

/// The grant, if it is the client's and has not ended. Nothing is counted or written for one that has.
async fn active_grant(
    call: &Call,
    client: &AuthenticatedClient,
    grant: GrantId,
) -> Result<Option<Grant>, FlowError> {
    let grant = call.store().grant_with_context(grant).await?.map(|record| record.grant);
    Ok(grant.filter(|grant| grant.client == *client.client().id() && grant.revoked_at.is_none()))
}

/// Counts a revocation before anything is written. Requests in the name of a public client can come from any sender. So its
/// revocations are counted per account, and the tokens of one account cannot use up the limit of another.
async fn count(
    call: &Call,
    client: &AuthenticatedClient,
    account: Option<AccountId>,
) -> Result<(), FlowError> {
    let checks = match account {
        Some(account) => of_client(call, client, Sender::Account(account), Limit::Revocation),
        // Only a client that authenticates has tokens of its own.
        None => vec![of_one(call, Limit::Revocation, &client.client().id().as_str())],
    };
    spend(call, checks).await
}

async fn end_grant(call: &Call, client: &AuthenticatedClient, grant: Grant) -> Result<(), FlowError> {
    count(call, client, Some(grant.account)).await?;
    let why = GrantEnd::ClientRevoked;
    let entry = call.entry(Actor::Client, Event::revoked(grant.id, why));
    let entry = entry.about(grant.account).by_client(&grant.client).in_session(grant.session);
    call.store().run(EndGrant { grant: grant.id, why, entry }).await.1?;
    Ok(())
}

async fn end_token(
    call: &Call,
    client: &AuthenticatedClient,
    claims: AccessTokenClaims,
) -> Result<(), FlowError> {
    if call.store().is_revoked(&claims.jti).await? {
        return Ok(());
    }
    let entry = call.entry(Actor::Client, Event::TokenRevoked).by_client(&claims.client_id);
    // The `sub` of a pairwise client names no account; the grant does. A client's own token has none.
    let (entry, account) = match access_token::grant_of_jti(&claims.jti) {
        Some(grant) => match active_grant(call, client, grant).await? {
            Some(grant) => (entry.about(grant.account).in_session(grant.session), Some(grant.account)),
            None => return Ok(()),
        },
        None => (entry, None),
    };
    count(call, client, account).await?;
    call.store().run(RevokeAccessToken { jti: claims.jti, until: claims.exp, entry }).await.1
}

struct RevokeAccessToken {
    jti: String,
    /// When it would have expired.
    until: Timestamp,
    entry: AuditEntry,
}

impl Unit for RevokeAccessToken {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "revoke_access_token";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        if tx.revoke_jti(&self.jti, self.until).await? {
            tx.append(&self.entry).await?;
        }
        Ok(())
    }
}
