//! More than five wrong passwords lock; a lock cannot be used as a weapon.

use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, on_both_databases};
use futures_util::future::join_all;

on_both_databases!(
    five_failures_do_not_lock_and_the_sixth_does,
    of_sixty_parallel_guesses_at_most_six_are_used_and_the_sixth_locks,
    a_strangers_failures_spare_the_known_device,
    six_failures_on_the_known_device_lock_everywhere,
    a_right_password_clears_only_its_own_counter,
    without_the_distinction_a_stranger_locks_everyone_out,
    a_known_device_of_another_account_is_told_nothing,
    a_forged_device_cookie_is_a_strangers,
    the_owner_is_told_once_by_mail,
    a_lock_ends_nothing_that_is_running,
    a_lock_has_no_timer,
);

async fn fail(browser: &Browser, times: u32) {
    for _ in 0..times {
        assert_eq!(browser.sign_in(ALICE, "wrong").await.status, 422);
    }
}

async fn five_failures_do_not_lock_and_the_sixth_does(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let unknown_browser = provider.browser();
    fail(&unknown_browser, 5).await;
    assert!(provider.audited("account_locked").await.is_empty());
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 303);
    // The right password has cleared the counter.
    fail(&unknown_browser, 5).await;
    assert!(provider.audited("account_locked").await.is_empty());
    fail(&unknown_browser, 1).await;
    assert_eq!(provider.audited("account_locked").await.len(), 1);
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 422);
    assert_eq!(provider.browser().sign_in(BOB, PASSWORD).await.status, 303);
}

async fn of_sixty_parallel_guesses_at_most_six_are_used_and_the_sixth_locks(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let ready = join_all((0..60).map(|_| async {
        let browser = provider.browser();
        let page = browser.get("/sign-in").await;
        (browser, page)
    }));
    let ready = ready.await;
    let guesses = ready.iter().enumerate().map(|(number, (browser, page))| async move {
        browser.enter(page, ALICE, &format!("guess-{number}")).await.status
    });
    let statuses = join_all(guesses).await;
    assert!(statuses.iter().all(|status| [422, 429, 503].contains(status)), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 422).count() > 6, "{statuses:?}");
    let refusals = provider.audited("sign_in_refused").await;
    let used = refusals.iter().filter(|entry| entry.detail.contains("wrong_password")).count();
    assert_eq!((used, provider.audited("account_locked").await.len()), (6, 1));
    assert_eq!(provider.outbox().await.len(), 1);
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 422);
}

async fn a_strangers_failures_spare_the_known_device(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let desk = provider.signed_in(ALICE).await;
    desk.forget("anteroom_session");
    fail(&provider.browser(), 7).await;
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 422);
    assert_eq!(desk.sign_in(ALICE, PASSWORD).await.status, 303);
    // At the desk it does not lift the lock for strangers.
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 422);
}

async fn six_failures_on_the_known_device_lock_everywhere(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (desk, laptop) = (provider.signed_in(ALICE).await, provider.signed_in(ALICE).await);
    fail(&desk, 5).await;
    let locking = desk.sign_in(ALICE, "wrong").await;
    assert!(
        locking.text_of("problem").unwrap().contains("Signing in is locked here"),
        "{}",
        locking.page_summary()
    );
    for browser in [&desk, &laptop] {
        let shown = browser.sign_in(ALICE, PASSWORD).await;
        assert_eq!(shown.status, 422);
        assert!(
            shown.text_of("problem").unwrap().contains("Signing in is locked here"),
            "{}",
            shown.page_summary()
        );
    }
    let unknown_browser = provider.browser().sign_in(ALICE, PASSWORD).await;
    assert_eq!(unknown_browser.status, 422);
    assert!(
        !unknown_browser.text_of("problem").unwrap().contains("locked"),
        "{}",
        unknown_browser.page_summary()
    );
}

async fn a_right_password_clears_only_its_own_counter(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let desk = provider.signed_in(ALICE).await;
    fail(&provider.browser(), 5).await;
    assert_eq!(desk.sign_in(ALICE, PASSWORD).await.status, 303);
    fail(&desk, 5).await;
    // The strangers' sixth locks them out: the desk's success has not forgiven their five.
    fail(&provider.browser(), 1).await;
    assert_eq!(provider.audited("account_locked").await.len(), 1);

    fail_as_bob_at_a_desk_and_elsewhere(&provider).await;
}

/// The other way round: a success elsewhere does not forgive the desk.
async fn fail_as_bob_at_a_desk_and_elsewhere(provider: &TestProvider) {
    let desk = provider.signed_in(BOB).await;
    for _ in 0..5 {
        desk.sign_in(BOB, "wrong").await;
    }
    assert_eq!(provider.browser().sign_in(BOB, PASSWORD).await.status, 303);
    let shown = desk.sign_in(BOB, "wrong").await;
    assert!(
        shown.text_of("problem").unwrap().contains("Signing in is locked here"),
        "{}",
        shown.page_summary()
    );
}

async fn without_the_distinction_a_stranger_locks_everyone_out(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.lockout.known_devices", "false").start().await;
    let desk = provider.signed_in(ALICE).await;
    fail(&provider.browser(), 6).await;
    assert_eq!(desk.sign_in(ALICE, PASSWORD).await.status, 422);
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 422);
}

async fn a_known_device_of_another_account_is_told_nothing(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("locked@practice.example").locked().create().await;
    let bobs = provider.signed_in(BOB).await;
    let answer = bobs.sign_in("locked@practice.example", PASSWORD).await;
    let unknown_browser = provider.browser().sign_in("locked@practice.example", PASSWORD).await;
    assert_eq!(answer.text_of("problem"), unknown_browser.text_of("problem"));
    assert_eq!(answer.text_of("help"), unknown_browser.text_of("help"));
    assert!(!answer.text_of("problem").unwrap().contains("locked"));
}

async fn a_forged_device_cookie_is_a_strangers(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let known = provider.signed_in(ALICE).await.cookie("anteroom_device").unwrap();
    let forger = provider.browser();
    let flipped = if known.starts_with('A') { "B" } else { "A" };
    forger.set_cookie("anteroom_device", &format!("{flipped}{}", &known[1..]));
    fail(&forger, 6).await;
    let locked = provider.audited("account_locked").await;
    assert!(locked[0].detail.contains("unknown_devices"), "{locked:?}");
}

async fn the_owner_is_told_once_by_mail(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    fail(&provider.browser(), 5).await;
    assert!(provider.outbox().await.is_empty());
    fail(&provider.browser(), 4).await;
    let outbox = provider.outbox().await;
    assert_eq!(outbox.len(), 1);
    assert_eq!((outbox[0].body.recipient(), outbox[0].body.kind()), (ALICE, "account_locked"));
}

async fn a_lock_ends_nothing_that_is_running(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let browser = provider.signed_in(ALICE).await;
    let tokens = web.tokens(&browser, "openid").await;
    let desk = browser.clone();
    fail(&desk, 6).await;
    assert!(browser.is_signed_in().await);
    web.tokens(&browser, "openid").await;
    assert_eq!(web.refresh(tokens.refresh_token()).await.status, 200);
}

async fn a_lock_has_no_timer(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.password.max_age", "\"never\"").start().await;
    fail(&provider.browser(), 6).await;
    provider.advance(jiff::SignedDuration::from_hours(24 * 365));
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 422);
}
