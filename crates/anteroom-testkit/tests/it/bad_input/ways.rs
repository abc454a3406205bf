//! The forms that a person meets only on the way: with a link in hand, before a code, at a new password, beside an
//! authenticator app. A person who stops there meets every value, and goes on from no form that was spoilt.

use super::{is_fine, start, values};
use crate::ALICE;
use crate::people::registration::{accept, invited_to};
use crate::people::{CELL, follow_link, forget, mailed, prove, send, through};
use anteroom_testkit::{Backend, Browser, TestProvider, TestResponse, on_both_databases};

on_both_databases!(no_field_on_the_way_to_a_password_gets_a_500, no_field_beside_an_app_gets_a_500);

/// Each field of each form of this page with each value, in copies of this browser. How many that were.
pub(super) async fn spoil(browser: &Browser, page: &TestResponse) -> usize {
    let mut tried = 0;
    for form in page.forms() {
        for name in form.fields.keys() {
            for value in values() {
                let entered = String::from_utf8_lossy(&value);
                // What is done in a copy of the browser leaves this one where it is.
                let answer = browser.clone().submit(page, &form.action, &[(name, &entered)]).await;
                assert!(is_fine(&answer), "{} {name}={entered:.50?}: {}", form.action, answer.page_summary());
                tried += 1;
            }
        }
    }
    tried
}

const NUMBER: [(&str, &str); 2] = [("phone", "(202) 555-0143"), ("phone_kind", "cell")];

/// As far as a recovery has come after so many steps.
async fn recovering(provider: &TestProvider, browser: &Browser, address: &str, steps: usize) -> TestResponse {
    let asked = forget(browser, address).await;
    match steps {
        0 => asked,
        1 => browser.get(&mailed(provider).await.0).await,
        2 => follow_link(provider, browser).await,
        3 => send(browser, &follow_link(provider, browser).await).await,
        _ => prove(provider, browser).await,
    }
}

async fn no_field_on_the_way_to_a_password_gets_a_500(backend: Backend) {
    let provider = start(&backend).await;
    for steps in 0..5 {
        let address = format!("person{steps}@practice.example");
        provider.person(&address).phone(CELL).create().await;
        let browser = provider.browser();
        let page = recovering(&provider, &browser, &address, steps).await;
        assert_ne!(spoil(&browser, &page).await, 0, "{}", page.page_summary());
    }
    invited_to(&provider).await;
    let browser = provider.browser();
    let page = accept(&provider, &browser).await;
    spoil(&browser, &page).await;
    let page = through(&browser, &page, "/register/phone", &NUMBER).await;
    spoil(&browser, &page).await;
    let page = send(&browser, &page).await;
    spoil(&browser, &page).await;
}

async fn no_field_beside_an_app_gets_a_500(backend: Backend) {
    let provider = start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let page = browser.get("/account/factors").await;
    spoil(&browser, &page).await;
    let page = through(&browser, &page, "/account/factors/add", &[]).await;
    spoil(&browser, &page).await;
}
