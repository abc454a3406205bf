//! A request is answered once, in one browser and in time, however it is carried there: in a page, in a row, by a mail.

use crate::people::{CAROL, CELL, mailed};
use crate::{ALICE, BOB};
use anteroom_testkit::{
    AppKey, Backend, Browser, PASSWORD, RelyingParty, TestProvider, TestResponse, on_both_databases,
    on_one_node_and_on_two,
};
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeSet;

on_one_node_and_on_two!(an_answered_request_gets_no_second_code_from_the_history,);
on_both_databases!(
    a_form_sent_twice_gets_the_same_answer_and_not_a_second_one,
    the_answer_of_one_person_is_not_repeated_to_the_next,
    a_refusal_is_an_answer,
    a_link_of_an_application_is_answered_as_often_as_it_is_opened,
    rfc9126_4_a_pushed_request_is_answered_once,
    rfc9126_7_3_a_page_of_a_pushed_request_is_worth_nothing_in_another_browser,
    rfc9126_7_3_an_error_spends_a_pushed_request,
    rfc9126_7_3_a_pushed_request_without_a_person_leaves_no_row,
    rfc9101_4_a_request_object_reaches_another_browser_until_its_exp,
    rfc9101_4_a_pushed_request_object_waits_no_longer_than_its_exp,
    a_page_in_another_browser_asks_for_the_password_that_the_request_asks_for,
    a_reset_on_the_way_keeps_whom_the_request_is_for,
);

const COMPLETE: &str = "This sign-in is already complete";

fn handle(page: &TestResponse) -> String {
    page.form("/sign-in").fields["interaction"].clone()
}

async fn resume(browser: &Browser, handle: &str) -> TestResponse {
    browser.get(&format!("/continue?interaction={handle}")).await
}

/// The authorization request for what was pushed.
async fn pushed(app: &RelyingParty, changes: &[(&str, &str)]) -> String {
    let request = app.request(changes);
    let query = request.strip_prefix("/authorize?").unwrap();
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let json = app.post("/par", &fields).await.json();
    let request_uri = json["request_uri"].as_str().unwrap();
    format!("/authorize?client_id={}&request_uri={request_uri}", app.client_id)
}

fn assert_complete(answer: &TestResponse) {
    assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
    assert_eq!(answer.heading(), COMPLETE);
    assert!(answer.links().iter().any(|link| link.href == "/dashboard"), "no way forward");
}

async fn an_answered_request_gets_no_second_code_from_the_history(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for mistakes in [0, 1] {
        provider.advance(SignedDuration::from_secs(1));
        let mut page = web.authorize(&browser, &[("prompt", "login")]).await;
        let mut handles = vec![handle(&page)];
        for _ in 0..mistakes {
            page = browser.enter(&page, ALICE, "wrong").await;
            handles.push(handle(&page));
        }
        // The page once more, which is another sealed value of the same request.
        handles.push(handle(&resume(&browser, &handles[0]).await));
        assert!(!web.code_in(&browser.enter(&page, ALICE, PASSWORD).await).is_empty());
        for later in [0, 1, 60] {
            provider.advance(SignedDuration::from_secs(later));
            for handle in &handles {
                assert_complete(&resume(&browser, handle).await);
            }
        }
        // In another browser as well, in which the same person is signed in.
        let other = provider.signed_in(ALICE).await;
        for handle in &handles {
            assert_complete(&resume(&other, handle).await);
        }
        // The old form signs in, and gets nothing for the application.
        assert_complete(&browser.enter(&page, ALICE, PASSWORD).await);
        assert!(browser.is_signed_in().await);
    }
}

async fn a_form_sent_twice_gets_the_same_answer_and_not_a_second_one(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    let answers = join_all((0..4).map(|_| browser.enter(&page, ALICE, PASSWORD))).await;
    let mut codes: BTreeSet<String> = answers.iter().map(|answer| web.code_in(answer)).collect();
    // The connection broke, and the browser sends it again.
    provider.advance(SignedDuration::from_secs(29));
    codes.insert(web.code_in(&browser.enter(&page, ALICE, PASSWORD).await));
    assert_eq!(codes.len(), 1);
    for code in codes {
        assert_eq!(web.redeem(&code).await.status, 200);
    }
    provider.advance(SignedDuration::from_secs(1));
    assert_complete(&browser.enter(&page, ALICE, PASSWORD).await);
}

async fn the_answer_of_one_person_is_not_repeated_to_the_next(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    assert!(!web.code_in(&browser.enter(&page, ALICE, PASSWORD).await).is_empty());
    assert_complete(&browser.enter(&page, BOB, PASSWORD).await);
    // And not to the same person in another browser.
    let other = provider.signed_in(ALICE).await;
    let fields = [("interaction", handle(&page)), ("email", ALICE.into()), ("password", PASSWORD.into())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let own = other.get("/sign-in?another=1").await;
    assert_complete(&other.submit(&own, "/sign-in", &fields).await);
}

async fn a_refusal_is_an_answer(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let page = partner.authorize(&browser, &[]).await;
    let denied = browser.submit(&page, "/consent", &[("decision", "deny")]).await;
    assert_eq!(denied.error(), "access_denied");
    provider.advance(SignedDuration::from_mins(1));
    assert_complete(&browser.submit(&page, "/consent", &[("decision", "allow")]).await);
    // That agreed to nothing.
    assert!(partner.authorize(&browser, &[]).await.has_form("/consent"));
}

async fn a_link_of_an_application_is_answered_as_often_as_it_is_opened(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let target = web.request(&[]);
    let codes = [browser.get(&target).await, browser.get(&target).await].map(|answer| web.code_in(&answer));
    assert_ne!(codes[0], codes[1]);
}

async fn rfc9126_4_a_pushed_request_is_answered_once(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let target = pushed(&web, &[]).await;
    assert!(!web.code_in(&browser.get(&target).await).is_empty());
    for _ in 0..2 {
        assert_complete(&browser.get(&target).await);
        provider.advance(SignedDuration::from_secs(31));
    }
    // Two pages of one request: the first answer ends both.
    provider.advance(SignedDuration::from_secs(1));
    let target = pushed(&web, &[("prompt", "login")]).await;
    let pages = [browser.get(&target).await, browser.get(&target).await];
    assert!(!web.code_in(&browser.enter(&pages[0], ALICE, PASSWORD).await).is_empty());
    provider.advance(SignedDuration::from_secs(31));
    assert_complete(&browser.enter(&pages[1], ALICE, PASSWORD).await);
    assert_complete(&resume(&browser, &handle(&pages[1])).await);
}

async fn rfc9126_7_3_a_page_of_a_pushed_request_is_worth_nothing_in_another_browser(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser, other) = (provider.client("web"), provider.browser(), provider.signed_in(ALICE).await);
    let page = browser.get(&pushed(&web, &[]).await).await;
    let refused = browser.enter(&page, ALICE, "wrong").await;
    for handle in [handle(&page), handle(&refused)] {
        let answer = resume(&other, &handle).await;
        assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
        let own = other.get("/sign-in?another=1").await;
        let fields = [("interaction", handle.as_str()), ("email", ALICE), ("password", PASSWORD)];
        let answer = other.submit(&own, "/sign-in", &fields).await;
        assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
    }
    // Where it was opened, it is good for half an hour.
    provider.advance(SignedDuration::from_mins(29));
    assert!(!web.code_in(&browser.enter(&refused, ALICE, PASSWORD).await).is_empty());
    provider.advance(SignedDuration::from_secs(1));
    let page = browser.get(&pushed(&web, &[("prompt", "login")]).await).await;
    provider.advance(SignedDuration::from_mins(30));
    let late = browser.enter(&page, ALICE, PASSWORD).await;
    assert_eq!((late.status, late.header("location")), (400, None), "{}", late.page_summary());
}

async fn rfc9126_7_3_an_error_spends_a_pushed_request(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let target = pushed(&web, &[("prompt", "none")]).await;
    assert_eq!(browser.get(&target).await.error(), "login_required");
    browser.sign_in(ALICE, PASSWORD).await;
    assert_complete(&browser.get(&target).await);
}

async fn rfc9126_7_3_a_pushed_request_without_a_person_leaves_no_row(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let long = "x".repeat(1_000);
    let asked = [("prompt", "none"), ("state", long.as_str())];
    let before = backend.rows().await["interactions"];
    for _ in 0..3 {
        let answer = provider.browser().get(&pushed(&web, &asked).await).await;
        assert_eq!(answer.error(), "login_required");
    }
    assert_eq!(backend.rows().await["interactions"], before, "nobody is signed in");
    // Of a page that was opened before, nothing is answered after it.
    let browser = provider.browser();
    let target = pushed(&web, &[]).await;
    let page = browser.get(&target).await;
    browser.sign_in(ALICE, PASSWORD).await;
    assert!(!web.code_in(&browser.get(&target).await).is_empty());
    assert_complete(&browser.enter(&page, ALICE, PASSWORD).await);
    assert_complete(&browser.get(&target).await);
}

fn signing(key: &AppKey) -> String {
    format!(
        "[[clients]]\nclient_id = \"signing\"\nfirst_party = true\n\
         redirect_uris = [\"https://signing.example/callback\"]\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
         jwks = '{}'\n",
        AppKey::set(&[key])
    )
}

async fn rfc9101_4_a_request_object_reaches_another_browser_until_its_exp(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key)).start().await;
    let (app, browser) = (provider.client("signing"), provider.browser());
    let exp = provider.now().as_second() + 60;
    let request = key.sign(&json!({"client_id": "signing", "aud": provider.issuer, "exp": exp}));
    let sealed = handle(&app.authorize(&browser, &[("request", &request)]).await);
    let other = provider.signed_in(ALICE).await;
    // Clocks may differ by a minute.
    provider.advance(SignedDuration::from_secs(120));
    let answer = resume(&other, &sealed).await;
    assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
    // The browser that brought it in time goes on for half an hour.
    provider.advance(SignedDuration::from_mins(27));
    let page = resume(&browser, &sealed).await;
    provider.advance(SignedDuration::from_mins(1));
    let late = browser.enter(&page, ALICE, PASSWORD).await;
    assert_eq!((late.status, late.header("location")), (400, None), "{}", late.page_summary());
}

async fn rfc9101_4_a_pushed_request_object_waits_no_longer_than_its_exp(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key)).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    let exp = provider.now().as_second() - 30;
    let request = key.sign(&json!({"client_id": "signing", "scope": "openid", "exp": exp}));
    let target = pushed(&app, &[("request", &request)]).await;
    provider.advance(SignedDuration::from_secs(30));
    assert_eq!(browser.get(&target).await.status, 400);
}

/// `prompt=login` is answered by a sign-in for the request. One in another browser, for something else, was none.
async fn a_page_in_another_browser_asks_for_the_password_that_the_request_asks_for(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let sealed = handle(&web.authorize(&browser, &[("prompt", "login")]).await);
    provider.advance(SignedDuration::from_mins(1));
    let other = provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_mins(1));
    let page = resume(&other, &sealed).await;
    assert!(page.has_form("/sign-in"), "{}", page.page_summary());
}

async fn a_reset_on_the_way_keeps_whom_the_request_is_for(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let web = provider.client("web");
    let alice = provider.signed_in(ALICE).await;
    let hint = web.tokens(&alice, "openid").await.id_token().to_owned();
    let browser = provider.browser();
    let page = web.authorize(&browser, &[("id_token_hint", &hint)]).await;
    let waiting = handle(&page);
    let forgot = browser.get(&format!("/forgot-password?interaction={waiting}")).await;
    let asked = browser.submit(&forgot, "/forgot-password", &[("email", CAROL)]).await;
    assert_eq!(asked.status, 303);
    let (link, _) = mailed(&provider).await;
    let followed = browser.submit(&browser.get(&link).await, "/recover", &[]).await;
    let handle = followed.parameters()["interaction"].clone();
    // Carol is proven on the way, and signs in after all; the request is for alice.
    let form = browser.get(&format!("/sign-in?another=1&interaction={handle}")).await;
    let answer = browser.enter(&form, CAROL, PASSWORD).await;
    assert_eq!(answer.error(), "login_required", "{}", answer.page_summary());
}
