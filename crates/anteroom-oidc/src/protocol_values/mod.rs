//! The words of the protocol as types. Each parses what the specification admits and nothing else, and displays
//! and serialises as the wire's own text.

mod acr;
mod encryption;
mod issuer;
mod languages;
mod prompt;
mod redirect_uri;
mod request_object;
mod response;
mod scope;
mod sector;
mod text;
mod vocabulary;

pub use crate::wire::InvalidValue;
pub use acr::{Acr, Amr, AmrSet};
pub use encryption::{ContentEncryption, Encryption, KeyManagementAlgorithm};
pub use issuer::{Issuer, IssuerError};
pub use languages::language_tags;
pub use prompt::{Prompt, PromptSet, PromptSetError};
pub use redirect_uri::{RedirectUri, RedirectUriError, RedirectUriKind};
pub use request_object::RequestObjectAlgorithm;
pub use response::{ResponseMode, ResponseType};
pub use scope::{Scope, ScopeSet, contains_comma};
pub use sector::Sector;
pub use text::{ClientId, Nonce, State, Subject};
pub use vocabulary::{
    ClientAlgorithm, Display, GrantType, SigningAlgorithm, SubjectType, TokenEndpointAuthMethod,
};

pub(crate) use issuer::{is_loopback_host, is_plain_host};
