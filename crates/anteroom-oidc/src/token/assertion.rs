//! Client assertions: `private_key_jwt` and `client_secret_jwt` (OpenID Connect Core §9, RFC 7523 §3).
//!
//! Checks everything except that the `jti` was not used before; that needs the database, and [`VerifiedAssertion`] has the values
//! for it.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::{
    display_text::shorten,
    jwt::{Audience, CLOCK_SKEW, ClientJwt, ClientJwtError, ClientVerificationKeys, numeric_date},
    protocol_values::{ClientAlgorithm, ClientId},
};

/// What `client_assertion_type` must be (RFC 7523 §2.2).
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest remaining lifetime of an accepted assertion, without clock skew.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(1);

const LONGEST_JTI: usize = 255;

/// What an assertion may call itself, in any case: what RFC 7519 §5.1 recommends, and the type of its own that the draft
/// rfc7523bis gives it. The prefix `application/` may be left out (RFC 7515 §4.1.9).
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];
const TYPES_PREFIX: &str = "application/";

/// A client's assertion that could be read; nothing in it is proven.
#[derive(Debug, Clone)]
pub struct ClientAssertion {
    jwt: ClientJwt,
    client_id: ClientId,
}

/// What an assertion is held against besides the client's keys.
#[derive(Debug, Clone, Copy)]
pub struct AssertionRules<'a> {
    /// `token_endpoint_auth_signing_alg`.
    pub registered: Option<ClientAlgorithm>,
    /// Who we are: the issuer and the endpoints that assertions may be addressed to.
    pub audiences: &'a [String],
    pub now: Timestamp,
    /// Uses of a `jti` up to this time are not recorded, because the database was restored; assertions issued before it are
    /// refused.
    pub replays_known_since: Timestamp,
}

/// A verified assertion. The caller must still check that its `jti` was not used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAssertion {
    pub jti: String,
    /// Its `exp` plus the allowed clock skew; the `jti` must be stored until then.
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AssertionError {
    #[error(transparent)]
    Jwt(#[from] ClientJwtError),
    #[error("it is of the type {0:?}")]
    Type(String),
    #[error("its claims are not those of an assertion")]
    Claims,
    #[error("its iss and sub are not both the client")]
    Subject,
    #[error("it is addressed to {0:?}")]
    Audience(String),
    #[error("it has expired")]
    Expired,
    #[error("it is good for longer than an hour")]
    TooLong,
    #[error("its iat or nbf is in the future")]
    FromTheFuture,
    #[error(
        "it may have been used before the database was accepted: its iat, or an hour before its exp, is not more than a minute after that"
    )]
    ReplayUndetectable,
    #[error("its jti is empty, longer than {LONGEST_JTI} bytes, or has control characters")]
    Jti,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: Value,
    nbf: Option<Value>,
    iat: Option<Value>,
    jti: String,
}

impl AssertionError {
    /// Whether the client may have a key by now that it had not before.
    pub fn needs_key_refresh(&self) -> bool {
        *self == Self::Jwt(ClientJwtError::UnknownKey)
    }
}

impl ClientAssertion {
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        let jwt = ClientJwt::parse(text)?;
        // RFC 8725 §3.11: a request object, an access token, a DPoP proof or a logout token that the same key signed shall not pass
        // for a proof of who the client is.
        if let Some(typ) = jwt.typ().filter(|typ| !is_of_assertions(typ)) {
            return Err(AssertionError::Type(shorten(typ)));
        }
        let subject = jwt.claimed_subject().ok_or(AssertionError::Claims)?;
        let client_id = subject.parse().map_err(|_| AssertionError::Claims)?;
        Ok(Self { jwt, client_id })
    }

    /// Who it says it is.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    pub fn algorithm(&self) -> ClientAlgorithm {
        self.jwt.algorithm()
    }

    pub fn verify(
        &self,
        proof: ClientVerificationKeys<'_>,
        rules: AssertionRules<'_>,
    ) -> Result<VerifiedAssertion, AssertionError> {
        let claims = self.jwt.verify::<Claims>(proof, rules.registered).map_err(|error| match error {
            // The signature is looked at first, so that what cannot be read then is the content.
            ClientJwtError::Malformed => AssertionError::Claims,
            error => error.into(),
        })?;
        let Claims { iss, sub, aud, exp, nbf, iat, jti } = claims.into_inner();
        if iss != sub || sub != self.client_id.as_str() {
            return Err(AssertionError::Subject);
        }
        if !aud.0.iter().any(|audience| rules.audiences.contains(audience)) {
            return Err(AssertionError::Audience(shorten(&aud.0.join(" "))));
        }
        let expires = numeric_date(&exp).and_then(|exp| exp.checked_add(CLOCK_SKEW).ok());
        let expires_at = expires.ok_or(AssertionError::Claims)?;
        if expires_at <= rules.now {
            return Err(AssertionError::Expired);
        }
        if expires_at.duration_since(rules.now) > LONGEST_LIFE + CLOCK_SKEW * 2 {
            return Err(AssertionError::TooLong);
        }
        let made_at = [&iat, &nbf].into_iter().flatten().find_map(numeric_date);
        let made_at = made_at.unwrap_or(expires_at - CLOCK_SKEW - LONGEST_LIFE);
        // In whole seconds, as its times are. A client's clock may be ahead by the allowed skew, so an assertion dated up to that
        // much after the restore may have been used before it.
        if made_at.as_second() <= (rules.replays_known_since.as_second() + CLOCK_SKEW.as_secs()) {
            return Err(AssertionError::ReplayUndetectable);
        }
        for begins in [nbf, iat].into_iter().flatten() {
            let begins = numeric_date(&begins).ok_or(AssertionError::Claims)?;
            if begins.duration_since(rules.now) > CLOCK_SKEW {
                return Err(AssertionError::FromTheFuture);
            }
        }
        if jti.is_empty() || jti.len() > LONGEST_JTI || jti.contains(char::is_control) {
            return Err(AssertionError::Jti);
        }
        Ok(VerifiedAssertion { jti, expires_at })
    }
}

fn is_of_assertions(typ: &str) -> bool {
    let prefix = typ.get(..TYPES_PREFIX.len()).filter(|prefix| prefix.eq_ignore_ascii_case(TYPES_PREFIX));
    let name = prefix.and_then(|prefix| typ.get(prefix.len()..)).unwrap_or(typ);
    TYPES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
