//! Several accounts in one browser.

use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, TestResponse, claims, on_both_databases};
use jiff::SignedDuration;
use std::collections::BTreeSet;

on_both_databases!(
    whoever_signed_in_last_comes_first,
    that_another_account_was_chosen_is_in_the_trail,
    an_application_asks_which_of_several_accounts,
    select_account_asks_also_where_there_is_one,
    use_another_account_leads_to_the_same_application,
    an_account_can_be_changed_from_the_dashboard,
    at_most_five_accounts_are_kept,
    a_session_that_the_cookie_has_no_room_for_ends_by_the_act_of_who_signed_in,
    a_page_of_a_session_that_wants_its_password_is_not_said_to_go_on,
    a_session_that_ended_meanwhile_cannot_be_chosen,
    sign_out_ends_all_of_them,
    a_session_that_was_left_is_chosen_with_its_password_alone,
    an_application_gets_nobody_that_was_left_without_a_password,
    a_silent_request_is_for_a_session_that_was_left_where_its_client_was_signed_in_from_it,
    the_session_that_is_left_behind_wants_its_password,
    a_session_of_release_0_1_0_was_left_when_it_was_last_used,
    the_pages_say_who_else_is_signed_in,
);

async fn both(provider: &TestProvider) -> Browser {
    let browser = provider.signed_in(ALICE).await;
    assert_eq!(browser.sign_in(BOB, PASSWORD).await.status, 303);
    browser
}

/// The handle of the button that has these words.
fn choice(page: &TestResponse, words: &str) -> String {
    let form = page.form("/choose-account");
    let button = form.buttons.iter().find(|button| button.text.contains(words));
    button.unwrap_or_else(|| panic!("no {words} in {:?}", form.buttons)).value.clone()
}

async fn choose(browser: &Browser, page: &TestResponse, words: &str) -> TestResponse {
    browser.submit(page, "/choose-account", &[("account", &choice(page, words))]).await
}

async fn that_another_account_was_chosen_is_in_the_trail(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = both(&provider).await;
    for (chosen, entries) in [(BOB, 0), (ALICE, 1), (ALICE, 1), (BOB, 2)] {
        let page = browser.get("/choose-account").await;
        assert_eq!(choose(&browser, &page, chosen).await.status, 303);
        assert_eq!(provider.audited("account_chosen").await.len(), entries, "{chosen}");
    }
}

async fn whoever_signed_in_last_comes_first(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = both(&provider).await;
    assert_eq!(browser.get("/dashboard").await.text_of("signed-in-as").unwrap(), BOB);
    browser.sign_in(ALICE, PASSWORD).await;
    assert_eq!(browser.get("/dashboard").await.text_of("signed-in-as").unwrap(), ALICE);
}

async fn an_application_asks_which_of_several_accounts(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), both(&provider).await);
    let mut subjects = BTreeSet::new();
    for email in [ALICE, BOB] {
        let page = web.authorize(&browser, &[]).await;
        let answer = choose(&browser, &page, email).await;
        let tokens = anteroom_testkit::Tokens::of(&web.redeem(&web.code_in(&answer)).await);
        let userinfo = web.userinfo(&tokens.access_token).await.json();
        assert_eq!(userinfo["sub"], claims(tokens.id_token())["sub"]);
        subjects.insert(userinfo["sub"].to_string());
    }
    assert_eq!(subjects.len(), 2);
    let silent = web.authorize(&browser, &[("prompt", "none")]).await;
    assert_eq!(silent.error(), "account_selection_required");
    // A hint saves the question.
    let answer = web.authorize(&browser, &[("login_hint", ALICE), ("scope", "openid email")]).await;
    let tokens = anteroom_testkit::Tokens::of(&web.redeem(&web.code_in(&answer)).await);
    assert_eq!(web.userinfo(&tokens.access_token).await.json()["email"], ALICE);
}

async fn select_account_asks_also_where_there_is_one(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let page = web.authorize(&browser, &[("prompt", "select_account")]).await;
    assert_eq!(page.heading(), "Choose an account");
    web.code_in(&choose(&browser, &page, ALICE).await);
    // With no account signed in there is none to choose.
    assert!(web.authorize(&provider.browser(), &[("prompt", "select_account")]).await.has_form("/sign-in"));
}

async fn use_another_account_leads_to_the_same_application(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let asked = [("prompt", "select_account"), ("scope", "openid email")];
    let page = web.authorize(&browser, &asked).await;
    let page = browser.follow(&choose(&browser, &page, "Use another account").await).await;
    let answer = browser.enter(&page, BOB, PASSWORD).await;
    let tokens = anteroom_testkit::Tokens::of(&web.redeem(&web.code_in(&answer)).await);
    assert_eq!(web.userinfo(&tokens.access_token).await.json()["email"], BOB);
}

async fn an_account_can_be_changed_from_the_dashboard(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = both(&provider).await;
    let dashboard = browser.get("/dashboard").await;
    let link = dashboard.links().into_iter().find(|link| link.text == "Use another account").unwrap();
    let page = browser.get(&link.href).await;
    let answer = choose(&browser, &page, ALICE).await;
    assert_eq!(browser.follow(&answer).await.text_of("signed-in-as").unwrap(), ALICE);
}

async fn at_most_five_accounts_are_kept(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    for number in 0..6 {
        let address = format!("person-{number}@practice.example");
        provider.person(&address).create().await;
        assert_eq!(browser.sign_in(&address, PASSWORD).await.status, 303);
    }
    let page = browser.get("/choose-account").await;
    let shown: Vec<_> = page.form("/choose-account").buttons.into_iter().map(|button| button.text).collect();
    assert_eq!(shown.len(), 6, "five and \"another\": {shown:?}");
    assert!(shown.iter().all(|text| !text.contains("person-0@")), "{shown:?}");
}

async fn a_session_that_the_cookie_has_no_room_for_ends_by_the_act_of_who_signed_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let mut people = Vec::new();
    for number in 0..6 {
        let address = format!("person-{number}@practice.example");
        people.push(provider.person(&address).create().await);
        browser.sign_in(&address, PASSWORD).await;
    }
    let ended = provider.audited("signed_out").await;
    let [entry] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!((entry.actor_account, entry.subject), (Some(people[5]), Some(people[0])));
    // One who signs out at the browser signs the others out.
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    let ended = provider.audited("signed_out").await;
    assert_eq!(ended.len(), 6);
    assert!(ended.iter().all(|entry| entry.actor_account == Some(people[5])), "{ended:?}");
}

async fn a_page_of_a_session_that_wants_its_password_is_not_said_to_go_on(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let page = browser.get("/dashboard").await;
    let handle = page.body.split("data-handle=\"").nth(1).unwrap().split('"').next().unwrap();
    let address = format!("/session?session={handle}");
    browser.sign_in(BOB, PASSWORD).await;
    assert_ne!(browser.get(&address).await.json()["seconds"], 0);
    provider.advance(LEFT_LONG_AGO);
    assert_eq!(browser.get(&address).await.json()["seconds"], 0);
    // Nor does another person at the browser prolong it.
    let token = page.body.split("data-token=\"").nth(1).unwrap().split('"').next().unwrap();
    let stay = browser.post("/session", &[("session", handle), ("form_token", token)]).await;
    assert_eq!(stay.json()["seconds"], 0);
}

async fn a_session_that_ended_meanwhile_cannot_be_chosen(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), both(&provider).await);
    let page = web.authorize(&browser, &[]).await;
    let address = anteroom_domain::address::EmailAddress::parse(ALICE).unwrap();
    anteroom_flows::people::admin::disable(&provider.local(), &address).await.unwrap();
    let answer = choose(&browser, &page, ALICE).await;
    assert!(browser.follow(&answer).await.has_form("/sign-in"));
    // Another browser's session is not this one's to choose.
    let page = web.authorize(&browser, &[("prompt", "select_account")]).await;
    let elsewhere = provider.signed_in(BOB).await.get("/choose-account").await;
    let foreign = choice(&elsewhere, BOB);
    let answer = browser.submit(&page, "/choose-account", &[("account", &foreign)]).await;
    assert!(browser.follow(&answer).await.has_form("/sign-in"));
}

async fn sign_out_ends_all_of_them(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = both(&provider).await;
    let copy = browser.clone();
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    assert!(!copy.is_signed_in().await);
    assert_eq!(provider.audited("signed_out").await.len(), 2);
}

/// The default of `policy.session.switch_proof_after`.
const LEFT_LONG_AGO: SignedDuration = SignedDuration::from_mins(5);

async fn signed_in_as(browser: &Browser) -> String {
    browser.get("/dashboard").await.text_of("signed-in-as").unwrap_or_default()
}

async fn a_session_that_was_left_is_chosen_with_its_password_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = both(&provider).await;
    provider.advance(LEFT_LONG_AGO - SignedDuration::from_secs(1));
    choose(&browser, &browser.get("/choose-account").await, ALICE).await;
    assert_eq!(signed_in_as(&browser).await, ALICE, "left for less than the time allowed");
    provider.advance(LEFT_LONG_AGO);
    let answer = choose(&browser, &browser.get("/choose-account").await, BOB).await;
    let page = browser.follow(&answer).await;
    assert_eq!(page.form("/sign-in").fields["email"], BOB);
    assert!(page.text_of("notice").unwrap().contains("Another account"), "{:?}", page.text_of("notice"));
    assert_eq!(signed_in_as(&browser).await, ALICE, "nothing has changed before the password");
    assert_eq!(browser.enter(&page, BOB, "wrong").await.status, 422);
    assert_eq!(signed_in_as(&browser).await, ALICE);
    assert_eq!(browser.enter(&page, BOB, PASSWORD).await.status, 303);
    assert_eq!(signed_in_as(&browser).await, BOB);
}

async fn an_application_gets_nobody_that_was_left_without_a_password(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), both(&provider).await);
    provider.advance(LEFT_LONG_AGO);
    let began = provider.now().as_second();
    let page = web.authorize(&browser, &[]).await;
    let page = browser.follow(&choose(&browser, &page, ALICE).await).await;
    assert_eq!(page.form("/sign-in").fields["email"], ALICE);
    assert_eq!(signed_in_as(&browser).await, BOB);
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    let tokens = anteroom_testkit::Tokens::of(&web.redeem(&web.code_in(&answer)).await);
    let id_token_claims = claims(tokens.id_token());
    assert!(id_token_claims["auth_time"].as_i64() >= Some(began), "{id_token_claims}");
    assert_eq!(signed_in_as(&browser).await, ALICE);
    // A hint leads to the same form.
    provider.advance(LEFT_LONG_AGO);
    let page = web.authorize(&browser, &[("login_hint", BOB)]).await;
    assert_eq!(page.form("/sign-in").fields["email"], BOB);
}

async fn a_silent_request_is_for_a_session_that_was_left_where_its_client_was_signed_in_from_it(
    backend: Backend,
) {
    let provider = TestProvider::start(&backend).await;
    let (web, other) = (provider.client("web"), provider.client("native"));
    let browser = provider.signed_in(ALICE).await;
    let alice = web.tokens(&browser, "openid").await.id_token.unwrap();
    browser.sign_in(BOB, PASSWORD).await;
    provider.advance(LEFT_LONG_AGO);
    let hint = [("login_hint", ALICE), ("prompt", "none")];
    let code = web.code(&browser, &hint).await;
    let tokens = anteroom_testkit::Tokens::of(&web.redeem(&code).await);
    assert_eq!(claims(tokens.id_token())["sub"], claims(&alice)["sub"]);
    assert_eq!(other.authorize(&browser, &hint).await.error(), "login_required");
    assert_eq!(signed_in_as(&browser).await, BOB);
}

async fn the_session_that_is_left_behind_wants_its_password(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), both(&provider).await);
    let bob = web.code(&browser, &[("login_hint", BOB)]).await;
    let hint = anteroom_testkit::Tokens::of(&web.redeem(&bob).await).id_token.unwrap();
    provider.advance(LEFT_LONG_AGO);
    // Bob leaves by the application; Alice is the only one then, and was not at work here for a while.
    let answer = browser.get(&format!("/end-session?id_token_hint={hint}")).await;
    browser.follow(&answer).await;
    assert_eq!(provider.audited("signed_out").await.len(), 1);
    for page in ["/dashboard", "/account/profile", "/account/factors", "/change-password"] {
        let mut answer = browser.get(page).await;
        while answer.status == 303 {
            answer = browser.follow(&answer).await;
        }
        assert_eq!(answer.form("/sign-in").fields["email"], ALICE, "{page}");
    }
    assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
    assert_eq!(signed_in_as(&browser).await, ALICE);
}

async fn a_session_of_release_0_1_0_was_left_when_it_was_last_used(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = both(&provider).await;
    backend.execute("UPDATE sessions SET left_at = NULL").await;
    provider.advance(LEFT_LONG_AGO);
    let answer = choose(&browser, &browser.get("/choose-account").await, ALICE).await;
    assert!(browser.follow(&answer).await.has_form("/sign-in"));
    assert_eq!(signed_in_as(&browser).await, BOB);
}

async fn the_pages_say_who_else_is_signed_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    assert!(browser.get("/dashboard").await.text_of("also-signed-in").is_none());
    browser.sign_in(BOB, PASSWORD).await;
    let others = browser.get("/dashboard").await.text_of("also-signed-in").unwrap();
    assert!(others.contains(ALICE) && !others.contains(BOB), "{others}");
    let asked = browser.get("/end-session").await;
    for email in [ALICE, BOB] {
        assert!(asked.body.contains(email), "{}", asked.body);
    }
}
