//! No input gets a 500, and what is refused leaves nothing behind: every route with every method, every field of every form,
//! every parameter of requests that would be good, every member of a registration.

mod values;
mod ways;

use crate::ALICE;
use anteroom_oidc::ClientMetadataInput;
use anteroom_testkit::{
    Backend, CLIENT_SECRET, ClientAuthentication, RelyingParty, TestProvider, TestResponse, VERIFIER,
    on_both_databases,
};
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use values::{RequestData, encoded, everywhere, values};
use ways::spoil;

on_both_databases!(
    no_input_to_any_route_gets_a_500_or_leaves_a_trace,
    a_path_that_cannot_be_read_is_answered_by_a_page_or_json,
    no_field_of_any_form_gets_a_500,
    no_parameter_of_a_good_request_gets_a_500,
    no_member_of_a_registration_gets_a_500,
);

const AT_ONCE: usize = 8;

/// Refusals are told in the trail and counted, and nowhere else.
const TELLS_OF_REFUSALS: &[&str] = &["audit_entries", "audit_waiting", "rate_counters", "form_effects"];

async fn start(backend: &Backend) -> TestProvider {
    TestProvider::on(backend)
        .set("registration.mode", "\"open\"")
        .set("registration.rate.max", "100000")
        .set("policy.sign_in.rate.max", "100000")
        .set("policy.recovery.rate.max", "100000")
        .set("policy.limits.request.max", "10000000")
        .set("policy.limits.authorization.max", "10000000")
        .set("policy.limits.form_of_session.max", "10000000")
        .set("policy.limits.form_of_account.max", "10000000")
        .set("policy.limits.sign_in_of_known_device.max", "10000000")
        .set("policy.limits.form_of_address.max", "10000000")
        .set("policy.limits.sign_out.max", "10000000")
        .set("policy.limits.new_password.max", "10000000")
        .set("policy.limits.request_uri.max", "10000000")
        .set("policy.limits.pushed_of_client.max", "10000000")
        .set("policy.limits.pushed_of_address.max", "10000000")
        .set("policy.limits.refresh.max", "10000000")
        // PostgreSQL's own clock goes, and `/readyz` compares.
        .real_time()
        .start()
        .await
}

/// A bounded queue may say that it is full.
fn is_fine(answer: &TestResponse) -> bool {
    answer.status < 500 || (answer.status == 503 && answer.header("retry-after").is_some())
}

fn methods() -> [Method; 8] {
    [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ]
}

/// `/clients/{client}` with a value in the hole.
fn filled(route: &str, value: &[u8]) -> String {
    let filled =
        route.split('/').map(|part| if part.starts_with('{') { encoded(value) } else { part.to_owned() });
    filled.collect::<Vec<_>>().join("/")
}

async fn say(provider: &TestProvider, method: &Method, path: &str, data: RequestData) {
    let target = if data.query.is_empty() { path.to_owned() } else { format!("{path}?{}", data.query) };
    let answer = provider.ask(method.clone(), &target, data.headers.clone(), data.body.clone()).await;
    let shown: String = target.chars().take(300).collect();
    assert!(is_fine(&answer), "{method} {shown} {data:?}: {}", answer.page_summary());
}

async fn no_input_to_any_route_gets_a_500_or_leaves_a_trace(backend: Backend) {
    let provider = start(&backend).await;
    let routes = provider.routes();
    assert!(routes.iter().any(|route| route == "/token") && routes.len() > 50, "{routes:?}");
    let before = backend.rows().await;
    let mut requests = Vec::new();
    for (route, method) in routes.iter().flat_map(|route| methods().map(|method| (route, method))) {
        let plain = provider.ask(method.clone(), &filled(route, b"x"), HeaderMap::new(), Vec::new()).await;
        assert!(is_fine(&plain), "{method} {route}: {}", plain.page_summary());
        if plain.status == 405 {
            continue;
        }
        let has_body = ![Method::GET, Method::HEAD].contains(&method);
        for value in values() {
            let here = everywhere(&value, has_body).into_iter();
            requests.extend(here.map(|data| (method.clone(), filled(route, b"x"), data)));
            if route.contains('{') {
                requests.push((method.clone(), filled(route, &value), RequestData::nothing()));
            }
        }
    }
    let all = stream::iter(requests);
    all.for_each_concurrent(AT_ONCE, |(method, path, data)| {
        let provider = &provider;
        async move { say(provider, &method, &path, data).await }
    })
    .await;
    let mut after = backend.rows().await;
    after.retain(|table, rows| before[table] != *rows && !TELLS_OF_REFUSALS.contains(&table.as_str()));
    assert!(after.is_empty(), "{after:?}");
}

async fn a_path_that_cannot_be_read_is_answered_by_a_page_or_json(backend: Backend) {
    let provider = start(&backend).await;
    let routes = provider
        .routes()
        .iter()
        .filter(|route| route.contains('{') && *route != "/{*__private__axum_fallback}");
    let mut tried = 0;
    for (route, method) in routes.flat_map(|route| methods().map(|method| (route, method))) {
        if matches!(method, Method::HEAD | Method::OPTIONS) {
            continue;
        }
        let answer =
            provider.ask(method.clone(), &filled(route, b"\xff"), HeaderMap::new(), Vec::new()).await;
        if answer.status == 405 {
            continue;
        }
        let kind = answer.header("content-type").unwrap_or_default().to_owned();
        assert!(
            !kind.starts_with("text/plain"),
            "{method} {route}: {} {}",
            answer.status,
            answer.page_summary()
        );
        let is_page =
            kind.starts_with("text/html") && answer.links().iter().any(|link| !link.href.is_empty());
        let is_json = kind.starts_with("application/json") && answer.json()["error"].is_string();
        assert!(is_page || is_json, "{method} {route}: {} {kind} {}", answer.status, answer.page_summary());
        assert!((400..500).contains(&answer.status), "{method} {route}: {}", answer.page_summary());
        tried += usize::from(answer.status == 404);
    }
    assert!(tried > 8, "{tried}");
}

async fn no_field_of_any_form_gets_a_500(backend: Backend) {
    let provider = start(&backend).await;
    let mut tried = 0;
    for browser in [provider.browser(), provider.signed_in(ALICE).await] {
        let consent = provider.client("partner").request(&[]);
        // Where a browser can go by itself.
        let plain = provider.routes().iter().filter(|route| !route.contains('{'));
        for place in plain.cloned().chain([consent, "/sign-in?another=1".to_owned()]) {
            let page = browser.get(&place).await;
            if page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
                tried += spoil(&browser, &page).await;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

/// Each of these fields with each value, the others as they are.
fn spoilt(good: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let names = good.iter().map(|(name, _)| *name);
    let with =
        |name| values().into_iter().map(move |value| (name, String::from_utf8_lossy(&value).into_owned()));
    names.flat_map(with).collect()
}

fn good(fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

async fn post_spoilt(client: &RelyingParty, path: &str, fields: &[(&'static str, &str)]) {
    for (name, value) in spoilt(&good(fields)) {
        let mut sent = fields.to_vec();
        sent.retain(|(known, _)| *known != name);
        sent.push((name, &value));
        let answer = client.post(path, &sent).await;
        assert!(is_fine(&answer), "{path} {name}={value:.50}: {}", answer.page_summary());
    }
}

/// Of an authorization request, besides those that every one has.
const MORE: &[(&str, &str)] = &[
    ("response_mode", "query"),
    ("prompt", "login"),
    ("display", "page"),
    ("max_age", "60"),
    ("ui_locales", "en"),
    ("claims_locales", "en"),
    ("id_token_hint", "x"),
    ("login_hint", ALICE),
    ("acr_values", "urn:anteroom:acr:pwd"),
    ("claims", "{}"),
    ("request", "x"),
    ("request_uri", "https://web.example/request"),
    ("resource", "https://api.example/"),
    ("registration", "{}"),
    ("client_id", "web"),
    ("redirect_uri", "https://web.example/callback"),
    ("response_type", "code"),
    ("scope", "openid"),
    ("state", "x"),
    ("nonce", "x"),
    ("code_challenge", "x"),
    ("code_challenge_method", "S256"),
];

async fn no_parameter_of_a_good_request_gets_a_500(backend: Backend) {
    let provider = start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for (name, value) in spoilt(&good(MORE)) {
        for mode in ["query", "fragment", "form_post"] {
            let changes = [("response_mode", mode), (name, value.as_str())];
            let answer = web.authorize(&browser, &changes).await;
            assert!(is_fine(&answer), "/authorize {name}={value:.50}: {}", answer.page_summary());
        }
        let answer = browser.get(&format!("/end-session?{name}={}", encoded(value.as_bytes()))).await;
        assert!(is_fine(&answer), "/end-session {name}={value:.50}: {}", answer.page_summary());
    }
    let tokens = web.tokens(&browser, "openid offline_access").await;
    let (access_token, refresh_token) = (tokens.access_token.as_str(), tokens.refresh_token());
    let code = web.code(&browser, &[]).await;
    let redeeming = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://web.example/callback"),
        ("code_verifier", VERIFIER),
        ("resource", "https://api.example/"),
        ("client_id", "web"),
        ("client_secret", CLIENT_SECRET),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", "x.y.z"),
    ];
    for client in [&web, &provider.client("web").proving(ClientAuthentication::None)] {
        post_spoilt(client, "/token", &redeeming).await;
        post_spoilt(
            client,
            "/token",
            &[("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("scope", "openid")],
        )
        .await;
        post_spoilt(client, "/par", MORE).await;
        post_spoilt(client, "/introspect", &[("token", access_token), ("token_type_hint", "x")]).await;
        post_spoilt(client, "/revoke", &[("token", "x"), ("token_type_hint", "access_token")]).await;
        post_spoilt(client, "/userinfo", &[("access_token", access_token)]).await;
    }
    let service = provider.client("service");
    post_spoilt(
        &service,
        "/token",
        &[("grant_type", "client_credentials"), ("scope", "reports"), ("resource", "x")],
    )
    .await;
}

/// What JSON can be where something else is expected.
fn shapes() -> Vec<Value> {
    let deep = (0..100).fold(json!([]), |inner, _| json!([inner]));
    let mut shapes = vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!([]),
        json!({}),
        json!([null, 1, {}]),
        json!({ "keys": [{ "kty": "RSA", "n": "", "e": "" }, { "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] }),
        deep,
    ];
    let texts = values().into_iter().map(|value| String::from_utf8_lossy(&value).into_owned());
    shapes.extend(texts.flat_map(|text| [json!(text), json!([text])]));
    shapes
}

async fn no_member_of_a_registration_gets_a_500(backend: Backend) {
    let provider = start(&backend).await;
    let callback = json!(["https://stranger.example/callback"]);
    let registered =
        provider.call("POST", "/clients", None, &json!({ "redirect_uris": callback })).await.json();
    let (place, token) = (&registered["registration_client_uri"], &registered["registration_access_token"]);
    for (name, value) in ClientMetadataInput::PARAMETERS
        .iter()
        .flat_map(|name| shapes().into_iter().map(move |value| (name, value)))
    {
        let mut metadata = json!({ "redirect_uris": callback, "client_id": registered["client_id"] });
        metadata[name] = value;
        for (method, place, token) in
            [("POST", "/clients", None), ("PUT", place.as_str().unwrap(), token.as_str())]
        {
            let answer = provider.call(method, place, token, &metadata).await;
            let shown: String = metadata.to_string().chars().take(300).collect();
            assert!(is_fine(&answer), "{method} {place} {shown}: {}", answer.page_summary());
        }
    }
}
