//! The client of a request: authenticated or, if registered with `none`, only identified.

use anteroom_domain::client::Client;
use anteroom_oidc::{ClientId, TokenEndpointAuthMethod};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// A client that has authenticated, or that is registered for no authentication (`none`).
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(pub(crate) Arc<Client>);

impl AuthenticatedClient {
    pub fn client(&self) -> &Arc<Client> {
        &self.0
    }

    /// A public client does not authenticate, so that a request in its name can come from any sender.
    pub(crate) fn is_confidential(&self) -> bool {
        !self.0.metadata.is_public()
    }
}

/// The authentication methods that each client has used which may use several. The log names each of them once.
#[derive(Debug, Default)]
pub(crate) struct SeenMethods(Mutex<BTreeSet<(ClientId, TokenEndpointAuthMethod)>>);

impl SeenMethods {
    pub(crate) fn is_new(&self, client: &Client, method: TokenEndpointAuthMethod) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        client.policy.any_secret_method && seen.insert((client.id().clone(), method))
    }
}
