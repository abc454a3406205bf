//! What a person is told of the end of a session.

use crate::ALICE;
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, TestResponse, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    a_page_knows_how_long_its_session_has_and_asking_is_no_activity,
    staying_is_activity_for_that_session_alone,
    a_session_at_its_absolute_limit_cannot_be_stretched,
    a_session_that_ran_out_says_why_at_sign_in,
);

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// What the page says of its session.
fn said(page: &TestResponse, name: &str) -> String {
    let from = page.body.split(&format!("data-{name}=\"")).nth(1);
    from.unwrap_or_else(|| panic!("{}", page.body)).split('"').next().unwrap().to_owned()
}

async fn left(browser: &Browser, page: &TestResponse) -> u64 {
    let answer = browser.get(&format!("/session?session={}", said(page, "handle"))).await;
    answer.json()["seconds"].as_u64().unwrap()
}

async fn stay(browser: &Browser, page: &TestResponse) -> TestResponse {
    let (session, token) = (said(page, "handle"), said(page, "token"));
    browser.post("/session", &[("session", &session), ("form_token", &token)]).await
}

async fn a_page_knows_how_long_its_session_has_and_asking_is_no_activity(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let alice = provider.signed_in(ALICE).await;
    let dashboard = alice.get("/dashboard").await;
    let change = alice.get("/change-password").await;
    for page in [&dashboard, &change] {
        assert_eq!((said(page, "left"), said(page, "warn")), ("1800".to_owned(), "300".to_owned()));
    }
    provider.advance(minutes(29));
    assert_eq!(left(&alice, &dashboard).await, 60);
    // It says nothing to another browser, nor of what is no session.
    assert_eq!(left(&provider.signed_in(ALICE).await, &dashboard).await, 0);
    assert_eq!(alice.get("/session?session=x").await.json()["seconds"], 0);
    provider.advance(minutes(1));
    assert_eq!(left(&alice, &dashboard).await, 0);
}

async fn staying_is_activity_for_that_session_alone(backend: Backend) {
    let provider =
        TestProvider::on(&backend).set("policy.session.switch_proof_after", "\"1h\"").start().await;
    let browser = provider.signed_in(ALICE).await;
    let alices = browser.get("/dashboard").await;
    provider.person("nora@practice.example").create().await;
    browser.sign_in("nora@practice.example", PASSWORD).await;
    let bobs = browser.get("/dashboard").await;
    provider.advance(minutes(29));
    assert_eq!(stay(&browser, &alices).await.json()["seconds"], 1800);
    provider.advance(minutes(1));
    assert_eq!((left(&browser, &alices).await, left(&browser, &bobs).await), (1740, 0));
    assert_eq!(stay(&browser, &bobs).await.json()["seconds"], 0);
    // Not by a form that is none of ours.
    let session = said(&alices, "handle");
    let forged = browser.post("/session", &[("session", &session), ("form_token", "AAAA")]).await;
    assert_eq!((forged.status, left(&browser, &alices).await), (422, 1740));
}

async fn a_session_at_its_absolute_limit_cannot_be_stretched(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let alice = provider.signed_in(ALICE).await;
    for _ in 0..28 {
        provider.advance(minutes(25));
        assert!(alice.is_signed_in().await);
    }
    let page = alice.get("/dashboard").await;
    assert_eq!((said(&page, "left"), said(&page, "fixed")), ("1200".to_owned(), "1".to_owned()));
    provider.advance(minutes(10));
    assert_eq!(stay(&alice, &page).await.json()["seconds"], 600);
    provider.advance(minutes(10));
    let answer = alice.get("/dashboard").await;
    let notice = alice.follow(&answer).await.text_of("notice").unwrap();
    assert!(notice.contains("a session ends after some hours"), "{notice}");
}

async fn a_session_that_ran_out_says_why_at_sign_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let alice = provider.signed_in(ALICE).await;
    provider.advance(minutes(30));
    for path in ["/dashboard", "/choose-account", "/open/web"] {
        let page = alice.follow(&alice.get(path).await).await;
        assert!(page.text_of("notice").unwrap().contains("nothing happened for a while"), "{path}");
    }
    // A person who signed out, or was never here, is not told so.
    let alice = provider.signed_in(ALICE).await;
    let page = alice.get("/dashboard").await;
    alice.submit(&page, "/sign-out", &[]).await;
    provider.advance(minutes(40));
    for browser in [alice, provider.browser()] {
        assert_eq!(browser.get("/dashboard").await.location().query(), None);
    }
}
