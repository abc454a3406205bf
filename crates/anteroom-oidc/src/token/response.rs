use std::fmt;

use jiff::{SignedDuration, Timestamp, fmt::serde::timestamp::second};
use serde::{Serialize, Serializer};

use crate::{
    jwt::AccessTokenClaims,
    protocol_values::{Acr, AmrSet, ClientId, Issuer, ScopeSet, Subject},
    wire::wire_enum,
};

wire_enum! {
    /// RFC 6749 §7.1, RFC 6750.
    pub enum TokenType("a token type of this provider") {
        Bearer = "Bearer",
    }
}

/// RFC 6749 §5.1, OpenID Connect Core §3.1.3.3. It holds live credentials, so it does not print.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: TokenType,
    #[serde(serialize_with = "whole_seconds")]
    pub expires_in: SignedDuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Always said, which RFC 6749 §5.1 allows, so that no client has to guess what it got.
    pub scope: ScopeSet,
}

fn whole_seconds<S: Serializer>(duration: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(duration.as_secs())
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// RFC 7662 §2.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum IntrospectionResponse {
    /// Unknown, expired, revoked, or not meant for the caller; the response does not say which (RFC 7662 §2.2).
    Inactive(Inactive),
    Active(Box<ActiveToken>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Inactive {
    active: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActiveToken {
    active: bool,
    #[serde(flatten)]
    pub claims: IntrospectedClaims,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IntrospectedClaims {
    pub iss: Issuer,
    pub sub: Subject,
    pub client_id: ClientId,
    /// A human-readable identifier of the person (RFC 7662 §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<String>,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    pub scope: ScopeSet,
    /// Only an access token has a type to be used with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<TokenType>,
    #[serde(with = "second::required")]
    pub exp: Timestamp,
    #[serde(with = "second::required")]
    pub iat: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// RFC 9470 §6.2.
    #[serde(with = "second::optional", skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Acr>,
    #[serde(skip_serializing_if = "AmrSet::is_empty")]
    pub amr: AmrSet,
}

impl From<AccessTokenClaims> for IntrospectedClaims {
    /// What a resource server could have read in the token itself (RFC 9068 §2.2).
    fn from(token: AccessTokenClaims) -> Self {
        Self {
            iss: token.iss,
            sub: token.sub,
            client_id: token.client_id,
            username: None,
            aud: token.aud,
            scope: token.scope,
            token_type: Some(TokenType::Bearer),
            exp: token.exp,
            iat: token.iat,
            jti: Some(token.jti),
            auth_time: token.auth_time,
            acr: token.acr,
            amr: token.amr,
        }
    }
}

impl IntrospectionResponse {
    pub const fn inactive() -> Self {
        Self::Inactive(Inactive { active: false })
    }

    pub fn active(claims: IntrospectedClaims) -> Self {
        Self::Active(Box::new(ActiveToken { active: true, claims }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rfc6749_5_1_token_response() {
        let response = TokenResponse {
            access_token: "at".to_owned(),
            token_type: TokenType::Bearer,
            expires_in: SignedDuration::from_mins(10),
            refresh_token: None,
            id_token: Some("a.b.c".to_owned()),
            scope: "openid email".parse().unwrap(),
        };
        assert_eq!(
            serde_json::to_value(response).unwrap(),
            json!({
                "access_token": "at", "token_type": "Bearer", "expires_in": 600, "id_token": "a.b.c",
                "scope": "openid email",
            })
        );
    }

    #[test]
    fn rfc7662_2_2_an_inactive_token_says_nothing_else() {
        assert_eq!(serde_json::to_string(&IntrospectionResponse::inactive()).unwrap(), r#"{"active":false}"#);
    }

    #[test]
    fn rfc7662_2_2_active_token() {
        let claims = AccessTokenClaims {
            iss: Issuer::parse("https://id.example").unwrap(),
            sub: "alice".parse().unwrap(),
            client_id: "app".parse().unwrap(),
            aud: vec!["https://api.example/".to_owned()],
            scope: "openid".parse().unwrap(),
            exp: Timestamp::from_second(2).unwrap(),
            iat: Timestamp::from_second(1).unwrap(),
            jti: "j".to_owned(),
            auth_time: None,
            acr: Some(Acr::Pwd),
            amr: AmrSet::default(),
            sid: Some("s".to_owned()),
        };
        assert_eq!(
            serde_json::to_value(IntrospectionResponse::active(claims.into())).unwrap(),
            json!({
                "active": true, "iss": "https://id.example", "sub": "alice", "client_id": "app",
                "aud": ["https://api.example/"], "scope": "openid", "token_type": "Bearer", "exp": 2, "iat": 1,
                "jti": "j", "acr": "urn:anteroom:acr:pwd",
            })
        );
    }
}
