//! Checks that a client may use a sector (OpenID Connect Core §8.1, Registration §5): the document at its
//! `sector_identifier_uri` must list all of its redirect URIs. A client that could name any sector would get the same `sub` as
//! the clients of that sector, and could recognise their users.
//!
//! A client that registers itself is checked at each registration and update, before anything is written. A client of the
//! configuration is the operator's responsibility, and is checked by `anteroom check --online`. No sign-in waits for this check.

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
/// Fetches at once from one host, and for one network.
const AT_ONCE: usize = 2;

/// Fetches the document each time, because it may have changed. Registrations are limited by address, which limits these fetches
/// as well. `asked_by` is the network of the client's request; `None` where the operator asks.
pub async fn check(
    outgoing: &Outgoing,
    metadata: &ClientMetadata,
    asked_by: Option<AddressPrefix>,
) -> Result<(), SectorError> {
    let Some(url) = &metadata.sector_identifier_uri else { return Ok(()) };
    let host = url.host_str().map(|host| Share::new(Party::Host, host, AT_ONCE));
    let network = asked_by.map(|network| Share::new(Party::Network, &network.to_string(), AT_ONCE));
    let shares = host.into_iter().chain(network).collect();
    let document = outgoing.get(url, LARGEST, FetchRequest { what: FetchKind::Sector, shares }).await?;
    let document = SectorDocument::from_json(&document)?;
    match document.first_unlisted(&metadata.redirect_uris) {
        None => Ok(()),
        Some(missing) => Err(SectorError::Missing(shorten(missing.as_str()))),
    }
}
