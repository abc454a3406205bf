//! JSON Web Tokens (RFC 7519) in compact JWS form (RFC 7515): ours made and read back, clients' kept apart until
//! they are proven. The names carry the trust: an [`UnverifiedJwt`] shows nothing of its content, and
//! [`VerifiedClaims`] can only come from a signature that held.
//!
//! Every kind of token has its own `typ`, so that none passes for another (RFC 8725 §3.11). Access tokens for APIs that take no
//! other `typ` than `JWT` are the exception; here their `client_id` tells them from ID tokens, which have none.

mod audience;
mod claims;
mod client_jwt;
mod hash;
mod hint;
mod sign;
mod unverified;
mod verify;

pub(crate) use audience::Audience;
pub use claims::{
    AccessTokenClaims, IdTokenClaims, IdTokenHint, LogoutEvent, LogoutTokenClaims, UserInfoClaims,
};
pub(crate) use client_jwt::{CLOCK_SKEW, numeric_date};
pub use client_jwt::{ClientJwt, ClientJwtError, ClientVerificationKeys};
pub use hash::token_hash;
pub use hint::UnverifiedHint;
pub use sign::{AccessTokenTyp, JwtType, SignError, sign_jwt};
pub use unverified::{MalformedJwt, UnverifiedJwt};
pub use verify::{VerifiedClaims, VerifyError};

#[cfg(test)]
pub(crate) use client_jwt::testing;
