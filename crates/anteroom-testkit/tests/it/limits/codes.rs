//! Codes, phones and new passwords: what a burst may cost, and what is told of a refusal.

use crate::ALICE;
use crate::people::registration::{accept, invited_to};
use crate::people::{CELL, NEW, digits, follow_link, forget, mails, others_than, send, through, ways};
use anteroom_testkit::{Backend, Browser, TestProvider, TestResponse, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;

on_both_databases!(
    of_many_accounts_at_once_the_allowed_get_a_code_to_one_number,
    of_many_phones_at_once_five_are_added,
    a_new_password_is_tried_ten_times,
    one_new_password_waits_in_line_and_not_before_known_devices,
    wrong_codes_of_mails_and_refused_sends_are_told,
);

async fn of_many_accounts_at_once_the_allowed_get_a_code_to_one_number(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.telephony.per_number.max", "5").start().await;
    let mut waiting = Vec::new();
    for number in 0..16 {
        let (address, browser) = (format!("person{number}@practice.example"), provider.browser());
        provider.person(&address).phone(CELL).create().await;
        provider.advance(SignedDuration::from_secs(1));
        forget(&browser, &address).await;
        let page = follow_link(&provider, &browser).await;
        waiting.push((browser, page));
    }
    let sent = join_all(waiting.iter().map(|(browser, page)| async move {
        let way = ways(page).remove(0);
        browser.submit(page, "/verify/send", &[("method", &way)]).await.status
    }));
    let sent = sent.await;
    let got = sent.iter().filter(|status| **status == 303).count();
    assert_eq!((got, sent.iter().filter(|status| **status == 429).count()), (5, 11));
    assert_eq!(mails(&provider, "code").await, 5);
    assert_eq!(provider.audited("code_not_sent").await.len(), 11);
}

async fn of_many_phones_at_once_five_are_added(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    invited_to(&provider).await;
    let browser = provider.browser();
    let page = accept(&provider, &browser).await;
    let added = join_all((0..20).map(|number| {
        let phone = format!("(202) 555-01{number:02}");
        let (browser, page) = (&browser, &page);
        async move {
            let entered = [("phone", phone.as_str()), ("phone_kind", "cell")];
            browser.submit(page, "/register/phone", &entered).await.status
        }
    }));
    let added = added.await;
    assert_eq!(added.iter().filter(|status| **status == 303).count(), 5, "{added:?}");
    assert_eq!(provider.audited("phone_added").await.len(), 5);
    assert_eq!(provider.audited("phone_refused").await.len(), 15);
}

async fn a_new_password_is_tried_ten_times(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_mins(1));
    let page = browser.get("/change-password").await;
    let weak = async |browser: &Browser, page: &TestResponse, number: u32| {
        let weak = format!("short-{number}");
        browser.submit(page, "/new-password", &[("new_password", &weak), ("confirm_password", &weak)]).await
    };
    let answers = join_all((0..20).map(|number| weak(&browser, &page, number))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(422), count(429)), (10, 10));
    assert_eq!(provider.audited("new_password_refused").await.len(), 10);
    provider.write_tallies().await;
    let entries = provider.audited("rate_limited").await;
    assert!(
        entries[0].detail.contains("\"new_password\"") && entries[0].detail.contains("10"),
        "{entries:?}"
    );
    provider.advance(SignedDuration::from_mins(20));
    let browser = provider.signed_in(ALICE).await;
    let page = browser.get("/change-password").await;
    assert_eq!(weak(&browser, &page, 20).await.status, 422);
}

async fn one_new_password_waits_in_line_and_not_before_known_devices(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let desk = provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_hours(25));
    let browser = provider.signed_in(ALICE).await;
    let page = browser.get("/change-password").await;
    // The present password, which is compared and found: no hash of it goes among those of known devices.
    let used =
        [("new_password", anteroom_testkit::PASSWORD), ("confirm_password", anteroom_testkit::PASSWORD)];
    let (refused, signed_in) = tokio::join!(
        browser.submit(&page, "/new-password", &used),
        desk.sign_in(ALICE, anteroom_testkit::PASSWORD)
    );
    assert_eq!((refused.status, signed_in.status), (422, 303));
    let new = [("new_password", NEW), ("confirm_password", NEW)];
    assert_eq!(browser.submit(&page, "/new-password", &new).await.status, 303);
}

async fn wrong_codes_of_mails_and_refused_sends_are_told(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("carol@practice.example").phone(CELL).create().await;
    for address in ["carol@practice.example", "nobody@practice.example"] {
        let browser = provider.browser();
        let asked = forget(&browser, address).await;
        let before = provider.audited("link_refused").await.len();
        browser.submit(&asked, "/recover/code", &[("code", "AAAAA-AAAAA")]).await;
        let entries = provider.audited("link_refused").await;
        assert_eq!(entries.len(), before + 1);
        assert!(entries[0].detail.contains("wrong_code") && entries[0].subject.is_none(), "{entries:?}");
    }
    let browser = provider.browser();
    forget(&browser, "carol@practice.example").await;
    let mut page = send(&browser, &follow_link(&provider, &browser).await).await;
    for _ in 0..2 {
        page = through(&browser, &page, "/verify/send", &[]).await;
    }
    assert_eq!(browser.submit(&page, "/verify/send", &[]).await.status, 429);
    assert_eq!(provider.audited("code_not_sent").await.len(), 1);
    for wrong in others_than(&digits(&provider).await).take(7) {
        browser.submit(&page, "/verify/code", &[("code", &wrong)]).await;
    }
    assert_eq!(provider.audited("code_refused").await.len(), 5);
    assert_eq!(provider.audited("code_not_taken").await.len(), 2);
}
