//! Mints ID and access tokens, and makes the token response.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::grant::{EffectiveGrant, Grant};
use anteroom_domain::ids::GrantId;
use anteroom_oidc::authorization::ClaimRequests;
use anteroom_oidc::claims::{ClaimSelection, ID_TOKEN_CLAIMS_MAX, ScopeClaims, select_claims};
use anteroom_oidc::display_text::shorten;
use anteroom_oidc::jwe::Payload;
use anteroom_oidc::jwt::{AccessTokenClaims, IdTokenClaims, token_hash};
use anteroom_oidc::token::{ClientCredentialsGrant, TokenResponse, TokenType};
use anteroom_oidc::{AmrSet, ResponseType, Scope, ScopeSet, Subject};

use super::{TokenRequestContext, TokenRequestError};
use crate::error::FlowError;
use crate::protocol::access_token::{client_scope, jti, seal};
use crate::protocol::subject::{may_use_email_as_username, sid, standard_claims, subject};
use crate::protocol::token_encryption::Recipient;

/// The person and the grant that tokens are minted for.
#[derive(Clone, Copy)]
pub(crate) struct TokenSubject<'a> {
    pub grant: &'a Grant,
    pub account: &'a Account,
    /// The scopes whose claims the client may get where it requested them one by one.
    pub claims_within: &'a ScopeSet,
    /// The first ID token carries the request's nonce; refreshed ones do not (OpenID Connect Core §12.2).
    pub with_nonce: bool,
    /// Whom the ID token is encrypted for, where the client is registered for that.
    pub recipient: Option<&'a Recipient>,
}

pub(super) fn for_person(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    refresh_token: Option<String>,
) -> Result<TokenResponse, TokenRequestError> {
    let AccessToken { token, scope } = access_token(exchange, person)?;
    let hashed = IdTokenContext {
        access_token: Some(&token),
        code: None,
        scope_claims: &exchange.client.policy.id_token_claims,
    };
    let id_token =
        if scope.contains(&Scope::OpenId) { Some(id_token(exchange, person, hashed)?) } else { None };
    Ok(TokenResponse {
        access_token: token,
        token_type: TokenType::Bearer,
        expires_in: exchange.call.snapshot().policy.tokens.access_token_lifetime,
        refresh_token,
        id_token,
        scope,
    })
}

/// An access token with its scope. From the authorization endpoint it is without `offline_access`, which the code beside it may
/// have.
pub(crate) struct AccessToken {
    pub token: String,
    pub scope: ScopeSet,
}

/// Tokens from the authorization endpoint.
#[derive(Default)]
pub(crate) struct HybridTokens {
    pub access_token: Option<AccessToken>,
    pub id_token: Option<String>,
}

/// Mints the tokens that the response type names, beside the code where it names one.
pub(crate) fn for_authorization_response(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    response_type: ResponseType,
    code: Option<&str>,
) -> Result<HybridTokens, TokenRequestError> {
    let access_token = if response_type.has_token() { Some(access_token(exchange, person)?) } else { None };
    // With an access token or a code the client can get scope claims from userinfo (OpenID Connect Core §5.4), which keeps
    // addresses short and claims out of logs.
    let alone = access_token.is_none() && code.is_none();
    let scope_claims = if alone { &ScopeClaims::All } else { &ScopeClaims::None };
    let hashed = IdTokenContext {
        access_token: access_token.as_ref().map(|access| access.token.as_str()),
        code,
        scope_claims,
    };
    let id_token =
        if response_type.has_id_token() { Some(id_token(exchange, person, hashed)?) } else { None };
    Ok(HybridTokens { access_token, id_token })
}

/// Checks that there are keys to sign this client's tokens with.
pub(crate) fn check_signers(exchange: &TokenRequestContext<'_>) -> Result<(), TokenRequestError> {
    let (keys, metadata) = (exchange.call.key_set(), &exchange.client.metadata);
    keys.signer(metadata.id_token_signed_response_alg)?;
    if let Some(algorithm) = metadata.access_token_signature() {
        keys.signer(algorithm)?;
    }
    Ok(())
}

/// Whom an ID token for this client is encrypted for, if there will be one. The client's keys may have to be fetched for it.
pub(crate) async fn recipient(
    exchange: &TokenRequestContext<'_>,
    with_id_token: bool,
) -> Result<Option<Recipient>, FlowError> {
    let encryption = exchange.client.metadata.id_token_encryption.filter(|_| with_id_token);
    Recipient::find(exchange.call, exchange.client, encryption).await
}

/// A token that the client holds for itself; its `sub` is the client (RFC 9068 §2.2).
pub(super) fn for_client(
    exchange: &TokenRequestContext<'_>,
    request: &ClientCredentialsGrant,
) -> Result<TokenResponse, TokenRequestError> {
    let client = exchange.client;
    let allowed = client_scope(client).unwrap_or_default();
    let scope = narrowed(&allowed, request.scope.as_ref())?;
    let resources = narrowed_resources(client, &[], &request.resource)?;
    let subject = client.id().as_str().parse().map_err(|_| FlowError::Inconsistent("client as subject"))?;
    let claims =
        access_token_claims(exchange, subject, None, RequestedAccess { scope, resources: &resources });
    Ok(TokenResponse {
        access_token: sign(exchange, &claims)?,
        token_type: TokenType::Bearer,
        expires_in: exchange.call.snapshot().policy.tokens.access_token_lifetime,
        refresh_token: None,
        id_token: None,
        scope: claims.scope,
    })
}

fn access_token(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
) -> Result<AccessToken, TokenRequestError> {
    let TokenSubject { grant, account, .. } = person;
    let claims = AccessTokenClaims {
        auth_time: Some(grant.auth_time),
        acr: Some(grant.acr),
        amr: grant.amr,
        sid: Some(sid(exchange.call, exchange.client, grant.session())),
        ..access_token_claims(
            exchange,
            subject(exchange.call, exchange.client, account.id)?,
            Some(grant.id),
            RequestedAccess { scope: &grant.scope, resources: &grant.resources },
        )
    };
    Ok(AccessToken { token: sign(exchange, &claims)?, scope: claims.scope })
}

/// The scope of an access token, and the resources that were requested for it.
#[derive(Clone, Copy)]
struct RequestedAccess<'a> {
    scope: &'a ScopeSet,
    resources: &'a [String],
}

/// The claims that every access token has (RFC 9068 §2.2).
fn access_token_claims(
    exchange: &TokenRequestContext<'_>,
    sub: Subject,
    grant: Option<GrantId>,
    access: RequestedAccess<'_>,
) -> AccessTokenClaims {
    let snapshot = exchange.call.snapshot();
    AccessTokenClaims {
        iss: snapshot.issuer.clone(),
        sub,
        aud: audience(exchange, access),
        client_id: exchange.client.id().clone(),
        exp: exchange.call.after(snapshot.policy.tokens.access_token_lifetime),
        iat: exchange.call.now,
        jti: jti(exchange.call, grant),
        scope: access.scope.clone(),
        auth_time: None,
        acr: None,
        amr: AmrSet::default(),
        sid: None,
    }
}

/// The token in the format that the client is registered for: a JWT, which resource servers read themselves, or a sealed value,
/// which only this provider reads and which needs no signature.
fn sign(exchange: &TokenRequestContext<'_>, claims: &AccessTokenClaims) -> Result<String, TokenRequestError> {
    let client = exchange.client;
    let Some(algorithm) = client.metadata.access_token_signature() else {
        return Ok(seal(exchange.call, claims)?);
    };
    let keys = exchange.call.key_set();
    let signed = claims.sign(keys.signer(algorithm)?, client.policy.access_token_typ);
    Ok(signed.map_err(|_| FlowError::Inconsistent("an access token could not be signed"))?)
}

/// RFC 8707 `resource`, else the client's `audience`, else the issuer itself. Userinfo accepts only tokens with the issuer as an
/// audience (RFC 9068 §4), so a token with `openid` has it too, unless the request named resources.
fn audience(exchange: &TokenRequestContext<'_>, access: RequestedAccess<'_>) -> Vec<String> {
    if !access.resources.is_empty() {
        return access.resources.to_vec();
    }
    let mut audience = exchange.client.metadata.audience.clone();
    let issuer = exchange.call.snapshot().issuer.as_str().to_owned();
    if (audience.is_empty() || access.scope.contains(&Scope::OpenId)) && !audience.contains(&issuer) {
        audience.push(issuer);
    }
    audience
}

/// What is issued together with an ID token, which has a hash of it (OpenID Connect Core §3.1.3.6, §3.3.2.11).
#[derive(Clone, Copy)]
struct IdTokenContext<'a> {
    access_token: Option<&'a str>,
    code: Option<&'a str>,
    /// Which claims of the granted scopes the ID token has.
    scope_claims: &'a ScopeClaims,
}

fn id_token(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    hashed: IdTokenContext<'_>,
) -> Result<String, TokenRequestError> {
    let TokenSubject { grant, account, with_nonce: first, recipient, .. } = person;
    let snapshot = exchange.call.snapshot();
    let client = exchange.client;
    let algorithm = client.metadata.id_token_signed_response_alg;
    let sub = subject(exchange.call, client, account.id)?;
    let sid = sid(exchange.call, client, grant.session());
    let claims = IdTokenClaims {
        iss: &snapshot.issuer,
        sub: &sub,
        aud: client.id(),
        exp: exchange.call.after(snapshot.policy.tokens.id_token_lifetime),
        iat: exchange.call.now,
        auth_time: grant.auth_time,
        nonce: grant.nonce.as_ref().filter(|_| first),
        acr: Some(grant.acr),
        amr: grant.amr,
        azp: Some(client.id()),
        sid: Some(&sid),
        at_hash: hashed.access_token.map(|token| token_hash(algorithm, token)),
        c_hash: hashed.code.map(|code| token_hash(algorithm, code)),
        s_hash: None,
        person: claims_of_person(exchange, person, hashed.scope_claims),
    };
    let keys = exchange.call.key_set();
    let signed = claims.sign(keys.signer(algorithm)?);
    let signed = signed.map_err(|_| FlowError::Inconsistent("an ID token could not be signed"))?;
    // Core §2: signed, then encrypted.
    match recipient {
        Some(recipient) => Ok(recipient.encrypt(exchange.call, Payload::Jwt(&signed))?),
        None => Ok(signed),
    }
}

/// The claims of the granted scopes that this ID token has, and those that the request asked for in the ID token. Claims that are
/// configured for every ID token of the client are always there.
fn claims_of_person(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    scope_claims: &ScopeClaims,
) -> serde_json::Map<String, serde_json::Value> {
    let (client, scope, nothing) = (exchange.client, &person.grant.scope, ClaimRequests::default());
    let asked = person.grant.claims.as_ref().map_or(&nothing, |claims| &claims.id_token);
    let (allowed, mapping) = (person.claims_within, &client.policy.claims);
    let email_as_username = may_use_email_as_username(client);
    let wanted = ClaimSelection { scope, told: scope_claims, asked, allowed, mapping, email_as_username };
    let mut claims =
        select_claims(&standard_claims(person.account, &exchange.call.snapshot().groups), wanted);
    let left_out = mapping.fit_id_token(&mut claims);
    if !left_out.is_nothing() {
        tracing::warn!(
            reference = exchange.call.reference().map(tracing::field::display),
            client = client.id().as_str(),
            groups = left_out.groups,
            claims = ?left_out.claims,
            "claims were left out of an ID token, which carries {ID_TOKEN_CLAIMS_MAX} bytes of them; the userinfo endpoint \
             has all"
        );
    }
    claims
}

/// RFC 6749 §6, §3.3: the requested scope, which must be within what was granted.
pub(super) fn narrowed<'a>(
    granted: &'a ScopeSet,
    asked: Option<&'a ScopeSet>,
) -> Result<&'a ScopeSet, TokenRequestError> {
    match asked {
        None => Ok(granted),
        Some(asked) if asked.is_subset(granted) => Ok(asked),
        Some(asked) => Err(TokenRequestError::Scope(shorten(&asked.difference(granted).to_string()))),
    }
}

/// What is left of `asked`, which was granted: the client may not have all of these scopes any more (RFC 6749 §3.3).
pub(super) fn remaining_scope(
    asked: &ScopeSet,
    worth: &EffectiveGrant,
) -> Result<ScopeSet, TokenRequestError> {
    let scope = asked.intersection(&worth.scope);
    if scope.is_empty() && !asked.is_empty() {
        Err(TokenRequestError::Scope(shorten(&asked.to_string())))
    } else {
        Ok(scope)
    }
}

/// RFC 8707 §2.2: a token for some of the resources that were granted, or of those that the client is registered for.
pub(super) fn narrowed_resources(
    client: &Client,
    granted: &[String],
    asked: &[String],
) -> Result<Vec<String>, TokenRequestError> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    let among = if granted.is_empty() { &client.metadata.audience } else { granted };
    match asked.iter().find(|resource| !among.contains(resource)) {
        Some(refused) => Err(TokenRequestError::Resource(shorten(refused))),
        None => Ok(asked.to_vec()),
    }
}
