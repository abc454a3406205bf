//! Minting: the claims of ID and access tokens, and the answer that carries them.

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

use super::{TokenError, TokenRequestContext};
use crate::error::FlowError;
use crate::protocol::access_token::{client_scope, jti, seal};
use crate::protocol::subject::{may_use_email_as_username, sid, standard_claims, subject};
use crate::protocol::token_encryption::Recipient;

/// Whom the tokens speak of.
#[derive(Clone, Copy)]
pub(crate) struct TokenSubject<'a> {
    pub grant: &'a Grant,
    pub account: &'a Account,
    /// The scopes whose claims may be told where they were asked for one by one.
    pub claims_within: &'a ScopeSet,
    /// The first ID token carries the request's nonce; refreshed ones do not (OpenID Connect Core §12.2).
    pub with_nonce: bool,
    /// Whom the ID token is encrypted for, where the client asked for that.
    pub recipient: Option<&'a Recipient>,
}

pub(super) fn for_person(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    refresh_token: Option<String>,
) -> Result<TokenResponse, TokenError> {
    let access_token = access_token(exchange, person)?;
    let openid = person.grant.scope.contains(&Scope::OpenId);
    let beside = HashedArtifacts {
        access_token: Some(&access_token),
        code: None,
        scope_claims: &exchange.client.policy.id_token_claims,
    };
    let id_token = if openid { Some(id_token(exchange, person, beside)?) } else { None };
    Ok(TokenResponse {
        access_token,
        token_type: TokenType::Bearer,
        expires_in: exchange.call.snapshot().policy.tokens.access_token_lifetime,
        refresh_token,
        id_token,
        scope: person.grant.scope.clone(),
    })
}

/// Tokens from the authorization endpoint.
#[derive(Default)]
pub(crate) struct HybridTokens {
    pub access_token: Option<String>,
    /// Of the access token: less than that of a code beside it, where that can be refreshed.
    pub scope: ScopeSet,
    pub id_token: Option<String>,
}

/// Those that the response type names, beside the code where it names one.
pub(crate) fn for_authorization_response(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    response_type: ResponseType,
    code: Option<&str>,
) -> Result<HybridTokens, TokenError> {
    let access_token = if response_type.has_token() { Some(access_token(exchange, person)?) } else { None };
    // Scope claims are at userinfo where there is something to ask there with (OpenID Connect Core §5.4); a front channel
    // keeps addresses short and claims out of logs.
    let alone = access_token.is_none() && code.is_none();
    let scope_claims = if alone { &ScopeClaims::All } else { &ScopeClaims::None };
    let beside = HashedArtifacts { access_token: access_token.as_deref(), code, scope_claims };
    let id_token =
        if response_type.has_id_token() { Some(id_token(exchange, person, beside)?) } else { None };
    Ok(HybridTokens { access_token, scope: person.grant.scope.clone(), id_token })
}

/// The keys that this client's tokens are signed with are there.
pub(crate) fn check_signers(exchange: &TokenRequestContext<'_>) -> Result<(), TokenError> {
    let (keys, metadata) = (exchange.call.key_set(), &exchange.client.metadata);
    keys.signer(metadata.id_token_signed_response_alg)?;
    if let Some(algorithm) = metadata.access_token_signature() {
        keys.signer(algorithm)?;
    }
    Ok(())
}

/// Whom ID tokens for this client are encrypted for, if one will be given at all.
pub(crate) async fn recipient(
    exchange: &TokenRequestContext<'_>,
    with_id_token: bool,
) -> Result<Option<Recipient>, FlowError> {
    let encryption = exchange.client.metadata.id_token_encryption.filter(|_| with_id_token);
    Recipient::find(exchange.call, exchange.client, encryption, exchange.call.now).await
}

/// A token that the client holds for itself; its `sub` is the client (RFC 9068 §2.2).
pub(super) fn for_client(
    exchange: &TokenRequestContext<'_>,
    request: &ClientCredentialsGrant,
) -> Result<TokenResponse, TokenError> {
    let client = exchange.client;
    let scope = narrowed(&client_scope(client).unwrap_or_default(), request.scope.as_ref())?;
    let resources = narrowed_resources(client, &[], &request.resource)?;
    let subject = client.id().as_str().parse().map_err(|_| FlowError::Broken("client as subject"))?;
    let claims = access_token_claims(
        exchange,
        subject,
        None,
        RequestedAccess { scope: &scope, resources: &resources },
    );
    Ok(TokenResponse {
        access_token: sign(exchange, &claims)?,
        token_type: TokenType::Bearer,
        expires_in: exchange.call.snapshot().policy.tokens.access_token_lifetime,
        refresh_token: None,
        id_token: None,
        scope,
    })
}

fn access_token(exchange: &TokenRequestContext<'_>, person: TokenSubject<'_>) -> Result<String, TokenError> {
    let TokenSubject { grant, account, .. } = person;
    let claims = AccessTokenClaims {
        auth_time: Some(grant.auth_time),
        acr: Some(grant.acr),
        amr: grant.amr.clone(),
        sid: Some(sid(exchange.call, exchange.client, grant.session())),
        ..access_token_claims(
            exchange,
            subject(exchange.call, exchange.client, account.id)?,
            Some(grant.id),
            RequestedAccess { scope: &grant.scope, resources: &grant.resources },
        )
    };
    sign(exchange, &claims)
}

/// What a token is asked for.
#[derive(Clone, Copy)]
struct RequestedAccess<'a> {
    scope: &'a ScopeSet,
    resources: &'a [String],
}

/// What every access token says (RFC 9068 §2.2).
fn access_token_claims(
    exchange: &TokenRequestContext<'_>,
    sub: Subject,
    grant: Option<GrantId>,
    reach: RequestedAccess<'_>,
) -> AccessTokenClaims {
    let snapshot = exchange.call.snapshot();
    AccessTokenClaims {
        iss: snapshot.issuer.clone(),
        sub,
        aud: audience(exchange, reach),
        client_id: exchange.client.id().clone(),
        exp: exchange.call.after(snapshot.policy.tokens.access_token_lifetime),
        iat: exchange.call.now,
        jti: jti(exchange.call, grant),
        scope: reach.scope.clone(),
        auth_time: None,
        acr: None,
        amr: AmrSet::default(),
        sid: None,
    }
}

/// As the client is registered: a JWT that resource servers read themselves, or a sealed value that only we can and that costs
/// no signature.
fn sign(exchange: &TokenRequestContext<'_>, claims: &AccessTokenClaims) -> Result<String, TokenError> {
    let client = exchange.client;
    let Some(algorithm) = client.metadata.access_token_signature() else {
        return Ok(seal(exchange.call, claims)?);
    };
    let keys = exchange.call.key_set();
    let signed = claims.sign(keys.signer(algorithm)?, client.policy.access_token_typ);
    Ok(signed.map_err(|_| FlowError::Broken("an access token could not be signed"))?)
}

/// RFC 8707 `resource`, else the client's `audience`, else the issuer itself. Userinfo takes only what names the issuer
/// (RFC 9068 §4): with `openid` a token is for it too, unless the request named where it is to be used.
fn audience(exchange: &TokenRequestContext<'_>, reach: RequestedAccess<'_>) -> Vec<String> {
    if !reach.resources.is_empty() {
        return reach.resources.to_vec();
    }
    let mut audience = exchange.client.metadata.audience.clone();
    let issuer = exchange.call.snapshot().issuer.as_str().to_owned();
    if (audience.is_empty() || reach.scope.contains(&Scope::OpenId)) && !audience.contains(&issuer) {
        audience.push(issuer);
    }
    audience
}

/// What an ID token is given with, and vouches for by a hash (OpenID Connect Core §3.1.3.6, §3.3.2.11).
#[derive(Clone, Copy)]
struct HashedArtifacts<'a> {
    access_token: Option<&'a str>,
    code: Option<&'a str>,
    /// Which claims of the granted scopes are in an ID token given in this way.
    scope_claims: &'a ScopeClaims,
}

fn id_token(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    beside: HashedArtifacts<'_>,
) -> Result<String, TokenError> {
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
        amr: &grant.amr,
        azp: Some(client.id()),
        sid: Some(&sid),
        at_hash: beside.access_token.map(|token| token_hash(algorithm, token)),
        c_hash: beside.code.map(|code| token_hash(algorithm, code)),
        s_hash: None,
        person: claims_of_person(exchange, person, beside.scope_claims),
    };
    let keys = exchange.call.key_set();
    let signed = claims.sign(keys.signer(algorithm)?);
    let signed = signed.map_err(|_| FlowError::Broken("an ID token could not be signed"))?;
    // Core §2: signed, then encrypted.
    match recipient {
        Some(recipient) => Ok(recipient.encrypt(exchange.call, Payload::Jwt(&signed))?),
        None => Ok(signed),
    }
}

/// Those of scopes as far as this way of giving it has them, and those that the request wanted in the ID token. What a client
/// is always told is in every one.
fn claims_of_person(
    exchange: &TokenRequestContext<'_>,
    person: TokenSubject<'_>,
    scope_claims: &ScopeClaims,
) -> serde_json::Map<String, serde_json::Value> {
    let (client, scope, nothing) = (exchange.client, &person.grant.scope, ClaimRequests::default());
    let asked = person.grant.claims.as_ref().map_or(&nothing, |claims| &claims.id_token);
    let (allowed, mapping) = (person.claims_within, &client.policy.claims);
    let address_as_username = may_use_email_as_username(client);
    let wanted = ClaimSelection { scope, told: scope_claims, asked, allowed, mapping, address_as_username };
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

/// RFC 6749 §6, §3.3: never more than what was granted.
pub(super) fn narrowed(granted: &ScopeSet, asked: Option<&ScopeSet>) -> Result<ScopeSet, TokenError> {
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if asked.is_subset(granted) => Ok(asked.clone()),
        Some(asked) => Err(TokenError::Scope(shorten(&asked.difference(granted).to_string()))),
    }
}

/// What is left of `asked`, which was granted: the client may have had a scope then that it has no more (RFC 6749 §3.3).
pub(super) fn remaining_scope(asked: &ScopeSet, worth: &EffectiveGrant) -> Result<ScopeSet, TokenError> {
    let scope = asked.intersection(&worth.scope);
    if scope.is_empty() && !asked.is_empty() {
        Err(TokenError::Scope(shorten(&asked.to_string())))
    } else {
        Ok(scope)
    }
}

/// RFC 8707 §2.2: a token for some of the resources that were granted, or of those that the client is registered for.
pub(super) fn narrowed_resources(
    client: &Client,
    granted: &[String],
    asked: &[String],
) -> Result<Vec<String>, TokenError> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    let among = if granted.is_empty() { &client.metadata.audience } else { granted };
    match asked.iter().find(|resource| !among.contains(resource)) {
        Some(refused) => Err(TokenError::Resource(shorten(refused))),
        None => Ok(asked.to_vec()),
    }
}
