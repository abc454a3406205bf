//! An upgrade: what people and applications hold, and what rests in the database, from an earlier release is used on.
//!
//! `tests/stored` has a database as each release left it, with what it had given out. `STORED_DATABASE=NAME` makes this
//! release's: run the test that names it, and commit `NAME.db` and `NAME.json`.

use crate::people::{CAROL, CELL, NEW, choose, digits, follow_link, forget, send, through};
use crate::registration::register;
use crate::{ALICE, BOB};
use anteroom_flows::audit::chain::{self, CheckpointTime};
use anteroom_server::background::extend_chain;
use anteroom_testkit::{
    Backend, Browser, Builder, CHALLENGE, PASSWORD, TestProvider, Tokens, on_both_databases, on_copy_of,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use totp_rs::{Secret, Totp};

on_both_databases!(what_this_release_leaves_behind_is_used_on);

const DAVE: &str = "dave@practice.example";
const COOKIES: [&str; 3] = ["__Host-anteroom_session", "__Host-anteroom_device", "op_browser_state"];
const MFA: [(&str, &str); 1] =
    [("claims", r#"{"id_token":{"acr":{"essential":true,"value":"urn:anteroom:acr:mfa"}}}"#)];

/// Of this test alone: a client that was changed redeems no codes of before.
const CLIENTS: &str = r#"
[[clients]]
client_id = "kept"
first_party = true
redirect_uris = ["https://kept.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid profile email address phone groups offline_access"
access_token_format = "jwt"

[[clients]]
client_id = "kept-opaque"
first_party = true
redirect_uris = ["https://opaque.example/callback"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid email"
access_token_format = "opaque"

[[clients]]
client_id = "kept-partner"
redirect_uris = ["https://partner.example/callback"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid email"
"#;

fn on(backend: &Backend) -> Builder {
    let builder = TestProvider::on(backend).issuer("https://id.practice.example").clients(CLIENTS);
    builder.set("registration.mode", "\"open\"")
}

async fn what_this_release_leaves_behind_is_used_on(backend: Backend) {
    let left = Box::pin(leave_behind(&on(&backend).start().await)).await;
    if let Some(name) = std::env::var_os("STORED_DATABASE") {
        keep(&backend, name.to_str().unwrap(), &left).await;
    }
    Box::pin(go_on(&on(&backend).start().await, &left)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_release_0_1_0_left_behind_is_used_on() {
    let left = serde_json::from_slice(include_bytes!("../stored/0.1.0.json")).unwrap();
    on_copy_of(include_bytes!("../stored/0.1.0.db"), async |backend| {
        Box::pin(go_on(&on(&backend).start().await, &left)).await;
    })
    .await;
}

async fn keep(backend: &Backend, name: &str, left: &Value) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored");
    std::fs::create_dir_all(&folder).unwrap();
    let database = folder.join(format!("{name}.db"));
    if backend.url().starts_with("sqlite:") {
        backend.execute(&format!("PRAGMA page_size = 1024; VACUUM INTO '{}'", database.display())).await;
        let text = serde_json::to_string_pretty(left).unwrap() + "\n";
        std::fs::write(folder.join(format!("{name}.json")), text).unwrap();
    }
}

fn cookies(browser: &Browser) -> Value {
    COOKIES.iter().map(|name| ((*name).to_owned(), Value::from(browser.cookie(name)))).collect()
}

fn browser(provider: &TestProvider, cookies: &Value) -> Browser {
    let browser = provider.browser();
    for (name, value) in cookies.as_object().unwrap() {
        if let Some(value) = value.as_str() {
            browser.set_cookie(name, value);
        }
    }
    browser
}

fn text<'a>(left: &'a Value, name: &str) -> &'a str {
    left[name].as_str().unwrap_or_else(|| panic!("no {name} in {left}"))
}

async fn leave_behind(provider: &TestProvider) -> Value {
    let alice = provider.signed_in(ALICE).await;
    let (kept, opaque) = (provider.client("kept"), provider.client("kept-opaque"));
    let tokens = kept.tokens(&alice, "openid email offline_access").await;
    let claims = r#"{"userinfo":{"name":{"essential":true}}}"#;
    let code = kept.code(&alice, &[("scope", "openid email"), ("claims", claims)]).await;
    let opaque = opaque.tokens(&alice, "openid email").await;
    let page = provider.client("kept-partner").authorize(&alice, &[("scope", "openid email")]).await;
    alice.submit(&page, "/consent", &[("decision", "allow")]).await;
    let registered =
        json!({ "redirect_uris": ["https://stranger.example/callback"], "client_name": "Stranger" });
    let registered = register(provider, &registered).await;
    let pushed = kept.post("/par", &pushed_fields(&kept.redirect_uri)).await.json();
    let waiting = provider.browser();
    let page = kept.authorize(&waiting, &[("scope", "openid email")]).await;
    let sealed = page.form("/sign-in").fields.into_iter().find(|(name, _)| name == "interaction").unwrap().1;
    provider.person(DAVE).create().await;
    let dave = provider.signed_in(DAVE).await;
    let secret = add_app(&dave, provider).await;
    for _ in 0..6 {
        provider.browser().sign_in(BOB, "Wrong-password-1").await;
    }
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let page = send(&carol, &follow_link(provider, &carol).await).await;
    let verifying = &page.asked[url::Position::BeforePath..];
    extend_chain(&provider.provider, None, CheckpointTime::Now).await.unwrap();
    json!({
        "alice": cookies(&alice), "refresh_token": tokens.refresh_token(), "jwt": tokens.access_token,
        "id_token": tokens.id_token(), "code": code, "opaque": opaque.access_token,
        "registered": registered, "request_uri": pushed["request_uri"], "waiting": cookies(&waiting),
        "sealed": sealed, "app": secret, "dave": cookies(&dave), "carol": cookies(&carol), "verifying": verifying,
    })
}

fn pushed_fields(redirect_uri: &str) -> [(&str, &str); 5] {
    [
        ("redirect_uri", redirect_uri),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// By the password alone, so that it waits; its secret.
async fn add_app(browser: &Browser, provider: &TestProvider) -> String {
    let list = browser.get("/account/factors").await;
    let page = through(browser, &list, "/account/factors/add", &[]).await;
    let secret = page.text_of("secret").unwrap().replace(' ', "");
    through(browser, &page, "/account/factors/confirm", &[("code", &shown(&secret, provider))]).await;
    secret
}

fn shown(secret: &str, provider: &TestProvider) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let app: Totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    app.generate(provider.now().as_second().try_into().unwrap()).to_string()
}

async fn go_on(provider: &TestProvider, left: &Value) {
    let alice = browser(provider, &left["alice"]);
    tokens(provider, left, &alice).await;
    requests_that_wait(provider, left, &alice).await;
    locks_and_devices(provider, &alice).await;
    ways_to_a_password(provider, left).await;
    let findings = {
        let parts = &provider.provider;
        extend_chain(parts, None, CheckpointTime::Now).await.unwrap();
        chain::verify(&parts.store, &parts.keyring, Vec::new(), Vec::new()).await.unwrap().findings
    };
    assert_eq!(findings, []);
    provider.advance(SignedDuration::from_hours(73));
    a_second_factor(provider, left).await;
}

async fn locks_and_devices(provider: &TestProvider, alice: &Browser) {
    assert!(alice.is_signed_in().await);
    let again = alice.sign_in(ALICE, PASSWORD).await;
    assert_eq!(again.status, 303, "{}", again.page_summary());
    let signed_in = provider.audited("signed_in").await;
    assert!(signed_in.iter().any(|entry| entry.detail.contains("\"new_device\":false")), "{signed_in:?}");
    assert_eq!(provider.browser().sign_in(BOB, PASSWORD).await.status, 422, "still locked");
}

async fn tokens(provider: &TestProvider, left: &Value, alice: &Browser) {
    let (kept, opaque) = (provider.client("kept"), provider.client("kept-opaque"));
    assert_eq!(kept.userinfo(text(left, "jwt")).await.json()["email"], ALICE);
    assert_eq!(opaque.userinfo(text(left, "opaque")).await.json()["email"], ALICE);
    let sid = kept.verified(text(left, "id_token")).await.claims["sid"].clone();
    let redeemed = Tokens::of(&kept.redeem(text(left, "code")).await);
    assert_eq!(kept.verified(redeemed.id_token()).await.claims["sid"], sid);
    assert_eq!(kept.userinfo(&redeemed.access_token).await.json()["name"], "Alice Example");
    let next = Tokens::of(&kept.refresh(text(left, "refresh_token")).await);
    Tokens::of(&kept.refresh(next.refresh_token()).await);
    let registered = provider.registered(&left["registered"]);
    assert_eq!(registered.authorize(alice, &[]).await.status, 200, "asks for consent");
    let management = text(&left["registered"], "registration_client_uri");
    let bearer = text(&left["registered"], "registration_access_token");
    assert_eq!(provider.call("GET", management, Some(bearer), &Value::Null).await.status, 200);
    let partner = provider.client("kept-partner");
    partner.code(alice, &[("scope", "openid email")]).await;
}

async fn requests_that_wait(provider: &TestProvider, left: &Value, alice: &Browser) {
    let kept = provider.client("kept");
    let pushed = format!("/authorize?client_id=kept&request_uri={}", text(left, "request_uri"));
    assert!(alice.get(&pushed).await.parameters().contains_key("code"));
    let waiting = browser(provider, &left["waiting"]);
    let page = waiting.get(&format!("/continue?interaction={}", text(left, "sealed"))).await;
    let answer = waiting.enter(&page, ALICE, PASSWORD).await;
    kept.code_in(&answer);
}

async fn ways_to_a_password(provider: &TestProvider, left: &Value) {
    let carol = browser(provider, &left["carol"]);
    let page = carol.get(text(left, "verifying")).await;
    let page = through(&carol, &page, "/verify/code", &[("code", &digits(provider).await)]).await;
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
    assert_eq!(carol.sign_in(CAROL, NEW).await.status, 303);
}

async fn a_second_factor(provider: &TestProvider, left: &Value) {
    let dave = browser(provider, &left["dave"]);
    dave.sign_in(DAVE, PASSWORD).await;
    let kept = provider.client("kept");
    let page = kept.authorize(&dave, &MFA).await;
    let code = shown(text(left, "app"), provider);
    let answer = dave.submit(&page, "/verify/code", &[("code", &code)]).await;
    let tokens = Tokens::of(&kept.redeem(&kept.code_in(&answer)).await);
    assert_eq!(kept.verified(tokens.id_token()).await.claims["acr"], "urn:anteroom:acr:mfa");
}
