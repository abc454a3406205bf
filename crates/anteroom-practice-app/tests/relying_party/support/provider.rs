//! A provider of OpenID Connect that approves every person as alice, unless told otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::test_tokens::Signer;
use super::{BASE, CLIENT_ID, CLIENT_SECRET, Time};

pub(crate) struct Provider {
    pub(crate) issuer: String,
    time: Time,
    pub(crate) set: Mutex<Settings>,
}

pub(crate) struct Settings {
    pub(crate) signer: Signer,
    pub(crate) down: bool,
    /// Laid over the claims of the ID token; null takes one away.
    pub(crate) id_token: Value,
    pub(crate) userinfo: Value,
    pub(crate) discoveries: u32,
    codes: HashMap<String, HashMap<String, String>>,
}

impl Provider {
    pub(crate) async fn start(time: Time) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let settings = Settings {
            signer: Signer::new(1),
            down: false,
            id_token: json!({}),
            userinfo: json!({"sub": "alice-sub", "given_name": "Alice", "groups": ["staff", "operators"]}),
            discoveries: 0,
            codes: HashMap::new(),
        };
        let provider = Arc::new(Self { issuer, time, set: Mutex::new(settings) });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    /// Reads the authorization request and answers it with a code: the path of the callback.
    pub(crate) fn approve(&self, request: &Url) -> String {
        let asked: HashMap<String, String> = request.query_pairs().into_owned().collect();
        let mut set = self.set.lock().unwrap();
        let code = format!("code-{}", set.codes.len());
        let state = asked["state"].clone();
        set.codes.insert(code.clone(), asked);
        callback(&[("code", &code), ("state", &state), ("iss", &self.issuer)])
    }

    pub(crate) fn refuse(&self, request: &Url, error: &str, description: &str) -> String {
        let state = request.query_pairs().find(|(name, _)| name == "state").unwrap().1;
        let answer = [("error", error), ("error_description", description), ("state", &state)];
        callback(&[&answer[..], &[("iss", &self.issuer)]].concat())
    }

    /// A logout token of this provider with some claims laid over, null taking one away.
    pub(crate) fn logout_token(&self, changes: &Value) -> String {
        let now = self.time.now();
        let claims = json!({
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": "j-1", "sid": "session-of-alice",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        let set = self.set.lock().unwrap();
        set.signer.sign(&set.signer.header(), &laid_over(claims, changes))
    }
}

/// The path of an authorization response.
pub(crate) fn callback(parameters: &[(&str, &str)]) -> String {
    let url = Url::parse_with_params(&format!("{BASE}/callback"), parameters).unwrap();
    format!("/callback?{}", url.query().unwrap())
}

fn laid_over(mut claims: Value, changes: &Value) -> Value {
    let map = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(map.remove(name)),
            value => drop(map.insert(name.clone(), value.clone())),
        }
    }
    claims
}

type Answer = (StatusCode, Json<Value>);

async fn discovery(State(provider): State<Arc<Provider>>) -> Answer {
    let mut set = provider.set.lock().unwrap();
    set.discoveries += 1;
    if set.down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    let issuer = &provider.issuer;
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "end_session_endpoint": format!("{issuer}/end-session"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "profile", "email", "groups"],
        "id_token_signing_alg_values_supported": ["EdDSA", "RS256", "HS256"],
        "authorization_response_iss_parameter_supported": true,
    });
    (StatusCode::OK, Json(document))
}

async fn jwks(State(provider): State<Arc<Provider>>) -> Json<Value> {
    Json(json!({"keys": [provider.set.lock().unwrap().signer.public()]}))
}

async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Answer {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let basic = BASE64_STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET)));
    if headers.get(header::AUTHORIZATION).is_none_or(|sent| *sent != format!("Basic {basic}")) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"})));
    }
    let mut set = provider.set.lock().unwrap();
    let Some(asked) = form.get("code").and_then(|code| set.codes.remove(code)) else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})));
    };
    let verifier = PkceCodeVerifier::new(form["code_verifier"].clone());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    if challenge.as_str() != asked["code_challenge"] || form["redirect_uri"] != asked["redirect_uri"] {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})));
    }
    let now = provider.time.now();
    let claims = json!({
        "iss": provider.issuer, "sub": "alice-sub", "aud": CLIENT_ID, "iat": now, "exp": now + 300,
        "nonce": asked["nonce"], "auth_time": now - 120, "sid": "session-of-alice",
        "acr": "urn:anteroom:acr:mfa", "amr": ["pwd", "sms", "mfa"],
    });
    let mut header = set.signer.header();
    header["typ"] = json!("JWT");
    let id_token = set.signer.sign(&header, &laid_over(claims, &set.id_token));
    let tokens =
        json!({"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": id_token});
    (StatusCode::OK, Json(tokens))
}

async fn userinfo(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Answer {
    if headers.get(header::AUTHORIZATION).is_none_or(|sent| sent != "Bearer at") {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_token"})));
    }
    (StatusCode::OK, Json(provider.set.lock().unwrap().userinfo.clone()))
}
