//! `login_hint` and `id_token_hint` (OpenID Connect Core §3.1.2.1).

use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, Tokens, claims, on_both_databases};
use jiff::SignedDuration;
use serde_json::{Value, json};

on_both_databases!(
    login_hint_fills_in_the_address,
    a_login_hint_of_another_account_lets_the_person_choose,
    an_id_token_hint_that_does_not_verify_says_nothing,
    a_login_hint_of_another_person_fills_the_form_and_its_failures_are_theirs,
    an_id_token_hint_picks_among_several,
    an_id_token_hint_for_another_account_is_login_required,
    an_id_token_hint_is_believed_by_its_signature_also_when_expired,
    core_5_5_1_a_sub_with_a_value_insists_on_the_account,
    core_5_5_1_any_of_several_subs_may_answer,
);

async fn login_hint_fills_in_the_address(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    for hint in [ALICE, "nobody@practice.example", "\"><script>alert(1)</script>"] {
        let page = web.authorize(&browser, &[("login_hint", hint)]).await;
        assert_eq!(page.form("/sign-in").fields["email"], hint);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
    }
}

async fn a_login_hint_of_another_account_lets_the_person_choose(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let hint = [("login_hint", BOB)];
    let page = web.authorize(&browser, &hint).await;
    assert_eq!(page.heading(), "Choose an account");
    let form = page.form("/choose-account");
    let button = |words: &str| form.buttons.iter().find(|button| button.text.contains(words)).unwrap();
    let another = [("account", button("another").value.as_str())];
    let other = browser.follow(&browser.submit(&page, "/choose-account", &another).await).await;
    assert_eq!(other.form("/sign-in").fields["email"], BOB);
    let alice = [("account", button(ALICE).value.as_str())];
    web.code_in(&browser.submit(&page, "/choose-account", &alice).await);
    // What is no address says nothing, and neither does any hint where there is no page.
    web.code(&browser, &[("login_hint", "bob")]).await;
    web.code(&browser, &[("login_hint", BOB), ("prompt", "none")]).await;
}

async fn an_id_token_hint_that_does_not_verify_says_nothing(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let hint = id_token(&provider, ALICE).await;
    // As after `anteroom keys rotate --compromised`.
    let (head, signature) = hint.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    web.code(&browser, &[("id_token_hint", &forged)]).await;
    let silent = web.authorize(&browser, &[("id_token_hint", &forged), ("prompt", "none")]).await;
    assert_eq!(silent.error(), "login_required");
}

async fn a_login_hint_of_another_person_fills_the_form_and_its_failures_are_theirs(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    provider.advance(SignedDuration::from_secs(1));
    let mut page = web.authorize(&browser, &[("prompt", "login"), ("login_hint", BOB)]).await;
    for _ in 0..6 {
        let shown = page.form("/sign-in").fields["email"].clone();
        assert_eq!(shown, BOB);
        page = browser.enter(&page, &shown, "wrong").await;
    }
    assert_eq!(provider.audited("account_locked").await.len(), 1);
    assert_eq!(provider.browser().sign_in(BOB, PASSWORD).await.status, 422);
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 303);
    // The same where the sign-in is too long ago.
    let page = web.authorize(&browser, &[("max_age", "0"), ("login_hint", BOB)]).await;
    assert_eq!(page.form("/sign-in").fields["email"], BOB);
    // Without a hint the person who is signed in is asked. A hint need not be an address to mean another person.
    for (hint, shown) in [("", ALICE), ("bob", "bob"), ("sub-123", "sub-123")] {
        let page = web.authorize(&browser, &[("prompt", "login"), ("login_hint", hint)]).await;
        assert_eq!(page.form("/sign-in").fields["email"], shown, "{hint}");
    }
}

/// An ID token of this person for the application, and the browser that got it.
async fn id_token(provider: &TestProvider, email: &str) -> String {
    let browser = provider.signed_in(email).await;
    provider.client("web").tokens(&browser, "openid").await.id_token.unwrap()
}

async fn an_id_token_hint_picks_among_several(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    browser.sign_in(BOB, PASSWORD).await;
    for email in [ALICE, BOB] {
        let hint = id_token(&provider, email).await;
        let code = web.code(&browser, &[("id_token_hint", &hint), ("prompt", "none")]).await;
        let tokens = Tokens::of(&web.redeem(&code).await);
        assert_eq!(claims(tokens.id_token())["sub"], claims(&hint)["sub"]);
    }
}

async fn an_id_token_hint_for_another_account_is_login_required(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let hint = id_token(&provider, BOB).await;
    let silent = web.authorize(&browser, &[("id_token_hint", &hint), ("prompt", "none")]).await;
    assert_eq!(silent.error(), "login_required");
    provider.advance(SignedDuration::from_secs(1));
    let page = web.authorize(&browser, &[("id_token_hint", &hint)]).await;
    let answer = browser.enter(&page, BOB, PASSWORD).await;
    let tokens = Tokens::of(&web.redeem(&web.code_in(&answer)).await);
    assert_eq!(claims(tokens.id_token())["sub"], claims(&hint)["sub"]);
    // The wrong person signing in for it does not do.
    let other = provider.browser();
    let page = web.authorize(&other, &[("id_token_hint", &hint)]).await;
    assert_eq!(other.enter(&page, ALICE, PASSWORD).await.error(), "login_required");
}

async fn an_id_token_hint_is_believed_by_its_signature_also_when_expired(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let hint = id_token(&provider, ALICE).await;
    provider.advance(SignedDuration::from_hours(24));
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    web.code(&browser, &[("id_token_hint", &hint), ("prompt", "none")]).await;
}

async fn core_5_5_1_a_sub_with_a_value_insists_on_the_account(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let asked = |token: &str| format!(r#"{{"id_token": {{"sub": {{"value": {}}}}}}}"#, claims(token)["sub"]);
    let own = asked(&id_token(&provider, ALICE).await);
    web.code(&browser, &[("claims", &own), ("prompt", "none")]).await;
    let others = asked(&id_token(&provider, BOB).await);
    let silent = web.authorize(&browser, &[("claims", &others), ("prompt", "none")]).await;
    assert_eq!(silent.error(), "login_required");
}

async fn core_5_5_1_any_of_several_subs_may_answer(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let (alices, bobs) = (id_token(&provider, ALICE).await, id_token(&provider, BOB).await);
    let (alice, bob) = (claims(&alices)["sub"].clone(), claims(&bobs)["sub"].clone());
    let asked = |values: Value| json!({ "id_token": { "sub": { "values": values } } }).to_string();
    let silent = async |browser: &Browser, values: Value, more: &[(&str, &str)]| {
        let claims = asked(values);
        let parameters = [&[("claims", claims.as_str()), ("prompt", "none")][..], more].concat();
        web.authorize(browser, &parameters).await
    };
    let browser = provider.signed_in(ALICE).await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for values in [json!([alice]), json!([unknown, alice]), json!([bob, alice]), json!([7, "nobody", alice])]
    {
        web.code_in(&silent(&browser, values, &[]).await);
    }
    for values in [json!([bob]), json!([unknown, bob]), json!([7])] {
        assert_eq!(silent(&browser, values.clone(), &[]).await.error(), "login_required", "{values}");
    }
    // With a hint beside it, both are so.
    web.code_in(&silent(&browser, json!([bob, alice]), &[("id_token_hint", &alices)]).await);
    let both = silent(&browser, json!([bob]), &[("id_token_hint", &alices)]).await;
    assert_eq!(both.error(), "login_required");
    // The person who signs in for it is held to it, over the pages of the way as well.
    let (values, fresh) = (asked(json!([unknown, bob])), provider.browser());
    let page = web.authorize(&fresh, &[("claims", &values)]).await;
    let wrong = fresh.enter(&page, BOB, "wrong").await;
    web.code_in(&fresh.enter(&wrong, BOB, PASSWORD).await);
    let other = provider.browser();
    let page = web.authorize(&other, &[("claims", &values)]).await;
    assert_eq!(other.enter(&page, ALICE, PASSWORD).await.error(), "login_required");
}
