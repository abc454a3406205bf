use thiserror::Error;

use super::Parameter;
use crate::{
    errors::AuthorizationErrorCode,
    names::Issuer,
    response::{AuthorizationResponse, ResponseTarget},
    wire::shorten,
};

/// Why an authorization request was refused.
///
/// The wire gets `code` and the fixed `description`; `parameter`, `received` and `registered` are for the operator's
/// log, so that a mistake in a client's setup is found by reading one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {description} ({parameter}: received {received:?}, registered {registered:?})")]
pub struct AuthorizationError {
    pub code: AuthorizationErrorCode,
    pub description: &'static str,
    pub parameter: Parameter,
    pub received: Option<String>,
    pub registered: Option<String>,
    pub disposition: Disposition,
}

/// RFC 6749 §4.1.2.1: who gets to see the error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The person, on a page: client or redirect URI are not known good.
    Page,
    /// The client, at its redirect URI.
    Redirect(Box<ResponseTarget>),
}

impl AuthorizationError {
    /// The response to the client, unless the error belongs on a page.
    pub fn response(&self, issuer: &Issuer) -> Option<AuthorizationResponse> {
        match &self.disposition {
            Disposition::Page => None,
            Disposition::Redirect(target) => Some(target.error(issuer, self.code, self.description)),
        }
    }
}

/// What one rule says against a request, before it is known who is told.
#[derive(Debug)]
pub(super) struct Refusal {
    code: AuthorizationErrorCode,
    description: &'static str,
    parameter: Parameter,
    received: Option<String>,
    registered: Option<String>,
}

impl Refusal {
    pub(super) fn new(code: AuthorizationErrorCode, parameter: Parameter, description: &'static str) -> Self {
        Self { code, description, parameter, received: None, registered: None }
    }

    pub(super) fn invalid_request(parameter: Parameter, description: &'static str) -> Self {
        Self::new(AuthorizationErrorCode::InvalidRequest, parameter, description)
    }

    pub(super) fn received(mut self, text: &str) -> Self {
        self.received = Some(shorten(text));
        self
    }

    pub(super) fn registered<T: ToString>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        let listed: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        self.registered = Some(listed.join(", "));
        self
    }

    pub(super) fn on_page(self) -> AuthorizationError {
        self.with(Disposition::Page)
    }

    pub(super) fn back_to(self, target: ResponseTarget) -> AuthorizationError {
        self.with(Disposition::Redirect(Box::new(target)))
    }

    fn with(self, disposition: Disposition) -> AuthorizationError {
        let Self { code, description, parameter, received, registered } = self;
        AuthorizationError { code, description, parameter, received, registered, disposition }
    }
}
