//! What a client's metadata is checked with.

use crate::{
    capabilities::Capabilities,
    protocol_values::{Issuer, ScopeSet},
};

/// What a client's metadata is checked against, and the values of what it leaves out.
#[derive(Debug, Clone, Copy)]
pub struct MetadataRules<'a> {
    pub issuer: &'a Issuer,
    pub capabilities: &'a Capabilities,
    /// Whether confidential clients need a code challenge unless they say otherwise.
    pub require_pkce: bool,
    /// The scopes of a client that names none.
    pub scope: &'a ScopeSet,
}
