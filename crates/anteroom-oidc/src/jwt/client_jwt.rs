//! JWTs that clients sign: assertions of who they are (RFC 7523) and request objects (RFC 9101).
//!
//! Which algorithm counts is decided by the client's registration and its keys; the header only picks among them
//! (RFC 8725 §3.1). Of the header nothing else is read than `alg`, `kid`, `typ` and `crit`: keys that a token brings
//! along or points at (`jwk`, `jku`, `x5c`, `x5u`) are not looked at (RFC 8725 §3.10).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

use super::{UnverifiedJwt, VerifiedClaims};
use crate::{display_text::shorten, keys::ClientJwks, protocol_values::ClientAlgorithm, wire::from_json};

/// How far the clocks of clients may be off.
pub(crate) const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A client's JWT whose header could be read; its content is still out of reach.
#[derive(Debug, Clone)]
pub struct ClientJwt {
    jwt: UnverifiedJwt,
    algorithm: ClientAlgorithm,
    kid: Option<String>,
    typ: Option<String>,
}

/// What a client's signatures are held against.
#[derive(Debug, Clone, Copy)]
pub enum ClientVerificationKeys<'a> {
    Keys(&'a ClientJwks),
    /// The client's secrets; a signature by any one of them is accepted, since during a rotation two are valid.
    Secrets(&'a [SecretString]),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientJwtError {
    #[error("it cannot be read")]
    Malformed,
    #[error("it has critical extensions")]
    Critical,
    #[error("its algorithm {0:?} is not supported for clients")]
    UnknownAlgorithm(String),
    #[error("it is signed with {received}, and the client is registered for {registered}")]
    WrongAlgorithm { registered: ClientAlgorithm, received: ClientAlgorithm },
    /// The client may have new keys.
    #[error("no key of the client fits it")]
    UnknownKey,
    #[error("its signature is not valid")]
    BadSignature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

impl ClientJwt {
    pub fn parse(text: &str) -> Result<Self, ClientJwtError> {
        let jwt: UnverifiedJwt = text.parse().map_err(|_| ClientJwtError::Malformed)?;
        let header: Header = part(&jwt, 0).ok_or(ClientJwtError::Malformed)?;
        // RFC 7515 §4.1.11: an extension that must be understood and is not.
        if header.crit.is_some() {
            return Err(ClientJwtError::Critical);
        }
        let unknown = |_| ClientJwtError::UnknownAlgorithm(shorten(&header.alg));
        let algorithm = header.alg.parse().map_err(unknown)?;
        Ok(Self { jwt, algorithm, kid: header.kid, typ: header.typ })
    }

    pub fn algorithm(&self) -> ClientAlgorithm {
        self.algorithm
    }

    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The unverified `sub`, for finding the client whose keys verify the token.
    pub fn claimed_subject(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Subject {
            sub: String,
        }
        part(&self.jwt, 1).map(|Subject { sub }| sub)
    }

    /// Verifies the signature and returns the claims. `registered` is the only algorithm accepted, if the client registered one.
    pub fn verify<T: DeserializeOwned>(
        &self,
        proof: ClientVerificationKeys<'_>,
        registered: Option<ClientAlgorithm>,
    ) -> Result<VerifiedClaims<T>, ClientJwtError> {
        let received = self.algorithm;
        if let Some(registered) = registered.filter(|registered| *registered != received) {
            return Err(ClientJwtError::WrongAlgorithm { registered, received });
        }
        match proof {
            ClientVerificationKeys::Secrets(_) if !received.is_symmetric() => {
                return Err(ClientJwtError::UnknownKey);
            }
            ClientVerificationKeys::Secrets(secrets) => {
                let key = |secret: &SecretString| DecodingKey::from_secret(secret.expose_secret().as_bytes());
                if !secrets.iter().map(key).any(|key| self.verifies(&key)) {
                    return Err(ClientJwtError::BadSignature);
                }
            }
            ClientVerificationKeys::Keys(keys) => {
                let mut candidates = keys.candidates(self.kid.as_deref(), received).peekable();
                // Without a `kid` the key that signed may be one that was not there when the set was read.
                let failure = match (candidates.peek(), &self.kid) {
                    (Some(_), Some(_)) => ClientJwtError::BadSignature,
                    _ => ClientJwtError::UnknownKey,
                };
                if !candidates.any(|key| self.verifies(key)) {
                    return Err(failure);
                }
            }
        }
        part(&self.jwt, 1).map(VerifiedClaims::new).ok_or(ClientJwtError::Malformed)
    }

    fn verifies(&self, key: &DecodingKey) -> bool {
        self.jwt.as_str().rsplit_once('.').is_some_and(|(message, signature)| {
            let algorithm = library_algorithm(self.algorithm);
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false)
        })
    }
}

/// RFC 7519 §2 `NumericDate`: fractions are allowed, and dropped.
pub(crate) fn numeric_date(value: &Value) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "a second more or less, and the cast saturates")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    Timestamp::from_second(seconds).ok()
}

fn part<T: DeserializeOwned>(jwt: &UnverifiedJwt, place: usize) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(jwt.as_str().split('.').nth(place)?).ok()?;
    from_json(&bytes)
}

const fn library_algorithm(alg: ClientAlgorithm) -> Algorithm {
    match alg {
        ClientAlgorithm::Rs256 => Algorithm::RS256,
        ClientAlgorithm::Rs384 => Algorithm::RS384,
        ClientAlgorithm::Rs512 => Algorithm::RS512,
        ClientAlgorithm::Ps256 => Algorithm::PS256,
        ClientAlgorithm::Es256 => Algorithm::ES256,
        ClientAlgorithm::Es384 => Algorithm::ES384,
        ClientAlgorithm::EdDsa => Algorithm::EdDSA,
        ClientAlgorithm::Hs256 => Algorithm::HS256,
        ClientAlgorithm::Hs384 => Algorithm::HS384,
        ClientAlgorithm::Hs512 => Algorithm::HS512,
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
