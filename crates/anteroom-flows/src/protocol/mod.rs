//! The endpoints that clients use, and the answers to authorization requests.
//!
//! ```text
//!   /par ──────► client_authentication ─► par ─► (a browser comes) ─► interaction
//!   interaction ─► authorization_response ─► authorization_code, hybrid
//!   /token ────► client_authentication ─► token ─► authorization code, refresh token, client credentials ─► mint
//!   /userinfo, /introspect, /revoke ─► access_token, which checks the token against its grant as it is now
//!   /end-session ─► end_session ─► sign_out ─► front_channel;  backchannel delivers queued logout tokens
//!   /clients ─► registration;  request_object ─► request_uri, client_keys ─► fetched keys
//! ```

pub(crate) mod access_token;
pub mod authorization_code;
pub mod authorization_response;
pub mod backchannel;
pub mod client_authentication;
pub mod client_keys;
pub mod end_session;
pub(crate) mod established_client;
pub mod front_channel;
pub(crate) mod hybrid;
pub(crate) mod id_token_hint;
pub mod introspect;
pub mod par;
pub mod registration;
pub(crate) mod request_object;
pub(crate) mod request_uri;
pub mod revoke;
pub mod sector;
pub(crate) mod session_state;
pub mod sign_out;
pub(crate) mod subject;
pub mod token;
pub(crate) mod token_encryption;
pub mod userinfo;
