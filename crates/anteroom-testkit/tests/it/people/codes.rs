//! Codes sent to phones: what makes them worthless, and how often they can be guessed.

use super::*;
use anteroom_testkit::{Backend, PASSWORD, on_one_node_and_on_two};
use futures_util::future::join_all;
use jiff::SignedDuration;

on_one_node_and_on_two!(
    the_pages_of_a_code_have_a_way_back,
    a_re_send_makes_the_old_code_worthless,
    a_code_expires_after_ten_minutes,
    five_wrong_entries_in_a_day_are_counted_over_re_sends_and_recoveries,
    of_twenty_parallel_entries_five_are_looked_at,
    later_re_sends_wait,
    what_another_account_was_sent_in_the_same_browser_proves_nothing,
    codes_asked_for_with_a_password_leave_a_quarter_of_the_numbers_for_recovery,
);

async fn with_carol(backend: &Backend) -> (TestProvider, Browser, TestResponse) {
    let provider = TestProvider::start(backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let page = send(&carol, &follow_link(&provider, &carol).await).await;
    (provider, carol, page)
}

async fn a_re_send_makes_the_old_code_worthless(backend: Backend) {
    let (provider, carol, page) = with_carol(&backend).await;
    let old = digits(&provider).await;
    provider.advance(SignedDuration::from_secs(1));
    let page = through(&carol, &page, "/verify/send", &[]).await;
    let new = digits(&provider).await;
    if old != new {
        assert_eq!(carol.submit(&page, "/verify/code", &[("code", &old)]).await.status, 422);
    }
    // A change of the way does the same.
    let choice = carol.get(&format!("{}&choose=1", page.asked.as_str().replace("&again=1", ""))).await;
    let call = ways(&choice).into_iter().find(|way| way.starts_with("call:")).unwrap();
    provider.advance(SignedDuration::from_secs(1));
    let page = through(&carol, &choice, "/verify/send", &[("method", &call)]).await;
    let called = digits(&provider).await;
    if called != new {
        assert_eq!(carol.submit(&page, "/verify/code", &[("code", &new)]).await.status, 422);
    }
    let page = through(&carol, &page, "/verify/code", &[("code", &called)]).await;
    assert!(page.has_form("/new-password"), "{}", page.page_summary());
}

async fn a_code_expires_after_ten_minutes(backend: Backend) {
    let (provider, carol, page) = with_carol(&backend).await;
    let code = digits(&provider).await;
    provider.advance(SignedDuration::from_mins(10));
    assert_eq!(carol.submit(&page, "/verify/code", &[("code", &code)]).await.status, 422);
    // What was late is no guess.
    assert!(provider.audited("code_refused").await.is_empty());
}

async fn five_wrong_entries_in_a_day_are_counted_over_re_sends_and_recoveries(backend: Backend) {
    let (provider, carol, page) = with_carol(&backend).await;
    for wrong in others_than(&digits(&provider).await).take(2) {
        assert_eq!(carol.submit(&page, "/verify/code", &[("code", &wrong)]).await.status, 422);
    }
    provider.advance(SignedDuration::from_secs(1));
    let page = through(&carol, &page, "/verify/send", &[]).await;
    for wrong in others_than(&digits(&provider).await).take(2) {
        assert_eq!(carol.submit(&page, "/verify/code", &[("code", &wrong)]).await.status, 422);
    }
    provider.advance(SignedDuration::from_secs(1));
    let other = provider.browser();
    forget(&other, CAROL).await;
    let page = send(&other, &follow_link(&provider, &other).await).await;
    let right = digits(&provider).await;
    let fifth = other.submit(&page, "/verify/code", &[("code", &other_than(&right))]).await;
    assert_eq!(fifth.status, 429, "{}", fifth.page_summary());
    let refused = other.submit(&page, "/verify/code", &[("code", &right)]).await;
    assert_eq!(refused.status, 429, "{}", refused.page_summary());
    // Nor is another code sent, until time gives the guesses back.
    assert_eq!(other.submit(&page, "/verify/send", &[]).await.status, 429);
    provider.advance(SignedDuration::from_hours(24));
    reset(&provider, &provider.browser(), CAROL, NEW).await;
}

async fn of_twenty_parallel_entries_five_are_looked_at(backend: Backend) {
    let (provider, carol, page) = with_carol(&backend).await;
    let right = digits(&provider).await;
    let entries = others_than(&right).take(20).map(|wrong| {
        let (carol, page) = (&carol, &page);
        async move { carol.submit(page, "/verify/code", &[("code", &wrong)]).await }
    });
    for answer in join_all(entries).await {
        assert!([422, 429].contains(&answer.status), "{}", answer.page_summary());
    }
    assert_eq!(provider.audited("code_refused").await.len(), 5);
    assert_eq!(carol.submit(&page, "/verify/code", &[("code", &right)]).await.status, 429);
}

async fn later_re_sends_wait(backend: Backend) {
    let (provider, carol, mut page) = with_carol(&backend).await;
    for _ in 0..2 {
        page = through(&carol, &page, "/verify/send", &[]).await;
    }
    let early = carol.submit(&page, "/verify/send", &[]).await;
    assert_eq!((early.status, early.header("retry-after")), (429, Some("30")), "{}", early.page_summary());
    provider.advance(SignedDuration::from_secs(30));
    through(&carol, &page, "/verify/send", &[]).await;
}

/// The password alone is enough to ask for codes of a second factor: they must not use up those of the owner's recovery.
async fn codes_asked_for_with_a_password_leave_a_quarter_of_the_numbers_for_recovery(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.telephony.per_number", "{ max = 4, window = \"1d\" }")
        .set("policy.new_devices_step_up", "true")
        .start()
        .await;
    provider.person(CAROL).phone(CELL).create().await;
    let thief = provider.browser();
    let page = thief.get("/sign-in").await;
    let choice = through(&thief, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await;
    let way = ways(&choice).remove(0);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(thief.submit(&choice, "/verify/send", &[("method", &way)]).await.status);
        provider.advance(SignedDuration::from_mins(5));
    }
    assert_eq!(statuses, [303, 303, 429, 429]);
    let carol = provider.browser();
    reset(&provider, &carol, CAROL, NEW).await;
    // A second recovery takes the last of the number's codes, and gets no more than those.
    for status in [303, 429] {
        provider.advance(SignedDuration::from_mins(5));
        forget(&carol, CAROL).await;
        let choice = follow_link(&provider, &carol).await;
        assert_eq!(carol.submit(&choice, "/verify/send", &[("method", &way)]).await.status, status);
    }
    assert_eq!(provider.audited("code_sent").await.len(), 4);
}

/// A thief who knows Carol's password, and has a phone of their own, must not get past hers.
async fn what_another_account_was_sent_in_the_same_browser_proves_nothing(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for (address, phone) in [("mallory@practice.example", "+12025550166"), (CAROL, CELL)] {
        provider
            .person(address)
            .phone(phone)
            .password_set(SignedDuration::from_hours(24 * 90))
            .create()
            .await;
    }
    let browser = provider.browser();
    let page = provider.client("web").authorize(&browser, &[]).await;
    let answer = browser.enter(&page, "mallory@practice.example", PASSWORD).await;
    let shown = browser.follow(&answer).await;
    let choice = through(&browser, &shown, "/expired-password", &[]).await;
    let entry = send(&browser, &choice).await;
    let own = digits(&provider).await;
    // The same request, the same browser, another person.
    let handle = entry.form("/verify/code").fields["interaction"].clone();
    let mut fields: Vec<(String, String)> = page.form("/sign-in").fields.into_iter().collect();
    fields.retain(|(name, _)| !["interaction", "email", "password"].contains(&name.as_str()));
    for (name, value) in [("interaction", handle.as_str()), ("email", CAROL), ("password", PASSWORD)] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post("/sign-in", &fields).await;
    let shown = browser.follow(&answer).await;
    let choice = through(&browser, &shown, "/expired-password", &[]).await;
    assert!(choice.has_form("/verify/send"), "{}", choice.page_summary());
    // Her proof is in a row of its own, in which that code is none.
    let hers = choice.form("/verify/send").fields["interaction"].clone();
    assert_ne!(hers, handle);
    let mut fields = entry.form("/verify/code").fields;
    fields.extend([("interaction".to_owned(), hers.clone()), ("code".to_owned(), own)]);
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post("/verify/code", &fields).await;
    assert!(answer.status != 303 && !answer.has_form("/new-password"), "{}", answer.page_summary());
    assert!(provider.audited("code_refused").await.is_empty(), "it is not counted for the other one");
    let still = browser.get(&format!("/continue?interaction={hers}")).await;
    assert!(!still.has_form("/new-password"), "{}", still.page_summary());
}

async fn the_pages_of_a_code_have_a_way_back(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.new_devices_step_up", "true").start().await;
    let expired = SignedDuration::from_hours(24 * 90);
    provider.person(CAROL).phone(CELL).create().await;
    provider.person("nora@practice.example").phone("+12025550166").password_set(expired).create().await;
    let leads_to =
        |page: &TestResponse, target: &str| page.links().iter().any(|link| link.href.starts_with(target));
    let carol = provider.browser();
    let page = carol.get("/sign-in").await;
    let page = through(&carol, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await;
    assert!(page.has_form("/verify/send"), "{}", page.page_summary());
    assert!(!leads_to(&page, "/dashboard"), "a new device sees nothing of it: {}", page.page_summary());
    let entry = send(&carol, &page).await;
    through(&carol, &entry, "/verify/code", &[("code", &digits(&provider).await)]).await;
    provider.advance(SignedDuration::from_mins(20));
    // Signed in again, with the password alone: the page of the apps asks for a code.
    assert_eq!(carol.sign_in(CAROL, PASSWORD).await.status, 303);
    let page = carol.get("/account/factors").await;
    assert!(page.has_form("/verify/send") && leads_to(&page, "/dashboard"), "{}", page.page_summary());
    assert!(leads_to(&send(&carol, &page).await, "/dashboard"));

    let nora = provider.browser();
    let page = nora.get("/sign-in").await;
    let entered = [("email", "nora@practice.example"), ("password", PASSWORD)];
    let shown = through(&nora, &page, "/sign-in", &entered).await;
    let page = through(&nora, &shown, "/expired-password", &[]).await;
    assert!(
        !leads_to(&page, "/dashboard") && leads_to(&page, "/sign-in?another=1"),
        "{}",
        page.page_summary()
    );
    let link = page.links().into_iter().find(|link| link.href.starts_with("/sign-in")).unwrap();
    assert!(nora.get(&link.href).await.has_form("/sign-in"));
}
