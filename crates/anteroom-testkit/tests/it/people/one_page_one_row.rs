//! One page is one row of an interaction and one change one audit entry, however often its form is sent.

use super::*;
use anteroom_testkit::{Backend, PASSWORD, on_one_node_and_on_two};

on_one_node_and_on_two!(
    a_sign_in_after_a_wrong_password_leads_to_one_consent_page,
    the_button_of_a_recovery_mail_is_one_row_and_one_entry,
    a_reset_that_was_done_before_the_next_mail_was_asked_for_is_not_the_next_one,
);

async fn with_carol(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    provider
}

async fn a_sign_in_after_a_wrong_password_leads_to_one_consent_page(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (partner, carol) = (provider.client("partner"), provider.browser());
    let page = partner.authorize(&carol, &[]).await;
    let page = carol.enter(&page, CAROL, "wrong").await;
    let before = backend.rows().await["interactions"];
    let first = carol.clone().enter(&page, CAROL, PASSWORD).await;
    let second = carol.enter(&page, CAROL, PASSWORD).await;
    assert_eq!(first.location(), second.location());
    assert!(carol.follow(&second).await.has_form("/consent"));
    assert!(backend.rows().await["interactions"] - before <= 1);
}

async fn the_button_of_a_recovery_mail_is_one_row_and_one_entry(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let page = carol.get(&mailed(&provider).await.0).await;
    let before = backend.rows().await["interactions"];
    let first = carol.clone().submit(&page, "/recover", &[]).await;
    let second = carol.submit(&page, "/recover", &[]).await;
    assert_eq!(first.location(), second.location());
    assert_eq!(backend.rows().await["interactions"] - before, 1);
    assert_eq!(provider.audited("link_pressed").await.len(), 1);
    assert!(carol.follow(&second).await.has_form("/verify/send"));
}

/// The page that waits for the second mail must not say that the password has been reset.
async fn a_reset_that_was_done_before_the_next_mail_was_asked_for_is_not_the_next_one(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let page = carol.get("/forgot-password").await;
    let asked = through(&carol, &page, "/forgot-password", &[("email", CAROL)]).await;
    assert!(!may_go_on(&carol, &asked).await);
    let proven = prove(&provider, &carol).await;
    assert_eq!(choose(&carol, &proven, NEW).await.status, 303);
    assert!(may_go_on(&carol, &asked).await);
    provider.advance(jiff::SignedDuration::from_mins(2));
    let again = through(&carol, &page, "/forgot-password", &[("email", CAROL)]).await;
    assert!(!may_go_on(&carol, &again).await);
}

async fn may_go_on(browser: &Browser, asked: &TestResponse) -> bool {
    let handle = &asked.form("/recover/code").fields["interaction"];
    let answer = browser.get(&format!("/forgot-password/waiting?interaction={handle}")).await;
    answer.json()["go"].as_bool().unwrap()
}
