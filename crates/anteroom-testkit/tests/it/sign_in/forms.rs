//! Forms: tokens, other sites, other browsers, and the ways people get lost.

use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    a_stale_form_says_so_and_works_when_submitted_again,
    a_forged_token_or_one_of_another_form_is_stale,
    a_token_of_another_browser_is_stale_unless_the_browser_vouches,
    a_form_from_another_site_is_refused,
    an_origin_of_null_says_nothing,
    a_right_password_without_cookies_says_so_and_leaves_no_session,
    an_interaction_in_another_browser_is_worth_its_request_alone,
    two_tabs_sign_in_at_once,
    back_and_submit_again_is_no_error,
    an_interaction_expires_with_a_way_forward,
    a_made_up_interaction_is_an_error_page,
    every_page_carries_its_headers,
    unknown_addresses_and_methods_have_pages,
    the_reference_of_every_error_page_is_found_in_the_trail,
);

const HOURS_12: SignedDuration = SignedDuration::from_hours(12);

async fn a_stale_form_says_so_and_works_when_submitted_again(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    provider.advance(HOURS_12);
    let hashes = provider.hashes_computed();
    let again = browser.enter(&page, ALICE, PASSWORD).await;
    assert_eq!(again.status, 422);
    assert!(
        again.text_of("problem").unwrap().starts_with("This page was out of date"),
        "{}",
        again.page_summary()
    );
    assert_eq!(again.form("/sign-in").fields["email"], ALICE);
    assert_eq!(provider.hashes_computed(), hashes);
    web.code_in(&browser.enter(&again, ALICE, PASSWORD).await);
}

async fn a_forged_token_or_one_of_another_form_is_stale(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let sign_out = browser.get("/dashboard").await.form("/sign-out").fields["form_token"].clone();
    let page = browser.get("/sign-in?another=1").await;
    let own = page.form("/sign-in").fields["form_token"].clone();
    for token in ["", "forged", &own[1..], &sign_out] {
        let fields = [("form_token", token), ("email", ALICE), ("password", PASSWORD)];
        let answer = browser.submit(&page, "/sign-in", &fields).await;
        assert_eq!(answer.status, 422, "{token}");
        assert!(answer.text_of("problem").unwrap().starts_with("This page was out of date"));
    }
    let answer = browser.post("/sign-out", &[("form_token", &own)]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text_of("error-stale-form").is_some(), "{}", answer.page_summary());
    assert!(browser.is_signed_in().await);
}

async fn a_token_of_another_browser_is_stale_unless_the_browser_vouches(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    // A login CSRF: the attacker's own token, sent by a browser that says nothing.
    let attackers = provider.browser().get("/sign-in").await;
    let victim = provider.browser().says_nothing();
    victim.get("/sign-in").await;
    assert_eq!(victim.enter(&attackers, ALICE, PASSWORD).await.status, 422);
    // Cookies cleared between page and form: the browser says that it was our own page.
    let cleared = provider.browser();
    let page = cleared.get("/sign-in").await;
    cleared.forget("anteroom_session");
    let again = cleared.enter(&page, ALICE, PASSWORD).await;
    assert!(again.text_of("problem").unwrap().contains("keeps no cookies"), "{}", again.page_summary());
    assert_eq!(cleared.enter(&again, ALICE, PASSWORD).await.status, 303);
    // The same without the browser's word: one more try, from the page that came back.
    let cleared = provider.browser().says_nothing();
    let page = cleared.get("/sign-in").await;
    cleared.forget("anteroom_session");
    let again = cleared.enter(&page, ALICE, PASSWORD).await;
    assert_eq!(again.status, 422);
    assert_eq!(cleared.enter(&again, ALICE, PASSWORD).await.status, 303);
}

async fn a_form_from_another_site_is_refused(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost"),
    ] {
        let browser = provider.signed_in(ALICE).await.with(header, value);
        for (page, action) in [("/sign-in?another=1", "/sign-in"), ("/dashboard", "/sign-out")] {
            let page = browser.get(page).await;
            let answer = browser.submit(&page, action, &[("email", ALICE), ("password", PASSWORD)]).await;
            assert_eq!(answer.status, 403, "{header}: {value} {action}");
            assert!(answer.text_of("error-cross-site").is_some());
        }
        assert!(browser.is_signed_in().await);
    }
}

/// What a browser sends where a proxy added `Referrer-Policy: no-referrer`.
async fn an_origin_of_null_says_nothing(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let null = || provider.browser().with("origin", "null");
    assert_eq!(null().sign_in(ALICE, PASSWORD).await.status, 303);
    for site in ["cross-site", "same-site"] {
        let answer = null().with("sec-fetch-site", site).sign_in(ALICE, PASSWORD).await;
        assert!(answer.text_of("error-cross-site").is_some(), "{site}: {}", answer.page_summary());
    }
    // An old browser says no more than that; then it is the form's token.
    assert_eq!(null().says_nothing().sign_in(ALICE, PASSWORD).await.status, 303);
    let attackers = provider.browser().get("/sign-in").await;
    let victim = null().says_nothing();
    victim.get("/sign-in").await;
    let refused = victim.enter(&attackers, ALICE, PASSWORD).await;
    assert!(
        refused.text_of("problem").unwrap().starts_with("This page was out of date"),
        "{}",
        refused.page_summary()
    );
}

async fn a_right_password_without_cookies_says_so_and_leaves_no_session(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    for page in [browser.get("/sign-in").await, web.authorize(&browser, &[]).await] {
        browser.forget("anteroom_session");
        let answer = browser.enter(&page, ALICE, PASSWORD).await;
        assert_eq!(answer.status, 422, "{}", answer.page_summary());
        assert!(answer.text_of("problem").unwrap().starts_with("Your browser keeps no cookies"));
        assert_eq!(answer.form("/sign-in").fields["email"], ALICE);
        assert!(
            answer.cookies().iter().all(|cookie| !cookie.value().contains('.')),
            "no secret of a session"
        );
    }
    // A wrong one is told nothing else than with cookies.
    let page = browser.get("/sign-in").await;
    browser.forget("anteroom_session");
    let wrong = browser.enter(&page, ALICE, "wrong").await;
    assert!(!wrong.body.contains("cookies"), "{}", wrong.page_summary());
    assert!(provider.audited("signed_in").await.is_empty());
    let refused = provider.audited("sign_in_refused").await;
    assert_eq!(refused.iter().filter(|entry| entry.detail.contains("no_cookies")).count(), 2);
    assert!(refused.iter().all(|entry| entry.subject.is_some()));
}

async fn an_interaction_in_another_browser_is_worth_its_request_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    // Sealed in the page, and a row after a first form.
    for mistakes in [0, 1] {
        let mut page = web.authorize(&browser, &[]).await;
        for _ in 0..mistakes {
            page = browser.enter(&page, ALICE, "wrong").await;
        }
        let elsewhere = visited(&provider).await;
        let answer = elsewhere.enter(&page, ALICE, PASSWORD).await;
        web.code_in(&answer);
        assert!(elsewhere.is_signed_in().await && !browser.is_signed_in().await);
        // Once, wherever it was.
        let answered = visited(&provider).await.enter(&page, ALICE, PASSWORD).await;
        assert!(answered.text_of("error-answered-before").is_some(), "{}", answered.page_summary());
    }
    // What was chosen on the way is not part of the request.
    let several = provider.signed_in(ALICE).await;
    several.sign_in(BOB, PASSWORD).await;
    let partner = provider.client("partner");
    let page = partner.authorize(&several, &[("prompt", "select_account")]).await;
    let chosen = page.form("/choose-account").buttons[0].value.clone();
    let consent = several.submit(&page, "/choose-account", &[("account", &chosen)]).await;
    let handle = consent.parameters()["interaction"].clone();
    let other = provider.signed_in(BOB).await;
    assert!(other.get(&format!("/continue?interaction={handle}")).await.has_form("/choose-account"));
}

/// A browser that has been here before.
async fn visited(provider: &TestProvider) -> Browser {
    let browser = provider.browser();
    browser.get("/sign-in").await;
    browser
}

async fn two_tabs_sign_in_at_once(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, native, browser) = (provider.client("web"), provider.client("native"), provider.browser());
    let (first, second) = (web.authorize(&browser, &[]).await, native.authorize(&browser, &[]).await);
    native.code_in(&browser.enter(&second, ALICE, PASSWORD).await);
    web.code_in(&browser.enter(&first, ALICE, PASSWORD).await);
}

async fn back_and_submit_again_is_no_error(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    let refused = browser.enter(&page, ALICE, "wrong").await;
    web.code_in(&browser.enter(&refused, ALICE, PASSWORD).await);
    // Back, twice, and once more: each of the pages still leads to the application.
    for page in [&refused, &page] {
        web.code_in(&browser.enter(page, ALICE, PASSWORD).await);
    }
    // A bookmarked sign-in page, signed in: straight on.
    assert_eq!(browser.get("/sign-in").await.location().path(), "/dashboard");
}

async fn an_interaction_expires_with_a_way_forward(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.interaction.lifetime", "\"1h\"")
        .set("policy.interaction.form_lifetime", "\"2h\"")
        .start()
        .await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let sealed = web.authorize(&browser, &[]).await;
    let row = browser.enter(&sealed, ALICE, "wrong").await;
    provider.advance(SignedDuration::from_hours(1));
    for page in [sealed, row] {
        let answer = browser.enter(&page, ALICE, PASSWORD).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text_of("error-interaction-expired").is_some());
        assert!(answer.text_of("forward").is_some());
        assert!(answer.reference().is_some());
    }
}

async fn a_made_up_interaction_is_an_error_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let unknown = "A".repeat(43);
    for handle in ["x", "s.", "s.AAAA", &unknown, "s.%00", "%ff"] {
        let answer = browser.get(&format!("/continue?interaction={handle}")).await;
        assert_eq!(answer.status, 400, "{handle}");
        assert!(answer.text_of("error-interaction-expired").is_some(), "{handle}");
    }
    let page = browser.get("/sign-in").await;
    let fields = [("interaction", unknown.as_str()), ("email", ALICE), ("password", PASSWORD)];
    assert_eq!(browser.submit(&page, "/sign-in", &fields).await.status, 400);
    assert!(!browser.is_signed_in().await);
}

async fn every_page_carries_its_headers(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for (path, leads_away) in [
        ("/sign-in?another=1", true),
        ("/dashboard", false),
        ("/signed-out", false),
        ("/forgot-password", false),
        ("/nowhere", false),
    ] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        for directive in
            ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        // Chromium holds form-action against the whole redirect chain of a form.
        assert_eq!(policy.contains("form-action"), !leads_away, "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
    }
}

async fn unknown_addresses_and_methods_have_pages(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let answer = browser.get("/nowhere").await;
    assert_eq!((answer.status, answer.text_of("error-not-found").is_some()), (404, true));
    let answer = browser.post("/dashboard", &[]).await;
    assert_eq!((answer.status, answer.text_of("error-method-not-allowed").is_some()), (405, true));
    assert_eq!(browser.get("/").await.location().path(), "/dashboard");
    assert_eq!(browser.get("/dashboard").await.location().path(), "/sign-in");
}

async fn the_reference_of_every_error_page_is_found_in_the_trail(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let foreign = provider.browser().with("origin", "https://evil.example");
    let elsewhere = provider.browser().with("host", "evil.example");
    let mut seen = Vec::new();
    for page in [
        browser.get("/nowhere").await,
        browser.get("/continue?interaction=x").await,
        browser.get("/authorize?client_id=nobody").await,
        browser.get("/authorize?%ff").await,
        browser.get("/end-session?client_id=nobody").await,
        browser.post("/sign-out", &[]).await,
        browser.post("/dashboard", &[]).await,
        foreign.post("/sign-in", &[]).await,
        elsewhere.get("/sign-in").await,
    ] {
        let reference = page.reference().unwrap_or_else(|| panic!("no reference: {}", page.page_summary()));
        let entries = provider.provider.store.entries_by_reference(&reference).await.unwrap();
        assert!(!entries.is_empty(), "{}", page.page_summary());
        assert!(page.text_of("forward").is_some(), "{}", page.page_summary());
        assert!(!seen.contains(&reference));
        seen.push(reference);
    }
}
