//! Minting: the claims of ID and access tokens, and the answer that carries them.

use anteroom_domain::account::Account;
use anteroom_domain::client::Client;
use anteroom_domain::grant::Grant;
use anteroom_domain::ids::GrantId;
use anteroom_oidc::token::{ClientCredentialsGrant, TokenResponse};
use anteroom_oidc::{
    AccessTokenClaims, Audience, IdTokenClaims, ScopeSet, Subject, access_token_hash, sign_access_token, sign_id_token,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{Exchange, TokenError};
use crate::error::FlowError;
use crate::provider::Provider;

/// Whom the tokens speak of.
#[derive(Clone, Copy)]
pub(super) struct Person<'a> {
    pub grant: &'a Grant,
    pub account: &'a Account,
    /// The first ID token carries the request's nonce; refreshed ones do not (OpenID Connect Core §12.2).
    pub nonce: bool,
}

pub(super) fn for_person(
    exchange: &Exchange<'_>,
    person: Person<'_>,
    refresh_token: Option<SecretString>,
) -> Result<TokenResponse, TokenError> {
    let lifetimes = exchange.provider.snapshot().policy.tokens;
    let access_token = access_token(exchange, person)?;
    let id_token = match person.grant.scope.contains(&anteroom_oidc::Scope::Openid) {
        true => Some(id_token(exchange, person, access_token.expose_secret())?),
        false => None,
    };
    Ok(TokenResponse {
        access_token,
        expires_in: lifetimes.access_token_lifetime.as_secs(),
        refresh_token,
        id_token,
        scope: person.grant.scope.clone(),
    })
}

fn access_token(exchange: &Exchange<'_>, person: Person<'_>) -> Result<SecretString, TokenError> {
    let Person { grant, account, .. } = person;
    let claims = AccessTokenClaims {
        sub: subject(account)?,
        scope: grant.scope.clone(),
        auth_time: Some(grant.auth_time.as_second()),
        acr: Some(grant.acr),
        sid: Some(grant.session.to_string()),
        ..claims_base(exchange, &grant.resources, &jti(exchange.provider, Some(grant.id)))?
    };
    sign(exchange, &claims)
}

/// A token that the client holds for itself (RFC 9068 §2.2: its `sub` is the client).
pub(super) fn for_client(
    exchange: &Exchange<'_>,
    request: &ClientCredentialsGrant,
) -> Result<TokenResponse, TokenError> {
    let client = exchange.client;
    let person_scopes = ScopeSet::about_people();
    let allowed = client.metadata.scope.difference(&person_scopes);
    let scope = narrowed(&allowed, request.scope.as_ref())?;
    let resources = allowed_resources(client, &[], &request.resources)?;
    let claims = AccessTokenClaims {
        scope: scope.clone(),
        ..claims_base(exchange, &resources, &jti(exchange.provider, None))?
    };
    Ok(TokenResponse {
        access_token: sign(exchange, &claims)?,
        expires_in: exchange.provider.snapshot().policy.tokens.access_token_lifetime.as_secs(),
        refresh_token: None,
        id_token: None,
        scope,
    })
}

fn sign(exchange: &Exchange<'_>, claims: &AccessTokenClaims) -> Result<SecretString, TokenError> {
    let keys = exchange.provider.key_set();
    let key = keys.signer(exchange.client.metadata.access_token_signed_response_alg, exchange.origin.now)?;
    let token = sign_access_token(key, claims).map_err(|_| FlowError::Broken("an access token could not be signed"))?;
    Ok(token.into())
}

fn claims_base(exchange: &Exchange<'_>, resources: &[Url], jti: &str) -> Result<AccessTokenClaims, TokenError> {
    let snapshot = exchange.provider.snapshot();
    let now = exchange.origin.now;
    let client = exchange.client.id();
    Ok(AccessTokenClaims {
        iss: snapshot.issuer.clone(),
        sub: Subject::parse(client.as_str()).map_err(|_| FlowError::Broken("client as subject"))?,
        aud: audience(exchange, resources),
        exp: after(now, snapshot.policy.tokens.access_token_lifetime),
        iat: now.as_second(),
        jti: jti.to_owned(),
        client_id: client.clone(),
        scope: ScopeSet::default(),
        auth_time: None,
        acr: None,
        sid: None,
    })
}

/// RFC 8707 `resource`, else the client's `audience`, else the issuer's own userinfo endpoint under the issuer's name.
fn audience(exchange: &Exchange<'_>, resources: &[Url]) -> Audience {
    let issuer = || vec![exchange.provider.snapshot().issuer.as_str().to_owned()];
    let configured = || Some(exchange.client.metadata.audience.clone()).filter(|audience| !audience.is_empty());
    let asked = Some(resources.iter().map(Url::to_string).collect::<Vec<_>>()).filter(|asked| !asked.is_empty());
    Audience::from(asked.or_else(configured).unwrap_or_else(issuer))
}

fn id_token(exchange: &Exchange<'_>, person: Person<'_>, access_token: &str) -> Result<String, TokenError> {
    let Person { grant, account, nonce } = person;
    let snapshot = exchange.provider.snapshot();
    let (now, client) = (exchange.origin.now, exchange.client);
    let algorithm = client.metadata.id_token_signed_response_alg;
    let claims = IdTokenClaims {
        iss: snapshot.issuer.clone(),
        sub: subject(account)?,
        aud: client.id().clone(),
        exp: after(now, snapshot.policy.tokens.id_token_lifetime),
        iat: now.as_second(),
        auth_time: Some(grant.auth_time.as_second()),
        nonce: grant.nonce.clone().filter(|_| nonce),
        acr: Some(grant.acr),
        amr: Some(grant.amr.clone()),
        azp: Some(client.id().clone()),
        at_hash: Some(access_token_hash(algorithm, access_token)),
        sid: Some(grant.session.to_string()),
        ..IdTokenClaims::default()
    };
    let keys = exchange.provider.key_set();
    let signed = sign_id_token(keys.signer(algorithm, now)?, &claims);
    Ok(signed.map_err(|_| FlowError::Broken("an ID token could not be signed"))?)
}

pub(crate) fn subject(account: &Account) -> Result<Subject, FlowError> {
    Subject::parse(&account.id.to_string()).map_err(|_| FlowError::Broken("account as subject"))
}

/// A token's own identifier. A person's names its grant, so that revocation and introspection find it without a row of its own.
fn jti(provider: &Provider, grant: Option<GrantId>) -> String {
    let own = provider.random.uuid_v4();
    match grant {
        Some(grant) => format!("{grant}.{own}"),
        None => own.to_string(),
    }
}

/// The grant that a token's `jti` names; `None` for a client's own token.
pub(crate) fn grant_of_jti(jti: &str) -> Option<GrantId> {
    jti.split_once('.').and_then(|(grant, _)| grant.parse().ok())
}

/// RFC 6749 §6, §3.3: never more than what was granted.
pub(super) fn narrowed(granted: &ScopeSet, asked: Option<&ScopeSet>) -> Result<ScopeSet, TokenError> {
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if asked.is_subset(granted) => Ok(asked.clone()),
        Some(asked) => Err(TokenError::Scope(asked.difference(granted).to_string())),
    }
}

/// RFC 8707 §2.2: a token for some of the resources that were granted.
pub(super) fn for_resources(client: &Client, grant: Grant, asked: &[Url]) -> Result<Grant, TokenError> {
    let resources = allowed_resources(client, &grant.resources, asked)?;
    Ok(Grant { resources, ..grant })
}

fn allowed_resources(client: &Client, granted: &[Url], asked: &[Url]) -> Result<Vec<Url>, TokenError> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    let registered = |url: &Url| client.metadata.audience.iter().any(|audience| audience == url.as_str());
    let allowed = |url: &Url| registered(url) && (granted.is_empty() || granted.contains(url));
    match asked.iter().find(|url| !allowed(url)) {
        Some(refused) => Err(TokenError::Resource(refused.to_string())),
        None => Ok(asked.to_vec()),
    }
}

fn after(now: Timestamp, lifetime: SignedDuration) -> i64 {
    now.as_second().saturating_add(lifetime.as_secs())
}
