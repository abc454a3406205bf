//! What a client that registered itself learns of a person who never gave it consent: whether an account is signed in, from
//! `prompt=none` (OpenID Connect Core §3.1.2.6). And what people read of it before that.

use super::errors::{agree, self_registered};
use super::{open, register, with};
use crate::people::{CAROL, CELL, NEW, choose, prove, through};
use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, RelyingParty, TestResponse, claims, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    core_3_1_2_6_without_consent_a_client_learns_whether_someone_is_signed_in,
    core_3_1_2_6_without_consent_nothing_is_told_of_several_accounts,
    core_3_1_2_6_with_consent_the_codes_say_what_is_missing,
    the_name_that_a_client_gave_itself_stands_with_its_host,
    the_name_stands_with_its_host_also_where_a_password_is_forgotten_and_a_session_ends,
);

const ACR: (&str, &str) =
    ("claims", r#"{"id_token":{"acr":{"essential":true,"values":["urn:anteroom:acr:mfa"]}}}"#);
const MAX_AGE: (&str, &str) = ("max_age", "600");

async fn silent(client: &RelyingParty, browser: &Browser, more: &[(&str, &str)]) -> String {
    let asked = [&[("prompt", "none")], more].concat();
    client.authorize(browser, &asked).await.error()
}

async fn core_3_1_2_6_without_consent_a_client_learns_whether_someone_is_signed_in(backend: Backend) {
    let provider = open(&backend).set("registration.groups", "[\"clinicians\"]").start().await;
    let self_registered = self_registered(&provider).await;
    let web = provider.client("web");
    let (alice, bob, nobody) =
        (provider.signed_in(ALICE).await, provider.signed_in(BOB).await, provider.browser());
    let sub = claims(web.tokens(&alice, "openid").await.id_token())["sub"].as_str().unwrap().to_owned();
    let is_alice = format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    provider.advance(SignedDuration::from_mins(11));
    let states: [&[(&str, &str)]; 7] = [
        &[],
        &[ACR],
        &[MAX_AGE],
        &[("max_age", "0")],
        &[("claims", &is_alice)],
        &[("login_hint", ALICE)],
        &[("login_hint", "unknown@practice.example")],
    ];
    for more in states {
        assert_eq!(silent(&self_registered, &nobody, more).await, "login_required", "{more:?}");
        // Bob is in none of the groups that the client admits.
        for browser in [&alice, &bob] {
            assert_eq!(silent(&self_registered, browser, more).await, "consent_required", "{more:?}");
        }
    }
}

async fn core_3_1_2_6_without_consent_nothing_is_told_of_several_accounts(backend: Backend) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.signed_in(ALICE).await);
    browser.sign_in(BOB, PASSWORD).await;
    for more in [&[][..], &[("login_hint", ALICE)], &[("login_hint", "unknown@practice.example")]] {
        assert_eq!(silent(&self_registered, &browser, more).await, "consent_required", "{more:?}");
    }
    agree(&self_registered, &provider).await;
    // Alice has agreed, and bob has not: a hint at him is answered as one at no account.
    let sub =
        claims(provider.client("web").tokens(&provider.signed_in(BOB).await, "openid").await.id_token());
    let named = |sub: &str| format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    let (bob, made_up) = (named(sub["sub"].as_str().unwrap()), named("00000000-0000-4000-8000-000000000001"));
    for more in [
        &[][..],
        &[("login_hint", BOB)],
        &[("login_hint", "unknown@practice.example")],
        &[("claims", &bob)],
        &[("claims", &made_up)],
    ] {
        assert_eq!(silent(&self_registered, &browser, more).await, "account_selection_required", "{more:?}");
    }
    assert_eq!(silent(&self_registered, &browser, &[("login_hint", ALICE)]).await, "");
}

async fn core_3_1_2_6_with_consent_the_codes_say_what_is_missing(backend: Backend) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.signed_in(ALICE).await);
    agree(&self_registered, &provider).await;
    assert_eq!(silent(&self_registered, &browser, &[]).await, "");
    assert_eq!(silent(&self_registered, &browser, &[("scope", "openid email")]).await, "consent_required");
    assert_eq!(silent(&self_registered, &browser, &[ACR]).await, "interaction_required");
    provider.advance(SignedDuration::from_mins(11));
    assert_eq!(silent(&self_registered, &browser, &[MAX_AGE]).await, "login_required");
}

const HOST: &str = "It belongs to stranger.example.";

fn named_with_host(page: &TestResponse) {
    assert!(page.body.contains("A stranger"), "{}", page.page_summary());
    assert_eq!(page.text_of("host").as_deref(), Some(HOST), "{}", page.page_summary());
}

async fn the_name_that_a_client_gave_itself_stands_with_its_host(backend: Backend) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.browser());
    let page = self_registered.authorize(&browser, &[]).await;
    named_with_host(&page);
    named_with_host(&browser.enter(&page, ALICE, "wrong").await);
    let spanish = self_registered.authorize(&browser, &[("ui_locales", "es")]).await;
    assert_eq!(spanish.text_of("host").unwrap(), "Pertenece a stranger.example.");
    let both = provider.signed_in(ALICE).await;
    both.sign_in(BOB, PASSWORD).await;
    let choice = self_registered.authorize(&both, &[]).await;
    assert!(choice.has_form("/choose-account"), "{}", choice.page_summary());
    named_with_host(&choice);
    // The operator's words stand for themselves.
    assert_eq!(provider.client("web").authorize(&browser, &[]).await.text_of("host"), None);
}

async fn the_name_stands_with_its_host_also_where_a_password_is_forgotten_and_a_session_ends(
    backend: Backend,
) {
    let provider = open(&backend).set("registration.groups", "[\"clinicians\"]").start().await;
    let bye = "https://stranger.example/bye";
    let asked = with(&serde_json::json!({
        "post_logout_redirect_uris": [bye], "frontchannel_logout_uri": "https://stranger.example/out",
    }));
    let self_registered = provider.registered(&register(&provider, &asked).await);
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser();
    let page = self_registered.authorize(&carol, &[]).await;
    let waiting = page.form("/sign-in").fields["interaction"].clone();
    let forgot = carol.get(&format!("/forgot-password?interaction={waiting}")).await;
    named_with_host(&forgot);
    through(&carol, &forgot, "/forgot-password", &[("email", CAROL)]).await;
    let chosen = choose(&carol, &prove(&provider, &carol).await, NEW).await;
    named_with_host(&carol.follow(&chosen).await);

    // Carol is in none of the groups that the client admits.
    provider.advance(SignedDuration::from_mins(1));
    let other = provider.browser();
    assert_eq!(other.sign_in(CAROL, NEW).await.status, 303);
    let refused = self_registered.authorize(&other, &[]).await;
    assert_eq!(refused.status, 403, "{}", refused.page_summary());
    named_with_host(&refused);

    let alice = provider.signed_in(ALICE).await;
    agree(&self_registered, &provider).await;
    let address =
        format!("/end-session?client_id={}&post_logout_redirect_uri={bye}", self_registered.client_id);
    let question = alice.get(&address).await;
    assert!(question.has_form("/sign-out"), "{}", question.page_summary());
    named_with_host(&question);
    // What was begun in the session is told of its end in a frame of the page that leads back.
    self_registered.tokens(&alice, "openid").await;
    let question = alice.get(&address).await;
    let end = through(&alice, &question, "/sign-out", &[]).await;
    assert_eq!(end.heading(), "You are signed out", "{}", end.page_summary());
    named_with_host(&end);
}
