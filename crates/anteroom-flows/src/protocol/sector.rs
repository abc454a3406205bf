//! Whether a client may call a sector its own (OpenID Connect Core §8.1, Registration §5): the redirect URIs that are published
//! at its `sector_identifier_uri` must have all of its own among them. A client that could name any sector would get the same
//! `sub` as the clients of that sector, and could recognise their users.
//!
//! A client that registers itself is held to it each time it says what it is, before anything is written; one of the
//! configuration, whose operator vouches for it, when the operator asks (`anteroom check --online`). No person who signs
//! in waits for it.

use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::ClientMetadata;
use anteroom_oidc::client::{InvalidSectorDocument, SectorDocument};
use anteroom_oidc::display_text::shorten;

use crate::context::outgoing::{FetchKind, FetchRequest, Outgoing, OutgoingError, Party, Share};

#[derive(Debug, thiserror::Error)]
pub enum SectorError {
    #[error("sector_identifier_uri: {0}")]
    Outgoing(#[from] OutgoingError),
    #[error("sector_identifier_uri: what is there is {0}")]
    Unreadable(#[from] InvalidSectorDocument),
    #[error("sector_identifier_uri: what is there does not list {0:?}")]
    Missing(String),
}

const LARGEST: usize = 64 * 1024;
/// From one host, and for one network.
const AT_ONCE: usize = 2;

/// By what is there now: it may have been taken away since it was looked at last. Registrations are limited by address, and so
/// is how often strangers have it fetched. `asks` is the network of the client that names it; none where the operator asks.
pub async fn check(
    outgoing: &Outgoing,
    metadata: &ClientMetadata,
    asks: Option<AddressPrefix>,
) -> Result<(), SectorError> {
    let Some(url) = &metadata.sector_identifier_uri else { return Ok(()) };
    let host = url.host_str().map(|host| Share::new(Party::Host, host, AT_ONCE));
    let network = asks.map(|network| Share::new(Party::Network, &network.to_string(), AT_ONCE));
    let shares: Vec<Share> = host.into_iter().chain(network).collect();
    let document =
        outgoing.get(url, LARGEST, FetchRequest { what: FetchKind::Sector, shares: &shares }).await?;
    let document = SectorDocument::from_json(&document)?;
    match document.first_unlisted(&metadata.redirect_uris) {
        None => Ok(()),
        Some(missing) => Err(SectorError::Missing(shorten(missing.as_str()))),
    }
}
