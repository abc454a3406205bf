//! Setting a new password: what is refused, and what ends.

use super::*;
use anteroom_server::housekeeping::HousekeepingState;
use anteroom_testkit::{Backend, PASSWORD, on_one_node_and_on_two, on_sqlite};
use jiff::SignedDuration;
use std::time::Duration;

on_one_node_and_on_two!(
    a_reset_lifts_the_lock_and_signs_nobody_in,
    a_reset_ends_sessions_tokens_and_other_devices,
    what_is_refused_says_why_and_costs_nothing,
    what_a_thief_of_the_password_sends_does_not_count_for_the_owners_reset,
    the_last_ten_passwords_are_refused_and_the_eleventh_is_not,
    rfc8265_4_2_a_new_password_is_one_however_it_is_typed,
    the_link_is_dead_after_the_reset_and_so_are_the_others,
    a_change_by_choice_needs_a_recent_sign_in_and_a_day,
    a_change_by_choice_keeps_this_browser_and_ends_the_rest,
    a_password_alone_is_not_replaced_where_a_factor_serves,
    where_no_factor_serves_a_password_is_changed_by_itself,
);

/// The form of a new password by choice, behind a code.
async fn change(provider: &TestProvider, browser: &Browser) -> TestResponse {
    let page = browser.get("/change-password").await;
    let page = send(browser, &page).await;
    through(browser, &page, "/verify/code", &[("code", &digits(provider).await)]).await
}

async fn with_carol(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    provider
}

async fn a_reset_lifts_the_lock_and_signs_nobody_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).locked().create().await;
    let carol = provider.browser();
    assert_eq!(carol.sign_in(CAROL, PASSWORD).await.status, 422);
    let done = reset(&provider, &carol, CAROL, NEW).await;
    assert_eq!(done.heading(), "Your password is changed");
    assert!(!carol.is_signed_in().await);
    assert_eq!(provider.browser().sign_in(CAROL, PASSWORD).await.status, 422);
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 303);
    assert_eq!(mails(&provider, "password_changed").await, 1);
}

async fn a_reset_ends_sessions_tokens_and_other_devices(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (desk, web) = (provider.signed_in(CAROL).await, provider.client("web"));
    let tokens = web.tokens(&desk, "openid offline_access").await;
    let short = web.tokens(&desk, "openid").await;
    let carol = provider.browser();
    reset(&provider, &carol, CAROL, NEW).await;
    assert!(!desk.is_signed_in().await);
    for tokens in [&tokens, &short] {
        assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
        assert_eq!(web.userinfo(&tokens.access_token).await.status, 401);
    }
    // The desk is a stranger now, the browser of the reset is known: strangers' failures do not lock it out.
    for _ in 0..6 {
        assert_eq!(desk.sign_in(CAROL, "wrong").await.status, 422);
    }
    assert_eq!(desk.sign_in(CAROL, NEW).await.status, 422);
    assert_eq!(carol.sign_in(CAROL, NEW).await.status, 303);
}

async fn what_is_refused_says_why_and_costs_nothing(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let page = prove(&provider, &carol).await;
    let mismatch = [("new_password", NEW), ("confirm_password", "lemon-tide-harbor-93")];
    assert_eq!(carol.submit(&page, "/new-password", &mismatch).await.status, 422);
    for password in ["", "short-1", "password1234", "Carol-Example-1", "Testing-Dental-1", PASSWORD] {
        let answer = choose(&carol, &page, password).await;
        assert_eq!(answer.status, 422, "{password}: {}", answer.page_summary());
        assert!(answer.text_of("problem").is_some(), "{password}: {}", answer.page_summary());
    }
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
}

/// On SQLite, where the clock of a test is the database's: by another one nothing is swept.
#[tokio::test]
async fn what_a_person_left_behind_is_deleted_with_its_purpose() {
    on_sqlite(what_is_left_behind).await;
}

async fn what_is_left_behind(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.new_password.remembered", "0").start().await;
    provider.person(CAROL).phone(CELL).create().await;
    provider.signed_in(CAROL).await;
    reset(&provider, &provider.browser(), CAROL, NEW).await;
    let rows = async || {
        let rows = backend.rows().await;
        (rows["password_history"], rows["known_devices"])
    };
    assert_eq!(rows().await, (0, 2), "none is remembered");
    provider.tidy_up(&mut HousekeepingState::default(), Duration::ZERO).await;
    assert_eq!(rows().await, (0, 2), "the forgotten device stays for a day");
    provider.advance(SignedDuration::from_hours(25));
    provider.tidy_up(&mut HousekeepingState::default(), Duration::ZERO).await;
    assert_eq!(rows().await, (0, 1));
    provider.advance(SignedDuration::from_hours(401 * 24));
    provider.tidy_up(&mut HousekeepingState::default(), Duration::ZERO).await;
    assert_eq!(rows().await, (0, 0));
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 303);
}

async fn rfc8265_4_2_a_new_password_is_one_however_it_is_typed(backend: Backend) {
    const COMPOSED: &str = "limón-marea-señal-92";
    const DECOMPOSED: &str = "limo\u{301}n-marea-sen\u{303}al-92";
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let page = prove(&provider, &carol).await;
    // Eleven characters, of which more than twelve code points are typed.
    for refused in ["l\u{f3}n-ma-se\u{301}92", "limon-\u{200b}marea-senal-92", "limon\tmarea senal 92"] {
        assert_eq!(choose(&carol, &page, refused).await.status, 422, "{refused:?}");
    }
    let twice = [("new_password", DECOMPOSED), ("confirm_password", COMPOSED)];
    assert_eq!(carol.submit(&page, "/new-password", &twice).await.status, 303);
    for typed in [COMPOSED, DECOMPOSED] {
        assert_eq!(provider.browser().sign_in(CAROL, typed).await.status, 303, "{typed:?}");
    }
    // It is remembered however it is typed.
    provider.advance(SignedDuration::from_hours(25));
    forget(&carol, CAROL).await;
    let page = prove(&provider, &carol).await;
    for typed in [COMPOSED, DECOMPOSED, "limón-marea-señal-92"] {
        assert_eq!(choose(&carol, &page, typed).await.status, 422, "{typed:?}");
    }
}

async fn the_last_ten_passwords_are_refused_and_the_eleventh_is_not(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let words =
        ["lemon", "maple", "copper", "velvet", "saddle", "lantern", "pebble", "walnut", "feather", "compass"];
    let later = words.map(|word| format!("{word}-tide-harbor-92"));
    // Eleven in a row with the first; the current one and the ten before it are eleven as well.
    for password in &later {
        reset(&provider, &carol, CAROL, password).await;
        provider.advance(SignedDuration::from_hours(25));
    }
    forget(&carol, CAROL).await;
    let page = prove(&provider, &carol).await;
    for old in [PASSWORD, later[0].as_str(), later[8].as_str(), later[9].as_str()] {
        let answer = choose(&carol, &page, old).await;
        assert_eq!(answer.status, 422, "{old}");
        assert!(answer.text_of("problem").unwrap().contains("You have used"), "{}", answer.page_summary());
    }
    // One more, and the first is out of the ten.
    assert_eq!(choose(&carol, &page, "orchard-tide-harbor-92").await.status, 303);
    provider.advance(SignedDuration::from_hours(25));
    forget(&carol, CAROL).await;
    let page = prove(&provider, &carol).await;
    assert_eq!(choose(&carol, &page, &later[0]).await.status, 422);
    assert_eq!(choose(&carol, &page, PASSWORD).await.status, 303);
}

async fn the_link_is_dead_after_the_reset_and_so_are_the_others(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    forget(&provider.browser(), CAROL).await;
    let (other, _) = mailed(&provider).await;
    provider.advance(SignedDuration::from_secs(1));
    forget(&carol, CAROL).await;
    let form = prove(&provider, &carol).await;
    let (link, _) = mailed(&provider).await;
    assert_ne!(link, other);
    assert_eq!(choose(&carol, &form, NEW).await.status, 303);
    for link in [link, other] {
        let page = carol.get(&link).await;
        assert_eq!(carol.submit(&page, "/recover", &[]).await.status, 410);
    }
    // Nor does the form of the new password serve again.
    let again = choose(&carol, &form, "maple-window-stone-77").await;
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 303, "{}", again.page_summary());
}

async fn a_change_by_choice_needs_a_recent_sign_in_and_a_day(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let day = SignedDuration::from_hours(24);
    provider.person(CAROL).phone(CELL).password_set(day - SignedDuration::from_mins(11)).create().await;
    let carol = provider.signed_in(CAROL).await;
    let page = change(&provider, &carol).await;
    let young = choose(&carol, &page, NEW).await;
    assert_eq!(young.status, 422, "{}", young.page_summary());
    provider.advance(SignedDuration::from_mins(11));
    let asked = carol.get("/change-password").await;
    assert!(asked.has_form("/sign-in"), "{}", asked.page_summary());
    let answer = carol.enter(&asked, CAROL, PASSWORD).await;
    let page = carol.follow(&answer).await;
    assert!(page.has_form("/verify/send"), "{}", page.page_summary());
    let page = change(&provider, &carol).await;
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
    assert!(carol.is_signed_in().await);
}

async fn a_change_by_choice_keeps_this_browser_and_ends_the_rest(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).password_set(SignedDuration::from_hours(48)).create().await;
    let (carol, other) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    let page = change(&provider, &carol).await;
    let before = carol.cookie("anteroom_session");
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
    assert!(carol.is_signed_in().await);
    assert_ne!(carol.cookie("anteroom_session"), before);
    assert!(!other.is_signed_in().await);
    assert_eq!(mails(&provider, "password_changed").await, 1);
}

async fn what_a_thief_of_the_password_sends_does_not_count_for_the_owners_reset(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.new_password.max", "2").start().await;
    provider.person(CAROL).phone(CELL).create().await;
    // Who is past the code as well, and may go on trying in an open browser.
    let thief = provider.signed_in(CAROL).await;
    let page = change(&provider, &thief).await;
    let mut last = choose(&thief, &page, "x").await;
    for weak in ["y", "z"] {
        last = choose(&thief, &page, weak).await;
    }
    assert_eq!(last.status, 429, "{}", last.page_summary());
    provider.advance(SignedDuration::from_secs(1));
    let done = reset(&provider, &provider.browser(), CAROL, NEW).await;
    assert_eq!(done.heading(), "Your password is changed");
}

async fn a_password_alone_is_not_replaced_where_a_factor_serves(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).password_set(SignedDuration::from_hours(48)).create().await;
    provider.person("nora@practice.example").password_set(SignedDuration::from_hours(48)).create().await;
    // The form of another account, at the same browser.
    let thief = provider.signed_in("nora@practice.example").await;
    let noras = thief.get("/change-password").await;
    thief.sign_in(CAROL, PASSWORD).await;
    let page = thief.get("/change-password").await;
    assert!(page.has_form("/verify/send") && !page.has_form("/new-password"), "{}", page.page_summary());
    for page in [&noras, &page] {
        let mut fields = page.forms()[0].fields.clone();
        fields.insert("new_password".to_owned(), NEW.to_owned());
        fields.insert("confirm_password".to_owned(), NEW.to_owned());
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        thief.post("/new-password", &fields).await;
    }
    assert!(provider.audited("password_changed").await.is_empty());
    let wrong = send(&thief, &page).await;
    let code = other_than(&digits(&provider).await);
    assert_eq!(thief.submit(&wrong, "/verify/code", &[("code", &code)]).await.status, 422);
    assert!(!thief.get("/change-password").await.has_form("/new-password"));
    assert_eq!(provider.browser().sign_in(CAROL, PASSWORD).await.status, 303, "hers is as it was");
    assert!(thief.is_signed_in().await);
    let carol = provider.signed_in(CAROL).await;
    provider.advance(SignedDuration::from_mins(2));
    let page = change(&provider, &carol).await;
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 303);
}

async fn where_no_factor_serves_a_password_is_changed_by_itself(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let carol = provider.signed_in(CAROL).await;
    let page = carol.get("/change-password").await;
    assert_eq!(choose(&carol, &page, NEW).await.status, 303);
    assert!(carol.is_signed_in().await);
}
