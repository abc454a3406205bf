//! `POST /introspect` (RFC 7662). Only an audience of the token, or the client that it was issued to, gets its claims. For any
//! other client, and for an inactive token, the answer is `{"active": false}`.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::grant::TokenPermissions;
use anteroom_domain::refresh::RefreshFamily;
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::token::{IntrospectedClaims, IntrospectionResponse, TokenType};
use anteroom_oidc::{ClientId, GrantType, Scope, ScopeSet};
use anteroom_storage::GrantRecord;
use secrecy::{ExposeSecret as _, SecretString};

use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::call::Call;
use crate::error::FlowError;
use crate::protocol::access_token::{self, ReadToken, TokenState, effective_grant, token_state};
use crate::protocol::subject::{may_use_email_as_username, subject};
use crate::protocol::token::refresh::RefreshToken;

/// RFC 7662 §2.1: introspection is for clients that authenticate.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectionError {
    #[error("a public client may not introspect")]
    PublicClient,
    #[error(transparent)]
    Flow(#[from] FlowError),
}

#[tracing::instrument(skip_all)]
pub async fn introspect(
    call: &Call,
    caller: &AuthenticatedClient,
    token: &SecretString,
) -> Result<IntrospectionResponse, IntrospectionError> {
    // The client's keys may have been fetched for its authentication.
    let call = &call.at_present();
    if caller.client().metadata.is_public() {
        return Err(IntrospectionError::PublicClient);
    }
    if let Some(token) = RefreshToken::parse(call.keyring(), token.expose_secret()) {
        return Ok(refresh_token(call, caller, token).await?);
    }
    let Some(claims) = access_token::read(call, token, call.now) else {
        return Ok(IntrospectionResponse::inactive());
    };
    call.refresh_for(&claims.client_id).await?;
    let Some(holder) = call.snapshot().clients.get(&claims.client_id) else {
        return Ok(IntrospectionResponse::inactive());
    };
    let permissions = TokenPermissions { scope: claims.scope, audience: claims.aud };
    let token = ReadToken { jti: &claims.jti, issued_at: claims.iat, permissions };
    let (access, username) = match token_state(call, holder, token).await? {
        TokenState::Inactive => return Ok(IntrospectionResponse::inactive()),
        TokenState::Client(access) => (access, None),
        TokenState::Person(grant) => {
            let username = username(holder, &grant.access.scope, &grant.record.account);
            (grant.access, username)
        }
    };
    let id = caller.client().id();
    let concerns_caller = claims.client_id == *id || access.audience.iter().any(|one| one == id.as_str());
    if !concerns_caller {
        log_other_client(call, caller, &claims.client_id, &access.audience);
        return Ok(IntrospectionResponse::inactive());
    }
    Ok(IntrospectionResponse::active(IntrospectedClaims {
        iss: claims.iss,
        sub: claims.sub,
        client_id: claims.client_id,
        username,
        aud: access.audience,
        scope: access.scope,
        token_type: Some(TokenType::Bearer),
        exp: claims.exp,
        iat: claims.iat,
        jti: Some(claims.jti),
        auth_time: claims.auth_time,
        acr: claims.acr,
        amr: claims.amr,
    }))
}

/// The answer is that of an inactive token, so the reason is in the log: usually the API is not registered under the name that
/// its clients have as `audience`.
fn log_other_client(call: &Call, caller: &AuthenticatedClient, holder: &ClientId, audience: &[String]) {
    tracing::warn!(
        reference = call.reference().map(tracing::field::display),
        client = caller.client().id().as_str(),
        received = ?format!("a token of client {}", shorten(holder.as_str())),
        allowed = ?audience.iter().map(|name| shorten(name)).collect::<Vec<_>>(),
        "introspection by a client that is neither an audience of the token nor its holder was answered \"active\": false"
    );
}

/// The email address, where the token's client may have it as a claim. The `preferred_username` of userinfo is not used here:
/// APIs that have used the address as a key since release 0.1.0 would lose accounts that get such a name.
fn username(holder: &Client, scope: &ScopeSet, account: &Account) -> Option<String> {
    let may_know = may_use_email_as_username(holder) && scope.contains(&Scope::Email);
    may_know.then(|| account.primary_address.as_str().to_owned())
}

/// Introspects a refresh token, which concerns its own client alone.
async fn refresh_token(
    call: &Call,
    caller: &AuthenticatedClient,
    token: RefreshToken,
) -> Result<IntrospectionResponse, FlowError> {
    let now = call.now;
    let Some(record) = call.store().grant_with_context(token.grant).await? else {
        return Ok(IntrospectionResponse::inactive());
    };
    let client = caller.client();
    if record.grant.client != *client.id() {
        log_other_client(call, caller, &record.grant.client, &[]);
        return Ok(IntrospectionResponse::inactive());
    }
    let mine = client.metadata.allows_grant(GrantType::RefreshToken);
    let newest = record.family.filter(|family| {
        family.generation == token.generation && now < family.idle_expires_at && now < family.expires_at
    });
    Ok(match (newest.filter(|_| mine), effective_grant(call, client, &record)) {
        (Some(family), Ok(worth)) => {
            IntrospectionResponse::active(of_refresh_token(call, client, record, worth.scope, family)?)
        }
        _ => IntrospectionResponse::inactive(),
    })
}

fn of_refresh_token(
    call: &Call,
    holder: &Client,
    record: GrantRecord,
    scope: ScopeSet,
    family: RefreshFamily,
) -> Result<IntrospectedClaims, FlowError> {
    let grant = record.grant;
    Ok(IntrospectedClaims {
        iss: call.snapshot().issuer.clone(),
        sub: subject(call, holder, record.account.id)?,
        client_id: grant.client,
        username: username(holder, &scope, &record.account),
        aud: Vec::new(),
        scope,
        token_type: None,
        exp: family.idle_expires_at,
        iat: family.rotated_at,
        jti: None,
        auth_time: Some(grant.auth_time),
        acr: Some(grant.acr),
        amr: grant.amr,
    })
}
