//! What one person proved at a shared browser and left there, once another one has signed in at it.

use super::registration::{ERIN, accept, invitation, invited_to};
use super::*;
use crate::BOB;
use anteroom_testkit::{Backend, PASSWORD, on_one_node_and_on_two};
use jiff::SignedDuration;

on_one_node_and_on_two!(
    what_was_proven_for_a_reset_does_not_wait_for_the_next_person,
    what_was_proven_with_an_expired_password_does_not_wait_for_the_next_person,
    a_registration_that_was_left_does_not_wait_for_the_next_person,
    what_was_proven_does_not_wait_for_one_who_was_signed_in_before_and_comes_back,
    what_was_proven_does_not_wait_for_one_who_takes_a_session_out_of_the_cookie,
);

const AGE: SignedDuration = SignedDuration::from_hours(24 * 90);

fn continued(page: &TestResponse, form: &str) -> String {
    format!("/continue?interaction={}", page.form(form).fields["interaction"])
}

/// Another person signs in, in another tab and without a sign-out before.
async fn bob_comes(provider: &TestProvider, browser: &Browser) {
    provider.advance(SignedDuration::from_secs(1));
    assert_eq!(browser.sign_in(BOB, PASSWORD).await.status, 303);
}

async fn is_bobs(browser: &Browser) -> bool {
    browser.get("/dashboard").await.text_of("signed-in-as").as_deref() == Some(BOB)
}

async fn what_was_proven_for_a_reset_does_not_wait_for_the_next_person(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let shared = provider.browser();
    forget(&shared, CAROL).await;
    let (link, _) = mailed(&provider).await;
    let page = prove(&provider, &shared).await;
    let from_history = continued(&page, "/new-password");
    assert!(shared.get(&from_history).await.has_form("/new-password"), "until then it goes on");

    bob_comes(&provider, &shared).await;
    let answer = shared.get(&from_history).await;
    assert!(!answer.has_form("/new-password"), "{}", answer.page_summary());
    let refused = choose(&shared, &page, NEW).await;
    assert_eq!(refused.status, 409, "{}", refused.page_summary());
    assert!(refused.body.contains(BOB), "{}", refused.page_summary());
    // The link is in the history as well.
    let again = shared.get(&link).await;
    assert_eq!(shared.submit(&again, "/recover", &[]).await.status, 410);
    assert!(provider.audited("password_reset").await.is_empty());
    assert!(is_bobs(&shared).await);

    // Its owner begins again, with any account signed in.
    provider.advance(SignedDuration::from_mins(2));
    reset(&provider, &shared, CAROL, NEW).await;
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 303);
    assert!(is_bobs(&shared).await);
}

async fn what_was_proven_does_not_wait_for_one_who_was_signed_in_before_and_comes_back(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let shared = provider.signed_in(BOB).await;
    provider.advance(SignedDuration::from_mins(2));
    forget(&shared, CAROL).await;
    let page = prove(&provider, &shared).await;
    let from_history = continued(&page, "/new-password");
    provider.advance(SignedDuration::from_mins(2));
    assert!(shared.get(&from_history).await.has_form("/new-password"), "it goes on beside him");

    assert!(is_bobs(&shared).await);
    let answer = shared.get(&from_history).await;
    assert!(!answer.has_form("/new-password"), "{}", answer.page_summary());
    let refused = choose(&shared, &page, NEW).await;
    assert!((400..500).contains(&refused.status), "{}", refused.page_summary());
    assert!(provider.audited("password_reset").await.is_empty());
}

async fn what_was_proven_does_not_wait_for_one_who_takes_a_session_out_of_the_cookie(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let shared = provider.browser();
    forget(&shared, CAROL).await;
    let page = prove(&provider, &shared).await;
    let from_history = continued(&page, "/new-password");
    bob_comes(&provider, &shared).await;
    // The browser's identifier without the secrets of its sessions; then with a sign-out before.
    for signs_out in [false, true] {
        if signs_out {
            let dashboard = shared.get("/dashboard").await;
            through(&shared, &dashboard, "/sign-out", &[]).await;
        }
        let edited = shared.clone();
        let cookie = shared.cookie("anteroom_session").unwrap();
        let browser = cookie.split('.').next().unwrap();
        edited.set_cookie("anteroom_session", browser);
        assert!(!edited.is_signed_in().await);
        let answer = edited.get(&from_history).await;
        assert!(!answer.has_form("/new-password"), "{signs_out}: {}", answer.page_summary());
    }
    assert!(provider.audited("password_reset").await.is_empty());
}

async fn what_was_proven_with_an_expired_password_does_not_wait_for_the_next_person(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).password_set(AGE).create().await;
    let (web, shared) = (provider.client("web"), provider.browser());
    let page = web.authorize(&shared, &[]).await;
    let shown = shared.follow(&shared.enter(&page, CAROL, PASSWORD).await).await;
    let choice = through(&shared, &shown, "/expired-password", &[]).await;
    let entry = send(&shared, &choice).await;
    let page = through(&shared, &entry, "/verify/code", &[("code", &digits(&provider).await)]).await;
    let from_history = continued(&page, "/new-password");

    bob_comes(&provider, &shared).await;
    let refused = choose(&shared, &page, NEW).await;
    assert_eq!(refused.status, 409, "{}", refused.page_summary());
    assert!(provider.audited("password_changed").await.is_empty());
    // The request alone is left of it, for who is at the browser now.
    let code = web.code_in(&shared.get(&from_history).await);
    let tokens = anteroom_testkit::Tokens::of(&web.redeem(&code).await);
    let bobs = provider.signed_in(BOB).await;
    let own = web.tokens(&bobs, "openid").await;
    let subject = async |token: &str| web.verified(token).await.claims["sub"].clone();
    assert_eq!(subject(tokens.id_token()).await, subject(own.id_token()).await);
    assert!(is_bobs(&shared).await);
}

async fn a_registration_that_was_left_does_not_wait_for_the_next_person(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    invited_to(&provider).await;
    let shared = provider.browser();
    let page = accept(&provider, &shared).await;
    let named = [("phone", "(202) 555-0143"), ("phone_kind", "cell")];
    let page = through(&shared, &page, "/register/phone", &named).await;
    let entry = send(&shared, &page).await;
    let phones = through(&shared, &entry, "/verify/code", &[("code", &digits(&provider).await)]).await;
    let from_history = continued(&phones, "/register/phones-done");

    bob_comes(&provider, &shared).await;
    let answer = shared.get(&from_history).await;
    assert!(!answer.has_form("/register/phones-done"), "{}", answer.page_summary());
    let own = [("phone", "(202) 555-0166"), ("phone_kind", "cell")];
    for (form, fields) in [("/register/phones-done", &[][..]), ("/register/phone", &own)] {
        let refused = shared.submit(&phones, form, fields).await;
        assert!((400..500).contains(&refused.status), "{form}: {}", refused.page_summary());
    }
    assert_eq!(provider.audited("phone_added").await.len(), 1);
    // The invitation itself is behind the phone that was verified.
    let page = shared.get(&invitation(&provider).await).await;
    let page = through(&shared, &page, "/register", &[]).await;
    assert!(page.has_form("/verify/send") && !page.has_form("/register/phone"), "{}", page.page_summary());
    assert_eq!(provider.browser().sign_in(ERIN, NEW).await.status, 422);
}
