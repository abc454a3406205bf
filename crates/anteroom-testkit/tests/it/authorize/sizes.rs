//! Answers fit what proxies take, whatever a request brought along.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, TestResponse, on_both_databases};

on_both_databases!(
    the_largest_answers_fit_a_proxys_buffer,
    a_redirect_that_is_too_long_for_a_header_is_a_page,
    a_posted_request_of_any_length_is_asked_again,
    a_signed_out_person_goes_back_with_a_long_state,
);

const FITS: usize = 4_096;
const LONGEST_STATE: usize = 4_096;

fn is_page(answer: &TestResponse) -> bool {
    (answer.status, answer.header("location")) == (200, None) && answer.body.contains("id=\"redirect\"")
}

/// A workstation of the whole practice: a device cookie of 27 people, and the longest state that there is.
async fn the_largest_answers_fit_a_proxys_buffer(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let mut largest = 0;
    for number in 0..27 {
        let address = format!("person{number}@practice.example");
        provider.person(&address).create().await;
        // A little less than what fits a header, what fits just no more, and the most.
        let state = "é".repeat([180, 350, LONGEST_STATE / 2][number % 3]);
        browser.forget("anteroom_session");
        let page = web.authorize(&browser, &[("state", &state)]).await;
        let answer = browser.enter(&page, &address, PASSWORD).await;
        assert_eq!(answer.parameters()["state"], state);
        assert!(answer.cookies().iter().any(|cookie| cookie.name().ends_with("anteroom_device")));
        largest = largest.max(answer.head_bytes());
    }
    assert!((2_048..=FITS).contains(&largest), "{largest}");
    // All 27 are still known.
    browser.forget("anteroom_session");
    let page = web.authorize(&browser, &[]).await;
    let answer = browser.enter(&page, "person0@practice.example", PASSWORD).await;
    let cookies = answer.cookies();
    let devices = cookies.iter().find(|cookie| cookie.name().ends_with("anteroom_device")).unwrap();
    assert_eq!(devices.value().len(), 2 + ((32 + 27 * 16) * 4_usize).div_ceil(3));
}

async fn a_redirect_that_is_too_long_for_a_header_is_a_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let state = "s".repeat(LONGEST_STATE);
    for changes in [&[][..], &[("prompt", "none")], &[("prompt", "none"), ("max_age", "x")]] {
        let answer = web.authorize(&browser, &[changes, &[("state", &state)]].concat()).await;
        assert!(is_page(&answer), "{}", answer.page_summary());
        assert_eq!(answer.parameters()["state"], state);
        // As a redirect: nothing in a Referer, nothing kept, and in frames of applications too.
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(!answer.header("content-security-policy").unwrap().contains("frame-ancestors"));
    }
    let code = web.authorize(&browser, &[("state", &state)]).await.parameters()["code"].clone();
    assert_eq!(web.redeem(&code).await.status, 200);
    let short = web.authorize(&browser, &[("state", "s")]).await;
    assert_eq!(short.status, 303);
}

async fn a_posted_request_of_any_length_is_asked_again(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let state = "s".repeat(LONGEST_STATE);
    let fields = [("client_id", "web"), ("state", &state)];
    let answer = provider.browser().post("/authorize", &fields).await;
    assert!(is_page(&answer), "{}", answer.page_summary());
    assert_eq!(
        (answer.location().path(), answer.parameters()["state"].as_str()),
        ("/authorize", state.as_str())
    );
    assert!(answer.cookies().is_empty(), "the form came without our cookies, and must not replace them");
    assert!(browser.is_signed_in().await);
}

async fn a_signed_out_person_goes_back_with_a_long_state(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid").await;
    let state = "s".repeat(LONGEST_STATE);
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("id_token_hint", tokens.id_token())
        .append_pair("post_logout_redirect_uri", "https://web.example/signed-out")
        .append_pair("state", &state)
        .finish();
    let answer = browser.get(&format!("/end-session?{query}")).await;
    assert!(is_page(&answer), "{}", answer.page_summary());
    assert!(answer.location().as_str().starts_with("https://web.example/signed-out?state=ssss"));
    assert!(!browser.is_signed_in().await);
}
