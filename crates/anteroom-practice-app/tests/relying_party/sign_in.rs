//! Signing in, against a provider of the tests' own.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::provider::callback;
use crate::support::test_tokens::Signer;
use crate::support::{BASE, Setup};

#[tokio::test]
async fn without_a_session_the_browser_goes_straight_to_the_provider() {
    let setup = Setup::new().await;
    let sent = setup.browser().get("/").await;
    let url = sent.location();
    assert!(url.as_str().starts_with(&format!("{}/authorize?", setup.provider.issuer)));
    let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let expected = [
        ("response_type", "code"),
        ("client_id", "schedule"),
        ("redirect_uri", "http://127.0.0.1:4711/callback"),
        ("scope", "openid profile email groups"),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in expected {
        assert_eq!(asked[name], value);
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(asked[name].len(), 43, "{name}");
    }
    let cookie = sent.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("practice_schedule_browser="), "{cookie}");
    assert!(cookie.contains("HttpOnly; SameSite=Lax; Path=/"), "{cookie}");
}

#[tokio::test]
async fn signing_in_greets_the_person_and_shows_what_was_told() {
    let setup = Setup::new().await;
    let mut browser = setup.browser();
    assert_eq!(browser.get("/claims.json").await.status, 401);
    let sent = browser.get("/").await;
    let back = setup.provider.approve(&sent.location());
    assert_eq!(browser.get(&back).await.location().as_str(), format!("{BASE}/"));
    assert_eq!(browser.cookies["practice_schedule_session"].len(), 43);

    let page = browser.get("/").await;
    for words in [
        "Welcome, Alice",
        "15 January 2027, 07:58 UTC",
        "2 minutes ago",
        "Password and a second factor",
        "a password and a code sent by text",
        "<code>session-…</code>",
        "staff, operators",
        "Sample data",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }

    let claims: Value = serde_json::from_str(&browser.get("/claims.json").await.body).unwrap();
    assert_eq!(claims["id_token"]["sid"], "session-of-alice");
    assert_eq!(claims["id_token"]["auth_time"], setup.time.now() - 120);
    assert_eq!(claims["userinfo"]["groups"], json!(["staff", "operators"]));
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other_and_a_refresh_leads_home() {
    let setup = Setup::new().await;
    let mut browser = setup.browser();
    let (one, two) = (browser.get("/").await.location(), browser.get("/").await.location());
    let (one, two) = (setup.provider.approve(&one), setup.provider.approve(&two));
    assert_eq!(browser.get(&two).await.status, 303);
    assert_eq!(browser.get(&one).await.status, 303);
    assert_eq!(browser.get(&one).await.location().path(), "/");
    assert_eq!(browser.get("/").await.status, 200);
}

#[tokio::test]
async fn rfc6749_4_1_2_1_a_refusal_is_a_page_with_the_providers_words() {
    let setup = Setup::new().await;
    let mut browser = setup.browser();
    let sent = browser.get("/").await.location();
    let back = setup.provider.refuse(&sent, "access_denied", "Ask <the office> about Schedule");
    let page = browser.get(&back).await;
    assert_eq!(page.status, 403);
    for words in [
        "access_denied",
        "Ask &lt;the office&gt; about Schedule",
        &format!(r#"href="{BASE}/""#),
        &format!(r#"href="{}""#, setup.provider.issuer),
    ] {
        assert!(page.body.contains(words), "{words}");
    }
    // The words of a stranger's link are not shown.
    let planted = callback(&[("error", "access_denied"), ("error_description", "Call 555-0100")]);
    let page = browser.get(&planted).await;
    assert_eq!(page.status, 400);
    assert!(!page.body.contains("555-0100"));
}

#[tokio::test]
async fn rfc6749_10_12_an_answer_of_another_browser_signs_nobody_in() {
    let setup = Setup::new().await;
    let sent = setup.browser().get("/").await.location();
    let back = setup.provider.approve(&sent);
    let mut victim = setup.browser();
    victim.get("/").await;
    let page = victim.get(&back).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("began in another browser"));
    assert!(!victim.cookies.contains_key("practice_schedule_session"));
}

#[tokio::test]
async fn rfc9207_2_4_the_answer_must_name_the_issuer() {
    let setup = Setup::new().await;
    let mut browser = setup.browser();
    for iss in [None, Some("http://evil.example")] {
        let sent = browser.get("/").await.location();
        let state = sent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let mut answer = vec![("error", "access_denied"), ("state", &state)];
        answer.extend(iss.map(|iss| ("iss", iss)));
        let page = browser.get(&callback(&answer)).await;
        assert_eq!(page.status, 400);
        assert!(page.body.contains("came from somewhere else"), "{}", page.body);
    }
}

#[tokio::test]
async fn core_3_1_3_7_an_id_token_that_does_not_hold_ends_on_a_page() {
    let setup = Setup::new().await;
    let now = setup.time.now();
    let cases = [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"iss": "http://evil.example"}),
        json!({"aud": "imaging"}),
        json!({"aud": ["schedule", "imaging"]}),
        json!({"azp": "imaging"}),
        json!({"exp": now}),
        json!({"at_hash": "AAAA"}),
        json!({"sub": "bob-sub"}),
    ];
    for changes in cases {
        setup.provider.set.lock().unwrap().id_token = changes.clone();
        let mut browser = setup.browser();
        let sent = browser.get("/").await.location();
        let page = browser.get(&setup.provider.approve(&sent)).await;
        assert_eq!(page.status, 502, "{changes}");
        assert!(!browser.cookies.contains_key("practice_schedule_session"), "{changes}");
    }
}

#[tokio::test]
async fn core_10_1_1_new_signing_keys_are_fetched_when_met() {
    let setup = Setup::new().await;
    setup.signed_in().await;
    assert_eq!(setup.provider.set.lock().unwrap().discoveries, 1);
    setup.provider.set.lock().unwrap().signer = Signer::new(2);
    setup.signed_in().await;
    setup.signed_in().await;
    assert_eq!(setup.provider.set.lock().unwrap().discoveries, 2);
}

#[tokio::test]
async fn a_provider_that_starts_later_is_found_then() {
    let setup = Setup::new().await;
    setup.provider.set.lock().unwrap().down = true;
    let mut browser = setup.browser();
    let page = browser.get("/").await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("does not answer"));
    setup.provider.set.lock().unwrap().down = false;
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn core_4_a_third_party_may_start_the_sign_in_at_this_issuer_alone() {
    let setup = Setup::new().await;
    let mut browser = setup.browser();
    let issuer = setup.provider.issuer.clone();
    let target = format!("{BASE}/claims.json");
    let asked = [("iss", &*issuer), ("login_hint", "alice@demo.example"), ("target_link_uri", &*target)];
    let moved = browser.post("/initiate-login", &asked).await.location();
    assert_eq!(moved.path(), "/initiate-login");
    let sent = browser.get(&format!("{}?{}", moved.path(), moved.query().unwrap())).await.location();
    assert!(sent.query_pairs().any(|(name, value)| name == "login_hint" && value == "alice@demo.example"));
    let back = setup.provider.approve(&sent);
    assert_eq!(browser.get(&back).await.location().as_str(), target);

    for query in ["", "?iss=http://evil.example", "?iss=a&iss=b", "?iss=http://localhost/"] {
        let page = browser.get(&format!("/initiate-login{query}")).await;
        assert_eq!(page.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_session_ends_by_itself_when_nobody_uses_it() {
    let setup = Setup::new().await;
    let mut browser = setup.signed_in().await;
    setup.time.pass(29 * 60);
    assert_eq!(browser.get("/").await.status, 200);
    setup.time.pass(30 * 60);
    assert_eq!(browser.get("/").await.status, 303);
}
