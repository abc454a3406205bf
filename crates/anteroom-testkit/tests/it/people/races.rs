//! What happens at the same time as a reset.

use super::*;
use anteroom_crypto::{HashParams, PasswordHasher, Random};
use anteroom_testkit::{Backend, PASSWORD, on_one_node_and_on_two};
use futures_util::future::join_all;
use secrecy::SecretString;
use std::time::Duration;

on_one_node_and_on_two!(
    a_sign_in_that_was_right_before_a_reset_and_ends_after_it_gets_nothing,
    a_refresh_at_the_same_time_leaves_no_living_token,
    of_two_resets_at_once_one_wins_and_the_other_is_told,
    a_step_up_and_a_sign_in_at_the_same_time_leave_both_tabs_signed_in,
);

async fn a_sign_in_that_was_right_before_a_reset_and_ends_after_it_gets_nothing(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let keyring = &provider.provider.keyring;
    let slow = PasswordHasher::new(HashParams::new(128 * 1024, 8, 1).unwrap(), keyring, Random::system());
    let old = slow.hash(&SecretString::from(PASSWORD)).unwrap();
    provider.person(CAROL).phone(CELL).hash(old).create().await;
    let (carol, thief) = (provider.browser(), provider.browser());
    forget(&carol, CAROL).await;
    let form = prove(&provider, &carol).await;
    let page = thief.get("/sign-in").await;
    let before = provider.hashes_computed();
    let signer = thief.clone();
    let attempt = tokio::spawn(async move { signer.enter(&page, CAROL, PASSWORD).await });
    while provider.hashes_computed() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let reset = choose(&carol, &form, NEW).await;
    assert_eq!(reset.status, 303, "{}", reset.page_summary());
    let answer = attempt.await.unwrap();
    // Whichever came first, nothing of the old password is left.
    assert!(!thief.is_signed_in().await);
    if answer.status == 303 {
        let session =
            answer.cookies().into_iter().find(|cookie| cookie.name() == "anteroom_session").unwrap();
        thief.set_cookie(session.name(), session.value());
        assert!(!thief.is_signed_in().await);
    }
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 303);
}

async fn a_refresh_at_the_same_time_leaves_no_living_token(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let (desk, web) = (provider.signed_in(CAROL).await, provider.client("web"));
    let tokens = web.tokens(&desk, "openid offline_access").await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let form = prove(&provider, &carol).await;
    let refreshes = join_all((0..6).map(|_| web.refresh(tokens.refresh_token())));
    let (reset, refreshed) = tokio::join!(choose(&carol, &form, NEW), refreshes);
    assert_eq!(reset.status, 303, "{}", reset.page_summary());
    for answer in refreshed.iter().filter(|answer| answer.status == 200) {
        let json = answer.json();
        let token = |name: &str| json[name].as_str().unwrap().to_owned();
        assert_eq!(web.refresh(&token("refresh_token")).await.error(), "invalid_grant");
        assert_eq!(web.userinfo(&token("access_token")).await.status, 401);
    }
    assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
}

async fn of_two_resets_at_once_one_wins_and_the_other_is_told(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let mut ready = Vec::new();
    for password in [NEW, "maple-window-stone-77"] {
        provider.advance(jiff::SignedDuration::from_secs(1));
        let browser = provider.browser();
        forget(&browser, CAROL).await;
        let form = prove(&provider, &browser).await;
        ready.push((browser, form, password));
    }
    let attempts = ready.iter().map(|(browser, form, password)| choose(browser, form, password));
    let answers = join_all(attempts).await;
    let won = |answer: &TestResponse| answer.status == 303 && answer.location().path() == "/password-changed";
    assert_eq!(answers.iter().filter(|answer| won(answer)).count(), 1);
    for ((_, _, password), answer) in ready.iter().zip(&answers) {
        let status = provider.browser().sign_in(CAROL, password).await.status;
        assert_eq!(status, if won(answer) { 303 } else { 422 }, "{}", answer.page_summary());
    }
    assert_eq!(provider.audited("password_reset").await.len(), 1);
}

async fn a_step_up_and_a_sign_in_at_the_same_time_leave_both_tabs_signed_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    let old = provider.signed_in(CAROL).await;
    // Each tab has its own copy of the jar: whichever answer comes last, its cookie is the browser's.
    let (steps_up, signs_in) = (old.clone(), old.clone());
    let entry = send(&steps_up, &steps_up.get("/change-password").await).await;
    let code = digits(&provider).await;
    provider.advance(jiff::SignedDuration::from_mins(1));
    let page = provider.client("web").authorize(&signs_in, &[("prompt", "login")]).await;
    let keyring = &provider.provider.keyring;
    let slow = PasswordHasher::new(HashParams::new(128 * 1024, 8, 1).unwrap(), keyring, Random::system());
    let hash = slow.hash(&SecretString::from(PASSWORD)).unwrap().encode();
    backend.execute(&format!("UPDATE password_credentials SET hash = '{hash}'")).await;

    let before = provider.hashes_computed();
    let attempt = tokio::spawn(async move {
        let answer = signs_in.enter(&page, CAROL, PASSWORD).await;
        (signs_in, answer)
    });
    // The session was looked at by then, and is renewed once the password was verified.
    while provider.hashes_computed() == before && !attempt.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let stepped_up = steps_up.submit(&entry, "/verify/code", &[("code", &code)]).await;
    assert_eq!(stepped_up.location().path(), "/continue", "{}", stepped_up.page_summary());
    let (signs_in, answer) = attempt.await.unwrap();
    provider.client("web").code_in(&answer);
    assert!(steps_up.is_signed_in().await && signs_in.is_signed_in().await);
    assert_eq!(steps_up.cookie("anteroom_session"), signs_in.cookie("anteroom_session"));
    assert!(!old.is_signed_in().await);
}
