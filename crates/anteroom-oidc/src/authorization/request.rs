//! An authorization request that kept every rule: what is asked, and where it is answered.

use serde::{Deserialize, Serialize};

use super::{RequestContent, ResponseDelivery};

/// Small when serialised, since it travels sealed in pages: what is absent is not written. It is stored as one flat JSON object
/// with the members of both parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    #[serde(flatten)]
    pub ask: RequestContent,
    #[serde(flatten)]
    pub reply: ResponseDelivery,
}

impl AuthorizationRequest {
    /// The client, and where and how it is answered.
    #[must_use]
    pub fn response_target_only(&self) -> Self {
        Self {
            ask: RequestContent::of_client_only(self.ask.client_id.clone()),
            reply: self.reply.target_only(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::testing::{accepted, request_with};

    #[test]
    fn a_request_survives_being_stored() {
        let request = accepted(&request_with(&[
            ("state", "a \"b\" ü"),
            ("nonce", "n"),
            ("prompt", "login consent"),
            ("max_age", "0"),
            ("claims", r#"{"userinfo":{"email":{"essential":true}}}"#),
            ("ui_locales", "es-MX en"),
            ("id_token_hint", "e30.e30.c2ln"),
        ]));
        let stored = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<AuthorizationRequest>(&stored).unwrap(), request);
        let plain = serde_json::to_string(&accepted(&request_with(&[]))).unwrap();
        assert!(plain.len() < 320, "{plain}");
    }
}
