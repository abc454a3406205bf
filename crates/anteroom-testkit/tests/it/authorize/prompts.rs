//! `prompt` and `max_age` (OpenID Connect Core §3.1.2.1).

use crate::ALICE;
use anteroom_testkit::{
    Backend, Browser, PASSWORD, RelyingParty, TestProvider, Tokens, claims, on_both_databases,
};
use jiff::SignedDuration;

on_both_databases!(
    prompt_none_answers_without_a_page,
    prompt_none_does_not_change_a_waiting_request,
    prompt_login_signs_in_again,
    max_age_signs_in_again_when_it_was_too_long_ago,
    registration_2_default_max_age_and_require_auth_time,
    max_age_0_is_prompt_login,
    core_3_1_3_6_auth_time_is_when_the_person_signed_in,
);

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

async fn prompt_none_answers_without_a_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, nobody) = (provider.client("web"), provider.browser());
    let none = ("prompt", "none");
    let answer = web.authorize(&nobody, &[none]).await;
    assert_eq!((answer.status, answer.error().as_str()), (303, "login_required"));
    assert_eq!(answer.parameters()["iss"], provider.issuer);
    let alice = provider.signed_in(ALICE).await;
    web.code(&alice, &[none]).await;
    let partner = provider.client("partner");
    assert_eq!(partner.authorize(&alice, &[none]).await.error(), "consent_required");
    assert_eq!(web.authorize(&alice, &[none, ("max_age", "600")]).await.error(), "");
    provider.advance(minutes(11));
    assert_eq!(web.authorize(&alice, &[none, ("max_age", "600")]).await.error(), "login_required");
}

async fn prompt_none_does_not_change_a_waiting_request(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    assert_eq!(web.authorize(&browser, &[("prompt", "none")]).await.error(), "login_required");
    web.code_in(&browser.enter(&page, ALICE, PASSWORD).await);
}

/// Signs in where the request asks for it, and says when that was.
async fn auth_time_after(app: &RelyingParty, browser: &Browser, changes: &[(&str, &str)]) -> i64 {
    let page = app.authorize(browser, changes).await;
    assert_eq!(page.text_of("notice").unwrap(), "Please sign in again to confirm that it is you.");
    assert_eq!(page.form("/sign-in").fields["email"], ALICE);
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    auth_time(&Tokens::of(&app.redeem(&app.code_in(&answer)).await))
}

fn auth_time(tokens: &Tokens) -> i64 {
    claims(tokens.id_token())["auth_time"].as_i64().unwrap()
}

async fn prompt_login_signs_in_again(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    provider.advance(minutes(1));
    let login = [("prompt", "login")];
    assert_eq!(auth_time_after(&web, &browser, &login).await, provider.now().as_second());
    // Each time anew, and also after a mistake.
    provider.advance(minutes(1));
    let page = web.authorize(&browser, &login).await;
    let again = browser.enter(&page, ALICE, "wrong").await;
    assert_eq!(again.status, 422);
    // The waiting request itself does not pass without a password.
    assert!(browser.get("/sign-in").await.status == 303);
    web.code_in(&browser.enter(&again, ALICE, PASSWORD).await);
}

async fn max_age_signs_in_again_when_it_was_too_long_ago(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let (signed_in, max_age) = (provider.now().as_second(), [("max_age", "600")]);
    provider.advance(minutes(10));
    let code = web.code(&browser, &max_age).await;
    assert_eq!(auth_time(&Tokens::of(&web.redeem(&code).await)), signed_in);
    provider.advance(SignedDuration::from_secs(1));
    assert_eq!(auth_time_after(&web, &browser, &max_age).await, provider.now().as_second());
}

async fn registration_2_default_max_age_and_require_auth_time(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "careful"
first_party = true
redirect_uris = ["https://careful.example/callback"]
token_endpoint_auth_method = "none"
default_max_age = 300
require_auth_time = true
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (careful, browser) = (provider.client("careful"), provider.signed_in(ALICE).await);
    careful.code(&browser, &[]).await;
    provider.advance(minutes(6));
    // The request's own word goes before the registered one.
    careful.code(&browser, &[("max_age", "600")]).await;
    assert_eq!(auth_time_after(&careful, &browser, &[]).await, provider.now().as_second());
}

async fn max_age_0_is_prompt_login(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    // Within the second of the sign-in, where its age in whole seconds is 0.
    provider.advance(SignedDuration::from_millis(1));
    let silent = web.authorize(&browser, &[("max_age", "0"), ("prompt", "none")]).await;
    assert_eq!(silent.error(), "login_required");
    auth_time_after(&web, &browser, &[("max_age", "0")]).await;
}

async fn core_3_1_3_6_auth_time_is_when_the_person_signed_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let signed_in = provider.now().as_second();
    for _ in 0..3 {
        provider.advance(minutes(7));
        let tokens = web.tokens(&browser, "openid").await;
        assert_eq!(auth_time(&tokens), signed_in);
    }
}
