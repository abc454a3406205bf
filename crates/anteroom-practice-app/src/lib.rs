//! A small application of a practice, signed in to over OpenID Connect.
//!
//! It stands behind each tile of the demo (Schedule, Patient Forms, Secure Mail, Imaging, Analytics) and is a
//! relying party like any other: it knows its provider by the issuer alone, learns everything else from
//! discovery, and shares no code with Anteroom.
//!
//! ```text
//! GET /                     session? -> the greeting          none? -> the provider's authorization endpoint
//! GET /callback             state, iss, code -> tokens -> ID token, userinfo -> session -> GET /
//! GET /initiate-login       iss, login_hint, target_link_uri -> the provider's authorization endpoint
//! POST /sign-out            ends the session -> the provider's end-session endpoint -> GET /signed-out
//! POST /backchannel-logout  logout token -> ends the sessions it names
//! GET /frontchannel-logout  iss, sid -> ends the sessions it names
//! ```
//!
//! Invariants: a sign-in is finished only in the browser that began it; every error ends on a page, never on
//! another redirect to the provider, so nothing can loop; all state is in memory, bounded, and expires.

mod claims;
mod clock;
mod config;
mod cookies;
mod http_client;
mod logout;
mod pages;
mod problem;
mod provider;
mod relying_party;
mod routes;
mod sessions;
mod shelf;
mod sign_ins;
#[cfg(test)]
mod test_tokens;

pub use clock::Clock;
pub use config::{PracticeAppConfig, Registration, Screen, UnknownSlug};
pub use openidconnect::{ClientId, ClientSecret, IssuerUrl};
pub use routes::{StartError, router, serve};
