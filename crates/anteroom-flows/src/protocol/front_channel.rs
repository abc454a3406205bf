//! Notifies applications in the browser that a session has ended (OpenID Connect Front-Channel Logout 1.0 §2, §3): the page after
//! a sign-out loads a logout address of each application in a frame, and then redirects to the `post_logout_redirect_uri`.
//!
//! The address of that page has its state, sealed, so that a forged link loads no frames and redirects nowhere. The state can be
//! opened only in the browser that signed out, and only for two minutes. The applications and their logout addresses are looked
//! up when the page is shown.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::client::Client;
use anteroom_domain::ids::{BrowserId, SessionId};
use anteroom_oidc::ClientId;
use anteroom_oidc::logout::front_channel_location;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use url::Url;

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::protocol::subject::{logout_subject_kind, sid_of_kind};

const AAD: &[u8] = b"signed out";
/// A page that is opened again later notifies no application again: the person may have signed in since.
const LIFETIME: SignedDuration = SignedDuration::from_mins(2);

#[derive(Serialize, Deserialize)]
struct FrontChannelLogoutState<'a> {
    browser: BrowserId,
    at: Timestamp,
    sessions: Vec<SessionId>,
    back: Option<PostLogoutRedirect<'a>>,
}

/// Where the person is redirected after a sign-out: an address that this client registered, with the request's `state`.
#[derive(Debug, Serialize, Deserialize)]
pub struct PostLogoutRedirect<'a> {
    pub client: Cow<'a, ClientId>,
    /// The address as it is registered. It must still be registered when the browser is redirected. Release 0.1.0 did not
    /// store it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Cow<'a, str>>,
    pub location: String,
}

/// The frames of the page after a sign-out, and its redirect.
#[derive(Debug, Default)]
pub struct FrontChannelLogout<'a> {
    pub frames: Vec<Url>,
    pub back: Option<(&'a Client, String)>,
}

/// Where the browser goes after a sign-out.
#[derive(Debug)]
pub enum AfterSignOut {
    /// To the page that notifies applications in this browser, with this sealed state, which has the redirect as well.
    FrontChannelPage(String),
    /// To the application that asked for the sign-out.
    Application(String),
    /// Nowhere else: the page says that the person has signed out.
    Here,
}

/// What follows the sign-out from these sessions. `browser` is the browser's identifier after the sign-out.
pub(crate) async fn after_sign_out(
    call: &Call,
    browser: BrowserId,
    sessions: Vec<SessionId>,
    back: Option<PostLogoutRedirect<'_>>,
) -> Result<AfterSignOut, FlowError> {
    if frames(call, &sessions).await?.is_empty() {
        return Ok(back.map_or(AfterSignOut::Here, |back| AfterSignOut::Application(back.location)));
    }
    let plain = serde_json::to_vec(&FrontChannelLogoutState { browser, at: call.now, sessions, back });
    let plain = plain.map_err(|_| FlowError::Inconsistent("the page after a sign-out"))?;
    let sealed = call.keyring().sealer(KeyPurpose::InteractionSeal).seal(call.random(), AAD, &plain);
    Ok(AfterSignOut::FrontChannelPage(URL_SAFE_NO_PAD.encode(sealed)))
}

/// Where the sealed state cannot be opened, or is of another browser or too old, the page says only "signed out".
#[tracing::instrument(name = "front_channel_logout", skip_all)]
pub async fn open<'a>(visit: &'a Visit, sealed: &str) -> Result<FrontChannelLogout<'a>, FlowError> {
    let Some(state) = unseal(visit, sealed) else { return Ok(FrontChannelLogout::default()) };
    if state.browser != visit.browser.id || visit.now.duration_since(state.at) > LIFETIME {
        return Ok(FrontChannelLogout::default());
    }
    let snapshot = visit.snapshot();
    let back = state.back.and_then(|back| {
        let client = snapshot.clients.get(&back.client)?;
        if let Some(uri) = &back.registered {
            client.metadata.find_post_logout_redirect_uri(uri)?;
        }
        Some((&**client, back.location))
    });
    Ok(FrontChannelLogout { frames: frames(visit, &state.sessions).await?, back })
}

fn unseal(call: &Call, sealed: &str) -> Option<FrontChannelLogoutState<'static>> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = call.keyring().sealer(KeyPurpose::InteractionSeal).open(AAD, &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// One logout address for each application and session that it was used in.
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
        // A session from before an upgrade has grants with a kind of subject and without.
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
        let mut stored = serde_json::json!({
            "browser": "00000000-0000-0000-0000-000000000002",
            "at": "2027-01-04T08:00:00.123Z",
            "sessions": ["00000000-0000-0000-0000-000000000008"],
            "back": { "client": "web", "location": "https://web.example/bye?state=1" },
        });
        // A later release may add members.
        stored["more"] = 1.into();
        let state = FrontChannelLogoutState::deserialize(&stored).unwrap();
        stored.as_object_mut().unwrap().remove("more");
        assert_eq!(serde_json::to_value(&state).unwrap(), stored);
    }
}
