//! Logout tokens (Back-Channel Logout 1.0 section 2.6): from a stranger's string to the sessions that must end.
//!
//! `openidconnect` knows ID tokens, whose `sub` is required; a logout token may have a `sid` alone, so the JWS is
//! taken apart here and its signature checked with the library's keys. Nothing is read as a claim before that.

#[cfg(test)]
mod tests;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{
    ClientId, IssuerUrl, JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyId, JsonWebKeyUse, JwsSigningAlgorithm,
    SignatureVerificationError,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::claims::ReceivedClaims;

/// A provider that tries again sends a new token or a young one.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(10);
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);
/// The longest that one and the same token can be accepted, and so must be remembered.
pub(crate) const ACCEPTABLE_FOR: SignedDuration =
    SignedDuration::from_mins(MAX_AGE.as_mins() + CLOCK_SKEW.as_mins());

const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A logout token that held in every point.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct LogoutNotice {
    pub(crate) jti: String,
    pub(crate) sid: Option<String>,
    pub(crate) sub: Option<String>,
}

impl LogoutNotice {
    /// Whether it names the session of these claims: each identifier it has must agree.
    pub(crate) fn names(&self, claims: &ReceivedClaims) -> bool {
        let sid_agrees = self.sid.as_deref().is_none_or(|sid| claims.sid() == Some(sid));
        let sub_agrees = self.sub.as_deref().is_none_or(|sub| claims.sub() == sub);
        sid_agrees && sub_agrees
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LogoutTokenError {
    #[error("it is not a signed JWT")]
    Malformed,
    #[error("its header names `{0}`, which is not supported")]
    Header(&'static str),
    #[error("its algorithm is not one of the provider's")]
    Algorithm,
    #[error("none of the provider's keys fits")]
    UnknownKey,
    #[error("its signature does not hold")]
    Signature(#[source] SignatureVerificationError),
    #[error("its claims are not those of a logout token")]
    Claims(#[source] serde_json::Error),
    #[error("its claim `{0}` does not hold")]
    Claim(&'static str),
}

/// What a token is held against.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a IssuerUrl,
    pub(crate) client_id: &'a ClientId,
    pub(crate) keys: &'a [CoreJsonWebKey],
    pub(crate) algorithms: &'a [CoreJwsSigningAlgorithm],
    pub(crate) now: Timestamp,
}

impl Expected<'_> {
    pub(crate) fn verify(&self, token: &str) -> Result<LogoutNotice, LogoutTokenError> {
        let payload = self.verified_payload(token)?;
        let claims: LogoutClaims = serde_json::from_slice(&payload).map_err(LogoutTokenError::Claims)?;
        self.check(claims)
    }

    fn verified_payload(&self, token: &str) -> Result<Vec<u8>, LogoutTokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(LogoutTokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(LogoutTokenError::Malformed)?;
        let header: Header = decode_json(header)?;
        header.check()?;
        if !self.algorithms.contains(&header.alg) {
            return Err(LogoutTokenError::Algorithm);
        }
        let key = self.key_for(&header)?;
        let signature = decode(signature)?;
        key.verify_signature(&header.alg, message.as_bytes(), &signature)
            .map_err(LogoutTokenError::Signature)?;
        decode(payload)
    }

    /// Without a `kid` there must be exactly one key that fits (Core 10.1).
    fn key_for(&self, header: &Header) -> Result<&CoreJsonWebKey, LogoutTokenError> {
        let mut fitting = self.keys.iter().filter(|key| header.fits(key));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(LogoutTokenError::UnknownKey),
        }
    }

    fn check(&self, claims: LogoutClaims) -> Result<LogoutNotice, LogoutTokenError> {
        let newest = self.now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        let issued = Timestamp::from_second(claims.iat).map_err(|_| LogoutTokenError::Claim("iat"))?;
        let expires = Timestamp::from_second(claims.exp).map_err(|_| LogoutTokenError::Claim("exp"))?;
        let rules = [
            ("iss", claims.iss == self.issuer.as_str()),
            ("aud", claims.aud.is_only(self.client_id.as_str())),
            ("iat", issued <= newest && self.now.duration_since(issued) < MAX_AGE),
            ("exp", self.now.duration_since(expires) < CLOCK_SKEW),
            ("jti", !claims.jti.is_empty()),
            ("events", claims.events.get(LOGOUT_EVENT).is_some_and(Value::is_object)),
            ("nonce", claims.nonce.is_none()),
            ("sid", claims.sid.is_some() || claims.sub.is_some()),
        ];
        match rules.into_iter().find(|(_, holds)| !holds) {
            Some((claim, _)) => Err(LogoutTokenError::Claim(claim)),
            None => Ok(LogoutNotice { jti: claims.jti, sid: claims.sid, sub: claims.sub }),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<JsonWebKeyId>,
    typ: Option<String>,
    cty: Option<Value>,
    crit: Option<Value>,
}

impl Header {
    /// An ID token or an access token with a `typ` of its own must not pass for a logout token. Untyped and `JWT`
    /// are what providers sent before the type was registered.
    fn check(&self) -> Result<(), LogoutTokenError> {
        let typ = self.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        match (typ, &self.crit, &self.cty) {
            ("jwt" | "logout+jwt", None, None) => Ok(()),
            (_, Some(_), _) => Err(LogoutTokenError::Header("crit")),
            (_, _, Some(_)) => Err(LogoutTokenError::Header("cty")),
            _ => Err(LogoutTokenError::Header("typ")),
        }
    }

    fn fits(&self, key: &CoreJsonWebKey) -> bool {
        let named = self.kid.is_none() || self.kid.as_ref() == key.key_id();
        let signs = key.key_use().is_none_or(JsonWebKeyUse::allows_signature);
        let kind = self.alg.key_type().as_ref() == Some(key.key_type());
        let algorithm = match key.signing_alg() {
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Algorithm(own) => *own == self.alg,
            JsonWebKeyAlgorithm::Unsupported => false,
        };
        named && signs && kind && algorithm
    }
}

#[derive(Deserialize)]
struct LogoutClaims {
    iss: String,
    aud: Audience,
    iat: i64,
    exp: i64,
    jti: String,
    events: Map<String, Value>,
    sid: Option<String>,
    sub: Option<String>,
    nonce: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// Another audience could send its copy on to this application (Core 3.1.3.7, step 3).
    fn is_only(&self, client_id: &str) -> bool {
        match self {
            Self::One(audience) => audience == client_id,
            Self::Many(audiences) => audiences.len() == 1 && audiences.iter().all(|one| one == client_id),
        }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, LogoutTokenError> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| LogoutTokenError::Malformed)
}

fn decode_json<T: DeserializeOwned>(part: &str) -> Result<T, LogoutTokenError> {
    serde_json::from_slice(&decode(part)?).map_err(|_| LogoutTokenError::Malformed)
}
