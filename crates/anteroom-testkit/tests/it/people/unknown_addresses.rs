//! Trap: unknown addresses are found out by what a request leaves behind. A request for an address that no account has asks
//! the database the same, writes the same rows, and causes the same work later, however often it is made.

use super::*;
use crate::people::registration::{ERIN, invited_to};
use anteroom_storage::RecordedStatement;
use anteroom_testkit::{Backend, on_both_databases};
use jiff::{SignedDuration, Timestamp};

on_both_databases!(
    trap_7_asking_for_a_reset_costs_the_same_for_every_address_however_often,
    trap_7_asking_for_an_invitation_costs_the_same_for_every_address_however_often,
    trap_7_what_is_kept_of_an_ask_is_the_same_for_every_address,
    trap_7_a_wrong_password_asks_the_database_the_same_for_every_address,
    an_address_has_five_rows_and_a_completed_reset_frees_them,
    a_network_has_two_thousand_rows_whatever_the_addresses,
    an_invited_person_who_forgot_the_password_is_invited_again,
);

const NOBODY: &str = "nobody@practice.example";

async fn with_carol(backend: &Backend) -> TestProvider {
    let generous = "{ max = 1000, window = \"5m\" }";
    let provider = TestProvider::on(backend).set("policy.recovery.rate", generous).start().await;
    provider.person(CAROL).phone(CELL).create().await;
    // The counters of this place are rows already, and recording has begun.
    forget(&provider.browser(), "else@practice.example").await;
    provider.answer_asks().await;
    drop(provider.provider.store.take_statements());
    provider
}

/// What the store was asked since the last time.
fn work(provider: &TestProvider) -> Vec<RecordedStatement> {
    provider.provider.store.take_statements()
}

/// The statements with what they wrote; what the look-up of an address finds is what no request waits for.
fn written(work: Vec<RecordedStatement>) -> Vec<RecordedStatement> {
    let rows = |asked: &RecordedStatement| if asked.sql.starts_with("SELECT") { 0 } else { asked.rows };
    work.into_iter().map(|asked| RecordedStatement { rows: rows(&asked), ..asked }).collect()
}

/// One more time on the same way: what the ask cost, what its page, and what a wrong code.
async fn asked_again(
    provider: &TestProvider,
    browser: &Browser,
    page: &TestResponse,
    address: &str,
) -> [Vec<RecordedStatement>; 4] {
    let answer = browser.submit(page, "/forgot-password", &[("email", address)]).await;
    assert_eq!(answer.status, 303, "{}", answer.page_summary());
    let ask = work(provider);
    let handle = answer.parameters()["interaction"].clone();
    let waiting = browser.get(&format!("/forgot-password/waiting?interaction={handle}")).await;
    assert_eq!(waiting.json()["go"], false);
    let waiting = work(provider);
    let shown = browser.follow(&answer).await;
    let shown_work = work(provider);
    let wrong = browser.submit(&shown, "/recover/code", &[("code", "AAAAA-AAAAA")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.page_summary());
    [ask, waiting, shown_work, work(provider)]
}

async fn trap_7_asking_for_a_reset_costs_the_same_for_every_address_however_often(backend: Backend) {
    let provider = with_carol(&backend).await;
    let mut ways = Vec::new();
    for address in [CAROL, NOBODY] {
        let browser = provider.browser();
        let page = browser.get("/forgot-password").await;
        ways.push((address, forget(&browser, address).await, browser));
        drop(page);
        provider.answer_asks().await;
        drop(work(&provider));
    }
    for time in 2..=58 {
        let mut costs = Vec::new();
        for (address, page, browser) in &ways {
            let request = asked_again(&provider, browser, page, address).await;
            provider.answer_asks().await;
            costs.push((request, written(work(&provider))));
        }
        assert_eq!(costs[0], costs[1], "ask {time}");
    }
}

async fn trap_7_asking_for_an_invitation_costs_the_same_for_every_address_however_often(backend: Backend) {
    let provider = with_carol(&backend).await;
    invited_to(&provider).await;
    let browser = provider.browser();
    let page = browser.get("/complete-registration").await;
    drop(browser.submit(&page, "/complete-registration", &[("email", "else@practice.example")]).await);
    provider.answer_asks().await;
    drop(work(&provider));
    for time in 1..=14 {
        let mut costs = Vec::new();
        for address in [ERIN, NOBODY, CAROL] {
            drop(browser.submit(&page, "/complete-registration", &[("email", address)]).await);
            let request = work(&provider);
            provider.answer_asks().await;
            costs.push((request, written(work(&provider))));
        }
        assert_eq!(costs[0], costs[1], "ask {time}");
        assert_eq!(costs[1], costs[2], "ask {time}");
    }
}

async fn trap_7_what_is_kept_of_an_ask_is_the_same_for_every_address(backend: Backend) {
    let provider = with_carol(&backend).await;
    let mut grown = Vec::new();
    for address in [CAROL, NOBODY] {
        let (browser, before) = (provider.browser(), backend.rows().await);
        for _ in 0..8 {
            forget(&browser, address).await;
        }
        provider.answer_asks().await;
        let after = backend.rows().await;
        let more: Vec<_> = after.iter().map(|(table, rows)| (table.clone(), rows - before[table])).collect();
        grown.push(more);
    }
    assert_eq!(grown[0], grown[1]);
    assert_eq!(provider.audited("ask_answered").await.len(), 1 + 5 + 5);
}

async fn trap_7_a_wrong_password_asks_the_database_the_same_for_every_address(backend: Backend) {
    let provider = with_carol(&backend).await;
    invited_to(&provider).await;
    let mut ways = Vec::new();
    for address in [CAROL, ERIN, NOBODY] {
        let browser = provider.browser();
        ways.push((address, browser.get("/sign-in").await, browser));
    }
    drop(work(&provider));
    for time in 2..=17 {
        let mut costs = Vec::new();
        // Each twice: what was counted is not counted again, and asks for no less.
        let password = format!("not the password {}", time / 2);
        for (address, page, browser) in &ways {
            drop(browser.enter(page, address, &password).await);
            costs.push(work(&provider).into_iter().map(|asked| asked.sql).collect::<Vec<_>>());
        }
        assert_eq!(costs[1], costs[2], "attempt {time}");
        // The sixth locks the account and queues word of it.
        if time != 12 {
            assert_eq!(costs[0], costs[2], "attempt {time}");
        }
    }
}

async fn an_address_has_five_rows_and_a_completed_reset_frees_them(backend: Backend) {
    let provider = with_carol(&backend).await;
    for address in [CAROL, NOBODY] {
        for _ in 0..7 {
            forget(&provider.browser(), address).await;
        }
    }
    assert_eq!(provider.answer_asks().await, 10);
    assert_eq!(mails(&provider, "recovery").await, 5);
    let carol = provider.browser();
    let page = prove(&provider, &carol).await;
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
    for address in [CAROL, NOBODY] {
        forget(&provider.browser(), address).await;
    }
    assert_eq!(provider.answer_asks().await, 1, "a reset that is done leaves room for another");
    provider.advance(SignedDuration::from_mins(30));
    forget(&provider.browser(), NOBODY).await;
    assert_eq!(provider.answer_asks().await, 1, "time leaves room for another");
}

async fn a_network_has_two_thousand_rows_whatever_the_addresses(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let half_an_hour = 30 * 60 * 1_000;
    let window = |now: Timestamp| now.as_millisecond().div_euclid(half_an_hour) * half_an_hour;
    let most = format!(
        "INSERT INTO rate_counters (scope, subject, window_start, count) \
         VALUES ('asked_rows', '127.0.0.0/24', {}, 1999)",
        window(provider.now())
    );
    backend.execute(&most).await;
    let browser = provider.browser();
    let page = forget(&browser, NOBODY).await;
    for (form, page) in
        [("/forgot-password", page), ("/complete-registration", browser.get("/complete-registration").await)]
    {
        let refused = browser.submit(&page, form, &[("email", "another@practice.example")]).await;
        assert_eq!(refused.status, 429, "{form}: {}", refused.page_summary());
    }
    provider.advance(SignedDuration::from_hours(1));
    forget(&browser, NOBODY).await;
}

async fn an_invited_person_who_forgot_the_password_is_invited_again(backend: Backend) {
    let provider = with_carol(&backend).await;
    invited_to(&provider).await;
    let before = mails(&provider, "invitation").await;
    provider.advance(SignedDuration::from_secs(1));
    forget(&provider.browser(), ERIN).await;
    assert_eq!(mails(&provider, "invitation").await, before + 1);
    assert_eq!(mails(&provider, "recovery").await, 0);
    let erin = provider.browser();
    let page = erin.get(&registration::invitation(&provider).await).await;
    let accepted = erin.submit(&page, "/register", &[]).await;
    assert_eq!(accepted.status, 303, "{}", accepted.page_summary());
    // It is an invitation like any other: it lives as long.
    provider.advance(SignedDuration::from_hours(24));
    let page = erin.get(&registration::invitation(&provider).await).await;
    assert_eq!(erin.submit(&page, "/register", &[]).await.status, 303);
}
