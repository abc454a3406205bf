//! Userinfo (OpenID Connect Core §5.3): the person's claims, as far as the token's scopes and the `claims` parameter ask.

use anteroom_domain::client::Client;
use anteroom_domain::grant::TokenPermissions;
use anteroom_oidc::Scope;
use anteroom_oidc::authorization::ClaimRequests;
use anteroom_oidc::claims::{ClaimSelection, ScopeClaims, UserInfo, select_claims};
use anteroom_oidc::errors::BearerError;
use anteroom_oidc::jwe::Payload;
use anteroom_oidc::jwt::UserInfoClaims;
use secrecy::SecretString;

use crate::context::call::Call;
use crate::error::FlowError;
use crate::protocol::access_token::{self, ReadToken, TokenState, token_state};
use crate::protocol::subject::{may_use_email_as_username, standard_claims, subject};
use crate::protocol::token_encryption::Recipient;

/// The answer, in the form that the client is registered for.
#[derive(Debug)]
pub enum UserInfoAnswer {
    Json(UserInfo),
    /// `application/jwt` (OpenID Connect Core §5.3.2): signed, encrypted, or both.
    Jwt(String),
}

#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

const INACTIVE_TOKEN: BearerError =
    BearerError::InvalidToken("the access token is expired, revoked or not one of ours");

/// RFC 9068 §4: a resource server refuses a token that does not name it as an audience. So an API cannot read the person's claims
/// with a token for itself.
const NOT_FOR_US: BearerError =
    BearerError::InvalidToken("the access token is not for the userinfo endpoint");

#[tracing::instrument(skip_all)]
pub async fn userinfo(call: &Call, token: &SecretString) -> Result<UserInfoAnswer, UserInfoError> {
    let (client, user_info) = claims_of_token(call, token).await?;
    let recipient = Recipient::find(call, client, client.metadata.userinfo_encryption).await?;
    let Some(recipient) = recipient else {
        return Ok(match signed(call, client, &user_info)? {
            Some(jwt) => UserInfoAnswer::Jwt(jwt),
            None => UserInfoAnswer::Json(user_info),
        });
    };
    // The client's keys may have been fetched, so the token is checked again after that.
    let call = &call.at_present();
    let (client, user_info) = claims_of_token(call, token).await?;
    let signed = signed(call, client, &user_info)?;
    let json = serde_json::to_vec(&user_info).map_err(|_| FlowError::Inconsistent("userinfo"))?;
    let payload = signed.as_deref().map_or(Payload::Claims(&json), Payload::Jwt);
    Ok(UserInfoAnswer::Jwt(recipient.encrypt(call, payload)?))
}

/// The claims that the token gives access to, and the client that it was issued to.
async fn claims_of_token<'a>(
    call: &'a Call,
    token: &SecretString,
) -> Result<(&'a Client, UserInfo), UserInfoError> {
    let claims = access_token::read(call, token, call.now).ok_or(INACTIVE_TOKEN)?;
    call.refresh_for(&claims.client_id).await?;
    let snapshot = call.snapshot();
    let client: &Client = snapshot.clients.get(&claims.client_id).ok_or(INACTIVE_TOKEN)?;
    let permissions = TokenPermissions { scope: claims.scope, audience: claims.aud };
    let token = ReadToken { jti: &claims.jti, issued_at: claims.iat, permissions };
    let grant = match token_state(call, client, token).await? {
        TokenState::Person(grant) => grant,
        TokenState::Client(_) | TokenState::Inactive => return Err(INACTIVE_TOKEN.into()),
    };
    if !grant.access.is_for(&snapshot.issuer) {
        return Err(NOT_FOR_US.into());
    }
    if !grant.access.scope.contains(&Scope::OpenId) {
        return Err(BearerError::InsufficientScope([Scope::OpenId].into_iter().collect()).into());
    }
    let nothing = ClaimRequests::default();
    let record = &grant.record;
    let wanted = ClaimSelection {
        scope: &grant.access.scope,
        told: &ScopeClaims::All,
        asked: record.grant.claims.as_ref().map_or(&nothing, |claims| &claims.userinfo),
        allowed: &grant.effective.claims_scope,
        mapping: &client.policy.claims,
        email_as_username: may_use_email_as_username(client),
    };
    let user_info = UserInfo {
        sub: subject(call, client, record.account.id)?,
        person: select_claims(&standard_claims(&record.account, &snapshot.groups), wanted),
    };
    Ok((client, user_info))
}

fn signed(call: &Call, client: &Client, user_info: &UserInfo) -> Result<Option<String>, UserInfoError> {
    let Some(algorithm) = client.metadata.userinfo_signed_response_alg else { return Ok(None) };
    let (keys, issuer) = (call.key_set(), &call.snapshot().issuer);
    let claims = UserInfoClaims { iss: issuer, aud: client.id(), user_info };
    let signed = claims.sign(keys.signer(algorithm)?);
    Ok(Some(signed.map_err(|_| FlowError::Inconsistent("userinfo could not be signed"))?))
}
