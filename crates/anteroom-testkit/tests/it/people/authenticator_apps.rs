//! Authenticator apps: added, asked for at a step-up, and taken off.

use super::*;
use anteroom_domain::account::PhoneKind;
use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::support::add_phone;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;
use totp_rs::{Secret, Totp};

on_both_databases!(
    an_app_is_added_behind_a_phone_and_steps_up_at_once,
    rfc6238_5_2_a_code_is_taken_once_and_one_step_of_drift_is,
    an_app_added_by_a_password_alone_waits,
    a_reset_takes_off_what_does_not_serve_yet,
    a_password_alone_neither_adds_nor_removes_an_app_where_one_serves,
    a_password_alone_is_not_replaced_where_an_app_serves,
    the_last_app_that_serves_is_not_removed,
    of_two_apps_that_are_removed_at_once_one_stays,
    a_lost_app_is_removed_behind_a_phone,
    what_was_not_confirmed_counts_for_nothing_and_ends,
    wrong_codes_share_the_budget_of_step_up,
    an_app_is_another_way_where_one_phone_takes_calls_alone,
    an_app_is_nobody_elses,
    a_password_alone_does_not_see_the_key_of_an_app_that_is_added,
    an_app_that_was_begun_does_not_wait_for_the_next_person,
);

pub(super) const FACTORS: &str = "/account/factors";
const MFA: [(&str, &str); 1] =
    [("claims", r#"{"id_token":{"acr":{"essential":true,"value":"urn:anteroom:acr:mfa"}}}"#)];

async fn with_carol(backend: &Backend, phone: bool) -> (TestProvider, Browser) {
    let provider = TestProvider::on(backend).start().await;
    let person = provider.person(CAROL);
    if phone { person.phone(CELL) } else { person }.create().await;
    let browser = provider.signed_in(CAROL).await;
    (provider, browser)
}

/// The list of apps, after the code that comes before it where a phone can take one.
async fn apps(provider: &TestProvider, browser: &Browser) -> TestResponse {
    let page = browser.get(FACTORS).await;
    if !page.has_form("/verify/send") {
        return page;
    }
    let page = send(browser, &page).await;
    through(browser, &page, "/verify/code", &[("code", &digits(provider).await)]).await
}

/// An app into which the key was typed as the page shows it.
pub(super) struct App(Totp);

impl App {
    pub(super) fn of_page(page: &TestResponse) -> Self {
        let typed = page.text_of("secret").unwrap().replace(' ', "");
        Self(totp_rs::Builder::new().with_secret(Secret::try_from_base32(&typed).unwrap()).build().unwrap())
    }

    /// What it shows so many half minutes from now.
    pub(super) fn shows(&self, provider: &TestProvider, steps: i64) -> String {
        let at = provider.now() + SignedDuration::from_secs(30 * steps);
        self.0.generate(at.as_second().try_into().unwrap()).to_string()
    }
}

async fn add(provider: &TestProvider, browser: &Browser) -> App {
    let list = apps(provider, browser).await;
    let page = through(browser, &list, "/account/factors/add", &[]).await;
    let app = App::of_page(&page);
    let code = app.shows(provider, 0);
    let list = through(browser, &page, "/account/factors/confirm", &[("code", &code)]).await;
    assert!(list.text_of("notice").is_some(), "{}", list.page_summary());
    app
}

async fn an_app_is_added_behind_a_phone_and_steps_up_at_once(backend: Backend) {
    let (provider, carol) = with_carol(&backend, true).await;
    assert!(carol.get(FACTORS).await.has_form("/verify/send"), "a password alone does not open it");
    let app = add(&provider, &carol).await;
    assert_eq!(mails(&provider, "authenticator_app").await, 1);
    provider.advance(SignedDuration::from_secs(60));

    let elsewhere = provider.signed_in(CAROL).await;
    let client = provider.client("web");
    let page = client.authorize(&elsewhere, &MFA).await;
    assert!(page.body.contains("value=\"totp\""), "{}", page.page_summary());
    let page = through(&elsewhere, &page, "/verify/send", &[("method", "totp")]).await;
    let code = app.shows(&provider, 0);
    let answer = elsewhere.submit(&page, "/verify/code", &[("code", &code)]).await;
    let tokens = client.redeem(&client.code_in(&answer)).await;
    let claims = client.verified(tokens.json()["id_token"].as_str().unwrap()).await;
    assert_eq!(claims.claims["acr"], "urn:anteroom:acr:mfa");
    assert_eq!(claims.claims["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
}

async fn rfc6238_5_2_a_code_is_taken_once_and_one_step_of_drift_is(backend: Backend) {
    let (provider, carol) = with_carol(&backend, true).await;
    let app = add(&provider, &carol).await;
    let client = provider.client("web");
    // What confirmed it is spent; the step after it counts already, two steps ahead do not.
    for (steps, status) in [(0, 422), (2, 422), (1, 303), (1, 422), (0, 422)] {
        let elsewhere = provider.signed_in(CAROL).await;
        let page = client.authorize(&elsewhere, &MFA).await;
        let page = through(&elsewhere, &page, "/verify/send", &[("method", "totp")]).await;
        let answer = elsewhere.submit(&page, "/verify/code", &[("code", &app.shows(&provider, steps))]).await;
        assert_eq!(answer.status, status, "{steps} steps ahead: {}", answer.page_summary());
    }
    assert_eq!(provider.audited("code_refused").await.len(), 1, "only what is no code is counted");
}

async fn an_app_added_by_a_password_alone_waits(backend: Backend) {
    let (provider, carol) = with_carol(&backend, false).await;
    let list = carol.get(FACTORS).await;
    assert!(list.has_form("/account/factors/add"), "{}", list.page_summary());
    add(&provider, &carol).await;
    let client = provider.client("web");
    let page = client.authorize(&carol, &MFA).await;
    assert!(!page.has_form("/verify/code") && !page.has_form("/verify/send"), "{}", page.page_summary());
    provider.advance(SignedDuration::from_hours(72));
    let later = provider.signed_in(CAROL).await;
    let page = client.authorize(&later, &MFA).await;
    assert!(page.has_form("/verify/code"), "the only way there is: {}", page.page_summary());
}

async fn a_reset_takes_off_what_does_not_serve_yet(backend: Backend) {
    let (provider, carol) = with_carol(&backend, false).await;
    let address = EmailAddress::parse(CAROL).unwrap();
    add_phone(&provider.local(), &address, CELL, PhoneKind::Cell).await.unwrap();
    // A phone is on its way to the account; a thief who knows the password is quicker by an hour, and waits behind it.
    provider.advance(SignedDuration::from_hours(71));
    let thief = provider.signed_in(CAROL).await;
    add(&provider, &thief).await;
    provider.advance(SignedDuration::from_hours(2));
    // Another number is on its way by then, that an operator was talked into.
    add_phone(&provider.local(), &address, "+12025550166", PhoneKind::Cell).await.unwrap();
    let notices = mails(&provider, "authenticator_app").await;
    reset(&provider, &carol, CAROL, NEW).await;
    let [phones, apps_gone] =
        ["phones_removed", "authenticator_app_removed"].map(|kind| provider.audited(kind));
    let (phones, apps_gone) = (phones.await, apps_gone.await);
    assert!(
        phones.len() == 1 && phones[0].detail.contains("66") && phones[0].detail.contains("reset"),
        "{phones:?}"
    );
    assert_eq!((apps_gone.len(), mails(&provider, "authenticator_app").await), (1, notices + 1));
    // So that the next code is newer than that of the reset.
    provider.advance(SignedDuration::from_secs(1));
    let page = carol.get("/sign-in").await;
    through(&carol, &page, "/sign-in", &[("email", CAROL), ("password", NEW)]).await;
    assert_eq!(listed(&apps(&provider, &carol).await), 0);
}

/// Without a phone, and with an app whose wait is over.
async fn with_an_app(backend: &Backend) -> (TestProvider, App) {
    let (provider, carol) = Box::pin(with_carol(backend, false)).await;
    let app = Box::pin(add(&provider, &carol)).await;
    provider.advance(SignedDuration::from_hours(73));
    (provider, app)
}

/// The list behind a code of the app.
async fn behind(provider: &TestProvider, app: &App, browser: &Browser) -> TestResponse {
    let page = browser.get(FACTORS).await;
    through(browser, &page, "/verify/code", &[("code", &app.shows(provider, 0))]).await
}

async fn a_password_alone_neither_adds_nor_removes_an_app_where_one_serves(backend: Backend) {
    let (provider, app) = with_an_app(&backend).await;
    let thief = provider.signed_in(CAROL).await;
    let page = thief.get(FACTORS).await;
    let open = |page: &TestResponse| {
        page.has_form("/account/factors/add") || page.has_form("/account/factors/remove")
    };
    assert!(page.has_form("/verify/code") && !open(&page), "{}", page.page_summary());
    let wrong = other_than(&app.shows(&provider, 0));
    assert_eq!(thief.submit(&page, "/verify/code", &[("code", &wrong)]).await.status, 422);
    assert!(!open(&thief.get(FACTORS).await));
    // The owner, who has it, adds another, and that one serves at once.
    let carol = provider.signed_in(CAROL).await;
    behind(&provider, &app, &carol).await;
    add(&provider, &carol).await;
    let added = provider.audited("authenticator_app_added").await;
    assert!(added.iter().any(|entry| entry.detail.contains("\"serves_at_once\":true")), "{added:?}");
}

async fn a_password_alone_is_not_replaced_where_an_app_serves(backend: Backend) {
    let (provider, app) = with_an_app(&backend).await;
    let browser = provider.signed_in(CAROL).await;
    let page = browser.get("/change-password").await;
    assert!(page.has_form("/verify/code") && !page.has_form("/new-password"), "{}", page.page_summary());
    let page = through(&browser, &page, "/verify/code", &[("code", &app.shows(&provider, 0))]).await;
    assert_eq!(choose(&browser, &page, NEW).await.status, 303);
}

async fn the_last_app_that_serves_is_not_removed(backend: Backend) {
    let (provider, app) = with_an_app(&backend).await;
    let theirs = {
        let account = EmailAddress::parse(CAROL).unwrap();
        let account =
            provider.provider.store.account_by_address(&account.folded()).await.unwrap().unwrap().id;
        provider.provider.store.apps_of(account).await.unwrap().remove(0).id.to_string()
    };
    let carol = provider.signed_in(CAROL).await;
    let list = behind(&provider, &app, &carol).await;
    assert!(list.has_form("/account/factors/add") && listed(&list) == 0, "{}", list.page_summary());
    let token = list.form("/account/factors/add").fields["form_token"].clone();
    let fields = [("form_token", token.as_str()), ("factor", theirs.as_str())];
    assert_eq!(carol.post("/account/factors/remove", &fields).await.location().path(), FACTORS);
    assert!(provider.audited("authenticator_app_removed").await.is_empty());
    // Another one that serves makes room.
    add(&provider, &carol).await;
    let list = carol.get(FACTORS).await;
    assert_eq!(listed(&list), 2);
    let list = through(&carol, &list, "/account/factors/remove", &[]).await;
    assert_eq!(listed(&list), 0, "the other is now the last: {}", list.page_summary());
    assert_eq!(mails(&provider, "authenticator_app").await, 3);
    assert_eq!(provider.audited("authenticator_app_removed").await.len(), 1);
}

async fn of_two_apps_that_are_removed_at_once_one_stays(backend: Backend) {
    let (provider, app) = with_an_app(&backend).await;
    let carol = provider.signed_in(CAROL).await;
    behind(&provider, &app, &carol).await;
    add(&provider, &carol).await;
    let list = carol.get(FACTORS).await;
    let token = list.form("/account/factors/remove").fields["form_token"].clone();
    let account = EmailAddress::parse(CAROL).unwrap();
    let account = provider.provider.store.account_by_address(&account.folded()).await.unwrap().unwrap().id;
    let ids: Vec<String> = provider
        .provider
        .store
        .apps_of(account)
        .await
        .unwrap()
        .iter()
        .map(|app| app.id.to_string())
        .collect();
    let removals = ids.iter().map(|id| {
        let fields = [("form_token", token.clone()), ("factor", id.clone())];
        let carol = &carol;
        async move {
            let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
            carol.post("/account/factors/remove", &fields).await
        }
    });
    for answer in join_all(removals).await {
        assert_eq!(answer.status, 303, "{}", answer.page_summary());
    }
    assert_eq!(provider.audited("authenticator_app_removed").await.len(), 1);
}

async fn a_lost_app_is_removed_behind_a_phone(backend: Backend) {
    let (provider, _lost) = with_an_app(&backend).await;
    let address = EmailAddress::parse(CAROL).unwrap();
    add_phone(&provider.local(), &address, CELL, PhoneKind::Cell).await.unwrap();
    provider.advance(SignedDuration::from_hours(73));
    let carol = provider.signed_in(CAROL).await;
    let page = carol.get(FACTORS).await;
    let change = page.links().into_iter().find(|link| link.href.contains("choose=1"));
    let page = match change {
        Some(change) => carol.get(&change.href).await,
        None => page,
    };
    let page = send(&carol, &page).await;
    let list = through(&carol, &page, "/verify/code", &[("code", &digits(&provider).await)]).await;
    assert_eq!(listed(&list), 1);
    let list = through(&carol, &list, "/account/factors/remove", &[]).await;
    assert_eq!(listed(&list), 0);
    assert_eq!(provider.audited("authenticator_app_removed").await.len(), 1);
}

fn listed(page: &TestResponse) -> usize {
    page.body.matches("action=\"/account/factors/remove\"").count()
}

async fn what_was_not_confirmed_counts_for_nothing_and_ends(backend: Backend) {
    let (provider, carol) = with_carol(&backend, false).await;
    let list = carol.get(FACTORS).await;
    let page = through(&carol, &list, "/account/factors/add", &[]).await;
    let app = App::of_page(&page);
    let wrong = other_than(&app.shows(&provider, 0));
    for code in ["", &wrong] {
        let again = carol.submit(&page, "/account/factors/confirm", &[("code", code)]).await;
        assert_eq!(again.status, 422);
        assert_eq!(again.text_of("secret"), page.text_of("secret"), "the same key");
    }
    assert_eq!(listed(&carol.get(FACTORS).await), 0);
    provider.advance(SignedDuration::from_mins(15));
    carol.sign_in(CAROL, PASSWORD).await;
    let code = app.shows(&provider, 0);
    let late = carol.submit(&page, "/account/factors/confirm", &[("code", &code)]).await;
    assert_eq!((late.status, listed(&late)), (422, 0), "{}", late.page_summary());
}

async fn wrong_codes_share_the_budget_of_step_up(backend: Backend) {
    let (provider, carol) = with_carol(&backend, true).await;
    let app = add(&provider, &carol).await;
    provider.advance(SignedDuration::from_secs(60));
    let elsewhere = provider.signed_in(CAROL).await;
    let page = provider.client("web").authorize(&elsewhere, &MFA).await;
    let page = through(&elsewhere, &page, "/verify/send", &[("method", "totp")]).await;
    let right = app.shows(&provider, 0);
    let mut statuses = Vec::new();
    for code in others_than(&right).take(5).chain([right.clone()]) {
        statuses.push(elsewhere.submit(&page, "/verify/code", &[("code", &code)]).await.status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 429, 429]);
}

async fn an_app_is_another_way_where_one_phone_takes_calls_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person(CAROL).landline(CELL).create().await;
    let carol = provider.signed_in(CAROL).await;
    let app = add(&provider, &carol).await;
    provider.advance(SignedDuration::from_secs(60));
    let elsewhere = provider.signed_in(CAROL).await;
    let page = provider.client("web").authorize(&elsewhere, &MFA).await;
    let page = send(&elsewhere, &page).await;
    let change = page.links().into_iter().find(|link| link.href.contains("choose=1")).unwrap();
    let page = elsewhere.get(&change.href).await;
    let page = through(&elsewhere, &page, "/verify/send", &[("method", "totp")]).await;
    let code = app.shows(&provider, 0);
    assert_eq!(elsewhere.submit(&page, "/verify/code", &[("code", &code)]).await.status, 303);
}

async fn an_app_is_nobody_elses(backend: Backend) {
    let (provider, carol) = with_carol(&backend, false).await;
    provider.person("dave@practice.example").create().await;
    let dave = provider.signed_in("dave@practice.example").await;
    let list = carol.get(FACTORS).await;
    let begun = carol.submit(&list, "/account/factors/add", &[]).await;
    let address = begun.location().path().to_owned();
    assert_eq!(dave.get(&address).await.status, 303);
    assert_eq!(dave.get(&format!("{address}/qr.svg")).await.status, 404);
    let picture = carol.get(&format!("{address}/qr.svg")).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/svg+xml")));
    add(&provider, &carol).await;
    let theirs = carol.get(FACTORS).await.form("/account/factors/remove").fields["factor"].clone();
    let list = dave.get(FACTORS).await;
    let token = &list.form("/account/factors/add").fields["form_token"];
    let fields = [("form_token", token.as_str()), ("factor", theirs.as_str())];
    dave.post("/account/factors/remove", &fields).await;
    assert_eq!(listed(&carol.get(FACTORS).await), 1);
    assert_eq!(provider.browser().get(FACTORS).await.form("/sign-in").action, "/sign-in");
}

async fn a_password_alone_does_not_see_the_key_of_an_app_that_is_added(backend: Backend) {
    let (provider, carol) = with_carol(&backend, true).await;
    let list = apps(&provider, &carol).await;
    let begun = carol.submit(&list, "/account/factors/add", &[]).await;
    let address = begun.location().path().to_owned();
    let page = carol.follow(&begun).await;
    let thief = provider.signed_in(CAROL).await;
    let sent_away = thief.get(&address).await;
    assert_eq!((sent_away.status, sent_away.location().path()), (303, FACTORS));
    assert_eq!(thief.get(&format!("{address}/qr.svg")).await.status, 404);
    let code = App::of_page(&page).shows(&provider, 0);
    assert_eq!(carol.get(&format!("{address}/qr.svg")).await.status, 200);
    through(&carol, &page, "/account/factors/confirm", &[("code", &code)]).await;
}

/// Another person signs in at the same browser, and back to the first one within the time that asks for no password.
async fn an_app_that_was_begun_does_not_wait_for_the_next_person(backend: Backend) {
    let (provider, carol) = with_carol(&backend, true).await;
    let list = apps(&provider, &carol).await;
    let answer = carol.submit(&list, "/account/factors/add", &[]).await;
    let from_history = answer.header("location").unwrap().to_owned();
    let page = carol.follow(&answer).await;
    let code = App::of_page(&page).shows(&provider, 0);
    provider.advance(SignedDuration::from_secs(1));
    assert_eq!(carol.sign_in(crate::BOB, PASSWORD).await.status, 303);
    let choice = carol.get("/choose-account").await;
    let form = choice.form("/choose-account");
    let button = form.buttons.iter().find(|button| button.text.contains(CAROL)).unwrap();
    let handle = button.value.clone();
    assert_eq!(carol.submit(&choice, "/choose-account", &[("account", &handle)]).await.status, 303);
    assert!(carol.get("/dashboard").await.body.contains(CAROL));
    assert!(carol.get(&from_history).await.text_of("secret").is_none());
    let refused = carol.submit(&page, "/account/factors/confirm", &[("code", &code)]).await;
    assert!(provider.audited("authenticator_app_added").await.is_empty(), "{}", refused.page_summary());
}
