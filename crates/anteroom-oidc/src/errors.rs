//! The error codes of each endpoint, one enum for each, so that no endpoint can answer with another's.

use std::borrow::Cow;

use serde::Serialize;
use thiserror::Error;

use crate::{
    form::Repeated,
    protocol_values::{Issuer, ScopeSet},
    wire::wire_enum,
};

wire_enum! {
    /// RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6, RFC 8707 §2, Unmet Authentication Requirements §2.
    pub enum AuthorizationErrorCode("an error code of the authorization endpoint") {
        InvalidRequest = "invalid_request",
        UnauthorizedClient = "unauthorized_client",
        AccessDenied = "access_denied",
        UnsupportedResponseType = "unsupported_response_type",
        InvalidScope = "invalid_scope",
        ServerError = "server_error",
        TemporarilyUnavailable = "temporarily_unavailable",
        InteractionRequired = "interaction_required",
        LoginRequired = "login_required",
        AccountSelectionRequired = "account_selection_required",
        ConsentRequired = "consent_required",
        InvalidRequestUri = "invalid_request_uri",
        InvalidRequestObject = "invalid_request_object",
        RequestNotSupported = "request_not_supported",
        RequestUriNotSupported = "request_uri_not_supported",
        RegistrationNotSupported = "registration_not_supported",
        InvalidTarget = "invalid_target",
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
    }
}

wire_enum! {
    /// RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 8707 §2.
    pub enum TokenErrorCode("an error code of the token endpoint") {
        InvalidRequest = "invalid_request",
        InvalidClient = "invalid_client",
        InvalidGrant = "invalid_grant",
        UnauthorizedClient = "unauthorized_client",
        UnsupportedGrantType = "unsupported_grant_type",
        InvalidScope = "invalid_scope",
        InvalidTarget = "invalid_target",
        UnsupportedTokenType = "unsupported_token_type",
    }
}

wire_enum! {
    /// RFC 7591 §3.2.2.
    pub enum RegistrationErrorCode("an error code of client registration") {
        InvalidRedirectUri = "invalid_redirect_uri",
        InvalidClientMetadata = "invalid_client_metadata",
    }
}

/// The JSON of an error response (RFC 6749 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    pub error: &'static str,
    pub error_description: Cow<'static, str>,
}

/// A refusal by the token, revocation or introspection endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{code}: {description}")]
pub struct TokenError {
    pub code: TokenErrorCode,
    /// Fixed text: nothing that was received goes back on the wire.
    pub description: &'static str,
}

impl TokenError {
    pub const fn new(code: TokenErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::new(TokenErrorCode::InvalidRequest, description)
    }

    pub const fn status(self) -> u16 {
        match self.code {
            TokenErrorCode::InvalidClient => 401,
            _ => 400,
        }
    }

    pub const fn body(self) -> ErrorBody {
        ErrorBody { error: self.code.as_str(), error_description: Cow::Borrowed(self.description) }
    }

    /// RFC 6749 §5.2 wants it where the client tried Basic, RFC 9110 §15.5.2 with every 401.
    pub fn www_authenticate(self, issuer: &Issuer) -> Option<String> {
        (self.status() == 401).then(|| format!("Basic realm=\"{issuer}\", charset=\"UTF-8\""))
    }
}

impl From<Repeated> for TokenError {
    fn from(_: Repeated) -> Self {
        Self::invalid_request("a parameter is given more than once")
    }
}

/// A refusal by a resource that takes bearer tokens, such as userinfo (RFC 6750 §3).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BearerError {
    /// RFC 6750 §3.1: without any authentication information there is no error code either.
    #[error("no access token was presented")]
    NoToken,
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("{0}")]
    InvalidToken(&'static str),
    #[error("the access token lacks the scope {0}")]
    InsufficientScope(ScopeSet),
}

impl BearerError {
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoToken | Self::InvalidToken(_) => 401,
            Self::InvalidRequest(_) => 400,
            Self::InsufficientScope(_) => 403,
        }
    }

    /// The value of `WWW-Authenticate`. An issuer has no quote or backslash, so that it needs no escaping.
    pub fn www_authenticate(&self, issuer: &Issuer) -> String {
        let challenge = format!("Bearer realm=\"{issuer}\"");
        let with = |error: &str, description: &str| {
            format!("{challenge}, error=\"{error}\", error_description=\"{description}\"")
        };
        match self {
            Self::NoToken => challenge,
            Self::InvalidRequest(description) => with("invalid_request", description),
            Self::InvalidToken(description) => with("invalid_token", description),
            Self::InsufficientScope(scope) => {
                let description = "the access token lacks a scope";
                format!("{}, scope=\"{scope}\"", with("insufficient_scope", description))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        Issuer::parse("https://id.example").unwrap()
    }

    #[test]
    fn rfc6749_5_2_only_invalid_client_is_401_and_challenges() {
        for code in TokenErrorCode::ALL {
            let error = TokenError::new(*code, "why");
            let is_client = *code == TokenErrorCode::InvalidClient;
            assert_eq!(error.status(), if is_client { 401 } else { 400 });
            assert_eq!(error.www_authenticate(&issuer()).is_some(), is_client);
        }
        let body = TokenError::new(TokenErrorCode::InvalidGrant, "the code has expired").body();
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"error":"invalid_grant","error_description":"the code has expired"}"#
        );
    }

    #[test]
    fn rfc6750_3_challenges() {
        for (error, status, challenge) in [
            (BearerError::NoToken, 401, r#"Bearer realm="https://id.example""#),
            (
                BearerError::InvalidToken("the token has expired"),
                401,
                r#"Bearer realm="https://id.example", error="invalid_token", error_description="the token has expired""#,
            ),
            (
                BearerError::InsufficientScope("openid".parse().unwrap()),
                403,
                r#"Bearer realm="https://id.example", error="insufficient_scope", error_description="the access token lacks a scope", scope="openid""#,
            ),
        ] {
            assert_eq!(error.status(), status);
            assert_eq!(error.www_authenticate(&issuer()), challenge);
        }
        assert_eq!(BearerError::InvalidRequest("x").status(), 400);
    }
}
