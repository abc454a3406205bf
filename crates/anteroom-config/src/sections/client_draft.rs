//! A client between its reading and its checks.

use anteroom_domain::account::GroupName;
use anteroom_domain::client::ClientPolicy;
use anteroom_oidc::{ClientId, ClientMetadataInput};
use secrecy::SecretString;

use crate::diagnostics::SourceSpan;
use crate::reader::Context;

/// A client as it was read; its metadata is still to be checked, and its groups to be found.
pub(crate) struct ClientDraft {
    /// `clients.0.3.`, under which its places and what was written are known.
    pub(crate) path: String,
    pub(crate) place: Option<SourceSpan>,
    pub(crate) client_id: ClientId,
    pub(crate) metadata: ClientMetadataInput,
    pub(crate) policy: ClientPolicy,
    /// The groups it admits, in the order in which they stand.
    pub(crate) groups: Vec<GroupName>,
    /// The groups that it calls by other names.
    pub(crate) renamed_groups: Vec<GroupName>,
    pub(crate) secrets: Vec<SecretString>,
}

impl ClientDraft {
    pub(crate) fn place_of(&self, cx: &Context<'_>, name: &str) -> Option<SourceSpan> {
        cx.place(&format!("{}{name}", self.path)).or_else(|| self.place.clone())
    }
}
