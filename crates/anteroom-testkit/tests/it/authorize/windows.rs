//! Windows and frames that applications open: a sign-in in a popup, and a silent one in a frame.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, TestResponse, on_both_databases};

on_both_databases!(
    a_window_that_an_application_opened_keeps_its_opener,
    the_pages_of_an_account_leave_the_opener,
    form_post_2_the_answer_is_posted_from_a_frame_too,
);

fn opener_policy(page: &TestResponse) -> Option<&str> {
    page.header("cross-origin-opener-policy")
}

async fn a_window_that_an_application_opened_keeps_its_opener(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.browser());
    let sign_in = partner.authorize(&browser, &[]).await;
    let interaction = sign_in.form("/sign-in").fields["interaction"].clone();
    let forgotten = browser.get(&format!("/forgot-password?interaction={interaction}")).await;
    assert!(forgotten.has_form("/forgot-password"), "{}", forgotten.page_summary());
    let wrong = browser.enter(&sign_in, ALICE, "wrong").await;
    let right = browser.enter(&wrong, ALICE, PASSWORD).await;
    let consent = browser.follow(&right).await;
    let answer = browser.submit(&consent, "/consent", &[("decision", "allow")]).await;
    assert!(answer.parameters().contains_key("code"), "{}", answer.page_summary());
    let long = "s".repeat(4_000);
    let posted = partner.authorize(&browser, &[("response_mode", "form_post")]).await;
    assert!(posted.has_form(&partner.redirect_uri), "{}", posted.page_summary());
    let in_place_of_a_redirect = partner.authorize(&browser, &[("state", &long)]).await;
    assert_eq!(in_place_of_a_redirect.status, 200);
    let refused = partner.authorize(&browser, &[("max_age", "x")]).await;
    assert!(refused.parameters().contains_key("error"), "{}", refused.page_summary());
    let wrong_address =
        partner.authorize(&browser, &[("redirect_uri", "https://partner.example/other")]).await;
    assert_eq!(wrong_address.status, 400);
    let question = browser.get("/end-session").await;
    assert!(question.has_form("/sign-out"), "{}", question.page_summary());
    let signed_out = browser.get("/signed-out").await;
    for page in [
        sign_in,
        forgotten,
        wrong,
        right,
        consent,
        answer,
        posted,
        in_place_of_a_redirect,
        refused,
        wrong_address,
        question,
        signed_out,
    ] {
        assert_eq!(opener_policy(&page), None, "{}", page.page_summary());
    }
}

async fn the_pages_of_an_account_leave_the_opener(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for path in ["/dashboard", "/account/profile", "/account/factors", "/change-password"] {
        let page = browser.get(path).await;
        assert_eq!((page.status, opener_policy(&page)), (200, Some("same-origin")), "{path}");
    }
}

async fn form_post_2_the_answer_is_posted_from_a_frame_too(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let silent = [("response_mode", "form_post"), ("prompt", "none")];
    let answer = web.authorize(&browser, &silent).await;
    assert!(answer.form(&web.redirect_uri).fields.contains_key("code"), "{}", answer.page_summary());
    let refused = web.authorize(&provider.browser(), &silent).await;
    assert_eq!(refused.form(&web.redirect_uri).fields["error"], "login_required");
    for page in [answer, refused] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("frame-ancestors"), "{policy}");
    }
    // What asks for something stays out of frames.
    let page = web.authorize(&provider.browser(), &[]).await;
    assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
}
