//! An expired password: the reason, a code, a new one, and on.

use super::*;
use anteroom_testkit::{Backend, PASSWORD, on_one_node_and_on_two};
use jiff::SignedDuration;

on_one_node_and_on_two!(
    an_expired_password_is_renewed_and_the_application_goes_on,
    what_was_left_open_at_a_browser_does_not_share_the_next_persons_proof,
    without_a_phone_there_is_no_way_round_it,
    the_sixth_account_by_way_of_an_expired_password_signs_the_first_one_out,
);

const AGE: SignedDuration = SignedDuration::from_hours(24 * 90);

async fn an_expired_password_is_renewed_and_the_application_goes_on(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).password_set(AGE).create().await;
    let (web, carol) = (provider.client("web"), provider.browser());
    let page = web.authorize(&carol, &[]).await;
    let answer = carol.enter(&page, CAROL, PASSWORD).await;
    let shown = carol.follow(&answer).await;
    assert_eq!(shown.heading(), "Your password has expired");
    let choice = through(&carol, &shown, "/expired-password", &[]).await;
    let entry = send(&carol, &choice).await;
    let page = through(&carol, &entry, "/verify/code", &[("code", &digits(&provider).await)]).await;
    assert_eq!(choose(&carol, &page, PASSWORD).await.status, 422);
    let code = web.code_in(&choose(&carol, &page, NEW).await);
    let answer = web.redeem(&code).await;
    let token = answer.json()["id_token"].as_str().unwrap().to_owned();
    assert_eq!(web.verified(&token).await.claims["acr"], "urn:anteroom:acr:mfa");
    assert!(carol.is_signed_in().await);
    assert_eq!(provider.browser().sign_in(CAROL, PASSWORD).await.status, 422);
}

/// A person leaves a page open at a shared browser and takes its cookie and its address along.
async fn what_was_left_open_at_a_browser_does_not_share_the_next_persons_proof(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).password_set(AGE).create().await;
    let (web, carol, thief) = (provider.client("web"), provider.browser(), provider.browser());
    let sealed = web.authorize(&carol, &[]).await;
    let row = carol.enter(&sealed, "other@practice.example", "no-password-of-hers-1").await;
    let left = format!("/continue?interaction={}", row.form("/sign-in").fields["interaction"]);
    thief.set_cookie("anteroom_session", &carol.cookie("anteroom_session").unwrap());
    let is_at_sign_in = async || {
        let page = thief.get(&left).await;
        assert!(page.has_form("/sign-in") && !page.has_form("/new-password"), "{}", page.page_summary());
    };
    let shown = carol.follow(&carol.enter(&row, CAROL, PASSWORD).await).await;
    is_at_sign_in().await;
    let choice = through(&carol, &shown, "/expired-password", &[]).await;
    let entry = send(&carol, &choice).await;
    let page = through(&carol, &entry, "/verify/code", &[("code", &digits(&provider).await)]).await;
    is_at_sign_in().await;
    web.code_in(&choose(&carol, &page, NEW).await);
}

async fn the_sixth_account_by_way_of_an_expired_password_signs_the_first_one_out(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let desk = provider.browser();
    for number in 0..5 {
        let address = format!("person-{number}@practice.example");
        provider.person(&address).create().await;
        assert_eq!(desk.sign_in(&address, PASSWORD).await.status, 303);
    }
    provider.person(CAROL).phone(CELL).password_set(AGE).create().await;
    let page = desk.get("/sign-in?another=1").await;
    let shown = desk.follow(&desk.enter(&page, CAROL, PASSWORD).await).await;
    let entry = send(&desk, &through(&desk, &shown, "/expired-password", &[]).await).await;
    let page = through(&desk, &entry, "/verify/code", &[("code", &digits(&provider).await)]).await;
    assert_eq!(choose(&desk, &page, NEW).await.status, 303);
    assert_eq!(provider.audited("signed_out").await.len(), 1);
    assert_eq!(backend.count("SELECT COUNT(*) AS count FROM sessions WHERE ended_at IS NULL").await, 5);
}

async fn without_a_phone_there_is_no_way_round_it(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(AGE).create().await;
    let carol = provider.browser();
    let answer = carol.sign_in(CAROL, PASSWORD).await;
    let shown = carol.follow(&answer).await;
    let page = through(&carol, &shown, "/expired-password", &[]).await;
    assert!(page.text_of("no-phone").is_some(), "{}", page.page_summary());
    let recovering = provider.browser();
    forget(&recovering, CAROL).await;
    let page = follow_link(&provider, &recovering).await;
    assert!(page.text_of("no-phone").is_some(), "{}", page.page_summary());
}
