//! The authorization response: RFC 6749 §4.1.2, Multiple Response Types §2.1, Form Post Response Mode §2, RFC 9207.

use std::borrow::Cow;
use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    errors::AuthorizationErrorCode,
    form,
    protocol_values::{Issuer, RedirectUri, ResponseMode, ScopeSet, State},
};

/// Where a response goes and how: everything about it that the request decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTarget {
    pub redirect_uri: RedirectUri,
    pub response_mode: ResponseMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// A response ready to be sent. It may hold live credentials, so it does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationResponse {
    /// A `Location`, in ASCII.
    Redirect(String),
    /// A page whose form the browser posts to the client.
    FormPost { action: String, parameters: Vec<(Cow<'static, str>, String)> },
}

/// What a successful response carries; which of it is there follows from the response type.
#[derive(Clone, Copy, Default)]
pub struct SuccessParameters<'a> {
    pub code: Option<&'a str>,
    pub access_token: Option<IssuedAccessToken<'a>>,
    pub id_token: Option<&'a str>,
    /// OpenID Connect Session Management §3.
    pub session_state: Option<&'a str>,
}

#[derive(Clone, Copy)]
pub struct IssuedAccessToken<'a> {
    pub token: &'a str,
    pub expires_in: SignedDuration,
    /// What was granted, where it is not what was asked for (RFC 6749 §4.2.2).
    pub scope: Option<&'a ScopeSet>,
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redirect(_) => "Redirect(..)",
            Self::FormPost { .. } => "FormPost { .. }",
        })
    }
}

impl ResponseTarget {
    pub fn success(&self, issuer: &Issuer, issued: SuccessParameters<'_>) -> AuthorizationResponse {
        let mut parameters = Vec::new();
        let mut add = |name, value: Option<String>| parameters.extend(value.map(|value| (name, value)));
        add("code", issued.code.map(str::to_owned));
        if let Some(access) = issued.access_token {
            add("access_token", Some(access.token.to_owned()));
            add("token_type", Some("Bearer".to_owned()));
            add("expires_in", Some(access.expires_in.as_secs().to_string()));
            add("scope", access.scope.map(ToString::to_string));
        }
        add("id_token", issued.id_token.map(str::to_owned));
        add("session_state", issued.session_state.map(str::to_owned));
        self.respond(issuer, parameters)
    }

    pub fn error(
        &self,
        issuer: &Issuer,
        code: AuthorizationErrorCode,
        description: &'static str,
    ) -> AuthorizationResponse {
        let parameters =
            vec![("error", code.as_str().to_owned()), ("error_description", description.to_owned())];
        self.respond(issuer, parameters)
    }

    fn respond(&self, issuer: &Issuer, mut parameters: Vec<(&'static str, String)>) -> AuthorizationResponse {
        parameters.extend(self.state.as_ref().map(|state| ("state", state.as_str().to_owned())));
        // RFC 9207 §2: in errors as well, so that a client with several providers knows whose answer it holds.
        parameters.push(("iss", issuer.as_str().to_owned()));
        let uri = self.redirect_uri.as_str();
        let encoded = || form::encode(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        match self.response_mode {
            ResponseMode::Query => AuthorizationResponse::Redirect(with_query(uri, &encoded())),
            ResponseMode::Fragment => AuthorizationResponse::Redirect(format!("{uri}#{}", encoded())),
            ResponseMode::FormPost => AuthorizationResponse::FormPost {
                action: uri.to_owned(),
                parameters: parameters.into_iter().map(|(name, value)| (name.into(), value)).collect(),
            },
        }
    }
}

/// Adds to the query of a URI whose own text stays as it is: parsing and writing it again could change what the
/// client registered (RFC 6749 §3.1.2, "MUST be retained").
pub(crate) fn with_query(uri: &str, query: &str) -> String {
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, registered)) if registered.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{query}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::form::UrlEncodedForm;

    fn issuer() -> Issuer {
        Issuer::parse("https://id.example").unwrap()
    }

    fn target(uri: &str, response_mode: ResponseMode, state: Option<&str>) -> ResponseTarget {
        ResponseTarget {
            redirect_uri: uri.parse().unwrap(),
            response_mode,
            state: state.map(|state| state.parse().unwrap()),
        }
    }

    fn location(response: AuthorizationResponse) -> String {
        match response {
            AuthorizationResponse::Redirect(location) => location,
            AuthorizationResponse::FormPost { .. } => panic!("expected a redirect"),
        }
    }

    const CODE: SuccessParameters<'_> =
        SuccessParameters { code: Some("c0de"), access_token: None, id_token: None, session_state: None };

    #[test]
    fn rfc6749_4_1_2_code_in_the_query() {
        for (uri, expected) in [
            ("https://app.example/cb", "https://app.example/cb?code=c0de&state=a%20b&iss="),
            ("https://app.example/cb?x=%7e", "https://app.example/cb?x=%7e&code=c0de&state=a%20b&iss="),
            ("https://app.example/cb?", "https://app.example/cb?code=c0de&state=a%20b&iss="),
            ("com.example.app:/cb", "com.example.app:/cb?code=c0de&state=a%20b&iss="),
        ] {
            let response = target(uri, ResponseMode::Query, Some("a b")).success(&issuer(), CODE);
            assert_eq!(location(response), format!("{expected}https%3A%2F%2Fid.example"));
        }
    }

    #[test]
    fn multiple_response_types_2_1_tokens_in_the_fragment() {
        let scope = "openid".parse().unwrap();
        let issued = SuccessParameters {
            access_token: Some(IssuedAccessToken {
                token: "at",
                expires_in: SignedDuration::from_mins(10),
                scope: Some(&scope),
            }),
            id_token: Some("a.b.c"),
            ..CODE
        };
        let response =
            target("https://app.example/cb", ResponseMode::Fragment, None).success(&issuer(), issued);
        assert_eq!(
            location(response),
            "https://app.example/cb#code=c0de&access_token=at&token_type=Bearer&expires_in=600&scope=openid\
             &id_token=a.b.c&iss=https%3A%2F%2Fid.example"
        );
    }

    #[test]
    fn form_post_2_parameters_in_the_body() {
        let response =
            target("https://app.example/cb", ResponseMode::FormPost, Some("\"<s>&")).success(&issuer(), CODE);
        let expected = AuthorizationResponse::FormPost {
            action: "https://app.example/cb".to_owned(),
            parameters: vec![
                ("code".into(), "c0de".to_owned()),
                ("state".into(), "\"<s>&".to_owned()),
                ("iss".into(), "https://id.example".to_owned()),
            ],
        };
        assert_eq!(response, expected);
    }

    #[test]
    fn rfc9207_2_errors_name_the_issuer_too() {
        let response = target("https://app.example/cb", ResponseMode::Query, Some("s")).error(
            &issuer(),
            AuthorizationErrorCode::AccessDenied,
            "not admitted",
        );
        assert_eq!(
            location(response),
            "https://app.example/cb?error=access_denied&error_description=not%20admitted&state=s\
             &iss=https%3A%2F%2Fid.example"
        );
    }

    proptest! {
        #[test]
        fn state_is_echoed_byte_for_byte(state in "[^\\p{Cc}]{1,128}") {
            let target = target("https://app.example/cb?q", ResponseMode::Query, Some(&state));
            let location = location(target.success(&issuer(), CODE));
            let (_, query) = location.split_once('?').unwrap();
            let form = UrlEncodedForm::decode(query.as_bytes()).unwrap();
            prop_assert_eq!(form.once("state").unwrap(), Some(state.as_str()));
            prop_assert!(location.is_ascii());
        }
    }
}
