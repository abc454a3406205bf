//! What a client that registers itself learns of people by naming hosts that are not its own (OpenID Connect Core §8.1,
//! Registration §9.1).

use super::{CALLBACK, CLIENTS, address, open, post, refused_for, register, with};
use crate::ALICE;
use anteroom_testkit::{
    Backend, Browser, INITIAL_ACCESS_TOKEN, LogoutReceiver, RelyingParty, TestProvider, Tokens, claims,
    on_both_databases,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

on_both_databases!(
    core_8_1_who_changes_its_sector_is_told_of_no_earlier_sign_in,
    core_8_1_a_sign_out_that_waits_is_not_told_to_who_changes_its_sector,
    core_8_1_no_kind_of_sub_is_guessed_for_who_registered_itself,
    core_8_1_a_pairwise_client_is_told_of_sign_outs_within_its_sector,
    core_8_1_who_was_registered_to_be_told_elsewhere_is_told_no_more,
    registration_9_1_hosts_of_the_provider_and_of_configured_clients_are_refused,
    registration_9_1_hosts_of_clients_with_an_initial_access_token_are_refused,
    registration_9_1_what_a_client_shows_is_on_its_own_hosts,
    the_consent_page_names_every_host_that_a_person_is_led_to,
    a_sign_out_host_that_nobody_was_shown_is_told_of_no_earlier_sign_in,
    the_consent_page_names_the_host_that_is_told_of_sign_outs,
);

/// An address on the machine, where the listener is as well.
const MACHINE: &str = "http://127.0.0.1/callback";

/// Registers, is agreed to and gets tokens.
async fn agreed(provider: &TestProvider, browser: &Browser, changes: &Value) -> (Value, Tokens) {
    let registered = register(provider, &with(changes)).await;
    let tokens = agree(&provider.registered(&registered), browser).await;
    (registered, tokens)
}

async fn agree(client: &RelyingParty, browser: &Browser) -> Tokens {
    let page = client.authorize(browser, &[]).await;
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    Tokens::of(&client.redeem(&client.code_in(&agreed)).await)
}

async fn change(provider: &TestProvider, client: &Value, changes: &Value) {
    let mut metadata = with(changes);
    metadata["client_id"] = client["client_id"].clone();
    let (uri, token) = address(client);
    let answer = provider.call("PUT", uri, token, &metadata).await;
    assert_eq!(answer.status, 200, "{}", answer.page_summary());
}

/// The frames of the page after it.
async fn sign_out(browser: &Browser) -> Vec<String> {
    let dashboard = browser.get("/dashboard").await;
    browser.follow(&browser.submit(&dashboard, "/sign-out", &[]).await).await.frames()
}

async fn core_8_1_who_changes_its_sector_is_told_of_no_earlier_sign_in(backend: Backend) {
    let (provider, listener) = (open(&backend).start().await, LogoutReceiver::start().await);
    let front = "https://stranger.example/out";
    let public = json!({ "backchannel_logout_uri": listener.url, "frontchannel_logout_uri": front });
    for (changed, is_told) in [
        (public.clone(), true),
        (
            json!({ "subject_type": "pairwise", "redirect_uris": [MACHINE],
                "backchannel_logout_uri": listener.url }),
            false,
        ),
        (json!({ "subject_type": "pairwise", "frontchannel_logout_uri": front }), false),
    ] {
        let browser = provider.signed_in(ALICE).await;
        let (client, tokens) = agreed(&provider, &browser, &public).await;
        change(&provider, &client, &changed).await;
        let frames = sign_out(&browser).await;
        provider.deliver_logouts().await;
        let heard = listener.tokens();
        assert_eq!((heard.len(), frames.len()), (1, usize::from(is_told)), "{changed} {heard:?} {frames:?}");
        // The only one that was told of is of the case without a change, and says what the client knew.
        if is_told {
            assert_eq!(claims(&heard[0])["sub"], claims(tokens.id_token())["sub"]);
        }
    }
}

async fn core_8_1_a_sign_out_that_waits_is_not_told_to_who_changes_its_sector(backend: Backend) {
    let (provider, listener) = (open(&backend).start().await, LogoutReceiver::start().await);
    let browser = provider.signed_in(ALICE).await;
    let pairwise = json!({ "subject_type": "pairwise", "redirect_uris": [MACHINE],
        "backchannel_logout_uri": listener.url });
    let registered = register(&provider, &with(&pairwise)).await;
    agree(&provider.registered(&registered), &browser).await;
    listener.answers(503);
    sign_out(&browser).await;
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (1, 1));
    change(&provider, &registered, &json!({ "backchannel_logout_uri": listener.url })).await;
    provider.advance(SignedDuration::from_mins(1));
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (0, 1));
    provider.advance(SignedDuration::from_hours(5));
    assert_eq!(provider.deliver_logouts().await, 0, "it is not tried again");
}

/// Release 0.1.0 did not keep by which `sub` a client knew the person of a grant.
async fn core_8_1_no_kind_of_sub_is_guessed_for_who_registered_itself(backend: Backend) {
    let (provider, listener) = (open(&backend).start().await, LogoutReceiver::start().await);
    let browser = provider.signed_in(ALICE).await;
    agreed(&provider, &browser, &json!({ "backchannel_logout_uri": listener.url })).await;
    backend.execute("UPDATE grants SET subject_sector = NULL").await;
    sign_out(&browser).await;
    provider.deliver_logouts().await;
    assert!(listener.tokens().is_empty());
}

async fn core_8_1_a_pairwise_client_is_told_of_sign_outs_within_its_sector(backend: Backend) {
    let provider = open(&backend).start().await;
    let at = |uri: &str| with(&json!({ "subject_type": "pairwise", "backchannel_logout_uri": uri }));
    let refusal = (400, "invalid_client_metadata".to_owned(), true);
    let refused = post(&provider, &at("https://another.example/out")).await;
    assert_eq!(refused_for(&refused, "backchannel_logout_uri"), refusal);
    let client = register(&provider, &at("https://stranger.example:8443/out")).await;
    let mut moved = at("https://another.example/out");
    moved["client_id"] = client["client_id"].clone();
    let (uri, token) = address(&client);
    let refused = provider.call("PUT", uri, token, &moved).await;
    assert_eq!(refused_for(&refused, "backchannel_logout_uri"), refusal);
    // By the public `sub` all know the same.
    moved["subject_type"] = json!("public");
    assert_eq!(provider.call("PUT", uri, token, &moved).await.status, 200);
}

async fn core_8_1_who_was_registered_to_be_told_elsewhere_is_told_no_more(backend: Backend) {
    let (before, listener) = (open(&backend).start().await, LogoutReceiver::start().await);
    let pairwise = json!({ "subject_type": "pairwise", "redirect_uris": [MACHINE],
        "backchannel_logout_uri": listener.url });
    let mut registered = register(&before, &with(&pairwise)).await;
    // As release 0.1.0 would have taken it.
    let moved =
        format!("UPDATE registered_clients SET metadata = REPLACE(metadata, '{MACHINE}', '{CALLBACK}')");
    backend.execute(&moved).await;
    registered["redirect_uris"] = json!([CALLBACK]);
    let provider = open(&backend).another_node_of(&before).start().await;
    provider.follow_clients().await;
    let browser = provider.signed_in(ALICE).await;
    agree(&provider.registered(&registered), &browser).await;
    sign_out(&browser).await;
    provider.deliver_logouts().await;
    assert!(listener.tokens().is_empty());
}

async fn registration_9_1_hosts_of_the_provider_and_of_configured_clients_are_refused(backend: Backend) {
    let clients = "[[clients]]\nclient_id = \"charts\"\nredirect_uris = [\"https://charts.example/callback\"]\n\
                   token_endpoint_auth_method = \"none\"\nlogo_uri = \"https://cdn.example/logo\"\n\
                   [clients.tile]\nname = \"Charts\"\nlaunch_url = \"https://launch.example/\"\n";
    let provider = open(&backend).issuer("https://id.practice.example").clients(clients).start().await;
    for (changes, error, parameter) in [
        (
            json!({ "redirect_uris": ["https://id.practice.example/x"] }),
            "invalid_redirect_uri",
            "redirect_uris",
        ),
        (
            json!({ "redirect_uris": [CALLBACK, "https://charts.example/x"] }),
            "invalid_redirect_uri",
            "redirect_uris",
        ),
        (json!({ "redirect_uris": ["https://cdn.example/x"] }), "invalid_redirect_uri", "redirect_uris"),
        (json!({ "redirect_uris": ["https://launch.example/x"] }), "invalid_redirect_uri", "redirect_uris"),
        (
            json!({ "post_logout_redirect_uris": ["https://id.practice.example:8443/"] }),
            "invalid_client_metadata",
            "post_logout_redirect_uris",
        ),
        (
            json!({ "backchannel_logout_uri": "https://charts.example/out" }),
            "invalid_client_metadata",
            "backchannel_logout_uri",
        ),
    ] {
        let refused = post(&provider, &with(&changes)).await;
        assert_eq!(refused_for(&refused, parameter), (400, error.to_owned(), true), "{changes}");
    }
    let registered = register(&provider, &with(&json!({ "redirect_uris": [CALLBACK, MACHINE] }))).await;
    let mut moved = with(&json!({ "redirect_uris": ["https://charts.example/x"] }));
    moved["client_id"] = registered["client_id"].clone();
    let (uri, token) = address(&registered);
    let refused = provider.call("PUT", uri, token, &moved).await;
    assert_eq!(refused_for(&refused, "redirect_uris"), (400, "invalid_redirect_uri".to_owned(), true));
}

async fn registration_9_1_hosts_of_clients_with_an_initial_access_token_are_refused(backend: Backend) {
    let token = "registration.initial_access_token_env";
    let provider = open(&backend).set(token, "\"TEST_INITIAL_TOKEN\"").start().await;
    let known = with(&json!({ "redirect_uris": ["https://known.example/callback"],
        "logo_uri": "https://known.example/logo" }));
    let answer = provider.call("POST", CLIENTS, Some(INITIAL_ACCESS_TOKEN), &known).await;
    assert_eq!(answer.status, 201, "{}", answer.page_summary());
    let refused = post(&provider, &known).await;
    assert_eq!(refused_for(&refused, "redirect_uris"), (400, "invalid_redirect_uri".to_owned(), true));
    // The operator knows both.
    let answer = provider.call("POST", CLIENTS, Some(INITIAL_ACCESS_TOKEN), &known).await;
    assert_eq!(answer.status, 201, "{}", answer.page_summary());
}

async fn the_consent_page_names_every_host_that_a_person_is_led_to(backend: Backend) {
    let provider = open(&backend).start().await;
    let browser = provider.signed_in(ALICE).await;
    let registered = json!({ "post_logout_redirect_uris": ["https://after.example/"],
        "initiate_login_uri": "https://begin.example/sign-in" });
    let registered = register(&provider, &with(&registered)).await;
    let hosts = "It belongs to stranger.example, after.example, begin.example.";
    let self_registered = provider.registered(&registered);
    assert_eq!(self_registered.authorize(&browser, &[]).await.text_of("host").unwrap(), hosts);
    let page = self_registered.authorize(&provider.browser(), &[]).await;
    assert_eq!(page.text_of("host").unwrap(), hosts);
}

async fn a_sign_out_host_that_nobody_was_shown_is_told_of_no_earlier_sign_in(backend: Backend) {
    let (provider, listener) = (open(&backend).start().await, LogoutReceiver::start().await);
    let elsewhere = json!({ "backchannel_logout_uri": "https://stranger.example/out" });
    let here = json!({ "backchannel_logout_uri": listener.url });
    // Also where a redirect goes there from now on.
    let redirected = json!({ "redirect_uris": [MACHINE], "backchannel_logout_uri": listener.url });
    for changed in [here, redirected] {
        let browser = provider.signed_in(ALICE).await;
        let (client, _) = agreed(&provider, &browser, &elsewhere).await;
        // Nor by way of a host that it is known by a moment before.
        let mut known = elsewhere.clone();
        known["post_logout_redirect_uris"] = json!([listener.url.replace("/logout", "/")]);
        change(&provider, &client, &known).await;
        change(&provider, &client, &changed).await;
        sign_out(&browser).await;
        assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (0, 0), "{changed}");
    }
    let updates = provider.audited("client_updated").await;
    let ended = updates.iter().filter(|entry| entry.detail.contains("\"grants\":1"));
    assert_eq!((updates.len(), ended.count()), (4, 2), "{updates:?}");
}

async fn registration_9_1_what_a_client_shows_is_on_its_own_hosts(backend: Backend) {
    let provider = open(&backend).start().await;
    for parameter in ["client_uri", "logo_uri", "policy_uri"] {
        let refused = post(&provider, &with(&json!({ parameter: "https://charts.example/x" }))).await;
        let refusal = (400, "invalid_client_metadata".to_owned(), true);
        assert_eq!(refused_for(&refused, parameter), refusal, "{parameter}");
        register(&provider, &with(&json!({ parameter: "https://stranger.example/x" }))).await;
    }
    register(&provider, &with(&json!({ "tos_uri": "https://platform.example/terms" }))).await;
}

async fn the_consent_page_names_the_host_that_is_told_of_sign_outs(backend: Backend) {
    let provider = open(&backend).start().await;
    let browser = provider.signed_in(ALICE).await;
    let with_logout_uri = |uri: &str| json!({ "backchannel_logout_uri": uri });
    let registered = register(&provider, &with(&with_logout_uri("https://stranger.example/out"))).await;
    let self_registered = provider.registered(&registered);
    let page = self_registered.authorize(&browser, &[]).await;
    assert_eq!(page.text_of("sign-out-host"), None);
    agree(&self_registered, &browser).await;
    // It is told elsewhere from now on, which the person has not agreed to.
    change(&provider, &registered, &with_logout_uri("https://another.example/out")).await;
    let page = self_registered.authorize(&browser, &[]).await;
    assert_eq!(page.text_of("sign-out-host").unwrap(), "another.example is told when you sign out.");
    agree(&self_registered, &browser).await;
    change(&provider, &registered, &with_logout_uri("https://another.example/other")).await;
    self_registered.code(&browser, &[]).await;
}
