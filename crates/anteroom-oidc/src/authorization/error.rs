use std::fmt;

use super::Parameter;
use crate::{
    display_text::shorten,
    errors::AuthorizationErrorCode,
    protocol_values::Issuer,
    response::{AuthorizationResponse, ResponseTarget},
};

/// Why an authorization request was refused.
///
/// The wire gets `code` and the fixed `description`; `parameter`, `received` and `registered` are for the operator's
/// log, so that a mistake in a client's setup is found by reading one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationError {
    pub code: AuthorizationErrorCode,
    pub description: &'static str,
    pub parameter: Parameter,
    pub received: Option<String>,
    pub registered: Option<String>,
    pub destination: ErrorDestination,
}

impl std::error::Error for AuthorizationError {}

impl fmt::Display for AuthorizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, description, parameter, received, registered, .. } = self;
        write!(f, "{code}: {description}")?;
        match (received, registered) {
            (None, None) => write!(f, " ({parameter})"),
            (Some(received), None) => write!(f, " ({parameter}: received {received:?})"),
            (None, Some(registered)) => write!(f, " ({parameter}: registered {registered:?})"),
            (Some(received), Some(registered)) => {
                write!(f, " ({parameter}: received {received:?}, registered {registered:?})")
            }
        }
    }
}

/// RFC 6749 §4.1.2.1: who gets to see the error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorDestination {
    /// The person, on a page: client or redirect URI are not known good.
    Page,
    /// The client, at its redirect URI.
    Redirect(Box<ResponseTarget>),
}

impl AuthorizationError {
    /// The response to the client, unless the error belongs on a page.
    pub fn response(&self, issuer: &Issuer) -> Option<AuthorizationResponse> {
        match &self.destination {
            ErrorDestination::Page => None,
            ErrorDestination::Redirect(target) => Some(target.error(issuer, self.code, self.description)),
        }
    }
}

/// What one rule says against a request, before it is known who is told.
#[derive(Debug)]
pub(super) struct RuleViolation {
    code: AuthorizationErrorCode,
    description: &'static str,
    parameter: Parameter,
    received: Option<String>,
    registered: Option<String>,
}

impl RuleViolation {
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
        self.with(ErrorDestination::Page)
    }

    pub(super) fn back_to(self, target: ResponseTarget) -> AuthorizationError {
        self.with(ErrorDestination::Redirect(Box::new(target)))
    }

    fn with(self, destination: ErrorDestination) -> AuthorizationError {
        let Self { code, description, parameter, received, registered } = self;
        AuthorizationError { code, description, parameter, received, registered, destination }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_reads_what_was_received_and_what_is_registered() {
        let refusal = || RuleViolation::invalid_request(Parameter::RedirectUri, "not registered");
        for (refusal, line) in [
            (refusal(), "invalid_request: not registered (redirect_uri)"),
            (refusal().received("x"), "invalid_request: not registered (redirect_uri: received \"x\")"),
            (
                refusal().registered(["y", "z"]),
                "invalid_request: not registered (redirect_uri: registered \"y, z\")",
            ),
            (
                refusal().received("x").registered(["y", "z"]),
                "invalid_request: not registered (redirect_uri: received \"x\", registered \"y, z\")",
            ),
            (
                refusal().received("x\n\u{1b}[31m"),
                "invalid_request: not registered (redirect_uri: received \"x\\n\\u{1b}[31m\")",
            ),
        ] {
            assert_eq!(refusal.on_page().to_string(), line);
        }
    }
}
