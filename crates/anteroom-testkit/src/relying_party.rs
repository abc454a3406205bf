//! An application: it sends people to sign in, redeems codes, and believes nothing that does not verify.

use anteroom_config::ClientSettings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use std::net::SocketAddr;
use url::form_urlencoded::byte_serialize;

use crate::answer::TestResponse;
use crate::browser::Browser;
use crate::node_client::{NodeClient, encode};
use crate::settings::CLIENT_SECRET;
use crate::tokens::{VerifiedToken, verified};

/// The example of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const STATE: &str = "state-1";
pub const NONCE: &str = "nonce-1";

/// How the application proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    None,
    Basic(&'static str),
    Post(&'static str),
}

#[derive(Clone, Debug)]
pub struct RelyingParty {
    wire: NodeClient,
    pub client_id: String,
    pub redirect_uri: String,
    proof: ClientAuthentication,
    /// The network address that its requests come from, where it is not this machine's.
    address: Option<String>,
}

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub json: Value,
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
}

impl Tokens {
    pub fn of(answer: &TestResponse) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.page_summary());
        let json = answer.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Self {
            access_token: text("access_token").unwrap(),
            refresh_token: text("refresh_token"),
            id_token: text("id_token"),
            json,
        }
    }

    pub fn refresh_token(&self) -> &str {
        self.refresh_token.as_deref().unwrap()
    }

    pub fn id_token(&self) -> &str {
        self.id_token.as_deref().unwrap()
    }
}

impl RelyingParty {
    pub(crate) fn new(wire: NodeClient, client: &ClientSettings) -> Self {
        let metadata = &client.metadata;
        Self {
            wire,
            client_id: metadata.client_id.as_str().to_owned(),
            redirect_uri: metadata.redirect_uris.first().map(ToString::to_string).unwrap_or_default(),
            address: None,
            proof: match metadata.token_endpoint_auth_method.as_str() {
                "client_secret_basic" => ClientAuthentication::Basic(CLIENT_SECRET),
                "client_secret_post" => ClientAuthentication::Post(CLIENT_SECRET),
                _ => ClientAuthentication::None,
            },
        }
    }

    /// As the registration endpoint answered.
    pub(crate) fn registered(wire: NodeClient, client: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        // For the rest of the test.
        let secret = || -> &'static str { text(&client["client_secret"]).leak() };
        Self {
            wire,
            client_id: text(&client["client_id"]),
            redirect_uri: text(&client["redirect_uris"][0]),
            address: None,
            proof: match client["token_endpoint_auth_method"].as_str() {
                Some("client_secret_basic") => ClientAuthentication::Basic(secret()),
                Some("client_secret_post") => ClientAuthentication::Post(secret()),
                _ => ClientAuthentication::None,
            },
        }
    }

    /// A public application at a provider that runs in a process of its own.
    pub fn at(address: SocketAddr, issuer: &str, client_id: &str, redirect_uri: &str) -> Self {
        Self {
            wire: NodeClient::new(address, issuer),
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            proof: ClientAuthentication::None,
            address: None,
        }
    }

    /// The same application, asking the provider from this network address.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..self }
    }

    /// The same application, proving itself in another way.
    #[must_use]
    pub fn proving(self, proof: ClientAuthentication) -> Self {
        Self { proof, ..self }
    }

    /// The same application, calling itself something else.
    #[must_use]
    pub fn named(self, client_id: &str) -> Self {
        Self { client_id: client_id.to_owned(), ..self }
    }

    /// The address of an authorization request: the usual one, with these parameters put in, changed or (empty) left out.
    pub fn request(&self, changes: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", STATE),
            ("nonce", NONCE),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            parameters.retain(|(known, _)| known != name);
            if !value.is_empty() {
                parameters.push((name, value));
            }
        }
        format!("/authorize?{}", encode(&parameters))
    }

    /// Sends the browser's person to sign in.
    pub async fn authorize(&self, browser: &Browser, changes: &[(&str, &str)]) -> TestResponse {
        browser.get(&self.request(changes)).await
    }

    /// The code for a person who is signed in already.
    pub async fn code(&self, browser: &Browser, changes: &[(&str, &str)]) -> String {
        self.code_in(&self.authorize(browser, changes).await)
    }

    /// The code that a redirect brought, in an answer that is for us.
    pub fn code_in(&self, answer: &TestResponse) -> String {
        let location = answer.location();
        assert!(location.as_str().starts_with(&self.redirect_uri), "{location}");
        let parameters = answer.parameters();
        assert_eq!(parameters.get("state").map(String::as_str), Some(STATE), "{location}");
        parameters.get("code").unwrap_or_else(|| panic!("no code: {location}")).clone()
    }

    pub async fn redeem(&self, code: &str) -> TestResponse {
        self.redeem_with(code, &[]).await
    }

    /// The usual redemption, with these fields put in, changed or (empty) left out.
    pub async fn redeem_with(&self, code: &str, changes: &[(&str, &str)]) -> TestResponse {
        self.try_redeem(code, changes).await.unwrap()
    }

    /// The same, at a provider that may go away in the middle.
    pub async fn try_redeem(
        &self,
        code: &str,
        changes: &[(&str, &str)],
    ) -> Result<TestResponse, reqwest::Error> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        self.try_post("/token", &fields).await
    }

    /// Authorizes and redeems, for a person who is signed in already.
    pub async fn tokens(&self, browser: &Browser, scope: &str) -> Tokens {
        let code = self.code(browser, &[("scope", scope)]).await;
        Tokens::of(&self.redeem(&code).await)
    }

    pub async fn refresh(&self, refresh_token: &str) -> TestResponse {
        self.try_refresh(refresh_token).await.unwrap()
    }

    /// The same, at a provider that may go away in the middle.
    pub async fn try_refresh(&self, refresh_token: &str) -> Result<TestResponse, reqwest::Error> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.try_post("/token", &fields).await
    }

    pub async fn introspect(&self, token: &str) -> TestResponse {
        self.post("/introspect", &[("token", token)]).await
    }

    pub async fn revoke(&self, token: &str) -> TestResponse {
        self.post("/revoke", &[("token", token)]).await
    }

    /// Asks an endpoint for clients, proving who we are.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        self.try_post(path, fields).await.unwrap()
    }

    /// The same, of a provider that may go away in the middle.
    pub async fn try_post(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<TestResponse, reqwest::Error> {
        let (fields, headers) = self.proven(fields);
        self.wire.try_post(path, &fields, headers).await
    }

    pub(crate) fn proven<'a>(
        &'a self,
        fields: &[(&'a str, &'a str)],
    ) -> (Vec<(&'a str, &'a str)>, HeaderMap) {
        let mut fields = fields.to_vec();
        let mut headers = HeaderMap::new();
        if let Some(address) = &self.address {
            headers.insert("x-forwarded-for", HeaderValue::from_str(address).unwrap());
        }
        match self.proof {
            ClientAuthentication::None => fields.push(("client_id", &self.client_id)),
            ClientAuthentication::Post(secret) => {
                fields.extend([("client_id", self.client_id.as_str()), ("client_secret", secret)]);
            }
            ClientAuthentication::Basic(secret) => {
                // RFC 6749 §2.3.1: each half form-urlencoded.
                let half = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = STANDARD.encode(format!("{}:{}", half(&self.client_id), half(secret)));
                headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Basic {pair}")).unwrap());
            }
        }
        (fields, headers)
    }

    pub async fn userinfo(&self, access_token: &str) -> TestResponse {
        let bearer = HeaderValue::from_str(&format!("Bearer {access_token}")).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        self.wire.send(Method::GET, "/userinfo", headers, String::new()).await
    }

    /// What an ID token or logout token for us says, once it has verified against the published keys.
    pub async fn verified(&self, token: &str) -> VerifiedToken {
        let jwks = self.wire.send(Method::GET, "/jwks", HeaderMap::new(), String::new()).await;
        let issuer = self.wire.issuer.as_str().trim_end_matches('/');
        verified(&jwks.body, token, issuer, &self.client_id)
    }
}
