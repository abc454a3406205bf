//! One page that is submitted more than once: it becomes one row, unless the row cannot stand for the submission.

use anteroom_crypto::{KeyPurpose, OpaqueToken};
use anteroom_storage::StoreError;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, TestResponse, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::collections::BTreeSet;

on_both_databases!(
    a_page_is_one_row_however_often_it_is_submitted,
    a_page_that_somebody_proved_themselves_on_tells_the_next_person_nothing,
    a_page_in_another_browser_is_another_row,
    a_page_whose_row_is_over_gets_another,
);

const OLD: &str = "old@practice.example";
const STRANGER: &str = "nobody@practice.example";

fn handle(answer: &TestResponse) -> String {
    answer.form("/sign-in").fields["interaction"].clone()
}

async fn with_old_password(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    provider.person(OLD).password_set(SignedDuration::from_hours(24 * 90)).create().await;
    provider
}

async fn a_page_is_one_row_however_often_it_is_submitted(backend: Backend) {
    let provider = with_old_password(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    let refused = join_all((0..8).map(|_| browser.enter(&page, STRANGER, "wrong"))).await;
    let mut handles: BTreeSet<String> = refused.iter().map(handle).collect();
    handles.insert(handle(&browser.enter(&page, OLD, "wrong").await));
    assert_eq!(handles.len(), 1, "{handles:?}");
    // The same for a submission that leads on: a double click ends on one page.
    let page = web.authorize(&browser, &[]).await;
    let proven = join_all((0..4).map(|_| browser.enter(&page, OLD, PASSWORD))).await;
    let ways: BTreeSet<String> = proven.iter().map(|answer| answer.location().to_string()).collect();
    assert_eq!(ways.len(), 1, "{ways:?}");
    assert_eq!(browser.follow(&proven[3]).await.heading(), "Your password has expired");
}

async fn a_page_that_somebody_proved_themselves_on_tells_the_next_person_nothing(backend: Backend) {
    let provider = with_old_password(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    let proven = browser.enter(&page, OLD, PASSWORD).await;
    // Back, and the next person at the desk mistypes.
    let refused = browser.enter(&page, STRANGER, "wrong").await;
    let own = browser.get(&format!("/continue?interaction={}", handle(&refused))).await;
    assert!(own.has_form("/sign-in"), "{}", own.page_summary());
    assert!(!own.body.contains(OLD));
    assert_eq!(browser.follow(&proven).await.heading(), "Your password has expired");
}

async fn a_page_in_another_browser_is_another_row(backend: Backend) {
    let provider = with_old_password(&backend).await;
    let (web, browser, other) = (provider.client("web"), provider.browser(), provider.browser());
    let (page, own) = (web.authorize(&browser, &[]).await, other.get("/sign-in").await);
    let sealed = handle(&page);
    let here = handle(&browser.enter(&page, STRANGER, "wrong").await);
    let fields = [("interaction", sealed.as_str()), ("email", STRANGER), ("password", "wrong")];
    let there = handle(&other.submit(&own, "/sign-in", &fields).await);
    assert_ne!(here, there);
    // Each finds its own row.
    for (browser, handle) in [(&browser, &here), (&other, &there)] {
        assert!(browser.get(&format!("/continue?interaction={handle}")).await.has_form("/sign-in"));
    }
}

async fn a_page_whose_row_is_over_gets_another(backend: Backend) {
    let provider = with_old_password(&backend).await;
    let (web, browser, parts) = (provider.client("web"), provider.browser(), &provider.provider);
    let page = web.authorize(&browser, &[]).await;
    let first = handle(&browser.enter(&page, STRANGER, "wrong").await);
    let token = OpaqueToken::parse(&first).unwrap();
    let digest = parts.keyring.mac(KeyPurpose::TokenHash).digest("interaction", token.as_bytes());
    let (row, now) = (parts.store.interaction(&[digest]).await.unwrap().unwrap(), provider.now());
    let finish = parts.store.write(move |tx| async move {
        assert!(tx.finish_interaction(row.id, now).await?);
        Ok::<_, StoreError>(())
    });
    finish.await.unwrap();
    let refused = browser.enter(&page, STRANGER, "wrong").await;
    assert_ne!(handle(&refused), first);
    let expired = browser.enter(&refused, OLD, PASSWORD).await;
    assert_eq!(browser.follow(&expired).await.heading(), "Your password has expired");
}
