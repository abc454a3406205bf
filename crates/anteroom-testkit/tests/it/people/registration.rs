//! From an invitation to an account.

use super::*;
use anteroom_domain::account::Profile;
use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::admin::{Invitee, disable, enable, invite};
use anteroom_testkit::{Backend, on_one_node_and_on_two};
use jiff::SignedDuration;

on_one_node_and_on_two!(
    a_registration_left_half_way_goes_on_in_another_browser,
    a_registration_goes_on_elsewhere_only_behind_the_phone_that_was_verified,
    of_two_browsers_that_verify_a_phone_at_once_one_goes_on,
    a_phone_is_named_only_where_none_was_verified_at_the_same_time,
    an_invitation_sent_again_by_the_practice_begins_anew,
    an_invitation_ends_with_a_disablement,
    what_is_no_number_for_codes_is_refused,
    a_registration_whose_cookies_are_lost_leads_back_to_it,
    a_landline_gets_only_calls,
    an_invitation_asked_for_again_is_the_same_page_for_every_address,
);

pub(crate) const ERIN: &str = "erin@practice.example";

async fn invited(backend: &Backend) -> TestProvider {
    let provider = TestProvider::start(backend).await;
    invited_to(&provider).await;
    provider
}

/// Invites Erin.
pub(crate) async fn invited_to(provider: &TestProvider) {
    let invitee = Invitee {
        address: EmailAddress::parse(ERIN).unwrap(),
        profile: Profile::default(),
        groups: std::iter::empty().collect(),
        locale: None,
    };
    invite(&provider.local(), invitee).await.unwrap();
}

pub(crate) async fn invitation(provider: &TestProvider) -> String {
    let found = provider.outbox().await.into_iter().find_map(|message| match message.body {
        MessageBody::Email { mail: Mail::Invitation { link, .. }, .. } => Some(link),
        _ => None,
    });
    found.unwrap().replace(&provider.issuer, "")
}

/// Takes up the invitation: the page where phones are named.
pub(crate) async fn accept(provider: &TestProvider, browser: &Browser) -> TestResponse {
    let page = browser.get(&invitation(provider).await).await;
    through(browser, &page, "/register", &[]).await
}

async fn a_registration_left_half_way_goes_on_in_another_browser(backend: Backend) {
    let provider = invited(&backend).await;
    let (first, second) = (provider.browser(), provider.browser());
    let page = accept(&provider, &first).await;
    assert!(!page.has_form("/register/phones-done"), "{}", page.page_summary());
    let number = [("phone", "(202) 555-0143"), ("phone_kind", "cell")];
    let page = through(&first, &page, "/register/phone", &number).await;
    let page = send(&first, &page).await;
    let page = through(&first, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    assert!(page.has_form("/register/phones-done"), "{}", page.page_summary());
    // Without a password there is nothing to sign in with, nor to recover.
    assert_eq!(first.sign_in(ERIN, NEW).await.status, 422);
    forget(&provider.browser(), ERIN).await;
    assert_eq!(mails(&provider, "recovery").await, 0);

    let page = accept(&provider, &second).await;
    // So that the next code is newer than the first.
    provider.advance(SignedDuration::from_secs(1));
    let page = send(&second, &page).await;
    let page = through(&second, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    let page = through(&second, &page, "/register/phones-done", &[]).await;
    assert_eq!(choose(&second, &page, NEW).await.location().path(), "/dashboard");
    assert_eq!(mails(&provider, "registration_completed").await, 1, "word of it to the address");
    assert!(second.is_signed_in().await);
    let dead = provider.browser();
    let page = dead.get(&invitation(&provider).await).await;
    assert!(!page.has_form("/register"), "{}", page.page_summary());
    assert_eq!(provider.browser().sign_in(ERIN, NEW).await.status, 303);
}

/// Names a phone and verifies it: the page where further ones are named.
async fn with_phone(provider: &TestProvider, browser: &Browser, number: &str) -> TestResponse {
    let page = accept(provider, browser).await;
    let named = [("phone", number), ("phone_kind", "cell")];
    let page = through(browser, &page, "/register/phone", &named).await;
    let page = send(browser, &page).await;
    through(browser, &page, "/verify/code", &[("code", &digits(provider).await)]).await
}

async fn a_registration_goes_on_elsewhere_only_behind_the_phone_that_was_verified(backend: Backend) {
    let provider = invited(&backend).await;
    let (erin, unknown_browser) = (provider.browser(), provider.browser());
    // Opened before there was a phone, and sent afterwards.
    let early = accept(&provider, &unknown_browser).await;
    let phones = with_phone(&provider, &erin, "(202) 555-0143").await;
    let own = [("phone", "(202) 555-0166"), ("phone_kind", "cell")];
    let page = through(&unknown_browser, &early, "/register/phone", &own).await;
    assert!(
        ways(&page).len() == 2 && page.body.contains("••43") && !page.body.contains("••66"),
        "{}",
        page.page_summary()
    );
    assert_eq!(provider.audited("phone_added").await.len(), 1);
    // A stranger has read the mail.
    let page = accept(&provider, &unknown_browser).await;
    let forms = ["/register/phone", "/register/phone/another", "/register/phones-done", "/new-password"];
    let stands_there =
        |page: &TestResponse| page.has_form("/verify/send") && !forms.iter().any(|form| page.has_form(form));
    assert!(stands_there(&page), "{}", page.page_summary());
    provider.advance(SignedDuration::from_secs(1));
    let entry = send(&unknown_browser, &page).await;
    let wrong = other_than(&digits(&provider).await);
    assert_eq!(unknown_browser.submit(&entry, "/verify/code", &[("code", &wrong)]).await.status, 422);
    let handle = entry.form("/verify/code").fields["interaction"].clone();
    let page = unknown_browser.get(&format!("/continue?interaction={handle}&choose=1")).await;
    assert!(stands_there(&page), "{}", page.page_summary());
    // What a page of the other browser would send is of no use here.
    let fields = phones.form("/register/phones-done").fields.clone();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let copied = unknown_browser.post("/register/phones-done", &fields).await;
    assert!(copied.status >= 400, "{}", copied.page_summary());
    // The owner goes on where it was left.
    let page = through(&erin, &phones, "/register/phones-done", &[]).await;
    assert_eq!(choose(&erin, &page, NEW).await.location().path(), "/dashboard");
    assert_eq!(mails(&provider, "registration_completed").await, 1);
}

/// Names a phone, and has a code sent there: the page where it is entered, and the code.
async fn waiting_for_code(
    provider: &TestProvider,
    browser: &Browser,
    number: &str,
) -> (TestResponse, String) {
    let page = accept(provider, browser).await;
    let named = [("phone", number), ("phone_kind", "cell")];
    let page = through(browser, &page, "/register/phone", &named).await;
    // So that the next code is newer than the one before.
    provider.advance(SignedDuration::from_secs(1));
    let entry = send(browser, &page).await;
    (entry, digits(provider).await)
}

async fn of_two_browsers_that_verify_a_phone_at_once_one_goes_on(backend: Backend) {
    let provider = invited(&backend).await;
    for round in 0..4 {
        let (one, other) = (provider.browser(), provider.browser());
        let (at_one, its_code) = waiting_for_code(&provider, &one, "(202) 555-0143").await;
        let (at_other, other_code) = waiting_for_code(&provider, &other, "(202) 555-0166").await;
        let (its_code, other_code) = ([("code", its_code.as_str())], [("code", other_code.as_str())]);
        let (first, second) = tokio::join!(
            one.submit(&at_one, "/verify/code", &its_code),
            other.submit(&at_other, "/verify/code", &other_code)
        );
        // The later one is told at once, or led on, as it was read before or after the other was taken.
        let shown = async |browser: &Browser, answer: TestResponse| match answer.status {
            303 => browser.follow(&answer).await,
            _ => answer,
        };
        let (first, second) = (shown(&one, first).await, shown(&other, second).await);
        let goes_on = [&first, &second].map(|page| page.has_form("/register/phones-done"));
        assert_ne!(goes_on[0], goes_on[1], "{round}: {} {}", first.page_summary(), second.page_summary());
        let (stopped, verified) = if goes_on[0] { (second, "••43") } else { (first, "••66") };
        assert!(
            stopped.has_form("/verify/send") && stopped.body.contains(verified),
            "{}",
            stopped.page_summary()
        );
        assert_eq!(provider.audited("phone_verified").await.len(), round + 1);
        provider.advance(SignedDuration::from_mins(1));
        invited_to(&provider).await;
    }
    assert_eq!(provider.audited("phones_removed").await.len(), 4);
}

async fn a_phone_is_named_only_where_none_was_verified_at_the_same_time(backend: Backend) {
    let provider = invited(&backend).await;
    let (erin, unknown_browser) = (provider.browser(), provider.browser());
    let named = accept(&provider, &unknown_browser).await;
    let (entry, code) = waiting_for_code(&provider, &erin, "(202) 555-0143").await;
    let own = [("phone", "(202) 555-0166"), ("phone_kind", "cell")];
    let code = [("code", code.as_str())];
    let (_, answer) = tokio::join!(
        erin.submit(&entry, "/verify/code", &code),
        unknown_browser.submit(&named, "/register/phone", &own)
    );
    // Whichever was first, the stranger stands before a code to Erin's phone.
    unknown_browser.follow(&answer).await;
    let handle = named.form("/register/phone").fields["interaction"].clone();
    let page = unknown_browser.get(&format!("/continue?interaction={handle}")).await;
    assert!(page.has_form("/verify/send") && page.body.contains("••43"), "{}", page.page_summary());
    assert!(!page.body.contains("••66"), "{}", page.page_summary());
}

async fn an_invitation_ends_with_a_disablement(backend: Backend) {
    let provider = invited(&backend).await;
    let (unknown_browser, erin) = (provider.browser(), EmailAddress::parse(ERIN).unwrap());
    let old = invitation(&provider).await;
    with_phone(&provider, &unknown_browser, "(202) 555-0166").await;
    disable(&provider.local(), &erin).await.unwrap();
    enable(&provider.local(), &erin).await.unwrap();
    assert!(!provider.browser().get(&old).await.has_form("/register"));
    assert_eq!(provider.audited("phones_removed").await.len(), 1);
    provider.advance(SignedDuration::from_secs(1));
    invited_to(&provider).await;
    let page = accept(&provider, &provider.browser()).await;
    assert!(page.has_form("/register/phone") && !page.body.contains("••66"), "{}", page.page_summary());
}

async fn an_invitation_sent_again_by_the_practice_begins_anew(backend: Backend) {
    let provider = invited(&backend).await;
    let (unknown_browser, erin) = (provider.browser(), provider.browser());
    let old = invitation(&provider).await;
    let phones = with_phone(&provider, &unknown_browser, "(202) 555-0166").await;
    provider.advance(SignedDuration::from_secs(1));
    invited_to(&provider).await;
    let page = accept(&provider, &erin).await;
    assert!(page.has_form("/register/phone") && !page.body.contains("••66"), "{}", page.page_summary());
    assert!(!page.has_form("/register/phones-done"), "{}", page.page_summary());
    // Neither the earlier mail nor what was proven behind it counts any more.
    assert!(!provider.browser().get(&old).await.has_form("/register"));
    let late = unknown_browser.submit(&phones, "/register/phones-done", &[]).await;
    assert!(late.status >= 400, "{}", late.page_summary());
}

async fn what_is_no_number_for_codes_is_refused(backend: Backend) {
    let provider = invited(&backend).await;
    let erin = provider.browser();
    let page = accept(&provider, &erin).await;
    for (phone, kind) in [
        ("202-555-0199 ext 3", "cell"),
        ("", "cell"),
        ("(202) 555-0199", ""),
        ("12", "cell"),
        ("+44 20 7946 0958", "cell"),
        ("+1 900 555 0199", "cell"),
    ] {
        let answer = erin.submit(&page, "/register/phone", &[("phone", phone), ("phone_kind", kind)]).await;
        assert_eq!(answer.status, 422, "{phone}: {}", answer.page_summary());
    }
    assert!(provider.audited("phone_added").await.is_empty());
    // The password is not reached without a phone.
    let handle = page.form("/register/phone").fields["interaction"].clone();
    let skipped = erin.get(&format!("/continue?interaction={handle}")).await;
    assert!(
        !skipped.has_form("/new-password") && skipped.has_form("/register/phone"),
        "{}",
        skipped.page_summary()
    );
}

async fn a_registration_whose_cookies_are_lost_leads_back_to_it(backend: Backend) {
    let provider = invited(&backend).await;
    let erin = provider.browser();
    let page = accept(&provider, &erin).await;
    let number = [("phone", "(202) 555-0143"), ("phone_kind", "cell")];
    let choice = through(&erin, &page, "/register/phone", &number).await;
    erin.forget("anteroom_session");
    for answer in [
        erin.submit(&page, "/register/phone", &number).await,
        erin.submit(&choice, "/register/phone/another", &[]).await,
    ] {
        assert_eq!(answer.status, 400, "{}", answer.page_summary());
        assert!(answer.text_of("error-registration-interrupted").is_some(), "{}", answer.page_summary());
        assert!(
            answer.links().iter().any(|link| link.href == "/complete-registration"),
            "{}",
            answer.page_summary()
        );
    }
    let page = accept(&provider, &erin).await;
    assert!(page.body.contains("43"), "{}", page.page_summary());
}

async fn a_landline_gets_only_calls(backend: Backend) {
    let provider = invited(&backend).await;
    let erin = provider.browser();
    let page = accept(&provider, &erin).await;
    let number = [("phone", "(202) 555-0186"), ("phone_kind", "landline")];
    let page = through(&erin, &page, "/register/phone", &number).await;
    let offered = ways(&page);
    assert!(offered.len() == 1 && offered[0].starts_with("call:"), "{offered:?}");
    let text = offered[0].replace("call:", "text:");
    assert_eq!(erin.submit(&page, "/verify/send", &[("method", &text)]).await.status, 422);
}

async fn an_invitation_asked_for_again_is_the_same_page_for_every_address(backend: Backend) {
    let provider = invited(&backend).await;
    let before = mails(&provider, "invitation").await;
    provider.advance(SignedDuration::from_secs(1));
    let mut seen = Vec::new();
    for name in ["erin", "nobody", "alice"] {
        let browser = provider.browser();
        let page = browser.get("/complete-registration").await;
        let address = format!("{name}@practice.example");
        let answer = browser.submit(&page, "/complete-registration", &[("email", &address)]).await;
        seen.push((answer.status, answer.cookies().len(), answer.page_summary().replace(name, "NAME")));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(mails(&provider, "invitation").await, before + 1);
}
