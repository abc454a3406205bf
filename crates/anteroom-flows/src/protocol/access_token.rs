//! Access tokens that are presented to this provider: verifies each and checks it against the grant that it names.
//!
//! A token is a JWT (RFC 9068) or, for clients registered so, a sealed value. Neither has a row of its own: a person's token
//! names its grant in its `jti`, and the grant is read at each use.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::client::Client;
use anteroom_domain::grant::{EffectiveGrant, GrantState, InvalidGrantReason, TokenPermissions};
use anteroom_domain::ids::GrantId;
use anteroom_oidc::jwt::{AccessTokenClaims, UnverifiedJwt, VerifiedClaims};
use anteroom_oidc::{GrantType, Scope, ScopeSet};
use anteroom_storage::GrantRecord;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::context::call::Call;
use crate::error::FlowError;

/// The claims of an access token that this provider issued and that has not expired. The token may have been revoked:
/// [`token_state`] checks that.
pub(crate) fn read(call: &Call, token: &SecretString, now: Timestamp) -> Option<AccessTokenClaims> {
    let text = token.expose_secret();
    // The parts of a JWT are separated by dots, which base64url does not have.
    if !text.contains('.') {
        return open(call, text).filter(|claims| now < claims.exp);
    }
    let token = text.parse::<UnverifiedJwt>().ok()?;
    let verified = call.key_set().jwks().verify_access_token(&token, &call.snapshot().issuer, now);
    verified.ok().map(VerifiedClaims::into_inner)
}

/// Whether a token with a valid signature and lifetime is active (RFC 7662 §2.2).
pub(crate) enum TokenState {
    Inactive,
    /// A client's own token.
    Client(TokenPermissions),
    Person(Box<ActiveGrant>),
}

pub(crate) struct ActiveGrant {
    pub record: GrantRecord,
    pub effective: EffectiveGrant,
    /// The token's own permissions, which may be fewer than what was granted.
    pub access: TokenPermissions,
}

/// A token that was read, and what it permits by its own claims.
pub(crate) struct ReadToken<'a> {
    pub jti: &'a str,
    pub issued_at: Timestamp,
    pub permissions: TokenPermissions,
}

/// `client` is the one that the token was issued to, as it is registered now.
pub(crate) async fn token_state(
    call: &Call,
    client: &Client,
    ReadToken { jti, issued_at, permissions }: ReadToken<'_>,
) -> Result<TokenState, FlowError> {
    if call.store().is_revoked(jti).await? {
        return Ok(TokenState::Inactive);
    }
    let issuer = &call.snapshot().issuer;
    let Some(grant) = grant_of_jti(jti) else {
        // A client's own token has no grant row that `database accept` could revoke, and the row in `revoked_jti` may be among
        // the lost commits. So every such token issued before the acceptance is inactive.
        if issued_at.as_second() <= call.provider().history.accepted_at().as_second() {
            return Ok(TokenState::Inactive);
        }
        let own = client_scope(client).map(|allowed| permissions.narrowed(&allowed, client, issuer));
        return Ok(own.and_then(Result::ok).map_or(TokenState::Inactive, TokenState::Client));
    };
    let Some(record) = call.store().grant_with_context(grant).await? else { return Ok(TokenState::Inactive) };
    let narrowed = effective_grant(call, client, &record).and_then(|worth| {
        let access = permissions.narrowed(&worth.scope, client, issuer)?;
        Ok((worth, access))
    });
    Ok(match narrowed {
        Ok((effective, access)) => TokenState::Person(Box::new(ActiveGrant { record, effective, access })),
        Err(_) => TokenState::Inactive,
    })
}

/// What the grant permits to the client as it is registered now.
pub(crate) fn effective_grant(
    call: &Call,
    client: &Client,
    record: &GrantRecord,
) -> Result<EffectiveGrant, InvalidGrantReason> {
    record.grant.effective(GrantState {
        client,
        account: &record.account,
        session: record.session.as_ref(),
        agreed: &record.agreed,
        session_policy: call.snapshot().policy.session,
        now: call.now,
    })
}

/// A client's own token has no person behind it, so its scope is the registered scope without the standard OpenID scopes.
/// `None`: the client may not use the client credentials grant any more.
pub(crate) fn client_scope(client: &Client) -> Option<ScopeSet> {
    let scope = || client.metadata.scope.filtered(|scope| matches!(scope, Scope::Other(_)));
    client.metadata.allows_grant(GrantType::ClientCredentials).then(scope)
}

/// The identifier of a new token. That of a person's token names its grant, so that revocation and introspection need no row for
/// the token.
pub(crate) fn jti(call: &Call, grant: Option<GrantId>) -> String {
    let own = call.random().uuid_v4();
    match grant {
        Some(grant) => format!("{grant}.{own}"),
        None => own.to_string(),
    }
}

/// The grant that a token's `jti` names; `None` for a client's own token.
pub(crate) fn grant_of_jti(jti: &str) -> Option<GrantId> {
    jti.split_once('.').and_then(|(grant, _)| grant.parse().ok())
}

fn associated_data(call: &Call) -> Vec<u8> {
    format!("access_token\n{}", call.snapshot().issuer).into_bytes()
}

/// An opaque token: the sealed claims, which only this provider can read, so that the token needs no row.
pub(crate) fn seal(call: &Call, claims: &AccessTokenClaims) -> Result<String, FlowError> {
    let plain = serde_json::to_vec(claims).map_err(|_| FlowError::Inconsistent("access token"))?;
    let sealer = call.keyring().sealer(KeyPurpose::AccessTokenSeal);
    Ok(URL_SAFE_NO_PAD.encode(sealer.seal(call.random(), &associated_data(call), &plain)))
}

/// `None`: this provider did not make the token. Its times are not checked here: the caller does that.
fn open(call: &Call, token: &str) -> Option<AccessTokenClaims> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain =
        call.keyring().sealer(KeyPurpose::AccessTokenSeal).open(&associated_data(call), &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}
