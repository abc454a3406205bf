//! An error response to a self-registered client that no account has consented to.
//!
//! A self-registered client can register any redirect URI, and any wrong request would redirect there: an open redirector under this
//! provider's name. So, until an account has consented to such a client, its errors are first shown on a page that names the host
//! (RFC 9700 §4.11.2). `prompt=none` allows no page, so that its errors are redirected, and so are those in a browser in which an
//! account is signed in (RFC 6749 §4.1.2.1).

use anteroom_oidc::ClientId;
use anteroom_oidc::response::{AuthorizationResponse, ResponseTarget};

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::protocol::established_client::is_established_client;
use crate::sessions::browser_sessions::active_sessions;

/// The page with the error, and the response that its link sends.
#[derive(Debug)]
pub struct ErrorReturn {
    /// The host of the redirect URI or, for a native app, its scheme.
    pub host: String,
    pub response: AuthorizationResponse,
    /// `ui_locales` of the request, for the page.
    pub ui_locales: Vec<String>,
}

/// Where an error is sent first.
pub(crate) enum ErrorRoute {
    Page(ErrorReturn),
    Application(AuthorizationResponse),
}

/// The client that an error is for, and what its request says about a page.
pub(crate) struct ErrorTarget<'a> {
    pub(crate) client: Option<&'a ClientId>,
    /// `prompt=none`.
    pub(crate) silent: bool,
    pub(crate) ui_locales: Vec<String>,
    pub(crate) target: &'a ResponseTarget,
}

impl ErrorTarget<'_> {
    pub(crate) async fn route(
        self,
        visit: &Visit,
        response: AuthorizationResponse,
    ) -> Result<ErrorRoute, FlowError> {
        if self.silent || self.is_established(visit).await? || !active_sessions(visit).await?.is_empty() {
            return Ok(ErrorRoute::Application(response));
        }
        let host = self.target.redirect_uri.display_host();
        Ok(ErrorRoute::Page(ErrorReturn { host, response, ui_locales: self.ui_locales }))
    }

    async fn is_established(&self, call: &Call) -> Result<bool, FlowError> {
        match self.client {
            Some(client) => is_established_client(call, client).await,
            None => Ok(false),
        }
    }
}
