//! Registered clients, taken up from the database into the snapshot that requests see, beside those of the configuration.
//!
//! Each node asks once a second for what has changed since it last asked; the one that changes something asks at once; and a
//! request of a client that is not known here asks before it is refused, so that a client may come to any node right after it
//! has registered with another. A client that was changed or deleted elsewhere is as it was for a second at the longest.
//!
//! Requests that ask at the same time share one look at the database: a stranger who sends unknown client_ids cannot cause more
//! reads than the node makes by itself.

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

/// Takes up what has changed. Says when the look began that has seen it.
pub async fn refresh_registered_clients(provider: &Provider) -> Result<Instant, FlowError> {
    refresh_registered_clients_asked_at(provider, Instant::now()).await
}

/// The same for one who has asked at this instant, and may have waited since.
pub async fn refresh_registered_clients_asked_at(
    provider: &Provider,
    asked: Instant,
) -> Result<Instant, FlowError> {
    let mut followed = provider.followed.lock().await;
    // Another one's look that began after this was asked for has seen all that this one would see.
    if let Some(looked_at) = followed.looked_at.filter(|looked_at| *looked_at > asked) {
        return Ok(looked_at);
    }
    let looks = Instant::now();
    reload_changed(provider, &mut followed).await?;
    followed.looked_at = Some(looks);
    Ok(looks)
}

/// Whether scripts of some client run under this origin; the client may have registered with another node a moment ago.
pub async fn knows_origin(provider: &Provider, origin: &str) -> Result<bool, FlowError> {
    let known = provider.snapshot();
    if known.clients.have_origin(origin) || known.registration.policy.is_closed() {
        return Ok(known.clients.have_origin(origin));
    }
    refresh_registered_clients(provider).await?;
    Ok(provider.snapshot().clients.have_origin(origin))
}

async fn reload_changed(provider: &Provider, followed: &mut RegisteredClientCache) -> Result<(), FlowError> {
    let snapshot = provider.snapshot();
    let is_closed = snapshot.registration.policy.is_closed();
    let there =
        if is_closed { ClientsRevision::default() } else { provider.store.clients_revision().await? };
    let is_behind = there.epoch != followed.epoch || there.revision < followed.revision;
    let is_other = followed.digest != snapshot.digest || is_behind;
    if is_other {
        let (digest, epoch) = (snapshot.digest.clone(), there.epoch);
        let looked_at = followed.looked_at;
        *followed = RegisteredClientCache { digest, epoch, looked_at, ..RegisteredClientCache::default() };
    }
    if is_closed {
        return Ok(());
    }
    let changed = provider.store.registered_clients_since(followed.revision).await?;
    if changed.is_empty() && !is_other {
        return Ok(());
    }
    let taken = taken_by_configuration(&snapshot);
    for row in changed {
        followed.revision = row.revision;
        match client(&row, &snapshot) {
            Some(client) => {
                warn_of_taken_host(&client, &taken);
                followed.clients.insert(row.client_id, Arc::new(client))
            }
            None => followed.clients.remove(&row.client_id),
        };
    }
    provider.replace_registered(&Arc::new(followed.clients.clone()), &followed.digest);
    Ok(())
}

/// The hosts of the provider and of the applications in its configuration.
pub(crate) fn taken_by_configuration(snapshot: &Snapshot) -> ReservedHosts {
    let mut taken = ReservedHosts::of(&snapshot.issuer);
    for client in snapshot.clients.configured() {
        taken.add(&client.metadata);
        let launch_url = client.policy.tile.as_ref().and_then(|tile| tile.launch_url.as_ref());
        if let Some(url) = launch_url {
            taken.add_url(url);
        }
    }
    taken
}

/// A client that names a host is refused that host where an application of the configuration has it. One that was there first
/// goes on: it may be the same application, and only the operator can tell.
fn warn_of_taken_host(client: &Client, taken: &ReservedHosts) {
    let Some(uri) = client.metadata.uses_reserved_host(taken) else { return };
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

/// What is stored of a client. An earlier release took names with characters that are not seen: its clients stay, without
/// those characters.
pub(crate) fn without_hidden_characters(stored: &ClientMetadataInput) -> ClientMetadataInput {
    let mut metadata = stored.clone();
    let name = metadata.client_name.map(|name| name.replace(is_hidden, ""));
    metadata.client_name = name.filter(|name| is_visible(name));
    metadata
}

/// Metadata of a registered client, held against what this configuration lets it be.
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

/// `None`: the client is deleted, or the configuration would not accept its registration any more.
fn client(row: &RegisteredClient, snapshot: &Snapshot) -> Option<Client> {
    if row.deleted_at.is_some() {
        return None;
    }
    let policy = &snapshot.registration.policy;
    match parse_registered_metadata(row.client_id.clone(), without_hidden_characters(&row.metadata), snapshot)
    {
        Ok(mut metadata) => {
            metadata.scope = metadata.scope.intersection(&policy.scope);
            // Release 0.1.0 took any address.
            if metadata.logout_leaves_sector() {
                let (client, uri) = (row.client_id.as_str(), metadata.backchannel_logout_uri.take());
                let uri = uri.map(String::from).unwrap_or_default();
                tracing::warn!(
                    client,
                    uri,
                    "a registered client is not told of sign-outs: its address for them is outside its sector"
                );
            }
            Some(Client {
                metadata,
                secrets: ClientSecrets(row.secret.into_iter().collect()),
                // Only a MAC of the secret is kept, so `client_secret_jwt` is not to be had here.
                signing_secrets: Vec::new(),
                policy: policy.client_policy(),
                version: ClientVersion::of_revision(row.revision),
            })
        }
        Err(errors) => {
            let client = row.client_id.as_str();
            tracing::error!(client, "a registered client does not fit the configuration any more: {errors}");
            None
        }
    }
}
