//! JSON Web Tokens (RFC 7519) in compact JWS form (RFC 7515): ours made and read back, clients' kept apart until
//! they are proven. The names carry the trust: an [`UnverifiedJwt`] shows nothing of its content.

mod unverified;

pub use unverified::UnverifiedJwt;
