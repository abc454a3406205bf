//! Whether a client may call a sector its own (OpenID Connect Core §8.1, Registration §5): the redirect URIs that are
//! published at its `sector_identifier_uri` must have all of its own among them. Who could name any sector would learn
//! who its people are elsewhere.
//!
//! A client that registers itself is held to it each time it says what it is, before anything is written; one of the
//! configuration, whose operator vouches for it, when the operator asks (`anteroom check --online`). Nobody who signs in
//! waits for it.

use anteroom_oidc::ClientMetadata;
use anteroom_oidc::client::SectorDocument;
use jiff::Timestamp;

use crate::fetched::{FetchError, fetch};
use crate::outgoing::Outgoing;
use crate::provider::Provider;

#[derive(Debug, thiserror::Error)]
pub enum SectorError {
    #[error("sector_identifier_uri: {0}")]
    Fetch(#[from] FetchError),
    #[error("sector_identifier_uri: what is there does not list {0}")]
    Missing(String),
}

pub(crate) fn read(bytes: &[u8]) -> Result<SectorDocument, String> {
    SectorDocument::from_json(bytes).map_err(|error| error.to_string())
}

/// For a client that registers. What was fetched lately does, unless it lacks something: its owner may just have put it there.
pub(crate) async fn confirm(
    provider: &Provider,
    metadata: &ClientMetadata,
    now: Timestamp,
) -> Result<(), SectorError> {
    let Some(url) = &metadata.sector_identifier_uri else { return Ok(()) };
    let (fetched, outgoing) = (&provider.fetched_sectors, &provider.outgoing);
    let known = fetched.get(outgoing, url, now).await?;
    if known.misses(&metadata.redirect_uris).is_none() {
        return Ok(());
    }
    match fetched.newer(outgoing, url, &known, now).await {
        Ok(newer) => lists(&newer, metadata),
        Err(_) => lists(&known, metadata),
    }
}

/// For a client of the configuration: whatever is there now.
pub async fn check(outgoing: &Outgoing, metadata: &ClientMetadata) -> Result<(), SectorError> {
    let Some(url) = &metadata.sector_identifier_uri else { return Ok(()) };
    lists(&fetch(outgoing, url, read).await?, metadata)
}

fn lists(document: &SectorDocument, metadata: &ClientMetadata) -> Result<(), SectorError> {
    match document.misses(&metadata.redirect_uris) {
        None => Ok(()),
        Some(missing) => Err(SectorError::Missing(missing.to_string())),
    }
}
