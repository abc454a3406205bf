//! What a person opens, and what a browser loads without one: parts of other pages, and pages that are fetched ahead of time.

use super::pushed::pushed;
use crate::ALICE;
use anteroom_testkit::{
    Backend, Browser, PASSWORD, RelyingParty, TestProvider, TestResponse, on_both_databases,
};
use jiff::SignedDuration;

on_both_databases!(
    what_is_fetched_ahead_of_time_is_opened_by_no_person,
    a_waiting_request_is_carried_on_by_no_part_of_a_page,
    core_3_1_2_1_a_request_that_waited_is_not_answered_by_a_sign_in_elsewhere,
    core_3_1_2_1_a_choice_among_those_signed_in_is_no_sign_in,
);

const PAGES: [&str; 8] = [
    "/dashboard",
    "/account/profile",
    "/account/factors",
    "/choose-account",
    "/open/web",
    "/sign-in",
    "/end-session",
    "/forgot-password",
];

fn is_refused(answer: &TestResponse) -> bool {
    (answer.status, answer.header("location")) == (403, None)
}

/// As Chromium sends it for speculation rules, and as Safari does.
fn prefetching(browser: &Browser) -> [Browser; 3] {
    let navigating = || browser.clone().with("sec-fetch-dest", "document").with("sec-fetch-mode", "navigate");
    [
        navigating().with("sec-fetch-site", "none").with("sec-purpose", "prefetch"),
        navigating().with("sec-fetch-site", "same-site").with("sec-purpose", "prefetch;prerender"),
        browser.clone().with("purpose", "prefetch"),
    ]
}

async fn what_is_fetched_ahead_of_time_is_opened_by_no_person(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, alice) = (provider.client("web"), provider.signed_in(ALICE).await);
    let target = pushed(&web, &[]).await;
    for browser in prefetching(&alice) {
        for page in PAGES.into_iter().chain([web.request(&[]).as_str(), target.as_str()]) {
            assert!(is_refused(&browser.get(page).await), "{page}");
        }
    }
    // The request is the one of the person who opens it.
    web.code_in(&alice.get(&target).await);
    for _ in 0..3 {
        provider.advance(SignedDuration::from_mins(10));
        for browser in prefetching(&alice) {
            for page in ["/dashboard", &web.request(&[])] {
                browser.get(page).await;
            }
        }
    }
    assert!(!alice.is_signed_in().await, "it kept the session alive");
}

/// The page of a request that waits, in the browser of the person, with what carries it.
async fn waiting(web: &RelyingParty, browser: &Browser, more: &[(&str, &str)]) -> String {
    let page = web.authorize(browser, more).await;
    page.form("/sign-in").fields["interaction"].clone()
}

async fn a_waiting_request_is_carried_on_by_no_part_of_a_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, alice) = (provider.client("web"), provider.signed_in(ALICE).await);
    // A stranger has one made without cookies.
    let interaction = waiting(&web, &provider.browser(), &[]).await;
    let rows = backend.rows().await["interactions"];
    let script = alice.clone().with("sec-fetch-dest", "empty").with("sec-fetch-mode", "cors");
    let parts = [
        alice.clone().with("sec-fetch-dest", "image"),
        alice.clone().with("sec-fetch-dest", "script"),
        script.with("sec-fetch-site", "same-site"),
    ];
    for browser in parts.iter().chain(&prefetching(&alice)) {
        for path in ["/continue", "/sign-in"] {
            let answer = browser.get(&format!("{path}?interaction={interaction}")).await;
            assert!(is_refused(&answer), "{path}: {}", answer.page_summary());
        }
    }
    assert_eq!(backend.rows().await["interactions"], rows);
    web.code_in(&alice.get(&format!("/continue?interaction={interaction}")).await);
}

async fn core_3_1_2_1_a_request_that_waited_is_not_answered_by_a_sign_in_elsewhere(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, desk) = (provider.client("web"), provider.browser());
    let (login, zero) = ([("prompt", "login")], [("max_age", "0")]);
    let prepared = [waiting(&web, &desk, &login).await, waiting(&web, &desk, &zero).await];
    let plain = waiting(&web, &desk, &[]).await;
    provider.advance(SignedDuration::from_secs(5));
    desk.sign_in(ALICE, PASSWORD).await;
    provider.advance(SignedDuration::from_secs(4));
    for interaction in prepared {
        let address = format!("/continue?interaction={interaction}");
        let page = desk.get(&address).await;
        assert!(page.has_form("/sign-in"), "{}", page.page_summary());
        let page = desk.get(&format!("/sign-in?interaction={interaction}")).await;
        web.code_in(&desk.enter(&page, ALICE, PASSWORD).await);
    }
    web.code_in(&desk.get(&format!("/continue?interaction={plain}")).await);
}

async fn core_3_1_2_1_a_choice_among_those_signed_in_is_no_sign_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, desk) = (provider.client("web"), provider.browser());
    let both = [("prompt", "login select_account")];
    let interaction = waiting(&web, &desk, &both).await;
    provider.advance(SignedDuration::from_secs(5));
    desk.sign_in(ALICE, PASSWORD).await;
    provider.advance(SignedDuration::from_secs(5));
    let choice = desk.get(&format!("/continue?interaction={interaction}")).await;
    let alice = choice.form("/choose-account").buttons[0].clone();
    let chosen = desk.submit(&choice, "/choose-account", &[("account", &alice.value)]).await;
    let page = desk.follow(&chosen).await;
    assert!(page.has_form("/sign-in"), "{}", page.page_summary());
    // Nor is the sign-in for something else that comes after it.
    let interaction = page.form("/sign-in").fields["interaction"].clone();
    desk.sign_in(ALICE, PASSWORD).await;
    let page = desk.get(&format!("/continue?interaction={interaction}")).await;
    assert!(page.has_form("/sign-in"), "{}", page.page_summary());
    let page = desk.get(&format!("/sign-in?interaction={interaction}")).await;
    web.code_in(&desk.enter(&page, ALICE, PASSWORD).await);
}
