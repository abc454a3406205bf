//! What was read of the registered clients in the database.

use anteroom_domain::client::Client;
use anteroom_oidc::ClientId;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

/// What was read of the database so far, and under which configuration. Another configuration may mean other clients, and a
/// database that is behind what was read of it, or in another epoch, has others: they are read again.
#[derive(Debug, Default)]
pub(crate) struct RegisteredClientCache {
    pub(crate) digest: String,
    pub(crate) epoch: i64,
    pub(crate) revision: i64,
    pub(crate) clients: HashMap<ClientId, Arc<Client>>,
    /// When the last look that succeeded began.
    pub(crate) looked_at: Option<Instant>,
}
