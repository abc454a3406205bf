//! What one application, one thief or one neighbour uses up is not what the others need.

use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    an_application_uses_up_its_own_answers_alone,
    all_applications_together_get_so_many_answers,
    an_account_gets_so_many_answers_in_all_its_sessions,
    frames_use_up_nothing_of_what_a_person_opens,
    an_image_is_no_authorization_request,
    right_passwords_from_unknown_browsers_wait_and_the_owners_browser_does_not,
    beyond_its_rows_a_network_has_its_requests_wait_in_their_pages,
    a_request_that_cannot_wait_in_its_page_waits_for_a_row,
);

const OTHER: &str = "[[clients]]\nclient_id = \"other\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
                     redirect_uris = [\"https://other.example/callback\"]\n";
const ANSWERS: &str = "policy.limits.authorization.max";

async fn an_application_uses_up_its_own_answers_alone(backend: Backend) {
    let provider = TestProvider::on(&backend).clients(OTHER).set(ANSWERS, "3").start().await;
    let browser = provider.signed_in(ALICE).await;
    let (web, other) = (provider.client("web"), provider.client("other"));
    for _ in 0..3 {
        web.code(&browser, &[]).await;
    }
    assert_eq!(web.authorize(&browser, &[]).await.parameters()["error"], "temporarily_unavailable");
    other.code(&browser, &[]).await;
}

async fn all_applications_together_get_so_many_answers(backend: Backend) {
    let all = "policy.limits.authorization_of_session.max";
    let provider = TestProvider::on(&backend).clients(OTHER).set(all, "3").start().await;
    let browser = provider.signed_in(ALICE).await;
    let (web, other) = (provider.client("web"), provider.client("other"));
    for _ in 0..2 {
        web.code(&browser, &[]).await;
    }
    other.code(&browser, &[]).await;
    for app in [&web, &other] {
        assert_eq!(app.authorize(&browser, &[]).await.parameters()["error"], "temporarily_unavailable");
    }
    web.code(&provider.signed_in(ALICE).await, &[]).await;
}

async fn an_account_gets_so_many_answers_in_all_its_sessions(backend: Backend) {
    let all = "policy.limits.authorization_of_account.max";
    let provider = TestProvider::on(&backend).set(all, "2").start().await;
    let web = provider.client("web");
    for _ in 0..2 {
        web.code(&provider.signed_in(ALICE).await, &[]).await;
    }
    let refused = web.authorize(&provider.signed_in(ALICE).await, &[]).await;
    assert_eq!(refused.parameters()["error"], "temporarily_unavailable");
    web.code(&provider.signed_in(BOB).await, &[]).await;
}

/// The same browser, loading a part of a page of some application.
fn loading(browser: &Browser, part: &str) -> Browser {
    browser.clone().with("sec-fetch-dest", part)
}

async fn frames_use_up_nothing_of_what_a_person_opens(backend: Backend) {
    let provider = TestProvider::on(&backend).set(ANSWERS, "3").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let frame = loading(&browser, "iframe");
    for _ in 0..3 {
        web.code(&frame, &[("prompt", "none")]).await;
    }
    for part in ["iframe", "empty"] {
        let refused = web.authorize(&loading(&browser, part), &[("prompt", "none")]).await;
        assert_eq!(refused.parameters()["error"], "temporarily_unavailable", "{part}");
    }
    web.code(&browser, &[]).await;
    web.code(&loading(&browser, "document"), &[]).await;
}

async fn an_image_is_no_authorization_request(backend: Backend) {
    let provider = TestProvider::on(&backend).set(ANSWERS, "1").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for part in ["image", "script", "style", "font", "video"] {
        let answer = web.authorize(&loading(&browser, part), &[]).await;
        assert_eq!((answer.status, answer.header("location")), (403, None), "{part}");
    }
    // What a script asks for without being able to read it.
    let fetched = loading(&browser, "empty").with("sec-fetch-mode", "no-cors");
    let answer = web.authorize(&fetched, &[("prompt", "none")]).await;
    assert_eq!((answer.status, answer.header("location")), (403, None));
    let frame = loading(&browser, "iframe").with("sec-fetch-mode", "navigate");
    web.code(&frame, &[("prompt", "none")]).await;
    web.code(&browser, &[]).await;
}

async fn right_passwords_from_unknown_browsers_wait_and_the_owners_browser_does_not(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.right_password.max", "3").start().await;
    let owner = provider.signed_in(ALICE).await;
    for _ in 0..2 {
        provider.signed_in(ALICE).await;
    }
    let before = backend.rows().await;
    let script = provider.browser();
    let page = script.get("/sign-in").await;
    for _ in 0..3 {
        let refused = script.enter(&page, ALICE, PASSWORD).await;
        assert_eq!(refused.status, 429, "{}", refused.gist());
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    }
    let after = backend.rows().await;
    for table in ["sessions", "known_devices", "interactions"] {
        assert_eq!(before[table], after[table], "{table}");
    }
    owner.forget("anteroom_session");
    assert_eq!(owner.sign_in(ALICE, PASSWORD).await.status, 303);
    provider.signed_in(BOB).await;
    provider.write_tallies().await;
    let told = provider.audited("rate_limited").await;
    assert!(told[0].detail.contains("\"right_password\""), "{told:?}");
    provider.advance(SignedDuration::from_mins(10));
    provider.signed_in(ALICE).await;
}

async fn beyond_its_rows_a_network_has_its_requests_wait_in_their_pages(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.waiting_rows.max", "3").start().await;
    let web = provider.client("web");
    let guess = async |address: &str, email: &str| {
        let stranger = provider.browser().from(address);
        let page = web.authorize(&stranger, &[]).await;
        let refused = stranger.enter(&page, email, "wrong").await;
        assert_eq!(refused.status, 422);
        (stranger, refused)
    };
    let rows = async || backend.rows().await["interactions"];
    for number in 1..=6 {
        guess(&format!("203.0.113.{number}"), &format!("nobody{number}@practice.example")).await;
    }
    assert_eq!(rows().await, 3);
    // A wrong password counts against the account as ever, and the right one leads where the request wanted to go.
    let (stranger, page) = guess("203.0.113.7", ALICE).await;
    assert_eq!(rows().await, 3);
    let refused = provider.audited("sign_in_refused").await;
    assert!(refused[0].detail.contains("\"failures\":1"), "{}", refused[0].detail);
    assert!(!web.code_in(&stranger.enter(&page, ALICE, PASSWORD).await).is_empty());
    let before = rows().await;
    guess("198.51.100.1", "nobody@practice.example").await;
    assert_eq!(rows().await, before + 1, "another network");
}

async fn a_request_that_cannot_wait_in_its_page_waits_for_a_row(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.waiting_rows.max", "1").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let another = async || {
        let page = web.authorize(&browser, &[("prompt", "select_account")]).await;
        browser.submit(&page, "/choose-account", &[("account", "another")]).await
    };
    assert_eq!(another().await.status, 303);
    let refused = another().await;
    assert_eq!(refused.status, 429, "{}", refused.gist());
    assert!(refused.header("retry-after").is_some());
}
