//! An error response to a self-registered client that no account has consented to.
//!
//! Where clients register themselves without the operator, each of them is an address of its own choice, and a request that
//! is wrong in any way would lead straight there: an open redirector under this provider's name. So, until an account has
//! consented to such a client, its errors wait on a page that names the host (RFC 9700 §4.11.2). `prompt=none` shows no page
//! by its nature and is excepted there. A person who is signed in has been authenticated, and the error goes on as RFC 6749
//! §4.1.2.1 has it.

use anteroom_oidc::ClientId;
use anteroom_oidc::response::{AuthorizationResponse, ResponseTarget};

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::protocol::known_client::is_established_client;
use crate::sessions::browser_sessions::active_sessions;

/// The error, and where it would go.
#[derive(Debug)]
pub struct ErrorReturn {
    /// A host or, of a native app, a scheme.
    pub host: String,
    pub response: AuthorizationResponse,
    /// Of the request, for the page.
    pub ui_locales: Vec<String>,
}

/// Where an error goes first.
pub(crate) enum ErrorRoute {
    Page(ErrorReturn),
    Application(AuthorizationResponse),
}

/// Which application an error is for, and what its request says of a page.
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
        if self.silent || self.is_known(visit).await? || !active_sessions(visit).await?.is_empty() {
            return Ok(ErrorRoute::Application(response));
        }
        let host = self.target.redirect_uri.display_host();
        Ok(ErrorRoute::Page(ErrorReturn { host, response, ui_locales: self.ui_locales }))
    }

    async fn is_known(&self, call: &Call) -> Result<bool, FlowError> {
        match self.client {
            Some(client) => is_established_client(call, client).await,
            None => Ok(false),
        }
    }
}
