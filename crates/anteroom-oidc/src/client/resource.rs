//! RFC 8707 §2 `resource`: which APIs a client may name, at whichever endpoint.

use thiserror::Error;
use url::Url;

use super::ClientMetadata;
use crate::display_text::shorten;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{description}: {received:?}")]
pub struct InvalidTarget {
    pub description: &'static str,
    pub received: String,
}

impl ClientMetadata {
    /// The resources asked for, each one of the client's audience; repetitions fall together.
    pub fn permitted_resources<'a>(
        &self,
        asked: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<String>, InvalidTarget> {
        let mut resources: Vec<String> = Vec::new();
        for resource in asked {
            let refuse = |description| InvalidTarget { description, received: shorten(resource) };
            if Url::parse(resource).is_err() || resource.contains('#') {
                return Err(refuse("resource must be an absolute URI without fragment"));
            }
            if !self.audience.iter().any(|audience| audience == resource) {
                return Err(refuse("resource is not one of the client's audience"));
            }
            if !resources.iter().any(|known| known == resource) {
                resources.push(resource.to_owned());
            }
        }
        Ok(resources)
    }
}
