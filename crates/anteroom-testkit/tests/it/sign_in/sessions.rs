//! Sessions and their cookies.

use crate::ALICE;
use anteroom_domain::session::Session;
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, claims, on_both_databases};
use cookie::SameSite;
use jiff::SignedDuration;

on_both_databases!(
    cookies_have_their_attributes,
    a_session_ends_idle,
    a_session_ends_after_twelve_hours,
    what_counts_as_activity,
    what_another_page_loads_is_no_activity,
    activity_is_written_once_a_minute,
    signing_in_again_gives_a_new_secret_and_keeps_the_sid,
    of_two_tabs_that_sign_in_again_at_once_neither_is_signed_out,
    a_made_up_or_stolen_piece_of_a_cookie_opens_nothing,
    sign_out_ends_the_session_for_every_copy_of_its_cookie,
    disabling_an_account_ends_its_sessions,
    the_trail_has_the_whole_story,
);

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

async fn cookies_have_their_attributes(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let first = browser.get("/sign-in").await;
    let names: Vec<String> = first.cookies().iter().map(|cookie| cookie.name().to_owned()).collect();
    assert_eq!(names, ["anteroom_session"]);
    let answer = browser.sign_in(ALICE, PASSWORD).await;
    // That of the session frame is of another kind (Session Management 1.0).
    let ours = |cookie: &cookie::Cookie<'_>| cookie.name() != "op_browser_state";
    let cookies: Vec<_> = answer.cookies().into_iter().filter(ours).collect();
    let names: Vec<&str> = cookies.iter().map(cookie::Cookie::name).collect();
    assert_eq!(names, ["anteroom_session", "anteroom_device"]);
    for cookie in cookies.iter().chain(&first.cookies()) {
        assert_eq!(cookie.http_only(), Some(true), "{cookie}");
        assert_eq!(cookie.same_site(), Some(SameSite::Lax), "{cookie}");
        assert_eq!((cookie.path(), cookie.domain()), (Some("/"), None), "{cookie}");
        // Plain http on loopback; behind https they are Secure and `__Host-`.
        assert_eq!(cookie.secure(), None, "{cookie}");
        // Workstations are shared: a session ends with the browser.
        assert_eq!(cookie.max_age().is_some(), cookie.name() == "anteroom_device", "{cookie}");
        assert_eq!(cookie.expires(), None, "{cookie}");
    }
}

async fn a_session_ends_idle(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    provider.advance(minutes(30) - SignedDuration::from_secs(1));
    assert!(browser.is_signed_in().await);
    provider.advance(minutes(30));
    assert!(!browser.is_signed_in().await);
    assert_eq!(
        provider.client("web").authorize(&browser, &[("prompt", "none")]).await.error(),
        "login_required"
    );
}

/// An application on the same site shows the dashboard as an image, over and over.
async fn what_another_page_loads_is_no_activity(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (alice, web) = (provider.signed_in(ALICE).await, provider.client("web"));
    let part = provider.browser().with("sec-fetch-dest", "image").with("sec-fetch-site", "same-site");
    part.set_cookie("anteroom_session", &alice.cookie("anteroom_session").unwrap());
    for _ in 0..3 {
        provider.advance(minutes(10));
        for place in ["/dashboard", "/account/profile", "/open/web", &web.request(&[])] {
            part.get(place).await;
        }
    }
    assert!(!alice.is_signed_in().await);
}

async fn a_session_ends_after_twelve_hours(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for _ in 0..35 {
        provider.advance(minutes(20));
        assert!(browser.is_signed_in().await);
    }
    provider.advance(minutes(20));
    assert!(!browser.is_signed_in().await);
}

async fn what_counts_as_activity(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    // Opening an application does, asking silently does not.
    for (prompt, lives) in [("", true), ("none", false)] {
        let browser = provider.signed_in(ALICE).await;
        provider.advance(minutes(20));
        web.code(&browser, &[("prompt", prompt)]).await;
        provider.advance(minutes(20));
        assert_eq!(browser.is_signed_in().await, lives, "{prompt}");
    }
    // A refresh only for applications set so.
    for (client, lives) in [("web", false), ("busy", true)] {
        let toml = r#"
[[clients]]
client_id = "busy"
first_party = true
redirect_uris = ["https://busy.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
refresh_is_activity = true
"#;
        let provider = TestProvider::on(&backend).clients(toml).another_node_of(&provider).start().await;
        let (app, browser) = (provider.client(client), provider.signed_in(ALICE).await);
        let tokens = app.tokens(&browser, "openid").await;
        provider.advance(minutes(20));
        assert_eq!(app.refresh(tokens.refresh_token()).await.status, 200);
        provider.advance(minutes(20));
        assert_eq!(browser.is_signed_in().await, lives, "{client}");
    }
}

async fn session_of(provider: &TestProvider, email: &str) -> Session {
    let address = anteroom_domain::address::FoldedAddress::from_entered(email);
    let account = provider.provider.store.account_by_address(&address).await.unwrap().unwrap();
    provider.provider.store.sessions_of_account(account.id).await.unwrap().remove(0)
}

async fn activity_is_written_once_a_minute(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let signed_in = session_of(&provider, ALICE).await.last_active_at;
    provider.advance(SignedDuration::from_secs(59));
    browser.get("/dashboard").await;
    provider.client("web").code(&browser, &[]).await;
    assert_eq!(session_of(&provider, ALICE).await.last_active_at, signed_in);
    provider.advance(SignedDuration::from_secs(1));
    browser.get("/dashboard").await;
    assert_eq!(session_of(&provider, ALICE).await.last_active_at, provider.now());
}

async fn signing_in_again_gives_a_new_secret_and_keeps_the_sid(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let sid = |tokens: &anteroom_testkit::Tokens| claims(tokens.id_token())["sid"].clone();
    let before = web.tokens(&browser, "openid").await;
    let old = browser.clone();
    provider.advance(minutes(5));
    let page = web.authorize(&browser, &[("prompt", "login")]).await;
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    let after = anteroom_testkit::Tokens::of(&web.redeem(&web.code_in(&answer)).await);
    assert_eq!(sid(&before), sid(&after));
    assert_ne!(browser.cookie("anteroom_session"), old.cookie("anteroom_session"));
    assert!(browser.is_signed_in().await);
    assert!(!old.is_signed_in().await);
    // The grant from before is of the same session, so it lives.
    assert_eq!(web.refresh(before.refresh_token()).await.status, 200);
}

async fn of_two_tabs_that_sign_in_again_at_once_neither_is_signed_out(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    // Where one has been answered before the other is looked at, they were not at once, and the other begins a session of its own.
    for _ in 0..20 {
        let old = provider.signed_in(ALICE).await;
        let before = backend.rows().await["sessions"];
        provider.advance(minutes(1));
        // Each tab has its own copy of the jar: whichever answer comes last, its cookie is the browser's.
        let tabs = [old.clone(), old.clone()];
        let pages = [
            web.authorize(&tabs[0], &[("prompt", "login")]).await,
            web.authorize(&tabs[1], &[("prompt", "login")]).await,
        ];
        let (first, second) = tokio::join!(
            tabs[0].enter(&pages[0], ALICE, PASSWORD),
            tabs[1].enter(&pages[1], ALICE, PASSWORD)
        );
        assert!(!web.code_in(&first).is_empty() && !web.code_in(&second).is_empty());
        if backend.rows().await["sessions"] == before {
            assert!(tabs[0].is_signed_in().await && tabs[1].is_signed_in().await);
            assert_eq!(tabs[0].cookie("anteroom_session"), tabs[1].cookie("anteroom_session"));
            assert!(!old.is_signed_in().await);
            return one_more(&provider, tabs).await;
        }
    }
    panic!("two tabs never signed in at once");
}

/// Once one of them has signed in again since, the other's old secret brings back neither.
async fn one_more(provider: &TestProvider, tabs: [Browser; 2]) {
    provider.advance(minutes(1));
    let page = provider.client("web").authorize(&tabs[0], &[("prompt", "login")]).await;
    tabs[0].enter(&page, ALICE, PASSWORD).await;
    assert!(tabs[0].is_signed_in().await && !tabs[1].is_signed_in().await);
}

async fn a_made_up_or_stolen_piece_of_a_cookie_opens_nothing(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let cookie = provider.signed_in(ALICE).await.cookie("anteroom_session").unwrap();
    let (browser_id, secret) = cookie.split_once('.').unwrap();
    let unknown = "A".repeat(43);
    for made_up in [
        browser_id.to_owned(),
        format!(".{secret}"),
        format!("{browser_id}.{unknown}"),
        format!("{browser_id}.{}", &secret[1..]),
        "..".to_owned(),
        "%00".to_owned(),
    ] {
        let browser = provider.browser();
        browser.set_cookie("anteroom_session", &made_up);
        assert!(!browser.is_signed_in().await, "{made_up}");
    }
}

async fn sign_out_ends_the_session_for_every_copy_of_its_cookie(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let copy = browser.clone();
    let dashboard = browser.get("/dashboard").await;
    let answer = browser.submit(&dashboard, "/sign-out", &[]).await;
    assert_eq!(answer.location().path(), "/signed-out");
    assert!(browser.follow(&answer).await.text_of("signed-out").is_some());
    assert!(!browser.is_signed_in().await);
    assert!(!copy.is_signed_in().await);
    // Twice is no error.
    assert_eq!(browser.submit(&dashboard, "/sign-out", &[]).await.status, 303);
}

async fn disabling_an_account_ends_its_sessions(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let address = anteroom_domain::address::EmailAddress::parse(ALICE).unwrap();
    anteroom_flows::people::admin::disable(&provider.local(), &address).await.unwrap();
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 422);
    anteroom_flows::people::admin::enable(&provider.local(), &address).await.unwrap();
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
}

async fn the_trail_has_the_whole_story(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser().from("203.0.113.7");
    browser.sign_in(ALICE, "not-the-password").await;
    provider.advance(minutes(1));
    browser.sign_in(ALICE, PASSWORD).await;
    provider.advance(minutes(1));
    let web = provider.client("web");
    let tokens = web.tokens(&browser, "openid email").await;
    provider.advance(minutes(1));
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    let mut entries = provider.audit().await;
    entries.retain(|entry| !entry.kind.ends_with("_key_created"));
    let kinds: Vec<&str> = entries.iter().rev().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["sign_in_refused", "signed_in", "code_redeemed", "signed_out"]);
    for entry in &entries {
        assert!(provider.provider.store.verify_mac(entry));
        assert!(entry.subject.is_some(), "{entry:?}");
        let said = format!("{entry:?}");
        for secret in [PASSWORD, "not-the-password", &tokens.access_token, tokens.refresh_token()] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    assert_eq!(entries[3].address.as_deref(), Some("203.0.113.7"));
}
