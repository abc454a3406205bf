//! What this installation can send decides what is offered: no person waits for a code that is not sent.

use super::registration::{accept, invited_to};
use super::*;
use anteroom_testkit::{Backend, Builder, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    only_ways_that_something_sends_are_offered,
    a_landline_without_calls_is_told_what_to_do,
    a_registration_takes_only_phones_that_codes_reach,
    where_nothing_reaches_phones_a_registration_says_so,
);

const LANDLINE: &str = "+12025550186";

fn without_texts(backend: &Backend) -> Builder {
    TestProvider::on(backend).unset("text.provider").unset("text.http.url")
}

fn without_calls(builder: Builder) -> Builder {
    builder.unset("voice.provider").unset("voice.http.url").unset("voice.http.waits_for_key")
}

/// The choice of delivery, and the kinds of ways on it.
async fn offered(provider: &TestProvider, browser: &Browser) -> (TestResponse, Vec<String>) {
    forget(browser, CAROL).await;
    let page = follow_link(provider, browser).await;
    let ways = ways(&page).iter().map(|way| way[..4].to_owned()).collect();
    (page, ways)
}

async fn only_ways_that_something_sends_are_offered(backend: Backend) {
    let provider = without_texts(&backend).start().await;
    provider.person(CAROL).phone(CELL).create().await;
    assert_eq!(offered(&provider, &provider.browser()).await.1, ["call"]);
    provider.advance(SignedDuration::from_secs(1));
    let other = without_calls(TestProvider::on(&backend)).another_node_of(&provider).start().await;
    let carol = other.browser();
    let (page, ways_of_it) = offered(&other, &carol).await;
    assert_eq!(ways_of_it, ["text"]);
    let call = ways(&page)[0].replace("text:", "call:");
    assert_eq!(carol.submit(&page, "/verify/send", &[("method", &call)]).await.status, 422);
}

async fn a_landline_without_calls_is_told_what_to_do(backend: Backend) {
    let provider = without_calls(TestProvider::on(&backend)).start().await;
    provider.person(CAROL).landline(LANDLINE).create().await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let page = follow_link(&provider, &carol).await;
    assert_eq!(
        page.text_of("no-phone").unwrap(),
        "No code can be sent to your phone",
        "{}",
        page.page_summary()
    );
    assert!(page.body.contains("codes do not reach phones"), "{}", page.page_summary());
    assert!(!page.has_form("/verify/send") && page.text_of("later").is_none());
}

async fn a_registration_takes_only_phones_that_codes_reach(backend: Backend) {
    let provider = without_calls(TestProvider::on(&backend)).start().await;
    invited_to(&provider).await;
    let erin = provider.browser();
    let page = accept(&provider, &erin).await;
    assert!(page.body.contains("value=\"cell\" required checked"), "{}", page.page_summary());
    assert!(page.body.contains("The code comes as a text message"), "{}", page.page_summary());
    assert!(!page.body.contains("value=\"landline\""), "{}", page.page_summary());
    let landline = [("phone", "(202) 555-0186"), ("phone_kind", "landline")];
    let refused = erin.submit(&page, "/register/phone", &landline).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Enter a cell phone"), "{}", refused.page_summary());
    assert!(provider.audited("phone_added").await.is_empty());
    let cell = [("phone", "(202) 555-0143"), ("phone_kind", "cell")];
    let page = through(&erin, &page, "/register/phone", &cell).await;
    assert!(ways(&page).iter().all(|way| way.starts_with("text:")) && page.has_form("/verify/send"));
}

async fn where_nothing_reaches_phones_a_registration_says_so(backend: Backend) {
    let provider = without_calls(without_texts(&backend)).start().await;
    invited_to(&provider).await;
    let page = accept(&provider, &provider.browser()).await;
    assert_eq!(
        page.text_of("no-phone").unwrap(),
        "No code can be sent to your phone",
        "{}",
        page.page_summary()
    );
    assert!(!page.has_form("/register/phone"));
}
