//! OpenID Connect and OAuth 2.0 as pure functions and types: what is on the wire, which rules a request must
//! keep, and how tokens are signed and verified.
//!
//! Nothing here reads a clock, opens a connection or touches a database: time, randomness and clients come in as
//! parameters. Every value that came off the wire has been parsed into a type before a rule sees it, and the type
//! writes the same text again.

mod capabilities;
mod wire;

pub mod authorization;
pub mod claims;
pub mod client;
pub mod discovery;
pub mod display_text;
pub mod errors;
pub mod form;
pub mod jwe;
pub mod jwt;
pub mod keys;
pub mod logout;
pub mod pkce;
pub mod protocol_values;
pub mod response;
pub mod session_state;
pub mod token;
pub mod webfinger;

pub use capabilities::Capabilities;
pub use client::{
    AccessTokenFormat, ApplicationType, ClientMetadata, ClientMetadataInput, MetadataError, MetadataErrors,
    MetadataRules, RegistrationRefusal, RegistrationRequest,
};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use protocol_values::{
    Acr, Amr, AmrSet, ClientAlgorithm, ClientId, ContentEncryption, Encryption, GrantType, Issuer,
    KeyManagementAlgorithm, Nonce, Prompt, PromptSet, RedirectUri, RequestObjectAlgorithm, ResponseMode,
    ResponseType, Scope, ScopeSet, Sector, SigningAlgorithm, State, Subject, SubjectType,
    TokenEndpointAuthMethod,
};
