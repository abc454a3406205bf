//! What the sign-in page answers, and what it never gives away.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, TestResponse, on_both_databases};

on_both_databases!(
    an_address_is_matched_without_regard_to_case_and_space,
    every_refusal_looks_the_same_and_costs_the_same,
    a_refusal_keeps_the_waiting_application_and_the_address,
    an_empty_field_is_named_and_nothing_is_tried,
    a_password_longer_than_any_is_only_wrong,
    a_refused_sign_in_sets_no_session_and_knows_no_device,
    an_account_without_groups_can_sign_in,
);

async fn an_address_is_matched_without_regard_to_case_and_space(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for spelling in ["alice@practice.example", "  ALICE@Practice.Example ", "Alice@PRACTICE.EXAMPLE\t"] {
        let browser = provider.browser();
        let answer = browser.sign_in(spelling, PASSWORD).await;
        assert_eq!((answer.status, answer.location().path()), (303, "/dashboard"), "{spelling:?}");
        let dashboard = browser.follow(&answer).await;
        assert_eq!(dashboard.text_of("signed-in-as").unwrap(), ALICE);
    }
    // A password is what was typed, space and case included.
    for wrong in ["correct-horse-1", " Correct-horse-1", "Correct-horse-1 "] {
        assert_eq!(provider.browser().sign_in(ALICE, wrong).await.status, 422, "{wrong:?}");
    }
}

/// Everything about an answer but the entered address, the form's token and the handle of what waits.
fn appearance(answer: &TestResponse, email: &str) -> (u16, String, Vec<String>, Vec<(String, String)>) {
    let form = answer.form("/sign-in");
    let page = form.fields.iter().filter(|(name, _)| ["form_token", "interaction"].contains(&name.as_str()));
    let page =
        page.fold(answer.body.replace(email, "EMAIL"), |page, (_, value)| page.replace(value, "TOKEN"));
    let cookies = answer.cookies().into_iter().map(|mut cookie| {
        cookie.set_value("");
        cookie.to_string()
    });
    let incidental = ["set-cookie", "date", "content-length"];
    let headers = answer.headers.iter().filter(|(name, _)| !incidental.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, page, cookies.collect(), headers.collect())
}

async fn every_refusal_looks_the_same_and_costs_the_same(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("locked@practice.example").locked().create().await;
    provider.person("disabled@practice.example").disabled().create().await;
    provider.person("invited@practice.example").invited().create().await;
    for request in ["/sign-in".to_owned(), provider.client("web").request(&[])] {
        let mut first = None;
        for (email, password) in [
            (ALICE, "wrong"),
            ("nobody@practice.example", PASSWORD),
            ("not an address", PASSWORD),
            ("locked@practice.example", "wrong"),
            ("locked@practice.example", PASSWORD),
            ("disabled@practice.example", PASSWORD),
            ("disabled@practice.example", "wrong"),
            ("invited@practice.example", PASSWORD),
        ] {
            let browser = provider.browser();
            let page = browser.get(&request).await;
            let (hashes, entries) = (provider.hashes_computed(), provider.audit().await.len());
            let answer = browser.enter(&page, email, password).await;
            assert_eq!(provider.hashes_computed(), hashes + 1, "{email}");
            assert_eq!(provider.audit().await.len(), entries + 1, "{email}");
            assert_eq!(answer.reference(), None, "{email}");
            let appearance = appearance(&answer, email);
            assert_eq!(appearance.0, 422);
            assert_eq!(*first.get_or_insert(appearance.clone()), appearance, "{email} {password}");
        }
    }
    assert!(provider.outbox().await.is_empty());
}

async fn a_refusal_keeps_the_waiting_application_and_the_address(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let browser = provider.browser();
    let page = web.authorize(&browser, &[]).await;
    let again = browser.enter(&page, ALICE, "wrong").await;
    assert_eq!(again.form("/sign-in").fields["email"], ALICE);
    assert_eq!(again.form("/sign-in").fields["password"], "");
    assert!(again.links().iter().any(|link| link.text == "Forgot Password"), "{}", again.page_summary());
    assert!(
        again.links().iter().any(|link| link.text == "Complete your registration"),
        "{}",
        again.page_summary()
    );
    let answer = browser.enter(&again, ALICE, PASSWORD).await;
    web.code_in(&answer);
}

async fn an_empty_field_is_named_and_nothing_is_tried(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let hashes = provider.hashes_computed();
    for (email, password, named) in
        [("", "x", &["email"][..]), (ALICE, "", &["password"]), (" ", "", &["email", "password"])]
    {
        let answer = browser.sign_in(email, password).await;
        assert_eq!(answer.status, 422);
        for field in ["email", "password"] {
            let problem = answer.text_of(&format!("{field}-problem"));
            assert_eq!(problem.is_some(), named.contains(&field), "{email:?} {password:?} {field}");
        }
    }
    assert_eq!(provider.hashes_computed(), hashes);
    assert!(provider.audited("sign_in_refused").await.is_empty());
}

async fn a_password_longer_than_any_is_only_wrong(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let answer = provider.browser().sign_in(ALICE, &"x".repeat(20_000)).await;
    assert_eq!((answer.status, answer.text_of("problem").is_some()), (422, true));
    // Beyond what a body may have.
    let answer = provider.browser().sign_in(ALICE, &"x".repeat(100_000)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 303);
}

async fn a_refused_sign_in_sets_no_session_and_knows_no_device(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let answer = browser.sign_in(ALICE, "wrong").await;
    assert!(answer.cookies().is_empty(), "{:?}", answer.cookies());
    assert_eq!(browser.cookie("anteroom_device"), None);
    assert!(!browser.is_signed_in().await);
    assert!(!browser.cookie("anteroom_session").unwrap().contains('.'));
}

async fn an_account_without_groups_can_sign_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("new@practice.example").create().await;
    let browser = provider.signed_in("new@practice.example").await;
    assert!(browser.get("/dashboard").await.text_of("no-tiles").is_some());
}
