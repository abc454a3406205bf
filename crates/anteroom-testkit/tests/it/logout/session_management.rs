//! Session Management 1.0: the state that an application's script can ask for.

use crate::{ALICE, BOB};
use anteroom_oidc::session_state::OpBrowserState;
use anteroom_testkit::{
    Backend, Browser, PASSWORD, RelyingParty, TestProvider, TestResponse, Tokens, on_both_databases,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;

on_both_databases!(
    session_management_2_every_response_says_the_state_of_its_browser,
    session_management_2_a_response_to_a_form_says_the_state_after_it,
    session_management_2_a_response_to_a_form_that_is_sent_twice_says_the_state_after_it,
    session_management_3_2_the_state_changes_with_who_is_signed_in,
    session_management_3_2_the_state_is_no_other_value_of_the_browser,
    session_management_3_3_the_frame_may_be_framed_by_anyone_and_knows_nobody,
    where_no_script_could_ask_nothing_is_said,
);

const STATE: &str = "op_browser_state";

/// Whether the script of the frame would say "unchanged" in this browser.
fn is_unchanged(browser: &Browser, client: &RelyingParty, session_state: &str) -> bool {
    let state: OpBrowserState = browser.cookie(STATE).unwrap().parse().unwrap();
    let (_, salt) = session_state.split_once('.').unwrap();
    let salt = URL_SAFE_NO_PAD.decode(salt).unwrap().try_into().unwrap();
    let origin = client.redirect_uri.parse::<url::Url>().unwrap().origin().ascii_serialization();
    state.session_state(&client.client_id.parse().unwrap(), &origin, salt) == session_state
}

fn session_state(answer: &TestResponse) -> String {
    answer.parameters()["session_state"].clone()
}

async fn session_management_2_every_response_says_the_state_of_its_browser(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let (web, native) = (provider.client("web"), provider.client("native"));
    let first = session_state(&web.authorize(&browser, &[]).await);
    let silent = session_state(&web.authorize(&browser, &[("prompt", "none")]).await);
    let others = session_state(&native.authorize(&browser, &[]).await);
    for (client, said) in [(&web, &first), (&web, &silent), (&native, &others)] {
        assert!(is_unchanged(&browser, client, said), "{said}");
        assert!(!said.contains(' '));
    }
    // Salted, so that two applications cannot find out that they speak of one browser.
    assert_ne!(first, silent);
    assert!(!is_unchanged(&browser, &native, &first));
    // A browser whose cookie was lost is given another with the answer.
    browser.forget(STATE);
    let answer = web.authorize(&browser, &[]).await;
    assert!(is_unchanged(&browser, &web, &session_state(&answer)));
    let page = web.authorize(&browser, &[("response_mode", "form_post")]).await;
    let posted = page.form(&web.redirect_uri).fields["session_state"].clone();
    assert!(is_unchanged(&browser, &web, &posted));
}

async fn session_management_2_a_response_to_a_form_says_the_state_after_it(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    for (email, hint) in [(ALICE, ""), (BOB, "login")] {
        let page = web.authorize(&browser, &[("prompt", hint)]).await;
        let answer = browser.enter(&page, email, PASSWORD).await;
        assert!(is_unchanged(&browser, &web, &session_state(&answer)), "{email}");
        provider.advance(SignedDuration::from_secs(1));
    }
    // A choice among accounts.
    let page = web.authorize(&browser, &[("prompt", "select_account")]).await;
    let form = page.form("/choose-account");
    let alice = form.buttons.iter().find(|button| button.text.contains(ALICE)).unwrap();
    let answer = browser.submit(&page, "/choose-account", &[("account", &alice.value)]).await;
    assert!(is_unchanged(&browser, &web, &session_state(&answer)));
}

async fn session_management_2_a_response_to_a_form_that_is_sent_twice_says_the_state_after_it(
    backend: Backend,
) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let entered = [("email", ALICE), ("password", PASSWORD)];
    let browser = provider.browser();
    let page = web.authorize(&browser, &[]).await;
    // The browser drops the first answer, and sends the form again with the cookies of before.
    let first = browser.clone().submit(&page, "/sign-in", &entered).await;
    let second = browser.submit(&page, "/sign-in", &entered).await;
    assert_eq!(web.code_in(&first), web.code_in(&second));
    assert!(is_unchanged(&browser, &web, &session_state(&second)));
    let browser = provider.browser();
    let page = web.authorize(&browser, &[("response_mode", "form_post")]).await;
    let first = browser.clone().submit(&page, "/sign-in", &entered).await.form(&web.redirect_uri).fields;
    let second = browser.submit(&page, "/sign-in", &entered).await.form(&web.redirect_uri).fields;
    assert_eq!(first["code"], second["code"]);
    assert!(is_unchanged(&browser, &web, &second["session_state"]));
}

async fn session_management_3_2_the_state_changes_with_who_is_signed_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let web = provider.client("web");
    let said = session_state(&web.authorize(&browser, &[]).await);
    browser.get("/dashboard").await;
    assert!(is_unchanged(&browser, &web, &said), "what changes nothing");
    browser.sign_in(BOB, "not his password").await;
    assert!(is_unchanged(&browser, &web, &said), "nor does an attempt");
    browser.sign_in(BOB, PASSWORD).await;
    assert!(!is_unchanged(&browser, &web, &said), "somebody else");
    let said = session_state(&web.authorize(&browser, &[("login_hint", BOB)]).await);
    let page = browser.get("/choose-account").await;
    let form = page.form("/choose-account");
    let alice = form.buttons.iter().find(|button| button.text.contains(ALICE)).unwrap();
    browser.submit(&page, "/choose-account", &[("account", &alice.value)]).await;
    assert!(!is_unchanged(&browser, &web, &said), "a change of account");
    let answer = web.authorize(&browser, &[("login_hint", ALICE)]).await;
    let (tokens, said) = (web.redeem(&web.code_in(&answer)).await, session_state(&answer));
    let tokens = Tokens::of(&tokens);
    let hint = [("id_token_hint", tokens.id_token())];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(hint).finish();
    browser.get(&format!("/end-session?{query}")).await;
    assert!(!is_unchanged(&browser, &web, &said), "one of two has left");
    let said = session_state(&web.authorize(&browser, &[]).await);
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    assert!(!is_unchanged(&browser, &web, &said), "everyone has left");
}

async fn session_management_3_2_the_state_is_no_other_value_of_the_browser(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let answer = browser.sign_in(ALICE, PASSWORD).await;
    let cookies = answer.cookies();
    let state = cookies.iter().find(|cookie| cookie.name() == STATE).unwrap();
    assert_eq!(state.http_only(), None);
    assert_eq!((state.secure(), state.same_site()), (Some(true), Some(cookie::SameSite::None)));
    for other in cookies.iter().filter(|cookie| cookie.name() != STATE) {
        assert!(!other.value().contains(state.value()) && other.http_only() == Some(true));
    }
    // It opens nothing.
    let thief = provider.browser();
    thief.set_cookie(STATE, state.value());
    assert!(!thief.is_signed_in().await);
}

async fn session_management_3_3_the_frame_may_be_framed_by_anyone_and_knows_nobody(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (alices, unknown_browser) = (provider.signed_in(ALICE).await, provider.browser());
    let page = alices.get("/check-session").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("frame-ancestors"), "{policy}");
    assert_eq!(page.header("x-frame-options"), None);
    let other = unknown_browser.get("/check-session").await;
    assert_eq!(other.body, page.body);
    assert!(other.cookies().is_empty() && page.cookies().is_empty());
    let script = unknown_browser.get("/check-session.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert!(page.body.contains("<script src=\"/check-session.js\">"));
    // The frame is the only page of its kind.
    let dashboard = alices.get("/dashboard").await;
    assert!(dashboard.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
}

async fn where_no_script_could_ask_nothing_is_said(backend: Backend) {
    let toml = "[[clients]]\nclient_id = \"app\"\nfirst_party = true\napplication_type = \"native\"\n\
        token_endpoint_auth_method = \"none\"\nredirect_uris = [\"com.example.app:/callback\"]\n";
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let answer = provider.client("app").authorize(&browser, &[]).await;
    let parameters = answer.parameters();
    assert!(parameters.contains_key("code") && !parameters.contains_key("session_state"), "{parameters:?}");
}
