//! `POST /revoke` (RFC 7009). A refresh token ends its grant and with it every access token of that; an access token ends
//! alone. What is unknown, dead or another client's answers like success: there is nothing left to revoke.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::limits::Limit;
use anteroom_oidc::ClientId;
use anteroom_oidc::jwt::AccessTokenClaims;
use anteroom_storage::GrantRecord;
use secrecy::{ExposeSecret as _, SecretString};

use crate::access_token;
use crate::client_auth::AuthenticatedClient;
use crate::error::FlowError;
use crate::limits::{of_one, spend};
use crate::provider::Provider;
use crate::token::refresh::RefreshToken;
use crate::trail::Origin;

#[tracing::instrument(skip_all)]
pub async fn revoke(
    provider: &Provider,
    client: &AuthenticatedClient,
    origin: Origin,
    token: &SecretString,
) -> Result<(), FlowError> {
    // The kind is plain from the token itself, so `token_type_hint` has nothing to add (RFC 7009 §2.1).
    if let Some(token) = RefreshToken::parse(&provider.keyring, token.expose_secret()) {
        let record = provider.store.grant_world(token.grant).await?;
        return match record.filter(|record| record.grant.client == *client.client().id()) {
            Some(record) => end_grant(provider, origin, record).await,
            None => Ok(()),
        };
    }
    match access_token::read(provider, token, origin.now) {
        Some(claims) if claims.client_id == *client.client().id() => {
            end_token(provider, origin, claims).await
        }
        _ => Ok(()),
    }
}

/// Before anything is written.
async fn count(provider: &Provider, origin: &Origin, client: &ClientId) -> Result<(), FlowError> {
    spend(provider, vec![of_one(provider, Limit::Revocation, &client.as_str())], origin.now).await
}

async fn end_grant(provider: &Provider, origin: Origin, record: GrantRecord) -> Result<(), FlowError> {
    let grant = record.grant;
    count(provider, &origin, &grant.client).await?;
    let entry = origin.entry(Actor::Client, Event::revoked(grant.id, GrantEnd::ClientRevoked));
    let entry = entry.about(grant.account).by_client(&grant.client).in_session(grant.session);
    let write = provider.store.write(move |tx| {
        let entry = entry.clone();
        async move {
            if tx.revoke_grant(grant.id, GrantEnd::ClientRevoked, entry.at).await? {
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await
}

async fn end_token(provider: &Provider, origin: Origin, claims: AccessTokenClaims) -> Result<(), FlowError> {
    count(provider, &origin, &claims.client_id).await?;
    let mut entry = origin.entry(Actor::Client, Event::TokenRevoked).by_client(&claims.client_id);
    // A client's own token names no account.
    if let Ok(account) = claims.sub.as_str().parse() {
        entry = entry.about(account);
    }
    let write = provider.store.write(move |tx| {
        let (entry, jti) = (entry.clone(), claims.jti.clone());
        async move {
            if tx.revoke_jti(&jti, claims.exp).await? {
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await
}
