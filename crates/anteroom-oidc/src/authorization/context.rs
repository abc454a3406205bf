//! What a rule is given.

use super::Parameters;
use crate::{capabilities::Capabilities, client::ClientMetadata};

/// What every rule after the redirect URI can see.
pub(super) struct Context<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) client: &'a ClientMetadata,
    pub(super) capabilities: &'a Capabilities,
}
