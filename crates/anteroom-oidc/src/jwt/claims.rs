//! The claims of each kind of token. Those that are only written borrow; those that are read back own.

use jiff::{Timestamp, fmt::serde::timestamp::second};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use super::{AccessTokenTyp, JwtType, SignError, audience, sign_jwt};
use crate::{
    keys::SigningKey,
    protocol_values::{Acr, AmrSet, ClientId, Issuer, Nonce, ScopeSet, Subject},
};

/// The ID token: OpenID Connect Core §2, §3.1.3.6 and §3.3.2.11.
#[derive(Debug, Clone, Serialize)]
pub struct IdTokenClaims<'a> {
    pub iss: &'a Issuer,
    pub sub: &'a Subject,
    pub aud: &'a ClientId,
    #[serde(with = "second::required")]
    pub exp: Timestamp,
    #[serde(with = "second::required")]
    pub iat: Timestamp,
    #[serde(with = "second::required")]
    pub auth_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a Nonce>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Acr>,
    #[serde(skip_serializing_if = "AmrSet::is_empty")]
    pub amr: AmrSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azp: Option<&'a ClientId>,
    /// Front-Channel Logout §3, Back-Channel Logout §2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<&'a str>,
    /// [`super::token_hash`] of the access token issued with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// [`super::token_hash`] of the code issued with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// [`super::token_hash`] of the state (FAPI 1.0 Advanced §5.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s_hash: Option<String>,
    /// Claims about the person, from [`crate::claims::select_claims`].
    #[serde(flatten)]
    pub person: Map<String, Value>,
}

impl IdTokenClaims<'_> {
    pub fn sign(&self, key: &SigningKey) -> Result<String, SignError> {
        sign_jwt(key, JwtType::Jwt, self)
    }
}

/// What is read back of an ID token that a client hands in as a hint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdTokenHint {
    pub iss: Issuer,
    pub sub: Subject,
    pub aud: ClientId,
    /// Long past, perhaps: RP-Initiated Logout §2 wants expired ones accepted.
    #[serde(with = "second::required")]
    pub exp: Timestamp,
    #[serde(with = "second::required")]
    pub iat: Timestamp,
    #[serde(default)]
    pub sid: Option<String>,
    /// Only access tokens have it. It is read to refuse an access token whose `typ` is `JWT` too.
    #[serde(default)]
    pub client_id: Option<ClientId>,
}

/// The access token: RFC 9068 §2.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    pub iss: Issuer,
    /// The person, or the client itself where there is none.
    pub sub: Subject,
    #[serde(with = "audience")]
    pub aud: Vec<String>,
    pub client_id: ClientId,
    #[serde(with = "second::required")]
    pub exp: Timestamp,
    #[serde(with = "second::required")]
    pub iat: Timestamp,
    pub jti: String,
    #[serde(default, skip_serializing_if = "ScopeSet::is_empty")]
    pub scope: ScopeSet,
    #[serde(default, with = "second::optional", skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<Acr>,
    #[serde(default, skip_serializing_if = "AmrSet::is_empty")]
    pub amr: AmrSet,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl AccessTokenClaims {
    pub fn sign(&self, key: &SigningKey, typ: AccessTokenTyp) -> Result<String, SignError> {
        sign_jwt(key, typ.into(), self)
    }
}

/// The logout token: Back-Channel Logout §2.4. There is no `nonce`, by which a client tells it from an ID token.
#[derive(Debug, Clone, Serialize)]
pub struct LogoutTokenClaims<'a> {
    pub iss: &'a Issuer,
    pub aud: &'a ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<&'a Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<&'a str>,
    #[serde(with = "second::required")]
    pub iat: Timestamp,
    #[serde(with = "second::required")]
    pub exp: Timestamp,
    pub jti: &'a str,
    pub events: LogoutEvent,
}

/// The one member that `events` has.
#[derive(Debug, Clone, Copy)]
pub struct LogoutEvent;

impl Serialize for LogoutEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut events = serializer.serialize_map(Some(1))?;
        events.serialize_entry("http://schemas.openid.net/event/backchannel-logout", &Map::new())?;
        events.end()
    }
}

impl LogoutTokenClaims<'_> {
    /// With the client's ID token algorithm (Back-Channel Logout §2.4).
    pub fn sign(&self, key: &SigningKey) -> Result<String, SignError> {
        sign_jwt(key, JwtType::LogoutToken, self)
    }
}

/// Userinfo as a JWT, for clients that registered it so: OpenID Connect Core §5.3.2.
#[derive(Debug, Clone, Serialize)]
pub struct UserInfoClaims<'a> {
    pub iss: &'a Issuer,
    pub aud: &'a ClientId,
    #[serde(flatten)]
    pub user_info: &'a crate::claims::UserInfo,
}

impl UserInfoClaims<'_> {
    pub fn sign(&self, key: &SigningKey) -> Result<String, SignError> {
        sign_jwt(key, JwtType::Jwt, self)
    }
}
