//! What comes back to the application.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, STATE, TestProvider, on_both_databases};
use std::collections::BTreeSet;

on_both_databases!(
    rfc6749_4_1_2_state_is_echoed_byte_for_byte,
    rfc9207_2_the_issuer_is_in_every_response,
    rfc6749_4_1_2_without_state_there_is_none,
    rfc6749_3_1_2_the_query_of_the_redirect_uri_stays,
    form_post_2_a_page_posts_the_response_without_a_script_of_its_own,
    a_code_is_fresh_each_time_and_does_not_leak_in_a_referrer,
    single_sign_on_writes_nothing_before_the_redemption,
);

async fn rfc6749_4_1_2_state_is_echoed_byte_for_byte(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let specials = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ %20%00+é";
    let long: String = specials.chars().filter(char::is_ascii).cycle().take(128).collect();
    for state in [long.as_str(), specials, "a+b c", "&state=evil&", "x"] {
        // Right away, after a sign-in, after a sign-in with a mistake, and with an error.
        let signed_in = provider.signed_in(ALICE).await;
        let mut answers = vec![web.authorize(&signed_in, &[("state", state)]).await];
        let browser = provider.browser();
        answers.push(web.authorize(&browser, &[("state", state), ("prompt", "none")]).await);
        let page = web.authorize(&browser, &[("state", state)]).await;
        let again = browser.enter(&page, ALICE, "wrong").await;
        answers.push(browser.enter(&again, ALICE, PASSWORD).await);
        for answer in answers {
            assert_eq!(answer.parameters()["state"], state, "{}", answer.location());
            assert_eq!(answer.location().query_pairs().filter(|(name, _)| name == "state").count(), 1);
        }
        let page = web.authorize(&signed_in, &[("state", state), ("response_mode", "form_post")]).await;
        assert_eq!(page.form(&web.redirect_uri).fields["state"], state);
    }
}

async fn rfc9207_2_the_issuer_is_in_every_response(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for changes in [&[][..], &[("prompt", "none")], &[("response_type", "token")], &[("max_age", "x")]] {
        let answer = web.authorize(&browser, changes).await;
        assert_eq!(answer.parameters()["iss"], provider.issuer, "{changes:?}");
    }
}

async fn rfc6749_4_1_2_without_state_there_is_none(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let answer = web.authorize(&browser, &[("state", "")]).await;
    let names: Vec<String> = answer.parameters().into_keys().collect();
    assert_eq!(names, ["code", "iss", "session_state"]);
}

async fn rfc6749_3_1_2_the_query_of_the_redirect_uri_stays(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "queried"
first_party = true
redirect_uris = ["https://queried.example/callback?tenant=7&x=%20y"]
token_endpoint_auth_method = "none"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (app, browser) = (provider.client("queried"), provider.signed_in(ALICE).await);
    let answer = app.authorize(&browser, &[]).await;
    let location = answer.location();
    assert!(location.as_str().starts_with("https://queried.example/callback?tenant=7&x=%20y&"), "{location}");
    assert_eq!(app.redeem(&app.code_in(&answer)).await.status, 200);
}

async fn form_post_2_a_page_posts_the_response_without_a_script_of_its_own(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let page = web.authorize(&browser, &[("response_mode", "form_post")]).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    let form = page.form(&web.redirect_uri);
    let names: Vec<&str> = form.fields.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "iss", "session_state", "state"]);
    // For a browser that runs no scripts.
    assert_eq!(form.buttons.len(), 1);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("form-action"), "{policy}");
    let inline = page.body.split("<script").skip(1).filter(|script| !script.contains("src=\"/assets/"));
    assert_eq!(inline.count(), 0);
    assert_eq!(web.redeem(&form.fields["code"]).await.status, 200);
}

async fn a_code_is_fresh_each_time_and_does_not_leak_in_a_referrer(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let mut codes = BTreeSet::new();
    for _ in 0..5 {
        let answer = web.authorize(&browser, &[]).await;
        assert_eq!((answer.status, answer.header("referrer-policy")), (303, Some("no-referrer")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.location().fragment().is_none());
        assert_eq!(answer.parameters()["state"], STATE);
        codes.insert(web.code_in(&answer));
    }
    assert_eq!(codes.len(), 5);
}

async fn single_sign_on_writes_nothing_before_the_redemption(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let entries = provider.audit().await.len();
    let code = web.code(&browser, &[]).await;
    assert_eq!(provider.audit().await.len(), entries);
    web.redeem(&code).await;
    assert_eq!(provider.audit().await.len(), entries + 1);
}
