//! An error on its way back to an application that no person here has agreed to.
//!
//! Where clients register themselves without the operator, each of them is an address of its own choice, and a request that
//! is wrong in any way would lead straight there: an open redirector under this provider's name. So, until a person who is
//! signed in has agreed to such a client, its errors wait on a page that names the host (RFC 9700 §4.11.2). `prompt=none`
//! shows no page by its nature and is excepted there. A person who is signed in has been authenticated, and the error goes
//! on as RFC 6749 §4.1.2.1 has it.

use anteroom_oidc::ClientId;
use anteroom_oidc::response::{AuthorizationResponse, ResponseTarget};

use crate::error::FlowError;
use crate::provider::Provider;
use crate::visitor::{Visitor, live_sessions};

/// The error, and where it would go.
#[derive(Debug)]
pub struct ErrorReturn {
    /// A host or, of a native app, a scheme.
    pub host: String,
    pub response: AuthorizationResponse,
}

/// Who is told of an error, and whether the request lets us ask.
pub(crate) struct Told<'a> {
    pub(crate) client: Option<&'a ClientId>,
    /// `prompt=none`.
    pub(crate) silent: bool,
    pub(crate) target: &'a ResponseTarget,
}

impl Told<'_> {
    /// The error, to wait on a page. `Err`: it goes to the application at once.
    pub(crate) async fn first(
        &self,
        provider: &Provider,
        visitor: &Visitor,
        response: AuthorizationResponse,
    ) -> Result<Result<ErrorReturn, AuthorizationResponse>, FlowError> {
        if self.silent
            || self.is_known(provider).await?
            || !live_sessions(provider, visitor).await?.is_empty()
        {
            return Ok(Err(response));
        }
        Ok(Ok(ErrorReturn { host: self.target.redirect_uri.belongs_to(), response }))
    }

    /// By the operator or by a person who has agreed to it. Two rows by their keys at the most, and nothing that a stranger
    /// does writes either.
    async fn is_known(&self, provider: &Provider) -> Result<bool, FlowError> {
        let Some(client) = self.client else { return Ok(false) };
        if provider.snapshot().clients.is_configured(client) {
            return Ok(true);
        }
        let registered = provider.store.registered_client(client).await?;
        if registered.is_some_and(|client| client.with_initial_token) {
            return Ok(true);
        }
        Ok(provider.store.is_agreed_to(client).await?)
    }
}
