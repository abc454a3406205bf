//! A forgotten password, up to the pressed link and the application that waits.

use super::*;
use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::admin::{disable, enable};
use anteroom_testkit::{Backend, on_one_node_and_on_two};
use jiff::SignedDuration;
use reqwest::Method;

on_one_node_and_on_two!(
    every_address_has_the_same_page_status_and_cookies,
    opening_a_link_changes_nothing,
    a_link_pressed_without_cookies_says_so_and_still_works,
    strangers_who_keep_asking_cancel_nobodys_link_and_fill_no_mailbox,
    strangers_who_keep_asking_leave_the_owners_own_device_a_mail,
    what_was_asked_for_in_a_browser_that_lost_its_cookies_leads_on,
    the_page_says_how_long_the_mail_is_good,
    whoever_remembers_the_password_where_no_phone_helps_goes_on_to_the_application,
    sign_in_after_a_reset_says_so,
    sign_in_after_a_reset_is_for_the_account_that_was_reset,
    a_link_serves_the_browser_that_pressed_it_for_half_an_hour,
    the_typed_code_works_only_where_it_was_asked_for,
    a_link_of_before_a_disablement_opens_nothing,
    a_typed_code_has_ten_tries,
    the_application_waits_in_the_same_browser,
    the_application_waits_in_the_browser_that_began,
    the_page_of_a_recovery_says_nothing_in_another_browser,
    whoever_is_signed_in_can_reset_somebody_elses,
);

async fn with_carol(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    provider.person(CAROL).phone(CELL).create().await;
    provider
}

async fn every_address_has_the_same_page_status_and_cookies(backend: Backend) {
    let provider = with_carol(&backend).await;
    provider.person("erin@practice.example").invited().create().await;
    provider.person("fred@practice.example").disabled().create().await;
    provider.person("lola@practice.example").locked().create().await;
    let mut seen = Vec::new();
    for name in ["carol", "nobody", "erin", "fred", "lola"] {
        let (browser, before) = (provider.browser(), provider.audit().await.len());
        let page = browser.get("/forgot-password").await;
        let answer = browser
            .submit(&page, "/forgot-password", &[("email", &format!("{name}@practice.example"))])
            .await;
        let cookies: Vec<String> = answer.cookies().iter().map(|cookie| cookie.name().to_owned()).collect();
        let next = browser.follow(&answer).await;
        let written = provider.audit().await.len() - before;
        seen.push((answer.status, cookies, next.status, next.page_summary().replace(name, "NAME"), written));
    }
    for other in &seen {
        assert_eq!(*other, seen[0]);
    }
    assert_eq!(mails(&provider, "recovery").await, 2);
}

async fn opening_a_link_changes_nothing(backend: Backend) {
    let provider = with_carol(&backend).await;
    forget(&provider.browser(), CAROL).await;
    let (link, _) = mailed(&provider).await;
    let before = provider.audit().await.len();
    for _ in 0..3 {
        assert_eq!(provider.browser().get(&link).await.status, 200);
        assert_eq!(provider.browser().request(Method::HEAD, &link).await.status, 200);
    }
    assert_eq!(provider.audit().await.len(), before);
    assert!(follow_link(&provider, &provider.browser()).await.has_form("/verify/send"));
}

async fn strangers_who_keep_asking_cancel_nobodys_link_and_fill_no_mailbox(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    forget(&carol, CAROL).await;
    let (link, _) = mailed(&provider).await;
    for asked in 2..8 {
        forget(&provider.browser(), CAROL).await;
        assert_eq!(mails(&provider, "recovery").await, asked.min(5));
    }
    let page = carol.get(&link).await;
    assert!(through(&carol, &page, "/recover", &[]).await.has_form("/verify/send"));
}

async fn strangers_who_keep_asking_leave_the_owners_own_device_a_mail(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.signed_in(CAROL).await;
    for _ in 0..6 {
        forget(&provider.browser(), CAROL).await;
    }
    assert_eq!(mails(&provider, "recovery").await, 5);
    provider.advance(SignedDuration::from_secs(1));
    let page = forget(&carol, CAROL).await;
    assert_eq!(mails(&provider, "recovery").await, 6);
    let (_, code) = mailed(&provider).await;
    // One beside those of strangers, not one for each time she asks; and none for another person's device.
    forget(&carol, CAROL).await;
    forget(&provider.signed_in(crate::ALICE).await, CAROL).await;
    assert_eq!(mails(&provider, "recovery").await, 6);
    assert!(through(&carol, &page, "/recover/code", &[("code", &code)]).await.has_form("/verify/send"));
}

async fn what_was_asked_for_in_a_browser_that_lost_its_cookies_leads_on(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let asked = waiting(&provider, &carol).await;
    let (_, code) = mailed(&provider).await;
    carol.forget("anteroom_session");
    for answer in [
        carol.submit(&asked, "/recover/code", &[("code", &code)]).await,
        carol.submit(&asked, "/recover/code", &[("code", "")]).await,
        carol.get(asked.asked.as_str()).await,
    ] {
        assert_eq!(answer.status, 400, "{}", answer.page_summary());
        assert!(answer.text_of("error-not-asked-here").is_some(), "{}", answer.page_summary());
        // Another mail can be asked for, and the application still waits behind it.
        let link = answer.links().into_iter().find(|link| link.href.starts_with("/forgot-password")).unwrap();
        let page = carol.get(&link.href).await;
        assert!(page.body.contains("Web application"), "{}", page.page_summary());
    }
    let answer = carol.get("/forgot-password/sent").await;
    assert!(answer.text_of("error-not-asked-here").is_some(), "{}", answer.page_summary());
}

async fn the_page_says_how_long_the_mail_is_good(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.recovery.link_lifetime", "\"10m\"").start().await;
    let page = forget(&provider.browser(), CAROL).await;
    assert!(
        page.body.contains("for 10 minutes") && !page.body.contains("30 minutes"),
        "{}",
        page.page_summary()
    );
    assert!(page.body.contains("data-minutes=\"10\""), "{}", page.body);
}

async fn whoever_remembers_the_password_where_no_phone_helps_goes_on_to_the_application(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).create().await;
    let carol = provider.browser();
    waiting(&provider, &carol).await;
    let page = follow_link(&provider, &carol).await;
    assert_eq!(page.heading(), "There is no phone to send a code to");
    let back = page.links().into_iter().find(|link| link.text == "Back to sign-in").unwrap();
    let page = carol.get(&back.href).await;
    assert!(page.body.contains("Web application"), "{}", page.page_summary());
    let answer = carol.enter(&page, CAROL, anteroom_testkit::PASSWORD).await;
    provider.client("web").code_in(&answer);
}

async fn sign_in_after_a_reset_says_so(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let done = reset(&provider, &carol, CAROL, NEW).await;
    let continue_link = done.links().into_iter().find(|link| link.text == "Continue").unwrap();
    let page = carol.get(&continue_link.href).await;
    assert!(page.text_of("notice").unwrap().contains("Your password is changed"), "{}", page.page_summary());
}

/// Two people ask in one tab, one after the other.
async fn sign_in_after_a_reset_is_for_the_account_that_was_reset(backend: Backend) {
    let provider = with_carol(&backend).await;
    let shared = provider.browser();
    let page = provider.client("web").authorize(&shared, &[]).await;
    let link = page.links().into_iter().find(|link| link.href.contains("forgot-password")).unwrap();
    let page = shared.get(&link.href).await;
    let asked = through(&shared, &page, "/forgot-password", &[("email", CAROL)]).await;
    let (of_carol, _) = mailed(&provider).await;
    through(&shared, &asked, "/forgot-password", &[("email", crate::BOB)]).await;
    let page = through(&shared, &shared.get(&of_carol).await, "/recover", &[]).await;
    let page = send(&shared, &page).await;
    let page = through(&shared, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    let done = shared.follow(&choose(&shared, &page, NEW).await).await;
    let on = done.links().into_iter().find(|link| link.href.contains("/continue")).unwrap();
    let form = shared.get(&on.href).await;
    assert_eq!(form.form("/sign-in").fields["email"], CAROL, "{}", form.page_summary());
}

async fn a_link_serves_the_browser_that_pressed_it_for_half_an_hour(backend: Backend) {
    let provider = with_carol(&backend).await;
    forget(&provider.browser(), CAROL).await;
    let carol = provider.browser();
    for _ in 0..2 {
        assert!(follow_link(&provider, &carol).await.has_form("/verify/send"));
    }
    let (link, _) = mailed(&provider).await;
    let other = provider.browser();
    let page = other.get(&link).await;
    assert_eq!(other.submit(&page, "/recover", &[]).await.status, 410);
    provider.advance(SignedDuration::from_mins(30));
    let page = carol.get(&link).await;
    assert_eq!(carol.submit(&page, "/recover", &[]).await.status, 410);
}

async fn the_typed_code_works_only_where_it_was_asked_for(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let page = forget(&carol, CAROL).await;
    let (_, code) = mailed(&provider).await;
    let unknown_browser = provider.browser();
    let theirs = forget(&unknown_browser, "nobody@practice.example").await;
    let refused = unknown_browser.submit(&theirs, "/recover/code", &[("code", &code)]).await;
    assert_eq!(refused.status, 422, "{}", refused.page_summary());
    // The handle of her page is no help to another browser.
    let handle = &page.form("/recover/code").fields["interaction"];
    let entered = [("code", code.as_str()), ("interaction", handle.as_str())];
    let elsewhere = unknown_browser.submit(&theirs, "/recover/code", &entered).await;
    assert!(elsewhere.status >= 400, "{}", elsewhere.page_summary());
    let lower = code.to_lowercase();
    assert!(through(&carol, &page, "/recover/code", &[("code", &lower)]).await.has_form("/verify/send"));
    let again = carol.submit(&page, "/recover/code", &[("code", &code)]).await;
    assert_eq!(again.status, 422, "{}", again.page_summary());
}

async fn a_typed_code_has_ten_tries(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let page = forget(&carol, CAROL).await;
    let (_, code) = mailed(&provider).await;
    for digit in 0..10 {
        let wrong = format!("AAAAA-AAAA{digit}");
        assert_eq!(carol.submit(&page, "/recover/code", &[("code", &wrong)]).await.status, 422);
    }
    assert_eq!(carol.submit(&page, "/recover/code", &[("code", &code)]).await.status, 422);
    // Its link is as good as before, and no guess at a phone was spent.
    assert!(follow_link(&provider, &carol).await.has_form("/verify/send"));
    assert!(provider.audited("code_refused").await.is_empty());
}

/// An application's request, on the way to a forgotten password.
async fn waiting(provider: &TestProvider, browser: &Browser) -> TestResponse {
    let page = provider.client("web").authorize(browser, &[]).await;
    let link = page.links().into_iter().find(|link| link.href.starts_with("/forgot-password")).unwrap();
    let page = browser.get(&link.href).await;
    through(browser, &page, "/forgot-password", &[("email", CAROL)]).await
}

async fn may_go_on(browser: &Browser, asked: &TestResponse) -> bool {
    let handle = &asked.form("/recover/code").fields["interaction"];
    let answer = browser.get(&format!("/forgot-password/waiting?interaction={handle}")).await;
    answer.json()["go"].as_bool().unwrap()
}

async fn goes_on_to_the_application(provider: &TestProvider, browser: &Browser, handle: &str) {
    let page = browser.get(&format!("/continue?interaction={handle}")).await;
    let answer = browser.enter(&page, CAROL, NEW).await;
    provider.client("web").code_in(&answer);
}

async fn the_application_waits_in_the_same_browser(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    waiting(&provider, &carol).await;
    let page = prove(&provider, &carol).await;
    let answer = choose(&carol, &page, NEW).await;
    assert!(!carol.is_signed_in().await);
    let handle = answer.parameters()["interaction"].clone();
    goes_on_to_the_application(&provider, &carol, &handle).await;
}

async fn the_application_waits_in_the_browser_that_began(backend: Backend) {
    let provider = with_carol(&backend).await;
    let (desk, telephone) = (provider.browser(), provider.browser());
    let asked = waiting(&provider, &desk).await;
    assert!(!may_go_on(&desk, &asked).await);
    let page = prove(&provider, &telephone).await;
    assert!(!may_go_on(&desk, &asked).await);
    let done = choose(&telephone, &page, NEW).await;
    assert!(may_go_on(&desk, &asked).await);
    assert!(!may_go_on(&provider.browser(), &asked).await);
    let page = telephone.get(&format!("/continue?interaction={}", done.parameters()["interaction"])).await;
    assert_eq!(telephone.enter(&page, CAROL, NEW).await.location().path(), "/dashboard");
    let handle = asked.form("/recover/code").fields["interaction"].clone();
    goes_on_to_the_application(&provider, &desk, &handle).await;
}

async fn the_page_of_a_recovery_says_nothing_in_another_browser(backend: Backend) {
    let provider = with_carol(&backend).await;
    let carol = provider.browser();
    let asked = waiting(&provider, &carol).await;
    let elsewhere = provider.browser().get(asked.asked.as_str()).await;
    assert!(!elsewhere.body.contains(CAROL), "{}", elsewhere.page_summary());
}

async fn whoever_is_signed_in_can_reset_somebody_elses(backend: Backend) {
    let provider = with_carol(&backend).await;
    let shared = provider.signed_in(crate::ALICE).await;
    reset(&provider, &shared, CAROL, NEW).await;
    assert!(shared.get("/dashboard").await.body.contains("Alice"));
    assert_eq!(provider.browser().sign_in(CAROL, NEW).await.status, 303);
}

async fn a_link_pressed_without_cookies_says_so_and_still_works(backend: Backend) {
    let provider = with_carol(&backend).await;
    forget(&provider.browser(), CAROL).await;
    let link = mailed(&provider).await.0;
    let without = provider.browser();
    let page = without.get(&link).await;
    without.forget("anteroom_session");
    let refused = without.submit(&page, "/recover", &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.page_summary());
    assert_eq!(refused.heading(), "Your browser keeps no cookies");
    assert!(refused.links().iter().any(|again| again.href == link), "{}", refused.body);
    assert!(follow_link(&provider, &provider.browser()).await.has_form("/verify/send"));
}

async fn a_link_of_before_a_disablement_opens_nothing(backend: Backend) {
    let (provider, carol) = (with_carol(&backend).await, EmailAddress::parse(CAROL).unwrap());
    let browser = provider.browser();
    forget(&browser, CAROL).await;
    let page = browser.get(&mailed(&provider).await.0).await;
    disable(&provider.local(), &carol).await.unwrap();
    enable(&provider.local(), &carol).await.unwrap();
    assert_eq!(browser.submit(&page, "/recover", &[]).await.status, 410);
    // What is asked for afterwards serves.
    provider.advance(SignedDuration::from_secs(1));
    reset(&provider, &browser, CAROL, NEW).await;
}
