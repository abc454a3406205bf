//! Passwords that grow old.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    an_expired_password_leads_to_its_page_and_makes_no_session,
    an_expired_password_keeps_the_application_waiting,
    a_proof_serves_the_browser_that_made_it,
    a_password_about_to_expire_is_warned_of,
    a_running_session_is_not_interrupted_by_expiry,
    a_password_set_in_the_future_is_new,
);

const OLD: &str = "old@practice.example";

const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

async fn with_old_password(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    provider.person(OLD).password_set(days(90)).create().await;
    provider
}

async fn an_expired_password_leads_to_its_page_and_makes_no_session(backend: Backend) {
    let provider = with_old_password(&backend).await;
    let browser = provider.browser();
    assert_eq!(browser.sign_in(OLD, "wrong").await.status, 422);
    let answer = browser.sign_in(OLD, PASSWORD).await;
    assert_eq!(answer.status, 303);
    assert!(answer.cookies().is_empty());
    let page = browser.follow(&answer).await;
    assert_eq!((page.status, page.heading().as_str()), (200, "Your password has expired"));
    assert!(!browser.is_signed_in().await);
    assert_eq!(provider.audited("password_expired_noticed").await.len(), 1);
    let next = browser.submit(&page, "/expired-password", &[]).await;
    assert!(next.status == 303, "{}", next.page_summary());
    let next = browser.follow(&next).await;
    assert!(next.text_of("no-phone").is_some(), "{}", next.page_summary());
}

async fn an_expired_password_keeps_the_application_waiting(backend: Backend) {
    let provider = with_old_password(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    let answer = browser.enter(&page, OLD, PASSWORD).await;
    assert_eq!(browser.follow(&answer).await.heading(), "Your password has expired");
    // Nothing is given away meanwhile, whichever way it is asked.
    assert_eq!(web.authorize(&browser, &[("prompt", "none")]).await.error(), "login_required");
    assert!(web.authorize(&browser, &[]).await.has_form("/sign-in"));
}

async fn a_proof_serves_the_browser_that_made_it(backend: Backend) {
    let provider = with_old_password(&backend).await;
    let browser = provider.browser();
    let answer = browser.sign_in(OLD, PASSWORD).await;
    let elsewhere = provider.browser().follow(&answer).await;
    assert!(elsewhere.has_form("/sign-in"), "{}", elsewhere.page_summary());
    assert!(!elsewhere.body.contains(OLD), "{}", elsewhere.page_summary());
}

async fn a_password_about_to_expire_is_warned_of(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for (age, warning) in [
        (75, None),
        (76, Some("Your password expires in 14 days.")),
        (83, Some("Your password expires in 7 days.")),
        (89, Some("Your password expires tomorrow.")),
    ] {
        let address = format!("age-{age}@practice.example");
        provider.person(&address).password_set(days(age)).create().await;
        let dashboard = provider.signed_in(&address).await.get("/dashboard").await;
        let shown = dashboard.text_of("password-warning");
        assert_eq!(shown.is_some(), warning.is_some(), "{age}");
        assert!(shown.unwrap_or_default().starts_with(warning.unwrap_or_default()), "{age}");
    }
}

async fn a_running_session_is_not_interrupted_by_expiry(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let minutes = SignedDuration::from_mins(10);
    provider.person(OLD).password_set(days(90) - minutes).create().await;
    let browser = provider.signed_in(OLD).await;
    provider.advance(minutes);
    assert!(browser.is_signed_in().await);
    let answer = provider.browser().sign_in(OLD, PASSWORD).await;
    assert!(answer.location().path() == "/continue", "{}", answer.location());
}

async fn a_password_set_in_the_future_is_new(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.advance(-days(400));
    let answer = provider.browser().sign_in(ALICE, PASSWORD).await;
    assert_eq!(answer.location().path(), "/dashboard");
}
