//! The wire of the token endpoint and its neighbours: token requests and responses (RFC 6749 §4 to §6),
//! introspection (RFC 7662), revocation (RFC 7009), client credentials (RFC 6749 §2.3) and bearer tokens (RFC 6750).

mod assertion;
mod bearer;
mod credentials;
mod request;
mod response;
mod token_lookup;

pub use assertion::{AssertionError, AssertionRules, ClientAssertion, VerifiedAssertion};
pub use bearer::bearer_token;
pub use credentials::{CredentialsError, PresentedCredentials};
pub use request::{AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant, TokenRequest};
pub use response::{IntrospectedClaims, IntrospectionResponse, TokenResponse, TokenType};
pub use token_lookup::{TokenLookup, TokenTypeHint};
