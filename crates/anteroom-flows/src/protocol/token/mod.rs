//! `POST /token` (RFC 6749 §3.2). This file has what all grant types share: the client has authenticated and must be registered
//! for the grant type, and errors are mapped in one table. Each grant type has a file of its own.

mod client_credentials;
mod code;
pub(crate) mod end_grant;
pub mod mint;
pub mod refresh;
mod repeat;

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::authorization_code::CodeRefusal;
use anteroom_domain::client::Client;
use anteroom_domain::grant::InvalidGrantReason;
use anteroom_oidc::GrantType;
use anteroom_oidc::errors::TokenErrorCode;
use anteroom_oidc::protocol_values::contains_comma;
use anteroom_oidc::token::{TokenRequest, TokenResponse};

use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::call::Call;
use crate::context::refusals::record_refusal;
use crate::error::FlowError;

/// Why a token request is refused, for the log and the audit trail. The client gets [`TokenRequestError::code`].
#[derive(Debug, thiserror::Error)]
pub enum TokenRequestError {
    #[error("client is not registered for the grant type {0}: it must be in its grant_types")]
    GrantNotAllowed(GrantType),
    #[error("the code is not one that was given to this client")]
    UnknownCode,
    #[error("the code was used before")]
    CodeReplayed,
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    #[error("the refresh token is not one that was given to this client")]
    UnknownRefreshToken,
    #[error("the refresh token has expired")]
    RefreshExpired,
    #[error("the refresh token was used again after its successor, or too often")]
    RefreshReplayed,
    #[error("the refresh token is one that the database has not handed out: commits were lost")]
    UnknownGeneration,
    #[error(transparent)]
    InvalidGrant(#[from] InvalidGrantReason),
    #[error("scope {0:?} is not one that the client may have here")]
    Scope(String),
    #[error("resource {0:?} is not one that the client may have tokens for")]
    Resource(String),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl TokenRequestError {
    /// The error code for the client (RFC 6749 §5.2, RFC 8707 §2). `None`: the request is not at fault.
    pub const fn code(&self) -> Option<TokenErrorCode> {
        match self {
            Self::GrantNotAllowed(_) => Some(TokenErrorCode::UnauthorizedClient),
            Self::UnknownCode
            | Self::CodeReplayed
            | Self::Code(_)
            | Self::UnknownRefreshToken
            | Self::RefreshExpired
            | Self::RefreshReplayed
            | Self::UnknownGeneration
            | Self::InvalidGrant(_) => Some(TokenErrorCode::InvalidGrant),
            Self::Scope(_) => Some(TokenErrorCode::InvalidScope),
            Self::Resource(_) => Some(TokenErrorCode::InvalidTarget),
            Self::Flow(_) => None,
        }
    }
}

impl TokenRequestError {
    /// The `error_description` for the client: fixed text, which discloses nothing that the client does not know.
    pub fn description(&self) -> &'static str {
        match self {
            Self::GrantNotAllowed(_) => {
                "the client is not registered for this grant type: it must be in its grant_types"
            }
            Self::UnknownCode | Self::CodeReplayed | Self::Code(_) => {
                "the authorization code is not valid, or does not fit the request"
            }
            Self::UnknownRefreshToken
            | Self::RefreshExpired
            | Self::RefreshReplayed
            | Self::UnknownGeneration
            | Self::InvalidGrant(_) => "the refresh token is not valid any more",
            Self::Scope(beyond) if contains_comma(beyond) => {
                "the scope goes beyond what the client was granted, or is registered for; scopes are separated by spaces, not by commas"
            }
            Self::Scope(_) => "the scope goes beyond what the client was granted, or is registered for",
            Self::Resource(_) => "the resource is not one that the client may have tokens for",
            Self::Flow(_) => "internal error",
        }
    }
}

impl From<anteroom_storage::StoreError> for TokenRequestError {
    fn from(error: anteroom_storage::StoreError) -> Self {
        Self::Flow(error.into())
    }
}

/// The context of a token request: what a grant type needs besides its parameters.
pub(crate) struct TokenRequestContext<'a> {
    pub call: &'a Call,
    pub client: &'a Client,
}

#[tracing::instrument(skip_all)]
pub async fn handle_token_request(
    call: &Call,
    client: &AuthenticatedClient,
    request: TokenRequest,
) -> Result<TokenResponse, TokenRequestError> {
    // The client's keys may have been fetched for its authentication.
    let call = &call.at_present();
    let exchange = TokenRequestContext { call, client: client.client() };
    let result = exchange.grant(request).await;
    if let Err(error) = &result
        && error.code().is_some()
    {
        let event = Event::TokenRefused { reason: error.to_string() };
        let entry = exchange.call.entry(Actor::Client, event).by_client(exchange.client.id());
        record_refusal(call, entry).await?;
    }
    result
}

impl TokenRequestContext<'_> {
    async fn grant(&self, request: TokenRequest) -> Result<TokenResponse, TokenRequestError> {
        let grant_type = request.grant_type();
        if !self.client.metadata.allows_grant(grant_type) {
            return Err(TokenRequestError::GrantNotAllowed(grant_type));
        }
        match request {
            TokenRequest::AuthorizationCode(request) => code::redeem(self, request).await,
            TokenRequest::RefreshToken(request) => refresh::refresh(self, request).await,
            TokenRequest::ClientCredentials(request) => client_credentials::issue(self, &request),
        }
    }
}
