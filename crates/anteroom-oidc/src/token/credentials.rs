use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use thiserror::Error;

use super::assertion::{ASSERTION_TYPE, AssertionError, ClientAssertion};
use crate::{
    errors::{TokenError, TokenErrorCode},
    form::{Repeated, UrlEncodedForm, decode_component},
    protocol_values::{ClientId, TokenEndpointAuthMethod},
};

/// Who a client says it is and what it shows for it: RFC 6749 §2.3. Nothing is proven yet.
#[derive(Debug, Clone)]
pub enum PresentedCredentials {
    /// RFC 6749 §2.3.1, in the `Authorization` header.
    Basic { client_id: ClientId, secret: SecretString },
    /// RFC 6749 §2.3.1, in the body.
    Post { client_id: ClientId, secret: SecretString },
    /// RFC 7521 §4.2: a JWT that the client signed.
    Assertion(Box<ClientAssertion>),
    /// RFC 6749 §3.2.1: a public client only says its name. Also by `Basic` with an empty secret, which is the same as none
    /// (§2.3.1); a client that has a secret is refused, as with any other method that it is not registered for.
    Public { client_id: ClientId },
}

/// Why the client's credentials could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialsError {
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("the client did not authenticate")]
    Missing,
    #[error("the client authenticated in two ways at once")]
    TwoMethods,
    #[error("client_id is not the one that authenticated")]
    AnotherClientId,
    #[error("the Authorization header is not one of Basic authentication")]
    MalformedHeader,
    /// RFC 9110 §5.3, §11.6.2: it is a field of one value.
    #[error("the Authorization header is given more than once")]
    TwoHeaders,
    #[error("client_id is malformed")]
    MalformedClientId,
    #[error("client_assertion and client_assertion_type do not belong together")]
    AssertionType,
    #[error("the client assertion is not usable: {0}")]
    Assertion(#[from] AssertionError),
}

impl From<CredentialsError> for TokenError {
    fn from(error: CredentialsError) -> Self {
        let invalid_client = |description| Self::new(TokenErrorCode::InvalidClient, description);
        match error {
            CredentialsError::Repeated(repeated) => repeated.into(),
            CredentialsError::TwoMethods => {
                Self::invalid_request("the client authenticated in two ways at once")
            }
            CredentialsError::AnotherClientId => {
                Self::invalid_request("client_id is not the one that authenticated")
            }
            CredentialsError::TwoHeaders => {
                Self::invalid_request("the Authorization header is given more than once")
            }
            CredentialsError::Missing => invalid_client("the client did not authenticate"),
            CredentialsError::MalformedHeader => invalid_client("the Authorization header is malformed"),
            // A malformed client_id is answered like an unknown client.
            CredentialsError::MalformedClientId => invalid_client("client authentication failed"),
            CredentialsError::AssertionType => Self::invalid_request(
                "client_assertion needs the client_assertion_type of JWTs, and the other way round",
            ),
            CredentialsError::Assertion(_) => invalid_client("the client assertion is malformed"),
        }
    }
}

impl PresentedCredentials {
    /// Reads the header's value and the body. Two methods at once are an error (RFC 6749 §2.3).
    pub fn parse(authorization: Option<&str>, form: &UrlEncodedForm) -> Result<Self, CredentialsError> {
        let body_id = form.once("client_id")?.map(parse_client_id).transpose()?;
        let body_secret = form.once("client_secret")?;
        let assertion = match (form.once("client_assertion")?, form.once("client_assertion_type")?) {
            (None, None) => None,
            (Some(assertion), Some(ASSERTION_TYPE)) => Some(assertion),
            _ => return Err(CredentialsError::AssertionType),
        };
        if let Some(assertion) = assertion {
            if authorization.is_some() || body_secret.is_some() {
                return Err(CredentialsError::TwoMethods);
            }
            let assertion = ClientAssertion::parse(assertion)?;
            // RFC 7521 §4.2: client_id is not needed, and where it is there it must agree.
            if body_id.is_some_and(|id| id != *assertion.client_id()) {
                return Err(CredentialsError::AnotherClientId);
            }
            return Ok(Self::Assertion(Box::new(assertion)));
        }
        let Some(header) = authorization else {
            let client_id = body_id.ok_or(CredentialsError::Missing)?;
            return Ok(match body_secret {
                Some(secret) => Self::Post { client_id, secret: secret.into() },
                None => Self::Public { client_id },
            });
        };
        if body_secret.is_some() {
            return Err(CredentialsError::TwoMethods);
        }
        let (client_id, secret) = parse_basic(header)?;
        if body_id.is_some_and(|id| id != client_id) {
            return Err(CredentialsError::AnotherClientId);
        }
        Ok(match secret {
            Some(secret) => Self::Basic { client_id, secret },
            None => Self::Public { client_id },
        })
    }

    pub fn client_id(&self) -> &ClientId {
        match self {
            Self::Basic { client_id, .. } | Self::Post { client_id, .. } | Self::Public { client_id } => {
                client_id
            }
            Self::Assertion(assertion) => assertion.client_id(),
        }
    }

    pub fn method(&self) -> TokenEndpointAuthMethod {
        match self {
            Self::Basic { .. } => TokenEndpointAuthMethod::ClientSecretBasic,
            Self::Post { .. } => TokenEndpointAuthMethod::ClientSecretPost,
            Self::Assertion(assertion) if assertion.algorithm().is_symmetric() => {
                TokenEndpointAuthMethod::ClientSecretJwt
            }
            Self::Assertion(_) => TokenEndpointAuthMethod::PrivateKeyJwt,
            Self::Public { .. } => TokenEndpointAuthMethod::None,
        }
    }

    pub fn secret(&self) -> Option<&SecretString> {
        match self {
            Self::Basic { secret, .. } | Self::Post { secret, .. } => Some(secret),
            Self::Assertion(_) | Self::Public { .. } => None,
        }
    }
}

fn parse_client_id(text: &str) -> Result<ClientId, CredentialsError> {
    text.parse().map_err(|_| CredentialsError::MalformedClientId)
}

/// RFC 7617 §2, with both halves form-urlencoded first, as RFC 6749 §2.3.1 has it. No secret where it is empty.
fn parse_basic(header: &str) -> Result<(ClientId, Option<SecretString>), CredentialsError> {
    const MALFORMED: CredentialsError = CredentialsError::MalformedHeader;
    let (scheme, encoded) = header.split_once(' ').ok_or(MALFORMED)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(MALFORMED);
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| MALFORMED)?;
    let colon = decoded.iter().position(|b| *b == b':').ok_or(MALFORMED)?;
    let (id, secret) = decoded.split_at(colon);
    let secret = secret.strip_prefix(b":").unwrap_or_default();
    let id = decode_component(id).map_err(|_| MALFORMED)?;
    let secret = decode_component(secret).map_err(|_| MALFORMED)?;
    let secret = Some(secret).filter(|secret| !secret.is_empty()).map(SecretString::from);
    Ok((parse_client_id(&id)?, secret))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::{jwt::testing::Signer, protocol_values::ClientAlgorithm};

    fn basic(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    fn parse(header: Option<&str>, body: &str) -> Result<PresentedCredentials, CredentialsError> {
        PresentedCredentials::parse(header, &UrlEncodedForm::decode(body.as_bytes()).unwrap())
    }

    #[test]
    fn rfc6749_2_3_1_basic_halves_are_form_urlencoded() {
        for (sent, id, secret) in [
            ("s6BhdRkqt3:gX1fBat3bV", "s6BhdRkqt3", "gX1fBat3bV"),
            ("a%3Ab+c:p%2B%25+q", "a:b c", "p+% q"),
            ("a:b:c", "a", "b:c"),
        ] {
            let presented = parse(Some(&basic(sent)), "").unwrap();
            assert_eq!(presented.client_id().as_str(), id);
            assert_eq!(presented.secret().unwrap().expose_secret(), secret);
            assert_eq!(presented.method(), TokenEndpointAuthMethod::ClientSecretBasic);
        }
        let lower = basic("a:b").replace("Basic", "basic");
        assert!(parse(Some(&lower), "client_id=a").is_ok());
    }

    #[test]
    fn rfc6749_2_3_1_credentials_in_the_body() {
        let presented = parse(None, "client_id=a&client_secret=s%2B").unwrap();
        assert_eq!(presented.method(), TokenEndpointAuthMethod::ClientSecretPost);
        assert_eq!(presented.secret().unwrap().expose_secret(), "s+");
        let public = parse(None, "client_id=a&client_secret=").unwrap();
        assert_eq!(public.method(), TokenEndpointAuthMethod::None);
    }

    #[test]
    fn rfc6749_2_3_1_basic_with_an_empty_secret_only_says_the_name() {
        for body in ["", "client_id=a", "client_secret="] {
            let public = parse(Some(&basic("a:")), body).unwrap();
            assert_eq!(public.client_id().as_str(), "a");
            assert_eq!(public.method(), TokenEndpointAuthMethod::None);
            assert!(public.secret().is_none());
        }
    }

    #[test]
    fn rfc6749_2_3_only_one_method_at_once() {
        use TokenErrorCode::{InvalidClient, InvalidRequest};
        let good = basic("a:b");
        let jwt = Signer::new(ClientAlgorithm::EdDsa).sign(&serde_json::json!({"sub": "a"}));
        let signed = format!("client_assertion={jwt}&client_assertion_type={ASSERTION_TYPE}");
        for (header, body, code) in [
            (Some(good.as_str()), "client_id=a&client_secret=b", InvalidRequest),
            (Some(good.as_str()), "client_id=other", InvalidRequest),
            (None, "client_id=a&client_id=a", InvalidRequest),
            (None, "", InvalidClient),
            (None, "client_secret=b", InvalidClient),
            (None, "client_id=a&client_assertion=e30.e30.c2ln", InvalidRequest),
            (
                None,
                &format!("client_assertion=e30.e30.c2ln&client_assertion_type={ASSERTION_TYPE}"),
                InvalidClient,
            ),
            (Some(good.as_str()), &signed, InvalidRequest),
            (None, &format!("{signed}&client_secret=b"), InvalidRequest),
            (None, &format!("{signed}&client_id=other"), InvalidRequest),
            (Some("Bearer x"), "", InvalidClient),
            (Some("Basic"), "", InvalidClient),
            (Some("Basic !!"), "", InvalidClient),
            (Some(&basic("no-colon")), "", InvalidClient),
            (Some(&basic(":")), "", InvalidClient),
            (Some(&basic("a:")), "client_id=other", InvalidRequest),
            (Some(&basic("a:")), "client_secret=b", InvalidRequest),
            (Some(&basic("a:")), &signed, InvalidRequest),
            (Some(&basic("%00:b")), "", InvalidClient),
            (Some(&basic("%ff:b")), "", InvalidClient),
        ] {
            let error = TokenError::from(parse(header, body).unwrap_err());
            assert_eq!(error.code, code, "{header:?} {body}");
        }
    }

    #[test]
    fn rfc7521_4_2_the_assertion_names_the_client() {
        for (alg, method) in [
            (ClientAlgorithm::Hs256, TokenEndpointAuthMethod::ClientSecretJwt),
            (ClientAlgorithm::Es256, TokenEndpointAuthMethod::PrivateKeyJwt),
        ] {
            let jwt = Signer::new(alg).sign(&serde_json::json!({"sub": "a b"}));
            for client_id in ["", "&client_id=a+b"] {
                let body =
                    format!("client_assertion={jwt}&client_assertion_type={ASSERTION_TYPE}{client_id}");
                let presented = parse(None, &body).unwrap();
                assert_eq!((presented.client_id().as_str(), presented.method()), ("a b", method));
                assert!(presented.secret().is_none());
            }
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let presented = parse(None, "client_id=a&client_secret=hush").unwrap();
        assert!(!format!("{presented:?}").contains("hush"));
    }
}
