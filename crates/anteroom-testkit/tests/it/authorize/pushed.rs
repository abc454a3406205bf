//! Pushed authorization requests (RFC 9126).

use crate::ALICE;
use anteroom_testkit::{
    AppKey, Backend, CHALLENGE, ClientAuthentication, PASSWORD, RelyingParty, STATE, TestProvider,
    TestResponse, on_both_databases, on_one_node_and_on_two,
};
use jiff::SignedDuration;
use serde_json::json;

on_one_node_and_on_two!(rfc9126_4_a_pushed_request_is_served_by_its_name);
on_both_databases!(
    rfc9126_7_3_the_first_browser_has_it_and_may_refresh_its_page,
    rfc9126_2_2_it_waits_ninety_seconds,
    rfc9126_2_1_a_request_is_checked_when_it_is_pushed,
    rfc9126_3_a_request_object_may_be_pushed,
    rfc9126_5_a_client_can_be_held_to_pushing,
    rfc9126_5_a_request_that_waits_is_answered_as_its_client_must_ask_now,
);

async fn push(app: &RelyingParty, changes: &[(&str, &str)]) -> TestResponse {
    let mut fields = vec![
        ("redirect_uri", app.redirect_uri.as_str()),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", STATE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    app.post("/par", &fields).await
}

/// The authorization request for what was pushed.
pub(super) async fn pushed(app: &RelyingParty, changes: &[(&str, &str)]) -> String {
    let answer = push(app, changes).await;
    assert_eq!(answer.status, 201, "{}", answer.page_summary());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let json = answer.json();
    let request_uri = json["request_uri"].as_str().unwrap();
    assert!(request_uri.starts_with("urn:ietf:params:oauth:request_uri:"), "{request_uri}");
    assert_eq!(json["expires_in"], 90);
    format!("/authorize?client_id={}&request_uri={request_uri}", app.client_id)
}

async fn rfc9126_4_a_pushed_request_is_served_by_its_name(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let target = pushed(&web, &[("scope", "openid email")]).await;
    // What stands beside the name does not count.
    let answer = browser.get(&format!("{target}&scope=openid%20phone&state=other")).await;
    let tokens = web.redeem(&web.code_in(&answer)).await.json();
    assert_eq!(tokens["scope"], "openid email");
}

async fn rfc9126_7_3_the_first_browser_has_it_and_may_refresh_its_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let target = pushed(&web, &[]).await;
    let browser = provider.browser();
    browser.get(&target).await;
    provider.advance(SignedDuration::from_mins(5));
    let page = browser.get(&target).await;
    assert!(!web.code_in(&browser.enter(&page, ALICE, PASSWORD).await).is_empty());
    // Another person who has seen the address has nothing of it, and nor has another client.
    let answer = provider.signed_in(ALICE).await.get(&target).await;
    assert_eq!((answer.status, answer.header("location")), (400, None));
    let other = target.replace("client_id=web", "client_id=partner");
    let answer = browser.get(&other).await;
    assert_eq!((answer.status, answer.header("location")), (400, None));
}

async fn rfc9126_2_2_it_waits_ninety_seconds(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let target = pushed(&web, &[]).await;
    provider.advance(SignedDuration::from_secs(90));
    // Where the application is known to be, it is told.
    let redirect = "&scope=openid&redirect_uri=https%3A%2F%2Fweb.example%2Fcallback";
    let answer = browser.get(&format!("{target}{redirect}")).await;
    assert_eq!(answer.parameters()["error"], "invalid_request_uri");
    let made_up = "/authorize?client_id=web&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax";
    let answer = browser.get(&format!("{made_up}{redirect}")).await;
    assert_eq!(answer.parameters()["error"], "invalid_request_uri");
}

async fn rfc9126_2_1_a_request_is_checked_when_it_is_pushed(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    for (changes, error) in [
        ([("redirect_uri", "https://evil.example/")], "invalid_request"),
        ([("response_type", "nonsense")], "unsupported_response_type"),
        ([("scope", "\"bad\"")], "invalid_scope"),
        ([("request", "nonsense")], "invalid_request_object"),
        ([("request_uri", "https://web.example/r")], "invalid_request"),
        ([("client_id", "native")], "invalid_request"),
    ] {
        let answer = push(&web, &changes).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{changes:?}");
    }
    // The client proves who it is, and one that cannot does not push.
    assert_eq!(push(&web.clone().proving(ClientAuthentication::Basic("wrong")), &[]).await.status, 401);
    assert_eq!(push(&provider.client("native"), &[]).await.status, 401);
}

async fn rfc9126_3_a_request_object_may_be_pushed(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let toml = format!(
        "[[clients]]\nclient_id = \"signing\"\nfirst_party = true\n\
         redirect_uris = [\"https://signing.example/callback\"]\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
         jwks = '{}'\n",
        AppKey::set(&[&key])
    );
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    let request = key.sign(&json!({"client_id": "signing", "scope": "openid email"}));
    let target = pushed(&app, &[("request", &request)]).await;
    let tokens = app.redeem(&app.code_in(&browser.get(&target).await)).await.json();
    assert_eq!(tokens["scope"], "openid email");
}

async fn rfc9126_5_a_client_can_be_held_to_pushing(backend: Backend) {
    let toml = "[[clients]]\nclient_id = \"pushing\"\nfirst_party = true\n\
        redirect_uris = [\"https://pushing.example/callback\"]\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
        require_pushed_authorization_requests = true\n";
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (app, browser) = (provider.client("pushing"), provider.signed_in(ALICE).await);
    let answer = app.authorize(&browser, &[]).await;
    assert_eq!(answer.parameters()["error"], "invalid_request");
    let target = pushed(&app, &[]).await;
    assert!(!app.code_in(&browser.get(&target).await).is_empty());
}

async fn rfc9126_5_a_request_that_waits_is_answered_as_its_client_must_ask_now(backend: Backend) {
    let toml = |more: &str| {
        format!(
            "[[clients]]\nclient_id = \"pushing\"\nfirst_party = true\n\
             redirect_uris = [\"https://pushing.example/callback\"]\nsecret_env = \"TEST_CLIENT_SECRET\"\n{more}\n"
        )
    };
    let before = TestProvider::on(&backend).clients(&toml("")).start().await;
    let held = toml("require_pushed_authorization_requests = true");
    let after = TestProvider::on(&backend).clients(&held).another_node_of(&before).start().await;
    let app = before.client("pushing");
    let (mut plain, mut waiting) = (before.browser(), before.browser());
    let page = app.authorize(&plain, &[]).await;
    let target = pushed(&app, &[]).await;
    let page_of_pushed = waiting.get(&target).await;
    plain.lead_to(&after);
    waiting.lead_to(&after);
    let answer = plain.enter(&page, ALICE, PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
    assert!(answer.text_of("error-application-gone").is_some(), "{}", answer.page_summary());
    assert!(!app.code_in(&waiting.enter(&page_of_pushed, ALICE, PASSWORD).await).is_empty());
}
