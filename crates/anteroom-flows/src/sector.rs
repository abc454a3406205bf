//! Whether a client may call a sector its own (OpenID Connect Core §8.1, Registration §5): the redirect URIs that are
//! published at its `sector_identifier_uri` must have all of its own among them. Who could name any sector would learn
//! who its people are elsewhere.
//!
//! A client that registers itself is held to it each time it says what it is, before anything is written; one of the
//! configuration, whose operator vouches for it, when the operator asks (`anteroom check --online`). Nobody who signs in
//! waits for it.

use anteroom_oidc::ClientMetadata;
use anteroom_oidc::client::SectorDocument;

use crate::fetched::{FetchError, Reading, fetch};
use crate::outgoing::Outgoing;

#[derive(Debug, thiserror::Error)]
pub enum SectorError {
    #[error("sector_identifier_uri: {0}")]
    Fetch(#[from] FetchError),
    #[error("sector_identifier_uri: what is there does not list {0}")]
    Missing(String),
}

const SECTOR: Reading<SectorDocument> = Reading {
    largest: 64 * 1024,
    read: |bytes| SectorDocument::from_json(bytes).map_err(|error| error.to_string()),
};

/// By what is there now: it may have been taken away since it was looked at last. Registrations are limited by address, and so
/// is how often strangers have it fetched.
pub async fn check(outgoing: &Outgoing, metadata: &ClientMetadata) -> Result<(), SectorError> {
    let Some(url) = &metadata.sector_identifier_uri else { return Ok(()) };
    let document = fetch(outgoing, url, &SECTOR).await?;
    match document.misses(&metadata.redirect_uris) {
        None => Ok(()),
        Some(missing) => Err(SectorError::Missing(missing.to_string())),
    }
}
