//! The consent page of a client that changes its registration while the page is open (RFC 7592 §2.2): the answer is to what
//! the page showed.

use super::{CALLBACK, address, metadata, open, register, with};
use crate::ALICE;
use anteroom_testkit::{
    Backend, Browser, PASSWORD, RelyingParty, TestProvider, TestResponse, on_both_databases,
};
use serde_json::{Value, json};

on_both_databases!(
    rfc7592_2_2_consent_is_to_the_client_that_the_page_showed,
    rfc7592_2_2_any_update_of_the_registration_asks_anew,
    rfc7592_2_2_an_update_at_another_node_is_seen_when_consent_is_kept,
    rfc7592_2_2_an_update_and_an_answer_at_once_leave_no_consent_to_what_was_not_shown,
    rfc7592_2_2_a_page_that_was_left_open_answers_nothing_later,
    rfc7592_2_2_a_refusal_is_one_whatever_the_client_has_become,
    rfc7592_2_3_nobody_agrees_to_a_client_that_is_deleted,
);

const ELSEWHERE: &str = "https://elsewhere.example/callback";

async fn changed(provider: &TestProvider, registered: &Value, changes: &Value) {
    let mut changes = changes.clone();
    changes["client_id"] = registered["client_id"].clone();
    let (uri, token) = address(registered);
    let answer = provider.call("PUT", uri, token, &with(&changes)).await;
    assert_eq!(answer.status, 200, "{}", answer.page_summary());
}

fn with_another_host() -> Value {
    json!({ "redirect_uris": [CALLBACK, ELSEWHERE], "client_name": "Another" })
}

async fn decide(browser: &Browser, page: &TestResponse, decision: &str) -> TestResponse {
    browser.submit(page, "/consent", &[("decision", decision)]).await
}

/// The page anew, after an answer that was to what it showed before.
async fn asked_anew(browser: &Browser, answer: &TestResponse) -> TestResponse {
    let page = browser.follow(answer).await;
    assert!(page.has_form("/consent") && page.text_of("changed").is_some(), "{}", page.page_summary());
    page
}

async fn nothing_was_kept(provider: &TestProvider, self_registered: &RelyingParty) {
    assert!(provider.audited("consent_given").await.is_empty());
    let another = provider.signed_in(ALICE).await;
    assert!(self_registered.authorize(&another, &[]).await.has_form("/consent"));
}

async fn rfc7592_2_2_consent_is_to_the_client_that_the_page_showed(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let (self_registered, browser) = (provider.registered(&registered), provider.browser());
    // Once as a row, which a sign-in makes of the journey, and once sealed in the page.
    let page = self_registered.authorize(&browser, &[]).await;
    let row = browser.follow(&browser.enter(&page, ALICE, PASSWORD).await).await;
    let sealed = self_registered.authorize(&browser, &[]).await;
    changed(&provider, &registered, &with_another_host()).await;
    let mut last = None;
    for page in [row, sealed] {
        assert_eq!(page.text_of("host").unwrap(), "It belongs to stranger.example.");
        assert!(page.text_of("changed").is_none());
        let anew = asked_anew(&browser, &decide(&browser, &page, "allow").await).await;
        assert_eq!(anew.text_of("host").unwrap(), "It belongs to stranger.example, elsewhere.example.");
        assert_eq!(anew.heading(), "Allow Another?");
        nothing_was_kept(&provider, &self_registered).await;
        last = Some(anew);
    }
    // What it says now can be agreed to.
    self_registered.code_in(&decide(&browser, &last.unwrap(), "allow").await);
    self_registered.code(&browser, &[]).await;
}

async fn rfc7592_2_2_any_update_of_the_registration_asks_anew(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let (self_registered, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
    for changes in [
        json!({ "client_name": "The practice" }),
        json!({ "logo_uri": "https://stranger.example/practice.png" }),
        json!({ "policy_uri": "https://stranger.example/policy" }),
        json!({ "tos_uri": "https://stranger.example/terms" }),
        json!({ "backchannel_logout_uri": "https://stranger.example/logout" }),
        json!({ "scope": "openid" }),
    ] {
        let page = self_registered.authorize(&browser, &[("prompt", "consent")]).await;
        changed(&provider, &registered, &changes).await;
        asked_anew(&browser, &decide(&browser, &page, "allow").await).await;
        assert!(provider.audited("consent_given").await.is_empty(), "{changes}");
    }
    let page = self_registered.authorize(&browser, &[("prompt", "consent")]).await;
    self_registered.code_in(&decide(&browser, &page, "allow").await);
}

/// This node has not heard of the change, and would go on for a second.
async fn rfc7592_2_2_an_update_at_another_node_is_seen_when_consent_is_kept(backend: Backend) {
    let first = open(&backend).start().await;
    let second = open(&backend).another_node_of(&first).start().await;
    let registered = register(&first, &metadata()).await;
    let self_registered = second.registered(&registered);
    let browser = second.signed_in(ALICE).await;
    let page = self_registered.authorize(&browser, &[]).await;
    changed(&first, &registered, &with_another_host()).await;
    let still = self_registered.authorize(&browser, &[]).await;
    assert_eq!(still.text_of("host").unwrap(), "It belongs to stranger.example.");
    let anew = asked_anew(&browser, &decide(&browser, &page, "allow").await).await;
    assert_eq!(anew.text_of("host").unwrap(), "It belongs to stranger.example, elsewhere.example.");
    nothing_was_kept(&second, &self_registered).await;
    self_registered.code_in(&decide(&browser, &anew, "allow").await);
}

async fn rfc7592_2_2_an_update_and_an_answer_at_once_leave_no_consent_to_what_was_not_shown(
    backend: Backend,
) {
    let provider = open(&backend).start().await;
    let browser = provider.signed_in(ALICE).await;
    for _ in 0..8 {
        let registered = register(&provider, &metadata()).await;
        let self_registered = provider.registered(&registered);
        let page = self_registered.authorize(&browser, &[]).await;
        let changes = with_another_host();
        tokio::join!(decide(&browser, &page, "allow"), changed(&provider, &registered, &changes));
        // What was agreed to before the update was forgotten by it.
        assert!(self_registered.authorize(&browser, &[]).await.has_form("/consent"));
    }
}

async fn rfc7592_2_2_a_page_that_was_left_open_answers_nothing_later(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let (self_registered, browser) = (provider.registered(&registered), provider.browser());
    let page = self_registered.authorize(&browser, &[]).await;
    let left_open = browser.follow(&browser.enter(&page, ALICE, PASSWORD).await).await;
    changed(&provider, &registered, &with_another_host()).await;
    for _ in 0..2 {
        let anew = decide(&browser, &left_open, "allow").await;
        asked_anew(&browser, &anew).await;
    }
    nothing_was_kept(&provider, &self_registered).await;
}

async fn rfc7592_2_2_a_refusal_is_one_whatever_the_client_has_become(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let (self_registered, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
    let page = self_registered.authorize(&browser, &[]).await;
    changed(&provider, &registered, &with_another_host()).await;
    assert_eq!(decide(&browser, &page, "deny").await.error(), "access_denied");
}

async fn rfc7592_2_3_nobody_agrees_to_a_client_that_is_deleted(backend: Backend) {
    let first = open(&backend).start().await;
    let second = open(&backend).another_node_of(&first).start().await;
    let registered = register(&first, &metadata()).await;
    let browser = second.signed_in(ALICE).await;
    let page = second.registered(&registered).authorize(&browser, &[]).await;
    let (uri, token) = address(&registered);
    assert_eq!(first.call("DELETE", uri, token, &Value::Null).await.status, 204);
    let gone = decide(&browser, &page, "allow").await;
    assert!(gone.text_of("error-application-gone").is_some(), "{}", gone.page_summary());
    assert!(second.audited("consent_given").await.is_empty());
}
