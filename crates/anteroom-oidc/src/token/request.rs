use secrecy::SecretString;

use crate::{
    errors::{TokenError, TokenErrorCode},
    form::UrlEncodedForm,
    pkce::CodeVerifier,
    protocol_values::{GrantType, ScopeSet},
};

/// A token request, by grant. What is optional here may still be required of this client or code.
#[derive(Debug, Clone)]
pub enum TokenRequest {
    AuthorizationCode(AuthorizationCodeGrant),
    RefreshToken(RefreshTokenGrant),
    ClientCredentials(ClientCredentialsGrant),
}

/// RFC 6749 §4.1.3, RFC 7636 §4.5.
#[derive(Debug, Clone)]
pub struct AuthorizationCodeGrant {
    pub code: SecretString,
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<CodeVerifier>,
    pub resource: Vec<String>,
}

/// RFC 6749 §6.
#[derive(Debug, Clone)]
pub struct RefreshTokenGrant {
    pub refresh_token: SecretString,
    pub scope: Option<ScopeSet>,
    pub resource: Vec<String>,
}

/// RFC 6749 §4.4.2.
#[derive(Debug, Clone)]
pub struct ClientCredentialsGrant {
    pub scope: Option<ScopeSet>,
    pub resource: Vec<String>,
}

impl TokenRequest {
    pub fn parse(form: &UrlEncodedForm) -> Result<Self, TokenError> {
        let grant_type = required(form, "grant_type", "grant_type is missing")?;
        let resource = resources(form);
        match grant_type.parse().map_err(|_| unsupported())? {
            GrantType::AuthorizationCode => Ok(Self::AuthorizationCode(AuthorizationCodeGrant {
                code: required(form, "code", "code is missing")?.into(),
                redirect_uri: form.once("redirect_uri")?.map(str::to_owned),
                code_verifier: code_verifier(form)?,
                resource,
            })),
            GrantType::RefreshToken => Ok(Self::RefreshToken(RefreshTokenGrant {
                refresh_token: required(form, "refresh_token", "refresh_token is missing")?.into(),
                scope: scope(form)?,
                resource,
            })),
            GrantType::ClientCredentials => {
                Ok(Self::ClientCredentials(ClientCredentialsGrant { scope: scope(form)?, resource }))
            }
            // RFC 6749 §4.2: the implicit grant never comes to the token endpoint.
            GrantType::Implicit => Err(unsupported()),
        }
    }

    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::RefreshToken(_) => GrantType::RefreshToken,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
        }
    }
}

fn required<'a>(
    form: &'a UrlEncodedForm,
    name: &'static str,
    missing: &'static str,
) -> Result<&'a str, TokenError> {
    form.once(name)?.ok_or(TokenError::invalid_request(missing))
}

/// RFC 8707 §2: repetitions of one resource are dropped.
fn resources(form: &UrlEncodedForm) -> Vec<String> {
    let mut resources: Vec<String> = Vec::new();
    for resource in form.all("resource") {
        if !resources.iter().any(|known| known == resource) {
            resources.push(resource.to_owned());
        }
    }
    resources
}

const fn unsupported() -> TokenError {
    TokenError::new(TokenErrorCode::UnsupportedGrantType, "the grant type is not supported")
}

/// RFC 7636 §4.6: a verifier that cannot be one is a wrong one, so the grant is what is invalid.
fn code_verifier(form: &UrlEncodedForm) -> Result<Option<CodeVerifier>, TokenError> {
    let Some(text) = form.once("code_verifier")? else { return Ok(None) };
    let refuse = |_| TokenError::new(TokenErrorCode::InvalidGrant, "code_verifier is malformed");
    text.parse().map(Some).map_err(refuse)
}

fn scope(form: &UrlEncodedForm) -> Result<Option<ScopeSet>, TokenError> {
    let Some(text) = form.once("scope")? else { return Ok(None) };
    let refuse = |_| TokenError::new(TokenErrorCode::InvalidScope, "scope is malformed");
    text.parse().map(Some).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn parse(body: &str) -> Result<TokenRequest, TokenError> {
        TokenRequest::parse(&UrlEncodedForm::decode(body.as_bytes()).unwrap())
    }

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn rfc6749_4_1_3_authorization_code() {
        let body = format!(
            "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA\
             &redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb&code_verifier={VERIFIER}&x=1&x=2"
        );
        let request = parse(&body).unwrap();
        assert_eq!(request.grant_type(), GrantType::AuthorizationCode);
        let TokenRequest::AuthorizationCode(grant) = request else { panic!() };
        assert_eq!(grant.code.expose_secret(), "SplxlOBeZQQYbYS6WxSbIA");
        assert_eq!(grant.redirect_uri.as_deref(), Some("https://client.example.com/cb"));
        assert!(grant.code_verifier.is_some());
    }

    #[test]
    fn rfc6749_6_refresh_token_and_4_4_2_client_credentials() {
        let TokenRequest::RefreshToken(grant) = parse(
            "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&resource=a%3Ab&resource=c%3Ad\
             &resource=a%3Ab",
        )
        .unwrap() else {
            panic!()
        };
        assert_eq!((grant.refresh_token.expose_secret(), grant.scope), ("tGzv3JOkF0XG5Qx2TlKWIA", None));
        assert_eq!(grant.resource, ["a:b", "c:d"]);
        let TokenRequest::ClientCredentials(grant) =
            parse("grant_type=client_credentials&scope=schedule:read").unwrap()
        else {
            panic!()
        };
        assert_eq!(grant.scope.unwrap().to_string(), "schedule:read");
    }

    #[test]
    fn rfc6749_5_2_what_is_missing_is_named_and_repetition_refused() {
        use TokenErrorCode::{InvalidGrant, InvalidRequest, InvalidScope, UnsupportedGrantType};
        for (body, code, description) in [
            ("", InvalidRequest, "grant_type is missing"),
            ("grant_type=", InvalidRequest, "grant_type is missing"),
            ("grant_type=password", UnsupportedGrantType, "the grant type is not supported"),
            ("grant_type=implicit", UnsupportedGrantType, "the grant type is not supported"),
            ("grant_type=authorization_code", InvalidRequest, "code is missing"),
            ("grant_type=refresh_token", InvalidRequest, "refresh_token is missing"),
            (
                "grant_type=authorization_code&code=a&code=a",
                InvalidRequest,
                "a parameter is given more than once",
            ),
            (
                "grant_type=authorization_code&code=a&code_verifier=short",
                InvalidGrant,
                "code_verifier is malformed",
            ),
            ("grant_type=client_credentials&scope=%22", InvalidScope, "scope is malformed"),
        ] {
            assert_eq!(parse(body).unwrap_err(), TokenError::new(code, description), "{body}");
        }
    }

    #[test]
    fn secrets_in_a_request_do_not_print() {
        let body = format!("grant_type=authorization_code&code=c0de&code_verifier={VERIFIER}");
        let printed = format!("{:?}", parse(&body).unwrap());
        assert!(!printed.contains("c0de") && !printed.contains(VERIFIER), "{printed}");
    }
}
