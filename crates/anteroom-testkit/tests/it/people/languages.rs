//! In which language people are written to.

use super::*;
use anteroom_testkit::{Backend, on_both_databases};

on_both_databases!(
    what_is_asked_for_on_a_page_comes_in_its_language,
    the_language_that_the_application_asks_for_goes_before_the_browsers,
    the_accounts_own_language_goes_before_the_pages,
    word_of_a_change_comes_in_the_accounts_language_alone,
);

const SPANISH: &str = "es-MX,es;q=0.9,en;q=0.5";

/// The languages of the newest message of a kind.
async fn languages(provider: &TestProvider, kind: &str) -> Option<String> {
    let found = provider.outbox().await.into_iter().find(|message| message.body.kind() == kind);
    found.unwrap().locale
}

async fn what_is_asked_for_on_a_page_comes_in_its_language(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser().with("accept-language", SPANISH);
    let asked = forget(&carol, CAROL).await;
    assert!(asked.body.contains("<html lang=\"es\">"), "{}", asked.page_summary());
    assert_eq!(languages(&provider, "recovery").await.as_deref(), Some("es-MX es en"));
    let page = send(&carol, &follow_link(&provider, &carol).await).await;
    assert!(page.body.contains("<html lang=\"es\">"), "{}", page.page_summary());
    assert_eq!(languages(&provider, "code").await.as_deref(), Some("es-MX es en"));
}

async fn the_language_that_the_application_asks_for_goes_before_the_browsers(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser().with("accept-language", "en-US");
    let page = provider.client("web").authorize(&carol, &[("ui_locales", "es")]).await;
    let link = page.links().into_iter().find(|link| link.href.starts_with("/forgot-password")).unwrap();
    let page = carol.get(&link.href).await;
    assert!(page.body.contains("<html lang=\"es\">"), "{}", page.page_summary());
    through(&carol, &page, "/forgot-password", &[("email", CAROL)]).await;
    assert_eq!(languages(&provider, "recovery").await.as_deref(), Some("es en-US"));
}

async fn the_accounts_own_language_goes_before_the_pages(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).speaks("en").create().await;
    let carol = provider.browser().with("accept-language", SPANISH);
    forget(&carol, CAROL).await;
    assert_eq!(languages(&provider, "recovery").await.as_deref(), Some("en es-MX es en"));
    send(&carol, &follow_link(&provider, &carol).await).await;
    assert_eq!(languages(&provider, "code").await.as_deref(), Some("en es-MX es en"));
}

/// The page may be a stranger's.
async fn word_of_a_change_comes_in_the_accounts_language_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser().with("accept-language", SPANISH);
    reset(&provider, &carol, CAROL, NEW).await;
    assert_eq!(languages(&provider, "password_changed").await, None);
}
