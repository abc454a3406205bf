//! Which browsers an account knows after a new password, and whom their failures lock out.

use super::*;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    a_thief_of_the_password_before_has_few_guesses_in_all_browsers_together,
    a_new_password_by_choice_lifts_the_lock_of_a_device_and_none_of_the_account,
    a_reset_at_each_desk_keeps_both_from_a_strangers_failures,
    after_a_reset_a_device_that_had_stepped_up_does_so_again,
    the_button_of_a_reset_pressed_twice_makes_its_browser_known,
);

async fn fail(browser: &Browser) {
    for _ in 0..6 {
        assert_eq!(browser.sign_in(CAROL, "wrong").await.status, 422);
    }
}

/// What was locked, the newest first.
async fn scopes(provider: &TestProvider) -> Vec<&'static str> {
    let all = ["this_device", "unknown_devices", "earlier_devices", "everywhere"];
    let of = |detail: &str| all.into_iter().find(|scope| detail.contains(scope)).unwrap();
    provider.audited("account_locked").await.iter().map(|locked| of(&locked.detail)).collect()
}

async fn a_thief_of_the_password_before_has_few_guesses_in_all_browsers_together(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let mut thiefs = Vec::new();
    for _ in 0..4 {
        thiefs.push(provider.signed_in(CAROL).await);
    }
    let (desk, laptop) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    let tablet = provider.signed_in(CAROL).await;
    provider.advance(SignedDuration::from_secs(1));
    let page = desk.get("/change-password").await;
    assert_eq!(choose(&desk, &page, NEW).await.status, 303);
    for thief in &thiefs {
        assert_eq!(thief.sign_in(CAROL, "wrong").await.status, 422);
        assert_eq!(thief.sign_in(CAROL, "wronger").await.status, 422);
    }
    assert_eq!(scopes(&provider).await, ["earlier_devices"]);
    assert_eq!(mails(&provider, "account_locked").await, 1);
    // What is not locked says nothing of a lock, and the owner gets in wherever that is.
    let told = thiefs[0].sign_in(CAROL, "wrong").await;
    assert!(!told.text_of("problem").unwrap().contains("locked"), "{}", told.page_summary());
    for browser in [&desk, &laptop, &provider.browser()] {
        assert_eq!(browser.sign_in(CAROL, NEW).await.status, 303);
    }
    // The owner's sign-ins give no new guesses but those of any stranger.
    for thief in &thiefs {
        fail(thief).await;
    }
    assert_eq!(scopes(&provider).await, ["unknown_devices", "earlier_devices"]);
    assert_eq!(tablet.sign_in(CAROL, NEW).await.status, 422, "the present password was never right there");
    // At the laptop it was right by now.
    assert_eq!(laptop.sign_in(CAROL, NEW).await.status, 303);
    fail(&laptop).await;
    assert_eq!(scopes(&provider).await[0], "everywhere");
    let told = desk.sign_in(CAROL, NEW).await;
    assert_eq!(told.status, 422);
    assert!(told.text_of("problem").unwrap().contains("or on another one"), "{}", told.page_summary());
}

async fn a_new_password_by_choice_lifts_the_lock_of_a_device_and_none_of_the_account(backend: Backend) {
    const NEXT: &str = "maple-tide-harbor-92";
    const LAST: &str = "cedar-tide-harbor-92";
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let (laptop, desk) = (provider.browser(), provider.browser());
    reset(&provider, &laptop, CAROL, NEW).await;
    change(&provider, &desk, NEW, NEXT).await;
    fail(&provider.browser()).await;
    fail(&laptop).await;
    assert_eq!(scopes(&provider).await, ["this_device", "unknown_devices"]);
    assert_eq!(mails(&provider, "account_locked").await, 2);
    let told = laptop.sign_in(CAROL, NEXT).await;
    let problem = told.text_of("problem").unwrap();
    assert!(
        problem.contains("Signing in is locked here") && problem.contains("Forgot Password"),
        "{problem}"
    );
    change(&provider, &desk, NEXT, LAST).await;
    assert_eq!(laptop.sign_in(CAROL, LAST).await.status, 303);
    assert_eq!(provider.browser().sign_in(CAROL, LAST).await.status, 422);
}

/// Changes the password by choice, a day later: in a new session, with a code.
async fn change(provider: &TestProvider, browser: &Browser, old: &str, new: &str) {
    provider.advance(SignedDuration::from_hours(25));
    assert_eq!(browser.sign_in(CAROL, old).await.status, 303);
    let page = send(browser, &browser.get("/change-password").await).await;
    let page = through(browser, &page, "/verify/code", &[("code", &digits(provider).await)]).await;
    assert_eq!(choose(browser, &page, new).await.status, 303);
}

async fn a_reset_at_each_desk_keeps_both_from_a_strangers_failures(backend: Backend) {
    const NEXT: &str = "maple-tide-harbor-92";
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let (first, second) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    let stranger = provider.browser();
    fail(&stranger).await;
    reset(&provider, &first, CAROL, NEW).await;
    fail(&stranger).await;
    assert_eq!(second.sign_in(CAROL, NEW).await.status, 422, "the password alone had made it known");
    provider.advance(SignedDuration::from_mins(2));
    reset(&provider, &second, CAROL, NEXT).await;
    fail(&stranger).await;
    for desk in [&first, &second] {
        assert_eq!(desk.sign_in(CAROL, NEXT).await.status, 303);
    }
    assert_eq!(provider.browser().sign_in(CAROL, NEXT).await.status, 422);
}

async fn after_a_reset_a_device_that_had_stepped_up_does_so_again(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.new_devices_step_up", "true").start().await;
    provider.person(CAROL).phone(CELL).create().await;
    let (desk, elsewhere) = (provider.browser(), provider.browser());
    let sign_in = async |password: &str| {
        let page = desk.get("/sign-in").await;
        through(&desk, &page, "/sign-in", &[("email", CAROL), ("password", password)]).await
    };
    let page = send(&desk, &sign_in(PASSWORD).await).await;
    through(&desk, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    assert!(desk.is_signed_in().await);
    provider.advance(SignedDuration::from_mins(1));
    reset(&provider, &elsewhere, CAROL, NEW).await;
    assert!(sign_in(NEW).await.has_form("/verify/send"), "the reset may be because of who sits there");
}

async fn the_button_of_a_reset_pressed_twice_makes_its_browser_known(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let form = prove(&provider, &carol).await;
    assert_eq!(choose(&carol, &form, NEW).await.status, 303);
    // The browser has given the first answer up.
    carol.forget("anteroom_device");
    let again = choose(&carol, &form, NEW).await;
    assert_eq!(carol.follow(&again).await.heading(), "Your password is changed");
    fail(&provider.browser()).await;
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 422);
    assert_eq!(carol.sign_in(CAROL, NEW).await.status, 303);
}
