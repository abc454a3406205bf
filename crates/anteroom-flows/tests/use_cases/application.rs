//! A client: its authorization requests, and its requests to the token endpoint.

use anteroom_flows::context::authenticated_client::AuthenticatedClient;
use anteroom_flows::context::call::Call;
use anteroom_flows::interaction::authorize::{AuthorizeOutcome, authorize};
use anteroom_flows::interaction::next::Next;
use anteroom_flows::protocol::client_authentication::{ClientEndpoint, authenticate};
use anteroom_flows::protocol::token::{TokenRequestError, handle_token_request};
use anteroom_oidc::authorization::Parameters;
use anteroom_oidc::form::{UrlEncodedForm, encode};
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_oidc::token::{PresentedCredentials, TokenRequest, TokenResponse};
use anteroom_testkit::{CHALLENGE, CLIENT_SECRET, VERIFIER};
use std::collections::BTreeMap;

use crate::browser::TestBrowser;
use crate::installation::Installation;

pub(crate) struct Application {
    pub(crate) id: String,
    redirect_uri: String,
    secret: Option<String>,
}

/// The practice's own, with a secret.
pub(crate) fn web() -> Application {
    Application::new("web", "https://web.example/callback", Some(CLIENT_SECRET))
}

/// The practice's own, without a secret.
pub(crate) fn native() -> Application {
    Application::new("native", "http://127.0.0.1/callback", None)
}

/// One that asks for consent.
pub(crate) fn partner() -> Application {
    Application::new("partner", "https://partner.example/callback", Some(CLIENT_SECRET))
}

/// For clinicians alone.
pub(crate) fn imaging() -> Application {
    Application::new("imaging", "https://imaging.example/callback", Some(CLIENT_SECRET))
}

impl Application {
    pub(crate) fn new(id: &str, redirect_uri: &str, secret: Option<&str>) -> Self {
        Self { id: id.to_owned(), redirect_uri: redirect_uri.to_owned(), secret: secret.map(str::to_owned) }
    }

    /// The usual authorization request, with these parameters put in, changed or (empty) left out.
    pub(crate) fn request(&self, changes: &[(&str, &str)]) -> Parameters {
        let mut pairs = vec![
            ("client_id", self.id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            pairs.retain(|(known, _)| known != name);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        Parameters::from(&form(&pairs))
    }

    pub(crate) async fn authorize(
        &self,
        at: &Installation,
        browser: &TestBrowser,
        changes: &[(&str, &str)],
    ) -> Next {
        let outcome = Box::pin(authorize(&browser.visit(at), &self.request(changes))).await.unwrap();
        match outcome {
            AuthorizeOutcome::Next(next) => next,
            other => panic!("{other:?}"),
        }
    }

    /// The code for an account that is signed in already.
    pub(crate) async fn code(&self, at: &Installation, browser: &TestBrowser, scope: &str) -> String {
        code_in(&self.authorize(at, browser, &[("scope", scope)]).await)
    }

    /// The tokens for an account that is signed in already.
    pub(crate) async fn tokens(
        &self,
        at: &Installation,
        browser: &TestBrowser,
        scope: &str,
    ) -> TokenResponse {
        let code = self.code(at, browser, scope).await;
        self.redeem(&at.call(), &code).await.unwrap()
    }

    pub(crate) async fn redeem(&self, call: &Call, code: &str) -> Result<TokenResponse, TokenRequestError> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        self.request_token(call, &fields).await
    }

    pub(crate) async fn refresh(&self, call: &Call, token: &str) -> Result<TokenResponse, TokenRequestError> {
        self.request_token(call, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn request_token(
        &self,
        call: &Call,
        fields: &[(&str, &str)],
    ) -> Result<TokenResponse, TokenRequestError> {
        let client = self.authenticated(call).await;
        let request = TokenRequest::parse(&form(fields)).unwrap();
        Box::pin(handle_token_request(call, &client, request)).await
    }

    pub(crate) async fn authenticated(&self, call: &Call) -> AuthenticatedClient {
        let mut fields = vec![("client_id", self.id.as_str())];
        fields.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        let presented = PresentedCredentials::parse(None, &form(&fields)).unwrap();
        authenticate(call, ClientEndpoint::Token, &presented).await.unwrap().unwrap()
    }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> UrlEncodedForm {
    UrlEncodedForm::decode(encode(fields.iter().copied()).as_bytes()).unwrap()
}

/// The parameters of the answer to an authorization request.
pub(crate) fn answer(next: &Next) -> BTreeMap<String, String> {
    match next {
        Next::Application(response) => parameters(response),
        other => panic!("no answer: {other:?}"),
    }
}

pub(crate) fn parameters(response: &AuthorizationResponse) -> BTreeMap<String, String> {
    let AuthorizationResponse::Redirect(location) = response else { panic!("no redirect") };
    let location: url::Url = location.parse().unwrap();
    let text = location.fragment().or(location.query()).unwrap_or_default();
    UrlEncodedForm::decode(text.as_bytes()).unwrap().pairs().iter().cloned().collect()
}

pub(crate) fn code_in(next: &Next) -> String {
    let answer = answer(next);
    answer.get("code").unwrap_or_else(|| panic!("no code: {answer:?}")).clone()
}
