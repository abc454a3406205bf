//! Forms behind a session: counted for the session and the account, before anything is done.

use crate::people::{CAROL, CELL, NEW, choose, digits, follow_link, forget, send, through};
use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, TestProvider, TestResponse, on_both_databases};
use futures_util::future::join_all;

on_both_databases!(
    a_session_sends_so_many_forms_and_can_still_sign_out,
    an_account_sends_so_many_forms_in_all_its_sessions,
    a_form_over_the_limit_leads_back_to_its_page,
    a_form_without_a_session_makes_no_row,
    a_form_without_a_session_is_counted_by_address,
    forms_without_a_token_use_up_nothing_that_others_at_the_address_need,
    a_person_with_a_mailed_link_does_not_wait_for_strangers_at_the_same_address,
    of_a_handle_that_is_made_up_or_proves_nothing_the_address_is_counted,
);

const WRONG_CODE: &[(&str, &str)] = &[("code", "AAAAA-AAAAA")];

/// A form with another name each time: the same one that is sent again counts for nothing.
async fn rename(browser: &Browser, page: &TestResponse, number: u32) -> TestResponse {
    browser.submit(page, "/account/profile", &[("given_name", &format!("Alice {number}"))]).await
}

async fn a_session_sends_so_many_forms_and_can_still_sign_out(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.form_of_session.max", "4").start().await;
    let (alice, bob) = (provider.signed_in(ALICE).await, provider.signed_in(BOB).await);
    let page = alice.get("/account/profile").await;
    let answers = join_all((0..20).map(|number| rename(&alice, &page, number))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 16);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(
        refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1,
        "{}",
        refused.page_summary()
    );
    let page = bob.get("/account/profile").await;
    assert_ne!(rename(&bob, &page, 0).await.status, 429);
    let page = alice.get("/dashboard").await;
    assert_eq!(alice.submit(&page, "/sign-out", &[]).await.status, 303);
}

async fn an_account_sends_so_many_forms_in_all_its_sessions(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.limits.form_of_account.max", "3")
        .set("policy.limits.first_forms_of_session.max", "1")
        .start()
        .await;
    let owner = provider.signed_in(ALICE).await;
    let mut refused = 0;
    for _ in 0..3 {
        let browser = provider.signed_in(ALICE).await;
        let page = browser.get("/account/profile").await;
        for number in 0..3 {
            refused += usize::from(rename(&browser, &page, number).await.status == 429);
        }
    }
    assert_eq!(refused, 3, "one of each session is its own, and three are the account's");
    // What the others have used up leaves each session its first forms.
    let page = owner.get("/account/profile").await;
    assert_ne!(rename(&owner, &page, 0).await.status, 429);
    assert_eq!(rename(&owner, &page, 1).await.status, 429);
}

async fn a_form_over_the_limit_leads_back_to_its_page(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.form_of_session.max", "1").start().await;
    let alice = provider.signed_in(ALICE).await;
    let page = alice.get("/account/profile").await;
    let first = rename(&alice, &page, 0).await;
    assert_ne!(first.status, 429);
    // The same form again gets the answer of before.
    let again = rename(&alice, &page, 0).await;
    assert_eq!((again.status, again.header("location")), (first.status, first.header("location")));
    let refused = rename(&alice, &page, 1).await;
    assert_eq!(refused.status, 429);
    assert!(refused.links().iter().any(|link| link.href == "/account/profile"), "{}", refused.body);
    // An application that waits behind a form waits on.
    let web = provider.client("partner");
    let consent = web.authorize(&alice, &[("scope", "openid profile")]).await;
    let refused = alice.submit(&consent, "/consent", &[("decision", "allow")]).await;
    assert_eq!(refused.status, 429);
    let back = refused.links().into_iter().find(|link| link.href.starts_with("/continue?interaction="));
    assert!(alice.get(&back.unwrap().href).await.has_form("/consent"));
}

/// With the tokens of pages that were shown while a person was signed in.
async fn a_form_without_a_session_makes_no_row(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let choose = browser.get("/choose-account").await;
    let factors = browser.get("/account/factors").await;
    browser.forget("anteroom_session");
    let before = backend.rows().await;
    for _ in 0..3 {
        browser.submit(&choose, "/choose-account", &[("account", "another")]).await;
        browser.submit(&factors, "/account/factors/add", &[]).await;
    }
    let mut after = backend.rows().await;
    after.retain(|table, rows| {
        before[table] != *rows
            && !["rate_counters", "audit_entries", "audit_waiting", "form_effects"].contains(&table.as_str())
    });
    assert!(after.is_empty(), "{after:?}");
}

async fn a_form_without_a_session_is_counted_by_address(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.form_of_address.max", "3").start().await;
    let (browser, other) = (provider.browser().from("203.0.113.7"), provider.browser().from("203.0.113.8"));
    let page = forget(&browser, ALICE).await;
    let enter = async |number: u32| {
        let code = format!("AAAAA-AAA{number:02}");
        browser.submit(&page, "/recover/code", &[("code", &code)]).await
    };
    let answers = join_all((0..12).map(enter)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 9);
    let page = forget(&other, ALICE).await;
    assert_ne!(other.submit(&page, "/recover/code", WRONG_CODE).await.status, 429);
}

async fn forms_without_a_token_use_up_nothing_that_others_at_the_address_need(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.limits.form_of_address.max", "3")
        .set("policy.limits.stale_form_of_address.max", "5")
        .start()
        .await;
    let (colleague, script) =
        (provider.browser().from("203.0.113.7"), provider.browser().from("203.0.113.7"));
    let page = forget(&colleague, ALICE).await;
    let made_up = |_| script.post("/recover", &[("token", "x")]);
    let answers = join_all((0..12).map(made_up)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 7);
    assert_ne!(colleague.submit(&page, "/recover/code", WRONG_CODE).await.status, 429);
}

const OF_ADDRESS: &str = "policy.limits.form_of_address.max";

async fn a_person_with_a_mailed_link_does_not_wait_for_strangers_at_the_same_address(backend: Backend) {
    let provider = TestProvider::on(&backend).set(OF_ADDRESS, "3").start().await;
    provider.person(CAROL).phone(CELL).create().await;
    let (carol, unknown_browser) =
        (provider.browser().from("203.0.113.7"), provider.browser().from("203.0.113.7"));
    forget(&carol, CAROL).await;
    let mut last = 0;
    for _ in 0..4 {
        let page = unknown_browser.get("/recover?token=bogus").await;
        last = unknown_browser.submit(&page, "/recover", &[]).await.status;
    }
    assert_eq!(last, 429);
    let page = send(&carol, &follow_link(&provider, &carol).await).await;
    let page = through(&carol, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
}

async fn of_a_handle_that_is_made_up_or_proves_nothing_the_address_is_counted(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.limits.stale_form_of_address.max", "3")
        .set("policy.limits.form_of_session.max", "3")
        .start()
        .await;
    provider.person(CAROL).phone(CELL).create().await;
    let (carol, script) = (provider.browser().from("203.0.113.7"), provider.browser().from("203.0.113.7"));
    forget(&carol, CAROL).await;
    let page = follow_link(&provider, &carol).await;
    let proven = page.form("/verify/send").fields["interaction"].clone();
    let unproven = forget(&script, ALICE).await.form("/recover/code").fields["interaction"].clone();
    let made_up = "A".repeat(proven.len());
    let mut statuses = Vec::new();
    for handle in [&proven, &unproven, &made_up, &made_up] {
        let page = script.get("/forgot-password").await;
        let token = page.form("/forgot-password").fields["form_token"].clone();
        let fields = [("form_token", token.as_str()), ("interaction", handle), ("code", "123456")];
        statuses.push(script.post("/verify/code", &fields).await.status);
    }
    // All four counted for the address, which had room for three: what is no form of its page comes without a token.
    assert_eq!(statuses.iter().map(|status| *status == 429).collect::<Vec<_>>(), [false, false, false, true]);
    // In her own browser the interaction has a budget of its own, and no more than that.
    let choose =
        async |number: u32| carol.submit(&page, "/verify/send", &[("method", &number.to_string())]).await;
    let answers = join_all((0..5).map(choose)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 2);
}
