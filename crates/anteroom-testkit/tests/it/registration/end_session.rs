//! The end-session endpoint for clients that registered themselves: it leads back where the client is known here now (RFC 9700
//! §4.11.2).

use super::errors::agree;
use super::{CLIENTS, address, metadata, open, register, with};
use crate::ALICE;
use anteroom_testkit::{
    Backend, Browser, INITIAL_ACCESS_TOKEN, PASSWORD, RelyingParty, TestProvider, TestResponse, Tokens,
    on_both_databases,
};
use serde_json::{Value, json};

on_both_databases!(
    rfc9700_4_11_2_nobody_is_led_to_an_address_of_a_client_that_is_not_known,
    rfc9700_4_11_2_at_such_a_client_the_person_can_sign_out_and_stays,
    rfc9700_4_11_2_after_consent_or_with_an_initial_access_token_the_person_is_led_back,
    rfc9700_4_11_2_a_hint_does_not_make_its_client_known,
    rfc9700_4_11_2_a_hint_from_before_another_host_was_registered_leads_not_there,
    a_client_of_another_node_is_known_at_once_where_a_session_ends,
    who_was_told_to_stay_stays_whatever_the_client_registers_meanwhile,
);

const BYE: &str = "https://stranger.example/bye";

fn asked() -> Value {
    with(&json!({ "post_logout_redirect_uris": [BYE], "scope": "openid" }))
}

async fn self_registered(provider: &TestProvider) -> RelyingParty {
    provider.registered(&register(provider, &asked()).await)
}

async fn end_session(browser: &Browser, client: &RelyingParty, more: &str) -> TestResponse {
    let id = &client.client_id;
    browser.get(&format!("/end-session?client_id={id}&post_logout_redirect_uri={BYE}&state=s{more}")).await
}

fn is_led_back(answer: &TestResponse) -> bool {
    answer.header("location") == Some("https://stranger.example/bye?state=s")
}

async fn rfc9700_4_11_2_nobody_is_led_to_an_address_of_a_client_that_is_not_known(backend: Backend) {
    let provider = open(&backend).start().await;
    let self_registered = self_registered(&provider).await;
    for hint in ["", "&id_token_hint=x", "&id_token_hint=e30.e30.c2ln"] {
        let page = end_session(&provider.browser(), &self_registered, hint).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{hint}: {}", page.page_summary());
        assert!(page.text_of("error-nothing-ended").is_some(), "{hint}: {}", page.page_summary());
        assert!(!page.body.contains("stranger.example"), "{hint}");
    }
    // Of the configuration there is no question.
    let web = "/end-session?client_id=web&post_logout_redirect_uri=https://web.example/signed-out";
    assert_eq!(provider.browser().get(web).await.status, 303);
}

async fn rfc9700_4_11_2_at_such_a_client_the_person_can_sign_out_and_stays(backend: Backend) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.signed_in(ALICE).await);
    let page = end_session(&browser, &self_registered, "").await;
    assert_eq!((page.status, page.heading().as_str()), (400, "Sign out?"), "{}", page.page_summary());
    assert!(page.text_of("problem").is_some(), "{}", page.page_summary());
    let answer = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(answer.location().as_str(), format!("{}/signed-out", provider.issuer));
    assert!(!browser.is_signed_in().await);
}

async fn rfc9700_4_11_2_after_consent_or_with_an_initial_access_token_the_person_is_led_back(
    backend: Backend,
) {
    let builder = open(&backend).set("registration.initial_access_token_env", "\"TEST_INITIAL_TOKEN\"");
    let provider = builder.start().await;
    let agreed = self_registered(&provider).await;
    agree(&agreed, &provider).await;
    let answer = provider.call("POST", CLIENTS, Some(INITIAL_ACCESS_TOKEN), &asked()).await;
    let invited = provider.registered(&answer.json());
    for client in [agreed, invited] {
        let answer = end_session(&provider.browser(), &client, "").await;
        assert!(is_led_back(&answer), "{}", answer.page_summary());
        let browser = provider.signed_in(ALICE).await;
        let page = end_session(&browser, &client, "").await;
        assert_eq!((page.status, page.heading().as_str()), (200, "Sign out?"), "{}", page.page_summary());
        assert!(is_led_back(&browser.submit(&page, "/sign-out", &[]).await));
    }
}

/// An ID token that the client got with the consent of the person, who stays signed in.
async fn hint_of(provider: &TestProvider, self_registered: &RelyingParty) -> (Browser, String) {
    let browser = provider.browser();
    let page = self_registered.authorize(&browser, &[]).await;
    let mut answer = browser.enter(&page, ALICE, PASSWORD).await;
    if answer.location().path() != "/callback" {
        let page = browser.follow(&answer).await;
        answer = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    }
    let tokens = Tokens::of(&self_registered.redeem(&self_registered.code_in(&answer)).await);
    let hint = format!("&id_token_hint={}", tokens.id_token());
    (browser, hint)
}

/// The person is asked in their browser, and stays; another one is led nowhere.
async fn leads_nowhere(
    provider: &TestProvider,
    self_registered: &RelyingParty,
    browser: &Browser,
    hint: &str,
    address: &str,
) {
    let target = format!("/end-session?post_logout_redirect_uri={address}&state=s{hint}");
    for browser in [browser, &provider.browser()] {
        let page = browser.get(&target).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{}", page.page_summary());
    }
    let page = browser.get(&target).await;
    assert_eq!(page.heading(), "Sign out?", "{}: {}", self_registered.client_id, page.page_summary());
    let answer = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(answer.location().as_str(), format!("{}/signed-out", provider.issuer));
    assert!(!browser.is_signed_in().await);
}

async fn rfc9700_4_11_2_a_hint_does_not_make_its_client_known(backend: Backend) {
    let provider = open(&backend).start().await;
    let self_registered = self_registered(&provider).await;
    let (browser, hint) = hint_of(&provider, &self_registered).await;
    assert!(is_led_back(&end_session(&browser, &self_registered, &hint).await));
    assert!(!browser.is_signed_in().await);
    assert!(is_led_back(&end_session(&provider.browser(), &self_registered, &hint).await));
    let (browser, hint) = hint_of(&provider, &self_registered).await;
    // Nothing but the hint says that the client was used here.
    backend.execute("DELETE FROM consents").await;
    leads_nowhere(&provider, &self_registered, &browser, &hint, BYE).await;
}

async fn rfc9700_4_11_2_a_hint_from_before_another_host_was_registered_leads_not_there(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &asked()).await;
    let self_registered = provider.registered(&registered);
    let (browser, hint) = hint_of(&provider, &self_registered).await;
    let elsewhere = "https://elsewhere.example/bye";
    let mut changed = asked();
    changed["client_id"] = registered["client_id"].clone();
    changed["post_logout_redirect_uris"] = json!([elsewhere]);
    let (uri, token) = address(&registered);
    assert_eq!(provider.call("PUT", uri, token, &changed).await.status, 200);
    leads_nowhere(&provider, &self_registered, &browser, &hint, elsewhere).await;
}

async fn who_was_told_to_stay_stays_whatever_the_client_registers_meanwhile(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let self_registered = provider.registered(&registered);
    agree(&self_registered, &provider).await;
    let browser = provider.signed_in(ALICE).await;
    let page = end_session(&browser, &self_registered, "").await;
    assert!(page.status == 400 && page.text_of("problem").is_some(), "{}", page.page_summary());
    let mut changed = asked();
    changed["client_id"] = registered["client_id"].clone();
    let (uri, token) = address(&registered);
    assert_eq!(provider.call("PUT", uri, token, &changed).await.status, 200);
    let answer = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(answer.location().as_str(), format!("{}/signed-out", provider.issuer));
    assert!(!browser.is_signed_in().await);
}

async fn a_client_of_another_node_is_known_at_once_where_a_session_ends(backend: Backend) {
    let first = open(&backend).start().await;
    let second = open(&backend).another_node_of(&first).start().await;
    for with_hint in [false, true] {
        let self_registered = self_registered(&first).await;
        let mut browser = first.signed_in(ALICE).await;
        let page = self_registered.authorize(&browser, &[]).await;
        let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        let tokens = Tokens::of(&self_registered.redeem(&self_registered.code_in(&agreed)).await);
        browser.lead_to(&second);
        if with_hint {
            let out =
                format!("/end-session?id_token_hint={}&post_logout_redirect_uri={BYE}", tokens.id_token());
            assert_eq!(browser.get(&out).await.location().as_str(), BYE);
        } else {
            let page = end_session(&browser, &self_registered, "").await;
            assert_eq!(page.heading(), "Sign out?", "{}", page.page_summary());
            assert!(is_led_back(&browser.submit(&page, "/sign-out", &[]).await));
        }
    }
}
