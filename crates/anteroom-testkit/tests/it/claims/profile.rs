//! The standard claims (OpenID Connect Core §5.1), from the page where people say them and the shell to applications.

use crate::{ALICE, BOB};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::profile::{ClaimChange, ProfileClaim};
use anteroom_flows::people::profile::set_claims;
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, TestResponse, on_both_databases};
use jiff::SignedDuration;
use serde_json::{Value, json};

on_both_databases!(
    core_5_1_what_people_say_of_themselves_reaches_applications,
    core_5_1_what_cannot_be_used_is_said_and_nothing_is_saved,
    core_5_1_an_operator_says_the_rest,
    core_5_5_single_claims_by_name_and_claims_locales_is_no_error,
    a_form_changes_the_account_it_was_shown_for,
    what_is_left_out_of_the_form_stays,
    the_trail_says_which_claims_and_not_what,
);

const PAGE: &str = "/account/profile";
const EVERYTHING: &str = "openid profile email address phone groups";

async fn save(browser: &Browser, entered: &[(&str, &str)]) -> TestResponse {
    let page = browser.get(PAGE).await;
    assert_eq!(page.status, 200, "{}", page.page_summary());
    browser.submit(&page, PAGE, entered).await
}

async fn userinfo(provider: &TestProvider, browser: &Browser, scope: &str) -> Value {
    let web = provider.client("web");
    let tokens = web.tokens(browser, scope).await;
    web.userinfo(&tokens.access_token).await.json()
}

async fn core_5_1_what_people_say_of_themselves_reaches_applications(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_secs(90));
    let said = [
        ("middle_name", " María "),
        ("nickname", "Al"),
        ("gender", "female"),
        ("birthdate", "0000-05-17"),
        ("zoneinfo", "America/New_York"),
        ("locale", "es"),
        ("website", "https://alice.example/"),
        ("picture", "https://alice.example/me.png"),
        ("profile", "https://alice.example/about"),
        ("street_address", "1 Main St\r\nSuite 2"),
        ("region", "IL"),
        ("postal_code", "62701"),
        ("formatted", "1 Main St\r\nSpringfield"),
    ];
    let answer = save(&browser, &said).await;
    assert_eq!((answer.status, answer.location().query()), (303, Some("saved")), "{}", answer.page_summary());
    assert!(browser.follow(&answer).await.text_of("notice").is_some());
    let info = userinfo(&provider, &browser, EVERYTHING).await;
    for (name, expected) in [
        ("name", json!("Alice Example")),
        ("middle_name", json!("María")),
        ("nickname", json!("Al")),
        ("gender", json!("female")),
        ("birthdate", json!("0000-05-17")),
        ("zoneinfo", json!("America/New_York")),
        ("locale", json!("es")),
        ("website", json!("https://alice.example/")),
        ("picture", json!("https://alice.example/me.png")),
        ("profile", json!("https://alice.example/about")),
        ("updated_at", json!(provider.now().as_second())),
        (
            "address",
            json!({ "formatted": "1 Main St\nSpringfield", "street_address": "1 Main St\nSuite 2",
                "locality": "Springfield", "region": "IL", "postal_code": "62701", "country": "US" }),
        ),
    ] {
        assert_eq!(info[name], expected, "{name}");
    }
    let page = browser.get(PAGE).await;
    assert_eq!(page.form(PAGE).fields["birthdate"], "0000-05-17");
    assert_eq!(page.form(PAGE).fields["locale"], "es");
    // What is emptied is gone, without a trace.
    save(&browser, &said.map(|(name, _)| (name, ""))).await;
    let info = userinfo(&provider, &browser, EVERYTHING).await;
    assert_eq!(info["address"], json!({ "locality": "Springfield", "country": "US" }));
    assert!(said.iter().all(|(name, _)| info.get(name).is_none()), "{info}");
    assert!(!info.to_string().contains("null") && !info.to_string().contains("\"\""));
}

async fn core_5_1_what_cannot_be_used_is_said_and_nothing_is_saved(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let long = "x".repeat(300);
    for (name, value) in [
        ("birthdate", "17 May 1984"),
        ("birthdate", "2999-01-01"),
        ("zoneinfo", "Springfield"),
        ("locale", "-"),
        ("website", "javascript:alert(1)"),
        ("picture", "http://alice.example/"),
        ("name", &long),
        ("country", "U\u{1}S"),
        ("name", "Alice \u{202e}onereM"),
        ("given_name", "\u{3164}"),
        ("family_name", "Mo\u{200b}reno"),
    ] {
        let page = save(&browser, &[("nickname", "Al"), (name, value)]).await;
        assert_eq!(page.status, 422, "{name} {value}: {}", page.page_summary());
        assert!(
            page.text_of("problem").is_some() && page.text_of(&format!("claim-{name}-problem")).is_some()
        );
        assert_eq!(page.form(PAGE).fields["nickname"], "Al", "what was entered is not lost");
    }
    assert!(userinfo(&provider, &browser, "openid profile").await.get("nickname").is_none());
    assert!(provider.audited("profile_changed").await.is_empty());
}

async fn core_5_1_an_operator_says_the_rest(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    // A login name is not the person's to choose.
    let page = browser.get(PAGE).await;
    let form = page.form(PAGE);
    assert!(!form.fields.contains_key("preferred_username"));
    browser.submit(&page, PAGE, &[("preferred_username", "bob"), ("nickname", "Al")]).await;
    assert!(userinfo(&provider, &browser, "openid profile").await.get("preferred_username").is_none());
    let address = EmailAddress::parse(ALICE).unwrap();
    let said = [
        (ProfileClaim::PreferredUsername, "amoreno"),
        (ProfileClaim::Locale, "fr-ca"),
        (ProfileClaim::Nickname, ""),
    ];
    let changes = said.map(|(claim, text)| ClaimChange::parse(claim, text, provider.now()).unwrap());
    set_claims(&provider.local(), &address, changes.to_vec()).await.unwrap();
    let info = userinfo(&provider, &browser, "openid profile").await;
    assert_eq!((&info["preferred_username"], &info["locale"]), (&json!("amoreno"), &json!("fr-CA")));
    assert!(info.get("nickname").is_none());
    // A language that mails are not written in stays the person's own.
    let page = browser.get(PAGE).await;
    assert_eq!(page.form(PAGE).fields["locale"], "fr-CA");
    let mine = anteroom_flows::people::profile::claims(&provider.local(), &address, None).await.unwrap();
    assert_eq!((&mine["email"], &mine["groups"]), (&json!(ALICE), &json!(["clinicians", "staff"])));
}

async fn core_5_5_single_claims_by_name_and_claims_locales_is_no_error(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    save(&browser, &[("zoneinfo", "America/Chicago")]).await;
    let asked = json!({ "id_token": { "zoneinfo": { "essential": true }, "birthdate": { "essential": true },
        "name#ja": null, "address": null } });
    let asked = asked.to_string();
    let code = web.code(&browser, &[("claims", &asked), ("claims_locales", "ja-Kana-JP es -")]).await;
    let tokens = anteroom_testkit::Tokens::of(&web.redeem(&code).await);
    let token = anteroom_testkit::claims(tokens.id_token());
    assert_eq!(token["zoneinfo"], "America/Chicago");
    assert_eq!(token["address"], json!({ "locality": "Springfield", "country": "US" }));
    assert!(token.get("birthdate").is_none() && token.get("name#ja").is_none());
}

async fn a_form_changes_the_account_it_was_shown_for(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let alices = browser.get(PAGE).await;
    browser.sign_in(BOB, PASSWORD).await;
    let refused = browser.submit(&alices, PAGE, &[("nickname", "Al")]).await;
    assert_eq!(refused.status, 409, "{}", refused.page_summary());
    assert!(refused.body.contains(BOB) && refused.text_of("error-another-person").is_some());
    assert!(
        userinfo(&provider, &provider.signed_in(BOB).await, "openid profile").await.get("nickname").is_none()
    );
    // Without a session, and with a form that was made elsewhere.
    assert_eq!(provider.browser().get(PAGE).await.location().path(), "/sign-in");
    let token = &browser.get(PAGE).await.form(PAGE).fields["form_token"];
    let fields = [("form_token", token.as_str()), ("nickname", "x")];
    let foreign = browser.with("sec-fetch-site", "cross-site").post(PAGE, &fields).await;
    assert_eq!(foreign.status, 403);
    assert!(provider.audited("profile_changed").await.is_empty());
}

async fn what_is_left_out_of_the_form_stays(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let form = browser.get(PAGE).await.form(PAGE);
    let fields = [("form_token", form.fields["form_token"].as_str()), ("nickname", "Al")];
    assert_eq!(browser.post(PAGE, &fields).await.status, 303);
    let info = userinfo(&provider, &browser, "openid profile").await;
    assert_eq!((&info["nickname"], &info["given_name"]), (&json!("Al"), &json!("Alice")));
}

async fn the_trail_says_which_claims_and_not_what(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    save(&browser, &[("birthdate", "1984-02-29"), ("locality", "Shelbyville")]).await;
    // Saved again as it is, nothing has changed.
    save(&browser, &[]).await;
    let entries = provider.audited("profile_changed").await;
    assert_eq!(entries.len(), 1);
    let detail: Value = serde_json::from_str(&entries[0].detail).unwrap();
    assert_eq!(detail["claims"], json!(["birthdate", "address.locality"]));
    assert!(!entries[0].detail.contains("1984") && entries[0].session.is_some());
}
