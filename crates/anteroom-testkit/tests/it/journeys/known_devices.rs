//! Which browsers an account knows after a new password, and whom their failures lock out.

use super::*;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    a_thief_of_the_password_before_locks_out_one_browser_and_no_other,
    a_reset_at_each_desk_keeps_both_from_a_strangers_failures,
    after_a_reset_a_device_that_had_stepped_up_does_so_again,
    the_button_of_a_reset_pressed_twice_makes_its_browser_known,
);

async fn fail(browser: &Browser) {
    for _ in 0..6 {
        assert_eq!(browser.sign_in(CAROL, "wrong").await.status, 422);
    }
}

fn scope(locked: &anteroom_storage::AuditRecord) -> &str {
    ["this_device", "unknown_devices", "everywhere"]
        .into_iter()
        .find(|scope| locked.detail.contains(scope))
        .unwrap()
}

async fn a_thief_of_the_password_before_locks_out_one_browser_and_no_other(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).password_set(SignedDuration::from_hours(48)).create().await;
    let (thief, desk) = (provider.signed_in(CAROL).await, provider.signed_in(CAROL).await);
    let laptop = provider.signed_in(CAROL).await;
    provider.advance(SignedDuration::from_secs(1));
    let page = desk.get("/change-password").await;
    assert_eq!(choose(&desk, &page, NEW).await.status, 303);
    fail(&thief).await;
    let locked = provider.audited("account_locked").await;
    assert_eq!(locked.iter().map(scope).collect::<Vec<_>>(), ["this_device"]);
    assert_eq!(mails(&provider, "account_locked").await, 0, "the account is not locked");
    let told = thief.sign_in(CAROL, NEW).await;
    assert!(told.text_of("problem").unwrap().contains("This account is locked"), "{}", told.gist());
    for browser in [&desk, &laptop, &provider.browser()] {
        assert_eq!(browser.sign_in(CAROL, NEW).await.status, 303);
    }
    // At the laptop the present password was right by now.
    fail(&laptop).await;
    let locked = provider.audited("account_locked").await;
    assert_eq!(scope(&locked[0]), "everywhere");
    let told = desk.sign_in(CAROL, NEW).await;
    assert_eq!(told.status, 422);
    assert!(told.text_of("problem").unwrap().contains("or on another one"), "{}", told.gist());
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
