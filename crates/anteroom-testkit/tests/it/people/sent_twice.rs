//! A form that a browser sends twice, the second time with the cookies of before, as it does where a button is pressed twice.

use super::authenticator_apps::{App, FACTORS};
use super::*;
use anteroom_testkit::{Backend, PASSWORD, RelyingParty, Tokens, on_one_node_and_on_two};
use futures_util::future::join;
use jiff::SignedDuration;

on_one_node_and_on_two!(
    a_sign_in_that_is_sent_twice_is_one_session,
    a_sign_in_that_is_sent_twice_is_counted_once,
    a_secret_that_was_renewed_away_does_not_come_back_with_its_form,
    a_sign_in_again_that_is_sent_twice_is_one_session,
    a_sign_in_that_is_sent_twice_at_once_is_one_session,
    a_code_that_is_sent_twice_is_one_session,
    a_new_password_that_is_sent_twice_is_one_session,
    a_new_password_by_choice_that_is_sent_twice_stays_signed_in,
    an_old_cookie_is_worth_nothing_but_for_the_form_that_renewed_it_and_a_moment,
    a_page_that_is_found_again_begins_a_session_of_its_own,
    a_wrong_password_that_is_sent_twice_is_one,
    a_wrong_code_that_is_sent_twice_is_one,
    a_code_that_is_asked_for_twice_is_sent_once,
    an_app_whose_first_code_is_sent_twice_is_added,
    a_mail_that_is_asked_for_twice_by_one_form_is_one,
    an_invitation_that_is_asked_for_twice_by_one_form_is_one,
    a_wrong_code_of_a_mail_that_is_sent_twice_is_one_try,
    a_right_code_of_a_mail_that_is_sent_twice_proves_once,
    a_page_that_is_submitted_twice_is_one_row,
);

const AGE: SignedDuration = SignedDuration::from_hours(24 * 90);
const MFA: [(&str, &str); 1] =
    [("claims", r#"{"id_token":{"acr":{"essential":true,"values":["urn:anteroom:acr:mfa"]}}}"#)];

/// The browser drops the first answer with its cookies.
async fn twice(
    browser: &Browser,
    page: &TestResponse,
    action: &str,
    with: &[(&str, &str)],
) -> [TestResponse; 2] {
    let first = browser.clone().submit(page, action, with).await;
    [first, browser.submit(page, action, with).await]
}

async fn running(backend: &Backend) -> i64 {
    backend.count("SELECT COUNT(*) AS count FROM sessions WHERE ended_at IS NULL").await
}

/// The person who signs out at the browser has signed out of the application.
async fn sign_out_reaches(web: &RelyingParty, browser: &Browser, answer: &TestResponse) {
    let tokens = Tokens::of(&web.redeem(&web.code_in(answer)).await);
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 200);
    let dashboard = browser.get("/dashboard").await;
    assert_eq!(dashboard.status, 200, "{}", dashboard.page_summary());
    through(browser, &dashboard, "/sign-out", &[]).await;
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 401);
    assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
}

async fn with_carol(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    provider
}

async fn a_sign_in_that_is_sent_twice_is_one_session(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (web, carol) = (provider.client("web"), provider.browser());
    let page = web.authorize(&carol, &[]).await;
    let [first, second] = twice(&carol, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await;
    assert_eq!(web.code_in(&first), web.code_in(&second));
    assert_eq!(running(&backend).await, 1);
    assert_eq!(backend.rows().await["known_devices"], 1);
    sign_out_reaches(&web, &carol, &second).await;
    assert_eq!(running(&backend).await, 0);
}

async fn a_sign_in_that_is_sent_twice_is_counted_once(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.right_password.max", "1").start().await;
    let alice = provider.browser();
    let page = alice.get("/sign-in").await;
    for answer in twice(&alice, &page, "/sign-in", &[("email", crate::ALICE), ("password", PASSWORD)]).await {
        assert_eq!(answer.status, 303, "{}", answer.page_summary());
    }
    assert_eq!(provider.browser().sign_in(crate::ALICE, PASSWORD).await.status, 429);
}

async fn a_secret_that_was_renewed_away_does_not_come_back_with_its_form(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let page = carol.get("/sign-in").await;
    carol.enter(&page, CAROL, PASSWORD).await;
    let stolen = carol.clone();
    carol.sign_in(CAROL, PASSWORD).await;
    carol.submit(&carol.get("/dashboard").await, "/sign-out", &[]).await;
    provider.advance(SignedDuration::from_mins(2));
    assert_eq!(carol.enter(&page, CAROL, PASSWORD).await.status, 303);
    assert_eq!(carol.get("/dashboard").await.status, 200);
    assert_ne!(stolen.get("/dashboard").await.status, 200);
}

async fn a_sign_in_again_that_is_sent_twice_is_one_session(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (web, carol) = (provider.client("web"), provider.signed_in(CAROL).await);
    provider.advance(SignedDuration::from_mins(5));
    let page = web.authorize(&carol, &[("prompt", "login")]).await;
    let [_, second] = twice(&carol, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await;
    assert_eq!(running(&backend).await, 1);
    sign_out_reaches(&web, &carol, &second).await;
}

async fn a_sign_in_that_is_sent_twice_at_once_is_one_session(backend: Backend) {
    let provider = with_carol(&backend).await;
    for round in 1..=5 {
        let web = provider.client("web");
        let (one, other) = (provider.browser(), provider.browser());
        let page = web.authorize(&one, &[]).await;
        other.set_cookie("anteroom_session", &one.cookie("anteroom_session").unwrap());
        let entered = [("email", CAROL), ("password", PASSWORD)];
        let (first, second) =
            join(one.submit(&page, "/sign-in", &entered), other.submit(&page, "/sign-in", &entered)).await;
        assert_eq!((first.status, second.status), (303, 303), "{round}");
        assert_eq!(running(&backend).await, round);
        assert_eq!(one.cookie("anteroom_session"), other.cookie("anteroom_session"));
    }
}

async fn a_code_that_is_sent_twice_is_one_session(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (web, carol) = (provider.client("web"), provider.signed_in(CAROL).await);
    let page = send(&carol, &web.authorize(&carol, &MFA).await).await;
    let code = digits(&provider).await;
    let [first, second] = twice(&carol, &page, "/verify/code", &[("code", &code)]).await;
    assert_eq!(web.code_in(&first), web.code_in(&second));
    assert_eq!(running(&backend).await, 1);
    assert!(provider.audited("code_not_taken").await.is_empty());
    sign_out_reaches(&web, &carol, &second).await;
}

async fn at_the_new_password(provider: &TestProvider, carol: &Browser) -> TestResponse {
    let page = provider.client("web").authorize(carol, &[]).await;
    let shown = carol.follow(&carol.enter(&page, CAROL, PASSWORD).await).await;
    let entry = send(carol, &through(carol, &shown, "/expired-password", &[]).await).await;
    through(carol, &entry, "/verify/code", &[("code", &digits(provider).await)]).await
}

async fn a_new_password_that_is_sent_twice_is_one_session(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).phone(CELL).password_set(AGE).create().await;
    let (web, carol) = (provider.client("web"), provider.browser());
    let page = at_the_new_password(&provider, &carol).await;
    let entered = [("new_password", NEW), ("confirm_password", NEW)];
    let before = carol.clone();
    let [_, second] = twice(&carol, &page, "/new-password", &entered).await;
    assert_eq!(running(&backend).await, 1);
    // The form alone is no proof of the person.
    let guessed = [("new_password", "lemon-tide-harbor-93"), ("confirm_password", "lemon-tide-harbor-93")];
    before.submit(&page, "/new-password", &guessed).await;
    assert!(!before.is_signed_in().await);
    sign_out_reaches(&web, &carol, &second).await;
}

async fn a_new_password_by_choice_that_is_sent_twice_stays_signed_in(backend: Backend) {
    let provider = with_carol(&backend).await;
    provider.advance(SignedDuration::from_hours(25));
    let carol = provider.signed_in(CAROL).await;
    let page = send(&carol, &carol.get("/change-password").await).await;
    let page = through(&carol, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    let entered = [("new_password", NEW), ("confirm_password", NEW)];
    let [_, second] = twice(&carol, &page, "/new-password", &entered).await;
    assert_eq!(second.status, 303, "{}", second.page_summary());
    assert!(carol.is_signed_in().await);
    assert_eq!(running(&backend).await, 1);
}

async fn an_old_cookie_is_worth_nothing_but_for_the_form_that_renewed_it_and_a_moment(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (web, carol) = (provider.client("web"), provider.signed_in(CAROL).await);
    let page = send(&carol, &web.authorize(&carol, &MFA).await).await;
    let thief = carol.clone();
    let (late, code) = (carol.clone(), digits(&provider).await);
    // Another page of the same step, of the same session.
    let handle = page.form("/verify/code").fields["interaction"].clone();
    let other = thief.get(&format!("/continue?interaction={handle}")).await;
    let first = carol.submit(&page, "/verify/code", &[("code", &code)]).await;
    assert!(!web.code_in(&first).is_empty());
    let before = thief.cookie("anteroom_session");
    thief.submit(&other, "/verify/code", &[("code", &code)]).await;
    assert_eq!(thief.cookie("anteroom_session"), before);
    assert!(!thief.is_signed_in().await);
    provider.advance(SignedDuration::from_secs(31));
    late.submit(&page, "/verify/code", &[("code", &code)]).await;
    assert!(!late.is_signed_in().await);
    assert!(carol.is_signed_in().await);
}

async fn a_page_that_is_found_again_begins_a_session_of_its_own(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let page = carol.get("/sign-in").await;
    let mut secrets = std::collections::BTreeSet::new();
    for _ in 0..6 {
        assert_eq!(carol.enter(&page, CAROL, PASSWORD).await.status, 303);
        assert!(secrets.insert(carol.cookie("anteroom_session")));
        let dashboard = carol.get("/dashboard").await;
        assert_eq!(dashboard.status, 200, "{}", dashboard.page_summary());
        carol.submit(&dashboard, "/sign-out", &[]).await;
    }
    // A while later the form is another one, also where the session runs.
    carol.enter(&page, CAROL, PASSWORD).await;
    let known = carol.cookie("anteroom_session");
    provider.advance(SignedDuration::from_mins(1));
    let other = provider.browser();
    other.get("/sign-in").await;
    other.enter(&page, CAROL, PASSWORD).await;
    assert_ne!(other.cookie("anteroom_session"), known);
    assert_eq!(running(&backend).await, 2);
}

async fn failures(backend: &Backend) -> i64 {
    backend.count("SELECT SUM(unknown_failures) AS count FROM accounts").await
}

async fn a_wrong_password_that_is_sent_twice_is_one(backend: Backend) {
    let provider = with_carol(&backend).await;
    let unknown_browser = provider.browser();
    for count in 1..=3 {
        let page = unknown_browser.get("/sign-in").await;
        let [first, second] =
            twice(&unknown_browser, &page, "/sign-in", &[("email", CAROL), ("password", "wrong")]).await;
        assert_eq!((first.status, second.status), (422, 422));
        assert_eq!(failures(&backend).await, count);
    }
    // Another one in the same form is another guess, and so is the same after a while.
    let page = unknown_browser.get("/sign-in").await;
    for (password, count) in [("wrong", 4), ("wrong", 4), ("wronger", 5)] {
        unknown_browser.enter(&page, CAROL, password).await;
        assert_eq!(failures(&backend).await, count, "{password}");
    }
    provider.advance(SignedDuration::from_mins(1));
    unknown_browser.enter(&page, CAROL, "wronger").await;
    assert_eq!(failures(&backend).await, 6);
    assert_eq!(provider.audited("account_locked").await.len(), 1);
    let [locked, _] =
        twice(&unknown_browser, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await;
    assert_eq!(locked.status, 422);
}

async fn a_wrong_code_that_is_sent_twice_is_one(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.signed_in(CAROL).await;
    let page = send(&carol, &carol.get("/change-password").await).await;
    let wrong = other_than(&digits(&provider).await);
    let [first, second] = twice(&carol, &page, "/verify/code", &[("code", &wrong)]).await;
    assert_eq!(first.text_of("problem"), second.text_of("problem"));
    assert_eq!(backend.rows().await["code_attempts"], 1);
    let another = format!("{}{}", &wrong[..5], if wrong.ends_with('1') { '2' } else { '1' });
    carol.submit(&page, "/verify/code", &[("code", &another)]).await;
    assert_eq!(backend.rows().await["code_attempts"], 2);
    // The same digits against another code are another guess.
    provider.advance(SignedDuration::from_mins(1));
    through(&carol, &page, "/verify/send", &[]).await;
    carol.submit(&page, "/verify/code", &[("code", &wrong)]).await;
    assert_eq!(backend.rows().await["code_attempts"], 3);
}

async fn a_code_that_is_asked_for_twice_is_sent_once(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (web, carol) = (provider.client("web"), provider.signed_in(CAROL).await);
    let choice = web.authorize(&carol, &MFA).await;
    let way = ways(&choice).remove(0);
    let [first, second] = twice(&carol, &choice, "/verify/send", &[("method", &way)]).await;
    assert_eq!(first.location(), second.location());
    assert_eq!(backend.rows().await["one_time_codes"], 1);
    let entry = carol.follow(&second).await;
    let code = digits(&provider).await;
    web.code_in(&carol.submit(&entry, "/verify/code", &[("code", &code)]).await);
}

async fn an_app_whose_first_code_is_sent_twice_is_added(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).create().await;
    let carol = provider.signed_in(CAROL).await;
    let page = through(&carol, &carol.get(FACTORS).await, "/account/factors/add", &[]).await;
    let code = App::of_page(&page).shows(&provider, 0);
    let [first, second] = twice(&carol, &page, "/account/factors/confirm", &[("code", &code)]).await;
    assert_eq!(first.location(), second.location());
    assert_eq!(provider.audited("authenticator_app_added").await.len(), 1);
}

async fn a_mail_that_is_asked_for_twice_by_one_form_is_one(backend: Backend) {
    let provider = with_carol(&backend).await;
    for (address, sent) in [(CAROL, 1), ("nobody@practice.example", 0)] {
        let browser = provider.browser();
        let before = (backend.rows().await, provider.audited("recovery_asked").await.len());
        let mailed_before = mails(&provider, "recovery").await;
        let entered = [("email", address)];
        let page = browser.get("/forgot-password").await;
        let [first, second] = twice(&browser, &page, "/forgot-password", &entered).await;
        assert_eq!(first.location(), second.location());
        let rows = backend.rows().await;
        for table in ["links", "interactions"] {
            assert_eq!(rows[table] - before.0[table], 1, "{table} {address}");
        }
        assert_eq!(provider.audited("recovery_asked").await.len() - before.1, 1, "{address}");
        assert_eq!(mails(&provider, "recovery").await - mailed_before, sent, "{address}");
        // After a while it is another mail, in the same tab.
        provider.advance(SignedDuration::from_secs(31));
        let third = browser.submit(&page, "/forgot-password", &entered).await;
        assert_eq!((third.location(), backend.rows().await["links"]), (first.location(), rows["links"] + 1));
        if sent == 1 {
            let waiting = browser.follow(&third).await;
            let (_, code) = mailed(&provider).await;
            let proven = through(&browser, &waiting, "/recover/code", &[("code", &code)]).await;
            assert!(proven.has_form("/verify/send"), "{}", proven.page_summary());
        }
    }
}

async fn an_invitation_that_is_asked_for_twice_by_one_form_is_one(backend: Backend) {
    const ERIN: &str = "erin@practice.example";
    let provider = TestProvider::start(&backend).await;
    provider.person(ERIN).invited().create().await;
    for address in [ERIN, "nobody@practice.example"] {
        let (browser, before) = (provider.browser(), backend.rows().await["links"]);
        let asked = provider.audited("invitation_asked").await.len();
        let page = browser.get("/complete-registration").await;
        twice(&browser, &page, "/complete-registration", &[("email", address)]).await;
        assert_eq!(backend.rows().await["links"] - before, 1, "{address}");
        assert_eq!(provider.audited("invitation_asked").await.len() - asked, 1, "{address}");
        // Another address in the same form is another question.
        browser.submit(&page, "/complete-registration", &[("email", "else@practice.example")]).await;
        assert_eq!(backend.rows().await["links"] - before, 2, "{address}");
    }
}

async fn a_wrong_code_of_a_mail_that_is_sent_twice_is_one_try(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let page = forget(&carol, CAROL).await;
    let (_, code) = mailed(&provider).await;
    for round in 1..=9 {
        let wrong = format!("AAAAA-AAAA{round}");
        let [first, second] = twice(&carol, &page, "/recover/code", &[("code", &wrong)]).await;
        assert_eq!((first.status, second.status), (422, 422));
        let tries = backend.count("SELECT CAST(MAX(typed_tries) AS bigint) AS count FROM links").await;
        assert_eq!(tries, round, "{wrong}");
        let refused = provider.audited("link_refused").await.len();
        assert_eq!(i64::try_from(refused), Ok(round), "{wrong}");
    }
    assert!(through(&carol, &page, "/recover/code", &[("code", &code)]).await.has_form("/verify/send"));
}

async fn a_right_code_of_a_mail_that_is_sent_twice_proves_once(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let page = forget(&carol, CAROL).await;
    let (_, code) = mailed(&provider).await;
    let entered = [("code", code.as_str())];
    let before = backend.rows().await["interactions"];
    let [first, second] = twice(&carol, &page, "/recover/code", &entered).await;
    assert_eq!((first.status, second.status), (303, 303), "{}", second.page_summary());
    assert_eq!(first.location(), second.location());
    assert!(carol.follow(&second).await.has_form("/verify/send"));
    assert_eq!(backend.rows().await["interactions"] - before, 1);
    assert_eq!(provider.audited("link_pressed").await.len(), 1);
    assert!(provider.audited("link_refused").await.is_empty());
    // For that form, in its browser, and for a moment alone.
    let other = carol.get(page.asked.as_str()).await;
    assert_eq!(carol.submit(&other, "/recover/code", &entered).await.status, 422);
    provider.advance(SignedDuration::from_secs(31));
    assert_eq!(carol.submit(&page, "/recover/code", &entered).await.status, 422);
}

async fn a_page_that_is_submitted_twice_is_one_row(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (partner, carol) = (provider.client("partner"), provider.browser());
    // A sign-in whose next page is the consent page.
    let page = partner.authorize(&carol, &[]).await;
    let [first, second] = twice(&carol, &page, "/sign-in", &[("email", CAROL), ("password", PASSWORD)]).await;
    assert_eq!(first.location(), second.location());
    assert_eq!(backend.rows().await["interactions"], 1);
    // A choice among accounts, whose time is a later one each time.
    carol.sign_in(crate::ALICE, PASSWORD).await;
    let page = partner.authorize(&carol, &[("prompt", "select_account")]).await;
    let before = backend.rows().await["interactions"];
    let mut next = std::collections::BTreeSet::new();
    for _ in 0..3 {
        provider.advance(SignedDuration::from_secs(1));
        next.insert(carol.clone().submit(&page, "/choose-account", &[]).await.location().to_string());
    }
    assert_eq!((next.len(), backend.rows().await["interactions"] - before), (1, 1), "{next:?}");
}
