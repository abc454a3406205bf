//! Reads registered clients from the database into the snapshot that requests use, beside those of the configuration.
//!
//! Each node reads once a second what has changed since it last read; the node that changes a client reads at once; and a
//! request of a client that is not known here causes a read before it is refused, so that a client can use any node right after
//! it has registered with another. A client that was changed or deleted through another node is used as it was for at most a
//! second.
//!
//! Requests at the same time share one read: requests with unknown client_ids cannot cause more reads than the node makes
//! by itself.

use anteroom_domain::client::{Client, ClientSecrets, ClientVersion};
use anteroom_oidc::client::ReservedHosts;
use anteroom_oidc::display_text::{is_hidden, is_visible};
use anteroom_oidc::{
    Capabilities, ClientId, ClientMetadata, ClientMetadataInput, MetadataErrors, MetadataRules, SubjectType,
};
use anteroom_storage::{ClientsRevision, RegisteredClient};
use std::sync::Arc;
use tokio::time::Instant;

use crate::context::provider::{Provider, Snapshot};
use crate::context::registered_client_cache::RegisteredClientCache;
use crate::error::FlowError;

/// Reads what has changed. Returns when the read began.
pub async fn refresh_registered_clients(provider: &Provider) -> Result<Instant, FlowError> {
    refresh_registered_clients_asked_at(provider, Instant::now()).await
}

/// The same for a caller that asked at this instant and may have waited since.
pub async fn refresh_registered_clients_asked_at(
    provider: &Provider,
    asked: Instant,
) -> Result<Instant, FlowError> {
    let mut cache = provider.registered_clients.lock().await;
    // A read that began after this was asked for has seen all that this one would see.
    if let Some(read_at) = cache.read_at.filter(|read_at| *read_at > asked) {
        return Ok(read_at);
    }
    let read_at = Instant::now();
    reload_changed(provider, &mut cache).await?;
    cache.read_at = Some(read_at);
    Ok(read_at)
}

/// Whether a redirect URI of some client has this origin; the client may have registered with another node a moment ago.
pub async fn knows_origin(provider: &Provider, origin: &str) -> Result<bool, FlowError> {
    let known = provider.snapshot();
    if known.clients.have_origin(origin) || known.registration.policy.is_closed() {
        return Ok(known.clients.have_origin(origin));
    }
    refresh_registered_clients(provider).await?;
    Ok(provider.snapshot().clients.have_origin(origin))
}

async fn reload_changed(provider: &Provider, cache: &mut RegisteredClientCache) -> Result<(), FlowError> {
    let snapshot = provider.snapshot();
    let is_closed = snapshot.registration.policy.is_closed();
    let stored =
        if is_closed { ClientsRevision::default() } else { provider.store.clients_revision().await? };
    let is_behind = stored.epoch != cache.epoch || stored.revision < cache.revision;
    let is_other = cache.digest != snapshot.digest || is_behind;
    if is_other {
        let (digest, epoch, read_at) = (snapshot.digest.clone(), stored.epoch, cache.read_at);
        *cache = RegisteredClientCache { digest, epoch, read_at, ..RegisteredClientCache::default() };
    }
    if is_closed {
        return Ok(());
    }
    let changed = provider.store.registered_clients_since(cache.revision).await?;
    if changed.is_empty() && !is_other {
        return Ok(());
    }
    if let Some(newest) = changed.last() {
        cache.revision = newest.revision;
    }
    let reserved = reserved_by_configuration(&snapshot);
    let changes = changed.into_iter().map(|row| {
        let id = row.client_id.clone();
        let client = client(&id, row, &snapshot);
        if let Some(client) = &client {
            warn_of_reserved_host(client, &reserved);
        }
        (id, client)
    });
    Arc::make_mut(&mut cache.clients).apply(changes);
    provider.replace_registered(&cache.clients, &cache.digest);
    Ok(())
}

/// The hosts of the provider and of the applications in its configuration. No client may register them.
pub(crate) fn reserved_by_configuration(snapshot: &Snapshot) -> ReservedHosts {
    let mut reserved = ReservedHosts::of(&snapshot.issuer);
    for client in snapshot.clients.configured() {
        reserved.add(&client.metadata);
        let launch_url = client.policy.tile.as_ref().and_then(|tile| tile.launch_url.as_ref());
        if let Some(url) = launch_url {
            reserved.add_url(url);
        }
    }
    reserved
}

/// A client cannot register a host that an application of the configuration has. One that registered it before the application
/// was configured stays: it may be the same application, which only the operator knows.
fn warn_of_reserved_host(client: &Client, reserved: &ReservedHosts) {
    let Some(uri) = client.metadata.uses_reserved_host(reserved) else { return };
    let subjects = match client.metadata.subject_type {
        SubjectType::Pairwise => {
            ", and knows people by the same sub as that application where that is pairwise as well"
        }
        SubjectType::Public => "",
    };
    tracing::warn!(
        client = client.id().as_str(),
        %uri,
        "a client that registered itself leads people to a host of the provider or of an application in the configuration{subjects}. \
         If it is not that application's own, `anteroom client remove` ends it"
    );
}

/// The stored metadata without hidden characters in the name: release 0.1.0 accepted them, and its clients stay usable.
fn without_hidden_characters(mut metadata: ClientMetadataInput) -> ClientMetadataInput {
    let name = metadata.client_name.map(|name| name.replace(is_hidden, ""));
    metadata.client_name = name.filter(|name| is_visible(name));
    metadata
}

/// Parses stored metadata of a registered client under this configuration.
pub(crate) fn parse_stored_metadata(
    id: ClientId,
    stored: ClientMetadataInput,
    snapshot: &Snapshot,
) -> Result<ClientMetadata, MetadataErrors> {
    parse_registered_metadata(id, without_hidden_characters(stored), snapshot)
}

/// Parses metadata that a client registers, within what this configuration allows.
pub(crate) fn parse_registered_metadata(
    id: ClientId,
    asked: ClientMetadataInput,
    snapshot: &Snapshot,
) -> Result<ClientMetadata, MetadataErrors> {
    let policy = &snapshot.registration.policy;
    let mut offered: Capabilities = snapshot.capabilities.clone();
    offered.grant_types.retain(|grant| policy.offers(*grant));
    offered.token_endpoint_auth_methods.retain(|method| policy.offers_method(*method));
    let asked = policy.overrule(asked);
    let rules = MetadataRules {
        issuer: &snapshot.issuer,
        capabilities: &offered,
        require_pkce: policy.require_pkce,
        scope: &policy.scope,
    };
    ClientMetadata::parse(id, &asked, rules)
}

/// `None`: the client is deleted, or the configuration does not accept its registration any more.
fn client(id: &ClientId, row: RegisteredClient, snapshot: &Snapshot) -> Option<Client> {
    if row.deleted_at.is_some() {
        return None;
    }
    let policy = &snapshot.registration.policy;
    let mut metadata = match parse_stored_metadata(row.client_id, row.metadata, snapshot) {
        Ok(metadata) => metadata,
        Err(errors) => {
            let client = id.as_str();
            tracing::error!(client, "a registered client does not fit the configuration any more: {errors}");
            return None;
        }
    };
    metadata.scope = metadata.scope.intersection(&policy.scope);
    // Release 0.1.0 accepted any address.
    if metadata.logout_leaves_sector() {
        let (client, uri) = (id.as_str(), metadata.backchannel_logout_uri.take());
        let uri = uri.map(String::from).unwrap_or_default();
        tracing::warn!(
            client,
            uri,
            "a registered client gets no back-channel logout: its backchannel_logout_uri is outside its sector"
        );
    }
    Some(Client {
        metadata,
        secrets: ClientSecrets(row.secret.into_iter().collect()),
        // Only a MAC of the secret is stored, so a registered client cannot use `client_secret_jwt`.
        signing_secrets: Vec::new(),
        policy: policy.client_policy(),
        version: ClientVersion::of_revision(row.revision),
    })
}
