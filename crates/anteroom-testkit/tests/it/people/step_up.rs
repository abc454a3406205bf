//! A second factor by a code: where the policy asks it of new devices.

use super::*;
use anteroom_testkit::{Backend, PASSWORD, on_one_node_and_on_two};
use jiff::SignedDuration;

on_one_node_and_on_two!(
    a_new_device_steps_up_once,
    before_it_the_password_alone_opens_neither_dashboard_nor_tile,
    a_reset_makes_no_device_that_has_stepped_up,
    an_application_that_needs_a_second_factor_is_returned_to_with_it,
    a_session_that_another_person_steps_up_beside_is_left,
    rfc8176_2_amr_says_how_the_second_factor_came,
    after_a_reset_nothing_that_a_thief_of_the_password_did_stands_in_the_way,
    wrong_codes_of_a_thief_of_the_password_use_up_nothing_of_a_device_that_has_stepped_up,
    codes_that_a_thief_of_the_password_asks_for_leave_some_to_a_device_that_has_stepped_up,
);

async fn with_new_devices_stepping_up(backend: &Backend) -> (TestProvider, Browser) {
    let provider = TestProvider::on(backend).set("policy.new_devices_step_up", "true").start().await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser();
    (provider, carol)
}

/// The page after a right password.
async fn sign_in(browser: &Browser) -> TestResponse {
    let page = browser.get("/sign-in").await;
    through(browser, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await
}

async fn a_new_device_steps_up_once(backend: Backend) {
    let (provider, carol) = with_new_devices_stepping_up(&backend).await;
    let page = send(&carol, &sign_in(&carol).await).await;
    let wrong = other_than(&digits(&provider).await);
    assert_eq!(carol.submit(&page, "/verify/code", &[("code", &wrong)]).await.status, 422);
    assert_eq!(carol.get("/dashboard").await.status, 303, "not before the code");
    let code = digits(&provider).await;
    through(&carol, &page, "/verify/code", &[("code", &code)]).await;
    let dashboard = carol.get("/dashboard").await;
    assert_eq!(dashboard.status, 200, "{}", dashboard.page_summary());
    through(&carol, &dashboard, "/sign-out", &[]).await;
    sign_in(&carol).await;
    assert_eq!(carol.get("/dashboard").await.status, 200, "the device is known to have passed");
    // Another browser of the same person has not.
    let elsewhere = provider.browser();
    assert!(sign_in(&elsewhere).await.has_form("/verify/send"));
}

async fn before_it_the_password_alone_opens_neither_dashboard_nor_tile(backend: Backend) {
    let (_provider, carol) = with_new_devices_stepping_up(&backend).await;
    assert!(sign_in(&carol).await.has_form("/verify/send"));
    let dashboard = carol.get("/dashboard").await;
    assert_eq!(dashboard.status, 303);
    assert!(carol.follow(&dashboard).await.has_form("/verify/send"));
}

async fn a_reset_makes_no_device_that_has_stepped_up(backend: Backend) {
    let (provider, carol) = with_new_devices_stepping_up(&backend).await;
    reset(&provider, &carol, CAROL, NEW).await;
    let page = carol.get("/sign-in").await;
    let page = through(&carol, &page, "/sign-in", &[("email", CAROL), ("password", NEW)]).await;
    assert!(page.has_form("/verify/send"), "{}", page.page_summary());
}

async fn an_application_that_needs_a_second_factor_is_returned_to_with_it(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let (web, carol) = (provider.client("web"), provider.signed_in(CAROL).await);
    let essential = r#"{"id_token":{"acr":{"essential":true,"values":["urn:anteroom:acr:mfa"]}}}"#;
    let choice = web.authorize(&carol, &[("claims", essential)]).await;
    let entry = send(&carol, &choice).await;
    let code = digits(&provider).await;
    let code = web.code_in(&carol.submit(&entry, "/verify/code", &[("code", &code)]).await);
    let token = web.redeem(&code).await.json()["id_token"].as_str().unwrap().to_owned();
    assert_eq!(web.verified(&token).await.claims["acr"], "urn:anteroom:acr:mfa");
}

/// The application asks for another person than the one who is at work at the browser.
async fn a_session_that_another_person_steps_up_beside_is_left(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let (web, desk) = (provider.client("web"), provider.signed_in(CAROL).await);
    assert_eq!(desk.sign_in(crate::ALICE, PASSWORD).await.status, 303);
    let asked = [("login_hint", CAROL), ("acr_values", "urn:anteroom:acr:mfa")];
    let entry = send(&desk, &web.authorize(&desk, &asked).await).await;
    let code = digits(&provider).await;
    let code = web.code_in(&desk.submit(&entry, "/verify/code", &[("code", &code)]).await);
    let hint = web.redeem(&code).await.json()["id_token"].as_str().unwrap().to_owned();
    assert_eq!(desk.get("/dashboard").await.text_of("signed-in-as").as_deref(), Some(CAROL));
    provider.advance(SignedDuration::from_mins(5));
    let answer = desk.get(&format!("/end-session?id_token_hint={hint}")).await;
    desk.follow(&answer).await;
    let mut answer = desk.get("/dashboard").await;
    while answer.status == 303 {
        answer = desk.follow(&answer).await;
    }
    assert_eq!(answer.form("/sign-in").fields["email"], crate::ALICE, "{}", answer.page_summary());
}

async fn rfc8176_2_amr_says_how_the_second_factor_came(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let web = provider.client("web");
    for (way, name) in [("text:", "sms"), ("call:", "tel")] {
        let carol = provider.signed_in(CAROL).await;
        let choice = web.authorize(&carol, &[("acr_values", "urn:anteroom:acr:mfa")]).await;
        let method = ways(&choice).into_iter().find(|found| found.starts_with(way)).unwrap();
        let entry = through(&carol, &choice, "/verify/send", &[("method", &method)]).await;
        let code = digits(&provider).await;
        let code = web.code_in(&carol.submit(&entry, "/verify/code", &[("code", &code)]).await);
        let token = web.redeem(&code).await.json()["id_token"].as_str().unwrap().to_owned();
        assert_eq!(web.verified(&token).await.claims["amr"], serde_json::json!(["pwd", name, "mfa"]));
        provider.advance(SignedDuration::from_mins(2));
    }
}

async fn after_a_reset_nothing_that_a_thief_of_the_password_did_stands_in_the_way(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let thief = provider.signed_in(CAROL).await;
    let page = send(&thief, &thief.get("/change-password").await).await;
    let mut wrong = others_than(&digits(&provider).await);
    for wrong in wrong.by_ref().take(5) {
        thief.submit(&page, "/verify/code", &[("code", &wrong)]).await;
    }
    let sixth = wrong.next().unwrap();
    assert_eq!(thief.submit(&page, "/verify/code", &[("code", &sixth)]).await.status, 429);
    provider.advance(SignedDuration::from_mins(1));
    let carol = provider.browser();
    reset(&provider, &carol, CAROL, NEW).await;
    assert_eq!(carol.sign_in(CAROL, NEW).await.status, 303);
    let page = send(&carol, &carol.get("/account/factors").await).await;
    let code = digits(&provider).await;
    // Her own wrong ones count anew.
    assert_eq!(carol.submit(&page, "/verify/code", &[("code", &other_than(&code))]).await.status, 422);
    assert_eq!(carol.submit(&page, "/verify/code", &[("code", &code)]).await.status, 303);
}

/// The page that asks for a second factor, for an application that needs one.
async fn asked(provider: &TestProvider, browser: &Browser) -> TestResponse {
    let essential = r#"{"id_token":{"acr":{"essential":true,"values":["urn:anteroom:acr:mfa"]}}}"#;
    provider.client("web").authorize(browser, &[("claims", essential)]).await
}

/// A browser of Carol's that has stepped up, and one of a thief who has her password.
async fn known_and_thief(provider: &TestProvider) -> (Browser, Browser) {
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.signed_in(CAROL).await;
    let page = send(&carol, &asked(provider, &carol).await).await;
    let entered = digits(provider).await;
    provider.client("web").code_in(&carol.submit(&page, "/verify/code", &[("code", &entered)]).await);
    // A new session, with the password alone, at the same device.
    carol.forget("anteroom_session");
    provider.advance(SignedDuration::from_mins(20));
    assert_eq!(carol.sign_in(CAROL, PASSWORD).await.status, 303);
    (carol, provider.signed_in(CAROL).await)
}

async fn wrong_codes_of_a_thief_of_the_password_use_up_nothing_of_a_device_that_has_stepped_up(
    backend: Backend,
) {
    let provider = TestProvider::start(&backend).await;
    let (carol, thief) = known_and_thief(&provider).await;
    let page = send(&thief, &asked(&provider, &thief).await).await;
    let mut wrong = others_than(&digits(&provider).await);
    for status in [422, 422, 422, 422, 429, 429] {
        let entry = wrong.next().unwrap();
        let answer = thief.submit(&page, "/verify/code", &[("code", &entry)]).await;
        assert_eq!(answer.status, status, "{}", answer.page_summary());
    }
    // All guesses of an account are bounded: her own device has five as well, and the thief none in addition.
    let hers = send(&carol, &asked(&provider, &carol).await).await;
    let code = digits(&provider).await;
    for wrong in others_than(&code).take(4) {
        assert_eq!(carol.submit(&hers, "/verify/code", &[("code", &wrong)]).await.status, 422);
    }
    let entry = wrong.next().unwrap();
    assert_eq!(thief.submit(&page, "/verify/code", &[("code", &entry)]).await.status, 429);
    provider.client("web").code_in(&carol.submit(&hers, "/verify/code", &[("code", &code)]).await);
    let refused = provider.audited("code_refused").await.len();
    assert_eq!(refused, 9);
}

async fn codes_that_a_thief_of_the_password_asks_for_leave_some_to_a_device_that_has_stepped_up(
    backend: Backend,
) {
    let provider = TestProvider::on(&backend)
        .set("policy.telephony.per_number", "{ max = 8, window = \"1d\" }")
        .start()
        .await;
    let (carol, thief) = known_and_thief(&provider).await;
    let choice = asked(&provider, &thief).await;
    let way = ways(&choice).remove(0);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(thief.submit(&choice, "/verify/send", &[("method", &way)]).await.status);
        provider.advance(SignedDuration::from_mins(5));
    }
    // Of eight two are for recovery, and two for devices that have stepped up; one of the others was hers.
    assert_eq!(statuses, [303, 303, 303, 429, 429]);
    // Nor does she wait for those that the thief was sent.
    let page = send(&carol, &asked(&provider, &carol).await).await;
    let code = digits(&provider).await;
    provider.client("web").code_in(&carol.submit(&page, "/verify/code", &[("code", &code)]).await);
}
