//! Request objects: a request that its client signed, and perhaps encrypted (OpenID Connect Core §6, RFC 9101).
//!
//! What is inside becomes [`Parameters`] and takes the place of what stands outside, before any rule runs. So the rules
//! know nothing of request objects, and nothing passes them by.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::{Parameter, Parameters};
use crate::{
    client::ClientMetadata,
    display_text::shorten,
    jwe::{DecryptionKey, Entropy, Jwe, JweError},
    jwt::{Audience, CLOCK_SKEW, ClientJwt, ClientJwtError, ClientVerificationKeys, numeric_date},
    protocol_values::{ClientAlgorithm, Issuer, RequestObjectAlgorithm},
    wire::from_json,
};

/// A request object that could be read; nothing in it is proven.
#[derive(Debug, Clone)]
pub enum RequestObject {
    Signed(ClientJwt),
    /// `alg` is `none`. The person at the browser could have written it.
    Unsigned(Map<String, Value>),
}

/// How a request object came (OpenID Connect Core §6.1 and §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestObjectSource {
    /// In `request`: the person at the browser could have put it there.
    ByValue,
    /// In `request_uri`: fetched over https from a place that the client registered.
    ByReference,
}

/// What an accepted request object says.
#[derive(Clone, PartialEq, Eq)]
pub struct AcceptedObject {
    pub parameters: Parameters,
    /// When it ceases to be accepted: its `exp`, with what clocks may differ by.
    pub expires_at: Option<Timestamp>,
}

/// What a request object is held against besides the client's keys.
#[derive(Debug, Clone, Copy)]
pub struct RequestObjectRules<'a> {
    pub client: &'a ClientMetadata,
    pub issuer: &'a Issuer,
    pub now: Timestamp,
}

/// On the wire all are `invalid_request_object`, but for `NotSupported`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestObjectError {
    #[error(transparent)]
    Jwt(#[from] ClientJwtError),
    #[error(transparent)]
    Jwe(#[from] JweError),
    /// On the wire `request_not_supported` (Core §3.1.2.6).
    #[error("it is passed by value and not signed, and the client is not registered for that")]
    NotSupported,
    #[error("it is not signed, and the client is registered for signed ones")]
    NotSigned,
    #[error("it is signed, and the client is registered for unsigned ones")]
    Signed,
    #[error("it is of the type {0:?}")]
    Type(String),
    /// What a client signs about itself to authenticate could otherwise be used as a request (RFC 9101 §10.8).
    #[error("its subject is the client itself, as in an assertion of who the client is")]
    Assertion,
    #[error("its {0:?} is not the client of the request")]
    AnotherClient(String),
    #[error("its `aud` is not this issuer")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet (nbf)")]
    NotYetValid,
    #[error("it has another request object inside")]
    Nested,
    #[error("its {0:?} is of the wrong kind")]
    Value(String),
}

impl RequestObjectError {
    /// Whether to fetch the client's JWKS again: no known key has the `kid` of the JWT.
    pub fn needs_key_refresh(&self) -> bool {
        *self == Self::Jwt(ClientJwtError::UnknownKey)
    }
}

impl RequestObject {
    pub fn parse(text: &str) -> Result<Self, RequestObjectError> {
        if let Some(claims) = unsigned(text)? {
            return Ok(Self::Unsigned(claims));
        }
        let jwt = ClientJwt::parse(text)?;
        check_type(jwt.typ())?;
        Ok(Self::Signed(jwt))
    }

    /// Whether it is to be decrypted before anything else.
    pub fn is_encrypted(text: &str) -> bool {
        Jwe::is_jwe(text)
    }

    /// Core §6.1: what is inside an encrypted one, which is signed like any other. Claims by themselves are as if unsigned:
    /// encryption keeps others from reading them and proves no author.
    pub fn decrypt<'a>(
        text: &str,
        keys: impl IntoIterator<Item = &'a DecryptionKey>,
        client: &ClientMetadata,
        spare: &Entropy,
    ) -> Result<Self, RequestObjectError> {
        let inner = Jwe::parse(text)?.decrypt(keys, client.request_object_encryption, spare)?;
        if let Some(claims) = from_json(&inner) {
            return Ok(Self::Unsigned(claims));
        }
        Self::parse(std::str::from_utf8(&inner).map_err(|_| JweError::Malformed)?)
    }

    /// The parameters inside, where the registration allows that they are not signed. One that leaves the algorithm open
    /// (Registration §2) allows it where the place is the client's own, so that it is known who wrote them.
    pub fn accept_unsigned(
        claims: &Map<String, Value>,
        source: RequestObjectSource,
        rules: RequestObjectRules<'_>,
    ) -> Result<AcceptedObject, RequestObjectError> {
        if rules.client.require_signed_request_object {
            return Err(RequestObjectError::NotSigned);
        }
        match (rules.client.request_object_signing_alg, source) {
            (Some(RequestObjectAlgorithm::Unsigned), _) | (None, RequestObjectSource::ByReference) => {
                rules.check(claims)
            }
            (None, RequestObjectSource::ByValue) => Err(RequestObjectError::NotSupported),
            (Some(RequestObjectAlgorithm::Signed(_)), _) => Err(RequestObjectError::NotSigned),
        }
    }

    /// Reads `redirect_uri`, `response_type`, `response_mode` and `state` from a request object that was refused, so that the
    /// error can be returned. They are unverified; the redirect URI must still be registered.
    pub fn unverified_error_parameters(claims: &Map<String, Value>) -> Parameters {
        const NAMES: [Parameter; 4] =
            [Parameter::RedirectUri, Parameter::State, Parameter::ResponseType, Parameter::ResponseMode];
        let said = |name: Parameter| Some((name.as_str(), claims.get(name.as_str())?.as_str()?));
        Parameters::from_pairs(NAMES.into_iter().filter_map(said))
    }

    /// The parameters inside, once the signature has held.
    pub fn verify(
        jwt: &ClientJwt,
        keys: ClientVerificationKeys<'_>,
        rules: RequestObjectRules<'_>,
    ) -> Result<AcceptedObject, RequestObjectError> {
        let registered: Option<ClientAlgorithm> = match rules.client.request_object_signing_alg {
            Some(RequestObjectAlgorithm::Unsigned) => return Err(RequestObjectError::Signed),
            Some(RequestObjectAlgorithm::Signed(algorithm)) => Some(algorithm),
            None => None,
        };
        let claims = jwt.verify::<Map<String, Value>>(keys, registered)?;
        rules.check(claims.get())
    }
}

/// RFC 7519 §6.1: the header says `none`, and there is no signature.
fn unsigned(text: &str) -> Result<Option<Map<String, Value>>, RequestObjectError> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        typ: Option<String>,
    }
    let parts = || {
        let (header, claims) = text.strip_suffix('.')?.split_once('.')?;
        let header: Header = from_json(&URL_SAFE_NO_PAD.decode(header).ok()?)?;
        let claims: Map<String, Value> = from_json(&URL_SAFE_NO_PAD.decode(claims).ok()?)?;
        (header.alg == "none").then_some((header.typ, claims))
    };
    let Some((typ, claims)) = parts() else { return Ok(None) };
    check_type(typ.as_deref())?;
    Ok(Some(claims))
}

/// RFC 9101 §10.8.1: a JWT that says it is something else is none of these. `JWT` says nothing (RFC 7519 §5.1), and a media
/// type may be written without `application/` (RFC 7515 §4.1.9).
fn check_type(typ: Option<&str>) -> Result<(), RequestObjectError> {
    const KNOWN: [&str; 2] = ["oauth-authz-req+jwt", "jwt"];
    let Some(typ) = typ else { return Ok(()) };
    let lower = typ.to_ascii_lowercase();
    let name = lower.strip_prefix("application/").unwrap_or(&lower);
    if KNOWN.contains(&name) { Ok(()) } else { Err(RequestObjectError::Type(shorten(typ))) }
}

impl RequestObjectRules<'_> {
    fn check(self, claims: &Map<String, Value>) -> Result<AcceptedObject, RequestObjectError> {
        let wrong = |name: &str| RequestObjectError::Value(name.to_owned());
        // Core §6.1, RFC 9101 §5: `client_id` also stands outside the object, and both must agree.
        for name in ["client_id", "iss"] {
            if let Some(value) = claims.get(name)
                && value.as_str() != Some(self.client.client_id.as_str())
            {
                return Err(RequestObjectError::AnotherClient(format!("{name} {value}")));
            }
        }
        if claims.get("sub").and_then(Value::as_str) == Some(self.client.client_id.as_str()) {
            return Err(RequestObjectError::Assertion);
        }
        if let Some(aud) = claims.get("aud") {
            let aud = Audience::deserialize(aud).map_err(|_| wrong("aud"))?;
            if !aud.0.iter().any(|audience| audience == self.issuer.as_str()) {
                return Err(RequestObjectError::Audience);
            }
        }
        let time = |name: &str| {
            let read = |value| Option::ok_or(numeric_date(value), wrong(name));
            claims.get(name).map(read).transpose()
        };
        let expires_at = time("exp")?;
        if expires_at.is_some_and(|exp| self.now.duration_since(exp) >= CLOCK_SKEW) {
            return Err(RequestObjectError::Expired);
        }
        if time("nbf")?.is_some_and(|nbf| nbf.duration_since(self.now) > CLOCK_SKEW) {
            return Err(RequestObjectError::NotYetValid);
        }
        // Core §6.1, RFC 9101 §4.
        if claims.contains_key("request") || claims.contains_key("request_uri") {
            return Err(RequestObjectError::Nested);
        }
        let mut pairs = Vec::with_capacity(claims.len());
        for (name, value) in claims.iter().filter(|(name, _)| name.parse::<Parameter>().is_ok()) {
            for text in texts(name, value).ok_or_else(|| wrong(name))? {
                pairs.push((name, text));
            }
        }
        let expires_at = expires_at.map(|exp| exp.checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX));
        Ok(AcceptedObject { parameters: Parameters::from_pairs(pairs), expires_at })
    }
}

/// RFC 9101 §4: numbers and objects are JSON's own. Only `resource` may be several.
fn texts(name: &str, value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(vec![text.clone()]),
        Value::Number(_) | Value::Object(_) | Value::Bool(_) => Some(vec![value.to_string()]),
        Value::Array(several) if name == Parameter::Resource.as_str() => {
            several.iter().map(|one| one.as_str().map(str::to_owned)).collect()
        }
        Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests;
