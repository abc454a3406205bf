//! A form of a page that showed one person never acts for another who signed in in that browser since.

use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, TestResponse, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    a_new_password_is_set_for_whom_the_page_showed_and_nobody_else,
    a_page_of_somebody_who_signed_out_changes_nothing_for_the_next,
    sign_out_ends_the_sessions_of_whom_the_page_showed,
    an_app_is_added_for_whom_the_page_showed,
    a_form_of_an_earlier_session_of_the_same_person_is_opened_anew,
);

const NEW: &str = "maple-window-stone-77";

fn says_who_is_here(answer: &TestResponse, email: &str) {
    assert_eq!(answer.status, 409, "{}", answer.page_summary());
    assert!(answer.text_of("error-another-person").is_some(), "{}", answer.page_summary());
    assert!(answer.body.contains(email), "{}", answer.page_summary());
    assert!(answer.reference().is_some());
}

async fn change(browser: &Browser, page: &TestResponse) -> TestResponse {
    browser.submit(page, "/new-password", &[("new_password", NEW), ("confirm_password", NEW)]).await
}

/// Whose passwords are old enough to be changed.
async fn people(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    provider.advance(SignedDuration::from_hours(25));
    provider
}

async fn a_new_password_is_set_for_whom_the_page_showed_and_nobody_else(backend: Backend) {
    let provider = people(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let alices = browser.get("/change-password").await;
    browser.sign_in(BOB, PASSWORD).await;
    let refused = change(&browser, &alices).await;
    says_who_is_here(&refused, BOB);
    assert!(provider.audited("password_changed").await.is_empty());
    assert_eq!(provider.browser().sign_in(BOB, PASSWORD).await.status, 303);
    // The way forward is the page of who is here now.
    let href = refused.links().into_iter().find(|link| link.href.starts_with("/continue")).unwrap().href;
    let bobs = browser.get(&href).await;
    assert!(bobs.body.contains(BOB), "{}", bobs.page_summary());
    assert_eq!(change(&browser, &bobs).await.status, 303);
    assert_eq!(provider.browser().sign_in(BOB, NEW).await.status, 303);
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 303);
}

async fn a_page_of_somebody_who_signed_out_changes_nothing_for_the_next(backend: Backend) {
    let provider = people(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let alices = browser.get("/change-password").await;
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    let nobody = change(&browser, &alices).await;
    assert!(nobody.status < 500, "{}", nobody.page_summary());
    browser.sign_in(BOB, PASSWORD).await;
    let refused = change(&browser, &alices).await;
    assert!((400..500).contains(&refused.status), "{}", refused.page_summary());
    assert!(provider.audited("password_changed").await.is_empty());
    assert_eq!(provider.browser().sign_in(BOB, PASSWORD).await.status, 303);
}

async fn sign_out_ends_the_sessions_of_whom_the_page_showed(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let alices = browser.get("/dashboard").await;
    let asked = browser.get("/end-session?client_id=web").await;
    browser.sign_in(BOB, PASSWORD).await;
    for page in [&alices, &asked] {
        says_who_is_here(&browser.submit(page, "/sign-out", &[]).await, BOB);
    }
    assert!(provider.audited("signed_out").await.is_empty());
    let bobs = browser.get("/dashboard").await;
    assert_eq!(browser.submit(&bobs, "/sign-out", &[]).await.status, 303);
    assert!(!browser.is_signed_in().await);
}

async fn an_app_is_added_for_whom_the_page_showed(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let list = browser.get("/account/factors").await;
    browser.sign_in(BOB, PASSWORD).await;
    says_who_is_here(&browser.submit(&list, "/account/factors/add", &[]).await, BOB);
    let token = list.form("/account/factors/add").fields["form_token"].clone();
    for action in ["/account/factors/remove", "/account/factors/confirm"] {
        let fields = [("form_token", token.as_str()), ("factor", "00000000-0000-0000-0000-000000000001")];
        says_who_is_here(&browser.post(action, &fields).await, BOB);
    }
    // Nothing is said to be removed that was not there.
    let bobs = browser.get("/account/factors").await;
    let token = bobs.form("/account/factors/add").fields["form_token"].clone();
    let fields = [("form_token", token.as_str()), ("factor", "00000000-0000-0000-0000-000000000001")];
    let answer = browser.post("/account/factors/remove", &fields).await;
    assert_eq!(answer.location().query(), Some("not-there"));
}

async fn a_form_of_an_earlier_session_of_the_same_person_is_opened_anew(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let before = browser.get("/account/profile").await;
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    browser.sign_in(ALICE, PASSWORD).await;
    says_who_is_here(&browser.submit(&before, "/account/profile", &[("nickname", "Al")]).await, ALICE);
    assert!(provider.audited("profile_changed").await.is_empty());
    let now = browser.get("/account/profile").await;
    assert_eq!(browser.submit(&now, "/account/profile", &[("nickname", "Al")]).await.status, 303);
}
