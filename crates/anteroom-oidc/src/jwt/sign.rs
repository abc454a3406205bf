use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use thiserror::Error;

use crate::{
    keys::{KeyError, KeyId, SigningKey},
    protocol_values::SigningAlgorithm,
    wire::wire_enum,
};

wire_enum! {
    /// RFC 7519 §5.1, RFC 9068 §2.1, Back-Channel Logout §2.4.
    pub enum JwtType("a type of token that is made here") {
        Jwt = "JWT",
        AccessToken = "at+jwt",
        LogoutToken = "logout+jwt",
    }
}

wire_enum! {
    /// The `typ` of a JWT access token. `JWT` is that of ID tokens too: they are then told apart by `aud`, which names an API,
    /// and by `client_id`, which ID tokens lack.
    pub enum AccessTokenTyp("a typ of access tokens (at+jwt or JWT)") {
        AtJwt = "at+jwt",
        Jwt = "JWT",
    }
}

impl From<AccessTokenTyp> for JwtType {
    fn from(typ: AccessTokenTyp) -> Self {
        match typ {
            AccessTokenTyp::AtJwt => Self::AccessToken,
            AccessTokenTyp::Jwt => Self::Jwt,
        }
    }
}

#[derive(Debug, Error)]
pub enum SignError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the claims could not be serialised")]
    Claims(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Header<'a> {
    typ: JwtType,
    alg: SigningAlgorithm,
    kid: &'a KeyId,
}

/// RFC 7515 §3.1: a JWS in compact form.
pub fn sign_jwt(key: &SigningKey, typ: JwtType, claims: &impl Serialize) -> Result<String, SignError> {
    let header = Header { typ, alg: key.algorithm(), kid: key.kid() };
    let mut token = String::with_capacity(1024);
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&header)?, &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}
