use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{AccessTokenClaims, IdTokenHint, JwtType, UnverifiedJwt};
use crate::{
    keys::Jwks,
    protocol_values::{Issuer, SigningAlgorithm},
};

/// Claims whose signature was verified: with the provider's keys, or with a client's in [`super::ClientJwt::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedClaims<T>(T);

impl<T> VerifiedClaims<T> {
    /// For the verifiers of this module alone.
    pub(super) fn new(claims: T) -> Self {
        Self(claims)
    }

    pub fn get(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VerifyError {
    #[error("the token cannot be read")]
    Malformed,
    #[error("the token is of another type")]
    WrongType,
    #[error("the token was signed with a key that is not ours")]
    UnknownKey,
    #[error("the token names another algorithm than its key's")]
    WrongAlgorithm,
    #[error("the signature does not hold")]
    BadSignature,
    #[error("the token is from another issuer")]
    WrongIssuer,
    #[error("the token has expired")]
    Expired,
}

impl Jwks {
    /// RFC 9068 §4, for our own endpoints. Whether the grant behind it still stands is for the caller to ask. An ID token has
    /// neither `client_id` nor `jti`, and does not pass for one.
    pub fn verify_access_token(
        &self,
        token: &UnverifiedJwt,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<VerifiedClaims<AccessTokenClaims>, VerifyError> {
        let claims: AccessTokenClaims = self.verify(token, &[JwtType::AccessToken, JwtType::Jwt])?;
        if claims.iss != *issuer {
            return Err(VerifyError::WrongIssuer);
        }
        if claims.exp <= now {
            return Err(VerifyError::Expired);
        }
        Ok(VerifiedClaims(claims))
    }

    /// OpenID Connect Core §3.1.2.1 and RP-Initiated Logout §2: an ID token of ours, however old. Which client it
    /// was for is in its `aud`, which the caller holds against the client it knows.
    pub fn verify_id_token_hint(
        &self,
        token: &UnverifiedJwt,
        issuer: &Issuer,
    ) -> Result<VerifiedClaims<IdTokenHint>, VerifyError> {
        let claims: IdTokenHint = self.verify(token, &[JwtType::Jwt])?;
        if claims.client_id.is_some() {
            return Err(VerifyError::WrongType);
        }
        if claims.iss != *issuer {
            return Err(VerifyError::WrongIssuer);
        }
        Ok(VerifiedClaims(claims))
    }

    /// The algorithm is that of the key which `kid` names, never the token's own choice (RFC 8725 §3.1).
    fn verify<T: DeserializeOwned>(
        &self,
        token: &UnverifiedJwt,
        types: &[JwtType],
    ) -> Result<T, VerifyError> {
        let header = jsonwebtoken::decode_header(token.as_str()).map_err(|_| VerifyError::Malformed)?;
        // RFC 7515 §4.1.11: ours have no critical extensions, and one that has must not be accepted.
        let is_right = types.iter().any(|typ| header.typ.as_deref() == Some(typ.as_str()));
        if !is_right || header.crit.is_some() {
            return Err(VerifyError::WrongType);
        }
        let key = header.kid.as_deref().and_then(|kid| self.find(kid)).ok_or(VerifyError::UnknownKey)?;
        let algorithm = library_algorithm(key.algorithm());
        if header.alg != algorithm {
            return Err(VerifyError::WrongAlgorithm);
        }
        // The library would hold times against the machine's clock and require `exp`; both are the caller's.
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let verified = jsonwebtoken::decode::<T>(token.as_str(), key.decoding(), &validation);
        verified.map(|data| data.claims).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => VerifyError::BadSignature,
            _ => VerifyError::Malformed,
        })
    }
}

const fn library_algorithm(alg: SigningAlgorithm) -> Algorithm {
    match alg {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Rs384 => Algorithm::RS384,
        SigningAlgorithm::Rs512 => Algorithm::RS512,
        SigningAlgorithm::Ps256 => Algorithm::PS256,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Es384 => Algorithm::ES384,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests;
