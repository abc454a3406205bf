//! The registered clients that were read from the database.

use anteroom_domain::client::Client;
use anteroom_oidc::{ClientId, RedirectUri};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::time::Instant;

/// The registered clients that were read so far, and under which configuration. All of them are read again under another
/// configuration, which may accept other clients, and where the database is in another epoch or at an earlier revision.
#[derive(Debug, Default)]
pub(crate) struct RegisteredClientCache {
    pub(crate) digest: String,
    pub(crate) epoch: i64,
    pub(crate) revision: i64,
    pub(crate) clients: Arc<RegisteredClients>,
    /// When the last read that succeeded began.
    pub(crate) read_at: Option<Instant>,
}

/// The clients that registered themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct RegisteredClients {
    pub(crate) by_id: HashMap<ClientId, Arc<Client>>,
    /// Of their redirect URIs.
    pub(crate) origins: HashSet<String>,
}

impl RegisteredClients {
    /// Adds, replaces and removes clients: `None` where the client does not exist any more.
    pub(crate) fn apply(&mut self, changes: impl IntoIterator<Item = (ClientId, Option<Client>)>) {
        for (id, client) in changes {
            match client {
                Some(client) => self.by_id.insert(id, Arc::new(client)),
                None => self.by_id.remove(&id),
            };
        }
        self.origins = origins(self.by_id.values());
    }
}

/// The origins of the redirect URIs of clients.
pub(crate) fn origins<'a>(clients: impl Iterator<Item = &'a Arc<Client>>) -> HashSet<String> {
    clients.flat_map(|client| &client.metadata.redirect_uris).filter_map(RedirectUri::origin).collect()
}
