//! Access tokens of ours, as they come back: read, and held against the grant they name.
//!
//! A token is a JWT (RFC 9068) or, for clients registered so, a sealed value. Neither has a row of its own: a person's token
//! names its grant in its `jti`, and the grant is asked each time.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::grant::GrantWorld;
use anteroom_domain::ids::GrantId;
use anteroom_oidc::jwt::{AccessTokenClaims, UnverifiedJwt, VerifiedClaims};
use anteroom_storage::GrantRecord;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::FlowError;
use crate::provider::Provider;
use crate::registered::snapshot_that_knows;

/// An access token of ours that has not expired; whether it is worth anything is [`living`]'s to say.
pub(crate) fn read(provider: &Provider, token: &SecretString, now: Timestamp) -> Option<AccessTokenClaims> {
    let text = token.expose_secret();
    // The parts of a JWT are joined by dots, which base64url does not have.
    if !text.contains('.') {
        return open(provider, text).filter(|claims| now < claims.exp);
    }
    let token = text.parse::<UnverifiedJwt>().ok()?;
    let verified = provider.key_set().jwks().verify_access_token(&token, &provider.snapshot().issuer, now);
    verified.ok().map(VerifiedClaims::into_inner)
}

/// Whether a token whose signature and times are good is still worth anything.
pub(crate) enum Living {
    No,
    /// A client's own token.
    Client,
    Person(Box<GrantRecord>),
}

pub(crate) async fn living(
    provider: &Provider,
    claims: &AccessTokenClaims,
    now: Timestamp,
) -> Result<Living, FlowError> {
    let snapshot = snapshot_that_knows(provider, &claims.client_id).await?;
    let Some(client) = snapshot.clients.get(&claims.client_id) else { return Ok(Living::No) };
    if provider.store.is_revoked(&claims.jti).await? {
        return Ok(Living::No);
    }
    let Some(grant) = grant_of_jti(&claims.jti) else { return Ok(Living::Client) };
    let Some(record) = provider.store.grant_world(grant).await? else { return Ok(Living::No) };
    let world = GrantWorld {
        client,
        account: &record.account,
        session: record.session.as_ref(),
        session_policy: snapshot.policy.session,
        now,
    };
    Ok(if record.grant.check(world).is_ok() { Living::Person(Box::new(record)) } else { Living::No })
}

/// A token's own identifier. A person's names its grant, so that revocation and introspection find it without a row of its own.
pub(crate) fn jti(provider: &Provider, grant: Option<GrantId>) -> String {
    let own = provider.random.uuid_v4();
    match grant {
        Some(grant) => format!("{grant}.{own}"),
        None => own.to_string(),
    }
}

/// The grant that a token's `jti` names; `None` for a client's own token.
fn grant_of_jti(jti: &str) -> Option<GrantId> {
    jti.split_once('.').and_then(|(grant, _)| grant.parse().ok())
}

fn associated_data(provider: &Provider) -> Vec<u8> {
    format!("access_token\n{}", provider.snapshot().issuer).into_bytes()
}

/// An opaque token: the claims, sealed, so that nobody but us can read them and no row is needed to know them.
pub(crate) fn seal(provider: &Provider, claims: &AccessTokenClaims) -> Result<String, FlowError> {
    let plain = serde_json::to_vec(claims).map_err(|_| FlowError::Broken("access token"))?;
    let sealer = provider.keyring.sealer(KeyPurpose::AccessTokenSeal);
    Ok(URL_SAFE_NO_PAD.encode(sealer.seal(&provider.random, &associated_data(provider), &plain)))
}

/// `None` where it is not one of ours; its times are for the caller to look at.
fn open(provider: &Provider, token: &str) -> Option<AccessTokenClaims> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain = provider
        .keyring
        .sealer(KeyPurpose::AccessTokenSeal)
        .open(&associated_data(provider), &sealed)
        .ok()?;
    serde_json::from_slice(&plain).ok()
}
