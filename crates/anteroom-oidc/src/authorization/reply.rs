//! Where a request is answered, and what the answer consists of.

use serde::{Deserialize, Serialize};

use crate::{
    errors::AuthorizationErrorCode,
    pkce::CodeChallenge,
    protocol_values::{Issuer, RedirectUri, ResponseMode, ResponseType, State},
    response::{AuthorizationResponse, ResponseTarget},
};

/// Where a request is answered. A grant whose client is not at the person's browser (RFC 8628, CIBA) adds a variant, and the
/// compiler names each place that has to know it. Stored without a tag: the members of the variants differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ResponseDelivery {
    /// RFC 6749 §4.1.2: at a redirect URI of the client, in the browser that brought the request.
    Redirect(RedirectDelivery),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectDelivery {
    /// As requested, so with the port that a native app listens on.
    pub redirect_uri: RedirectUri,
    /// RFC 6749 §4.1.3: a redirect URI that was given must be given again at the token endpoint.
    pub redirect_uri_given: bool,
    pub response_type: ResponseType,
    pub response_mode: ResponseMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// RFC 7636 §4.3: of the code in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
}

impl ResponseDelivery {
    /// The error response (RFC 6749 §4.1.2.1).
    pub fn error(
        &self,
        issuer: &Issuer,
        code: AuthorizationErrorCode,
        description: &'static str,
    ) -> AuthorizationResponse {
        let Self::Redirect(reply) = self;
        reply.target().error(issuer, code, description)
    }

    /// Where an answer goes and in what form, without what ties it to the request (`state`, `code_challenge`).
    #[must_use]
    pub fn target_only(&self) -> Self {
        let Self::Redirect(reply) = self;
        Self::Redirect(RedirectDelivery { state: None, code_challenge: None, ..reply.clone() })
    }
}

impl RedirectDelivery {
    pub fn target(&self) -> ResponseTarget {
        ResponseTarget {
            redirect_uri: self.redirect_uri.clone(),
            response_mode: self.response_mode,
            state: self.state.clone(),
        }
    }
}
