//! `POST /introspect` (RFC 7662). Only an audience of the token, or the client that holds it, learns anything; for any other
//! client, and for a dead token, the answer is `{"active": false}` alone.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::grant::{EffectiveGrant, TokenPermissions};
use anteroom_domain::refresh::RefreshFamily;
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::jwt::AccessTokenClaims;
use anteroom_oidc::token::{IntrospectedClaims, IntrospectionResponse, TokenType};
use anteroom_oidc::{ClientId, GrantType, Scope, ScopeSet};
use anteroom_storage::GrantRecord;
use secrecy::{ExposeSecret as _, SecretString};

use crate::audit::context::AuditContext;
use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::call::Call;
use crate::error::FlowError;
use crate::protocol::access_token::{self, TokenState, effective_grant, token_state};
use crate::protocol::subject::{may_use_email_as_username, subject};
use crate::protocol::token::refresh::RefreshToken;

/// RFC 7662 §2.1: introspection is for those who can authenticate.
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
    let now = call.now;
    if caller.client().metadata.is_public() {
        return Err(IntrospectionError::PublicClient);
    }
    if let Some(token) = RefreshToken::parse(call.keyring(), token.expose_secret()) {
        return Ok(refresh_token(call, caller, token).await?);
    }
    let Some(claims) = access_token::read(call, token, now) else {
        return Ok(IntrospectionResponse::inactive());
    };
    call.refresh_for(&claims.client_id).await?;
    let Some(holder) = call.snapshot().clients.get(&claims.client_id) else {
        return Ok(IntrospectionResponse::inactive());
    };
    let (reach, username) = match token_state(call, holder, &claims).await? {
        TokenState::No => return Ok(IntrospectionResponse::inactive()),
        TokenState::Client(reach) => (reach, None),
        TokenState::Person(grant) => {
            let username = username(holder, &grant.access.scope, &grant.record.account);
            (grant.access, username)
        }
    };
    let id = caller.client().id();
    let concerns_caller = claims.client_id == *id || reach.audience.iter().any(|one| one == id.as_str());
    if !concerns_caller {
        note_stranger(call.audit(), caller, (&claims.client_id, &reach.audience));
        return Ok(IntrospectionResponse::inactive());
    }
    Ok(IntrospectionResponse::active(of_access_token(claims, reach, username)))
}

/// The answer is that of a dead token. An operator who looks for the reason finds it here: the API is not registered under the
/// name that its clients have as `audience`.
fn note_stranger(
    audit: &AuditContext,
    caller: &AuthenticatedClient,
    (holder, audience): (&ClientId, &[String]),
) {
    tracing::warn!(
        reference = audit.reference.map(tracing::field::display),
        client = caller.client().id().as_str(),
        received = ?format!("a token of client {}", shorten(holder.as_str())),
        allowed = ?audience.iter().map(|name| shorten(name)).collect::<Vec<_>>(),
        "introspection by a client that is neither an audience of the token nor its holder was answered \"active\": false"
    );
}

/// The address, where the token's client may have it as a claim. Not the account's name, which userinfo tells: `username` stays
/// the email address: APIs that have used it as a key since release 0.1.0 would otherwise lose accounts that get a
/// preferred_username.
fn username(holder: &Client, scope: &ScopeSet, account: &Account) -> Option<String> {
    let may_know = may_use_email_as_username(holder) && scope.contains(&Scope::Email);
    may_know.then(|| account.primary_address.as_str().to_owned())
}

fn of_access_token(
    claims: AccessTokenClaims,
    reach: TokenPermissions,
    username: Option<String>,
) -> IntrospectedClaims {
    IntrospectedClaims {
        iss: claims.iss,
        sub: claims.sub,
        client_id: claims.client_id,
        username,
        aud: reach.audience,
        scope: reach.scope,
        token_type: Some(TokenType::Bearer),
        exp: claims.exp,
        iat: claims.iat,
        jti: Some(claims.jti),
        auth_time: claims.auth_time,
        acr: claims.acr,
        amr: claims.amr,
    }
}

/// A refresh token concerns its own client alone.
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
        note_stranger(call.audit(), caller, (&record.grant.client, &[]));
        return Ok(IntrospectionResponse::inactive());
    }
    let mine = client.metadata.allows_grant(GrantType::RefreshToken);
    let newest = record.family.filter(|family| {
        family.generation == token.generation && now < family.idle_expires_at && now < family.expires_at
    });
    Ok(match (newest.filter(|_| mine), effective_grant(call, client, &record)) {
        (Some(family), Ok(worth)) => {
            IntrospectionResponse::active(of_refresh_token(call, client, (record, worth), family)?)
        }
        _ => IntrospectionResponse::inactive(),
    })
}

fn of_refresh_token(
    call: &Call,
    holder: &Client,
    (record, worth): (GrantRecord, EffectiveGrant),
    family: RefreshFamily,
) -> Result<IntrospectedClaims, FlowError> {
    let grant = record.grant;
    Ok(IntrospectedClaims {
        iss: call.snapshot().issuer.clone(),
        sub: subject(call, holder, record.account.id)?,
        client_id: grant.client,
        username: username(holder, &worth.scope, &record.account),
        aud: Vec::new(),
        scope: worth.scope,
        token_type: None,
        exp: family.idle_expires_at,
        iat: family.rotated_at,
        jti: None,
        auth_time: Some(grant.auth_time),
        acr: Some(grant.acr),
        amr: grant.amr,
    })
}
