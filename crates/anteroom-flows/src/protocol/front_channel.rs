//! Telling applications in the browser that a session is over (OpenID Connect Front-Channel Logout 1.0 §2, §3): the page after
//! a sign-out loads an address of each of them in a frame, and only then goes on to the `post_logout_redirect_uri`.
//!
//! What that page needs travels in its address, sealed: a link that is made up loads nothing and leads nowhere.
//! It opens in the browser that signed out, and for as long as a page takes. Which applications there are, and where
//! they want to be told, is looked up when the page is shown.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::client::Client;
use anteroom_domain::ids::{BrowserId, SessionId};
use anteroom_oidc::ClientId;
use anteroom_oidc::logout::front_channel_location;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::protocol::subject::{logout_subject_kind, sid_of_kind};

const AAD: &[u8] = b"signed out";
/// A page that is opened again later tells no application anew: the person may have signed in meanwhile.
const LIFETIME: SignedDuration = SignedDuration::from_mins(2);

#[derive(Serialize, Deserialize)]
struct FrontChannelLogoutState {
    browser: BrowserId,
    at: Timestamp,
    sessions: Vec<SessionId>,
    back: Option<PostLogoutRedirect>,
}

/// Where the person is awaited: an address that this client registered, with its `state`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PostLogoutRedirect {
    pub client: ClientId,
    /// As it is registered, and looked for again before the browser is led there. Release 0.1.0 did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<String>,
    pub location: String,
}

/// What the page after a sign-out shows and does.
#[derive(Debug, Default)]
pub struct FrontChannelLogout {
    pub frames: Vec<Url>,
    pub back: Option<(Arc<Client>, String)>,
}

/// The sealed part of the page's address; `None` where no application is to be told in this browser.
pub(crate) async fn seal(
    call: &Call,
    (browser, at): (BrowserId, Timestamp),
    sessions: Vec<SessionId>,
    back: Option<PostLogoutRedirect>,
) -> Result<Option<String>, FlowError> {
    if frames(call, &sessions).await?.is_empty() {
        return Ok(None);
    }
    let plain = serde_json::to_vec(&FrontChannelLogoutState { browser, at, sessions, back });
    let plain = plain.map_err(|_| FlowError::Broken("the page after a sign-out"))?;
    let sealed = call.keyring().sealer(KeyPurpose::InteractionSeal).seal(call.random(), AAD, &plain);
    Ok(Some(URL_SAFE_NO_PAD.encode(sealed)))
}

/// If the sealed state cannot be opened, the page says only "signed out".
#[tracing::instrument(name = "front_channel_logout", skip_all)]
pub async fn open(visit: &Visit, sealed: &str) -> Result<FrontChannelLogout, FlowError> {
    let Some(parting) = unseal(visit, sealed) else { return Ok(FrontChannelLogout::default()) };
    if parting.browser != visit.browser.id || visit.now.duration_since(parting.at) > LIFETIME {
        return Ok(FrontChannelLogout::default());
    }
    let snapshot = visit.snapshot();
    let back = parting.back.and_then(|back| {
        let client = snapshot.clients.get(&back.client)?;
        if let Some(uri) = &back.registered {
            client.metadata.find_post_logout_redirect_uri(uri)?;
        }
        Some((Arc::clone(client), back.location))
    });
    Ok(FrontChannelLogout { frames: frames(visit, &parting.sessions).await?, back })
}

fn unseal(call: &Call, sealed: &str) -> Option<FrontChannelLogoutState> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = call.keyring().sealer(KeyPurpose::InteractionSeal).open(AAD, &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// One for each application and session that it was signed in from.
async fn frames(call: &Call, sessions: &[SessionId]) -> Result<Vec<Url>, FlowError> {
    let snapshot = call.snapshot();
    let mut frames = Vec::new();
    if !snapshot.clients.iter().any(|client| client.metadata.frontchannel_logout_uri.is_some()) {
        return Ok(frames);
    }
    for participant in call.store().clients_of_sessions(sessions).await? {
        let Some(client) = snapshot.clients.get(&participant.client) else { continue };
        let Some(uri) = &client.metadata.frontchannel_logout_uri else { continue };
        let Some(kind) = logout_subject_kind(call, client, participant.subject_kind.as_ref()) else {
            continue;
        };
        let sid = sid_of_kind(call, &kind, participant.session);
        let frame = front_channel_location(uri, &snapshot.issuer, &sid);
        // A session that spans an upgrade has grants with a kind and without.
        if !frames.contains(&frame) {
            frames.push(frame);
        }
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While an installation is upgraded, a node of one release opens what one of the other has sealed.
    #[test]
    fn the_page_after_a_sign_out_is_read_as_release_0_1_0_sealed_it() {
        let stored = serde_json::json!({
            "browser": "00000000-0000-0000-0000-000000000002",
            "at": "2027-01-04T08:00:00.123Z",
            "sessions": ["00000000-0000-0000-0000-000000000008"],
            "back": { "client": "web", "location": "https://web.example/bye?state=1" },
        });
        let mut of_a_later_release = stored.clone();
        of_a_later_release["more"] = 1.into();
        let parting: FrontChannelLogoutState = serde_json::from_value(of_a_later_release).unwrap();
        assert_eq!(serde_json::to_value(&parting).unwrap(), stored);
    }
}
