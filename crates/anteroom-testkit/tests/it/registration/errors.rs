//! Errors of a client that registered itself: behind a page, until a person here has agreed to it (RFC 9700 §4.11.2).

use super::{CALLBACK, CLIENTS, address, metadata, open, register, with};
use crate::ALICE;
use anteroom_testkit::{
    Backend, INITIAL_ACCESS_TOKEN, RelyingParty, STATE, TestProvider, TestResponse, on_both_databases,
};
use futures_util::future::join;
use serde_json::json;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

on_both_databases!(
    rfc9700_4_11_2_an_error_of_a_client_that_nobody_knows_waits_on_a_page,
    rfc9700_4_11_2_an_error_that_would_be_posted_waits_on_a_page,
    rfc6749_4_1_2_1_an_error_after_a_wait_goes_to_no_redirect_uri_that_was_withdrawn,
    rfc9700_4_11_2_prompt_none_is_answered_at_once,
    rfc9700_4_11_2_consent_or_a_person_there_lets_errors_go_at_once,
    rfc9700_4_11_2_another_host_is_agreed_to_anew,
    rfc9700_4_11_2_a_client_with_an_initial_access_token_is_the_operators,
    rfc9700_4_11_2_what_an_earlier_release_did_not_note_was_without_a_token,
    rfc9700_4_11_2_the_page_leads_to_sign_in_first_and_speaks_the_language_that_was_asked_for,
);

const WRONG: (&str, &str) = ("response_type", "nonsense");

pub(super) async fn self_registered(provider: &TestProvider) -> RelyingParty {
    provider.registered(&register(provider, &metadata()).await)
}

fn goes_at_once(answer: &TestResponse) -> bool {
    answer.header("location").is_some_and(|location| location.starts_with(CALLBACK))
}

/// The page names the host, and one control leads there.
fn waits(answer: &TestResponse) -> bool {
    let text = answer.text_of("error-return");
    if text.is_some() {
        assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
        assert!(answer.body.contains("stranger.example"), "{}", answer.page_summary());
    }
    text.is_some()
}

pub(super) async fn agree(self_registered: &RelyingParty, provider: &TestProvider) {
    let browser = provider.signed_in(ALICE).await;
    let page = self_registered.authorize(&browser, &[]).await;
    self_registered.code_in(&browser.submit(&page, "/consent", &[("decision", "allow")]).await);
}

async fn rfc9700_4_11_2_an_error_of_a_client_that_nobody_knows_waits_on_a_page(backend: Backend) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.browser());
    let unknown_acr = r#"{"id_token":{"acr":{"essential":true,"values":["urn:unknown"]}}}"#;
    let another = r#"{"id_token":{"sub":{"value":"nobody"}}}"#;
    for (change, error) in [
        (WRONG, "unsupported_response_type"),
        (("prompt", "create"), "invalid_request"),
        (("request", "e30.e30."), "invalid_request_object"),
        (("claims", unknown_acr), "unmet_authentication_requirements"),
        (("claims", another), "login_required"),
    ] {
        let page = self_registered.authorize(&browser, &[change]).await;
        assert!(waits(&page), "{change:?}: {}", page.page_summary());
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        let links: Vec<_> = page.links().into_iter().filter(|link| link.href.starts_with("https:")).collect();
        let [link] = &links[..] else { panic!("{links:?}") };
        assert!(link.text.contains("stranger.example"), "{link:?}");
        assert!(link.href.starts_with(&format!("{CALLBACK}?error={error}&")), "{}", link.href);
        assert!(link.href.contains(&format!("state={STATE}")), "{}", link.href);
    }
    // A good request is a sign-in, as ever.
    assert!(self_registered.authorize(&browser, &[]).await.has_form("/sign-in"));
    let entries = provider.audited("request_refused").await;
    assert!(
        entries
            .iter()
            .any(|entry| entry.client.as_ref().is_some_and(|id| id.as_str() == self_registered.client_id))
    );
    // Of the configuration there is no question.
    let web = provider.client("web").authorize(&browser, &[WRONG]).await;
    assert_eq!(web.error(), "unsupported_response_type");
}

async fn rfc9700_4_11_2_the_page_leads_to_sign_in_first_and_speaks_the_language_that_was_asked_for(
    backend: Backend,
) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.browser());
    let unknown_acr = r#"{"id_token":{"acr":{"essential":true,"values":["urn:unknown"]}}}"#;
    for change in [WRONG, ("claims", unknown_acr), ("response_mode", "form_post")] {
        let page =
            self_registered.authorize(&browser, &[change, ("prompt", "create"), ("ui_locales", "es")]).await;
        assert!(waits(&page) && page.body.contains("<html lang=\"es\">"), "{}", page.page_summary());
        let at = |id: &str| page.body.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("{id}"));
        assert!(at("forward") < at("return"), "{}", page.page_summary());
        let control = |id: &str| page.body[..at(id)].rsplit_once('<').unwrap().1.to_owned();
        assert!(!control("forward").contains("secondary") && control("return").contains("secondary"));
        assert!(control("forward").starts_with("a "), "{}", control("forward"));
    }
    let page = self_registered.authorize(&browser, &[("claims", unknown_acr), ("ui_locales", "es")]).await;
    assert!(waits(&page) && page.body.contains("<html lang=\"es\">"), "{}", page.page_summary());
}

async fn rfc9700_4_11_2_an_error_that_would_be_posted_waits_on_a_page(backend: Backend) {
    let provider = open(&backend).start().await;
    let changes = [("response_mode", "form_post"), ("prompt", "create")];
    let page = self_registered(&provider).await.authorize(&provider.browser(), &changes).await;
    assert!(waits(&page), "{}", page.page_summary());
    // `once.js`, which is on every page, sends nothing.
    let scripts = page.body.matches("<script").count();
    assert!(scripts == 1 && page.body.contains("/assets/once-"), "nothing goes on by itself");
    let policy = page.header("content-security-policy").unwrap();
    assert!(!policy.contains("form-action") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let form = page.form(CALLBACK);
    assert_eq!((form.fields["error"].as_str(), form.fields["state"].as_str()), ("invalid_request", STATE));
    assert_eq!(form.buttons.len(), 1);
}

async fn rfc9700_4_11_2_prompt_none_is_answered_at_once(backend: Backend) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.browser());
    for (changes, error) in [
        (&[("prompt", "none")][..], "login_required"),
        (&[("prompt", "none"), WRONG], "unsupported_response_type"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "none"), ("request", "e30.e30.")], "invalid_request_object"),
    ] {
        let answer = self_registered.authorize(&browser, changes).await;
        assert!(goes_at_once(&answer), "{changes:?}: {}", answer.page_summary());
        assert_eq!(answer.error(), error, "{changes:?}");
    }
}

async fn rfc9700_4_11_2_consent_or_a_person_there_lets_errors_go_at_once(backend: Backend) {
    let provider = open(&backend).start().await;
    let (self_registered, browser) = (self_registered(&provider).await, provider.browser());
    // A person who is signed in has come here by their own will (RFC 6749 §4.1.2.1).
    assert!(goes_at_once(&self_registered.authorize(&provider.signed_in(ALICE).await, &[WRONG]).await));
    assert!(waits(&self_registered.authorize(&browser, &[WRONG]).await), "a visit is no consent");
    // Who says no has agreed to nothing.
    let alice = provider.signed_in(ALICE).await;
    let page = self_registered.authorize(&alice, &[]).await;
    let denied = alice.submit(&page, "/consent", &[("decision", "deny")]).await;
    assert_eq!(denied.error(), "access_denied");
    assert!(waits(&self_registered.authorize(&browser, &[WRONG]).await));
    agree(&self_registered, &provider).await;
    assert!(goes_at_once(&self_registered.authorize(&browser, &[WRONG]).await));
    let other = provider.registered(&register(&provider, &metadata()).await);
    assert!(waits(&other.authorize(&browser, &[WRONG]).await), "of another client nothing is known");
}

async fn rfc9700_4_11_2_another_host_is_agreed_to_anew(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let self_registered = provider.registered(&registered);
    agree(&self_registered, &provider).await;
    let moved = with(&json!({ "client_id": registered["client_id"],
        "redirect_uris": [CALLBACK, "https://elsewhere.example/callback"] }));
    let (uri, token) = address(&registered);
    assert_eq!(provider.call("PUT", uri, token, &moved).await.status, 200);
    assert!(waits(&self_registered.authorize(&provider.browser(), &[WRONG]).await));
}

async fn rfc9700_4_11_2_a_client_with_an_initial_access_token_is_the_operators(backend: Backend) {
    let of_mode = |mode: &str| {
        let builder = TestProvider::on(&backend).set("registration.mode", &format!("\"{mode}\""));
        builder.set("registration.initial_access_token_env", "\"TEST_INITIAL_TOKEN\"")
    };
    let asked = of_mode("initial_access_token").start().await;
    let open = of_mode("open").another_node_of(&asked).start().await;
    // The stranger comes first: the host of one with the token is not free for it.
    for (provider, token, known) in [
        (&open, "of-nobody", false),
        (&asked, INITIAL_ACCESS_TOKEN, true),
        (&open, INITIAL_ACCESS_TOKEN, true),
    ] {
        let answer = provider.call("POST", CLIENTS, Some(token), &metadata()).await;
        let client = provider.registered(&answer.json());
        let refused = client.authorize(&provider.browser(), &[WRONG]).await;
        assert_eq!(
            (goes_at_once(&refused), waits(&refused)),
            (known, !known),
            "{token}: {}",
            refused.page_summary()
        );
    }
}

async fn rfc9700_4_11_2_what_an_earlier_release_did_not_note_was_without_a_token(backend: Backend) {
    let provider = open(&backend).start().await;
    let self_registered = self_registered(&provider).await;
    backend.execute("UPDATE registered_clients SET with_initial_token = NULL").await;
    assert!(waits(&self_registered.authorize(&provider.browser(), &[WRONG]).await));
    agree(&self_registered, &provider).await;
    assert!(goes_at_once(&self_registered.authorize(&provider.browser(), &[WRONG]).await));
}

async fn rfc6749_4_1_2_1_an_error_after_a_wait_goes_to_no_redirect_uri_that_was_withdrawn(backend: Backend) {
    let slow = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = format!("http://{}/request", slow.local_addr().unwrap());
    let provider = open(&backend).start().await;
    let browser = provider.signed_in(ALICE).await;
    for (method, is_redirected) in [("GET", true), ("PUT", false), ("DELETE", false)] {
        let told = register(&provider, &with(&json!({ "request_uris": [place] }))).await;
        let client = provider.registered(&told);
        let (uri, token) = address(&told);
        let changed = with(&json!({
            "client_id": told["client_id"], "redirect_uris": ["https://stranger.example/another"],
            "request_uris": [place],
        }));
        let meanwhile = async {
            let asked = slow.accept().await.unwrap();
            let answer = provider.call(method, uri, token, &changed).await;
            assert!(answer.status < 300, "{method}: {}", answer.page_summary());
            drop(asked);
        };
        let (answer, ()) = join(client.authorize(&browser, &[("request_uri", &place)]), meanwhile).await;
        assert_eq!(goes_at_once(&answer), is_redirected, "{method}");
        if !is_redirected {
            assert_eq!((answer.status, answer.header("location")), (400, None), "{method}");
        }
    }
}
