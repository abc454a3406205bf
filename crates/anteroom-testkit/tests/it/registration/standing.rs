//! What a registered client is: the same as a configured one, but a stranger.

use super::{CALLBACK, address, metadata, open, register, with};
use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, PASSWORD, TestProvider, Tokens, on_both_databases, on_one_node_and_on_two};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_one_node_and_on_two!(registration_3_a_stranger_serves_people_like_any_application);

on_both_databases!(
    requests_that_name_unknown_clients_share_a_look,
    a_client_registered_at_one_node_is_known_at_another_at_once,
    a_refusal_at_a_node_that_did_not_know_the_client_gets_to_it,
    a_change_elsewhere_is_taken_up,
    only_those_whom_the_operator_names_are_let_in,
    a_changed_configuration_holds_for_those_registered_before,
    a_client_stays_whose_name_an_earlier_release_took,
);

async fn registration_3_a_stranger_serves_people_like_any_application(backend: Backend) {
    let provider = open(&backend).start().await;
    let asked = json!({ "grant_types": ["authorization_code", "refresh_token"], "scope": "openid email",
        "post_logout_redirect_uris": ["https://stranger.example/bye"] });
    let self_registered = provider.registered(&register(&provider, &with(&asked)).await);
    let browser = provider.browser();
    let page = self_registered.authorize(&browser, &[("scope", "openid email")]).await;
    provider.replace_a_node().await;
    let page = browser.follow(&browser.enter(&page, ALICE, PASSWORD).await).await;
    assert_eq!(page.heading(), "Allow A stranger?", "{}", page.page_summary());
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = Tokens::of(&self_registered.redeem(&self_registered.code_in(&agreed)).await);
    assert_eq!(self_registered.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    assert_eq!(self_registered.introspect(&tokens.access_token).await.json()["active"], true);
    let refreshed = Tokens::of(&self_registered.refresh(tokens.refresh_token()).await);
    let id_token = refreshed.id_token().to_owned();
    assert_eq!(self_registered.verified(&id_token).await.claims["aud"], self_registered.client_id);
    assert_eq!(self_registered.revoke(refreshed.refresh_token()).await.status, 200);
    assert_eq!(self_registered.userinfo(&refreshed.access_token).await.status, 401);
    let out = format!(
        "/end-session?id_token_hint={id_token}&post_logout_redirect_uri=https://stranger.example/bye"
    );
    assert_eq!(browser.get(&out).await.location().as_str(), "https://stranger.example/bye");
}

async fn a_client_registered_at_one_node_is_known_at_another_at_once(backend: Backend) {
    let first = open(&backend).start().await;
    let second = open(&backend).another_node_of(&first).start().await;
    let registered = register(&first, &metadata()).await;
    let elsewhere = second.registered(&registered);
    assert_eq!(elsewhere.introspect("x").await.status, 200);
    let another = second.registered(&register(&first, &metadata()).await);
    assert_eq!(another.authorize(&second.browser(), &[]).await.status, 200);
    let (uri, token) = address(&registered);
    assert_eq!(second.call("GET", uri, token, &Value::Null).await.status, 200);
}

/// The other node has not heard of the client when the answer to its page comes.
async fn a_refusal_at_a_node_that_did_not_know_the_client_gets_to_it(backend: Backend) {
    let narrow = || open(&backend).set("registration.groups", "[\"clinicians\"]");
    let first = narrow().start().await;
    let second = narrow().another_node_of(&first).start().await;
    for (person, form, entered) in
        [(ALICE, "/consent", &[("decision", "deny")][..]), (BOB, "/not-entitled", &[])]
    {
        let self_registered = first.registered(&register(&first, &metadata()).await);
        let mut browser = first.signed_in(person).await;
        let page = self_registered.authorize(&browser, &[]).await;
        browser.lead_to(&second);
        let answer = browser.submit(&page, form, entered).await;
        assert!(answer.location().as_str().starts_with(CALLBACK), "{}", answer.page_summary());
        assert_eq!(answer.error(), "access_denied");
    }
    assert_eq!(second.audited("consent_denied").await.len(), 1);
}

async fn a_change_elsewhere_is_taken_up(backend: Backend) {
    let first = open(&backend).start().await;
    let second = open(&backend).another_node_of(&first).start().await;
    let registered = register(&first, &metadata()).await;
    let elsewhere = second.registered(&registered);
    assert_eq!(elsewhere.introspect("x").await.status, 200);
    let (uri, token) = address(&registered);
    assert_eq!(first.call("DELETE", uri, token, &Value::Null).await.status, 204);
    second.follow_clients().await;
    assert_eq!(elsewhere.introspect("x").await.status, 401);
    let restarted = open(&backend).another_node_of(&first).start().await;
    assert_eq!(restarted.registered(&registered).introspect("x").await.status, 401);
}

async fn only_those_whom_the_operator_names_are_let_in(backend: Backend) {
    let provider = open(&backend).set("registration.groups", "[\"clinicians\"]").start().await;
    let self_registered = provider.registered(&register(&provider, &metadata()).await);
    assert!(self_registered.authorize(&provider.signed_in(ALICE).await, &[]).await.has_form("/consent"));
    assert!(self_registered.authorize(&provider.signed_in(BOB).await, &[]).await.has_form("/not-entitled"));
}

async fn a_changed_configuration_holds_for_those_registered_before(backend: Backend) {
    let wide = open(&backend).set("registration.scope", "\"openid email phone\"").start().await;
    let registered = register(&wide, &metadata()).await;
    assert_eq!(registered["scope"], "openid email phone");
    let narrow = open(&backend).another_node_of(&wide).set("registration.require_pkce", "true").start().await;
    let (uri, token) = address(&registered);
    let now = narrow.call("GET", uri, token, &Value::Null).await.json();
    assert_eq!((&now["scope"], &now["require_pkce"]), (&json!("openid email"), &json!(true)));
    let self_registered = narrow.registered(&registered);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let refused = self_registered.authorize(&narrow.signed_in(ALICE).await, &without).await;
    assert_eq!(refused.parameters()["error"], "invalid_request");
    let closed = TestProvider::on(&backend).another_node_of(&wide).start().await;
    assert_eq!(closed.registered(&registered).introspect("x").await.status, 401, "closed: not known");
    assert_eq!(closed.call("GET", uri, token, &Value::Null).await.status, 404);
}

async fn a_client_stays_whose_name_an_earlier_release_took(backend: Backend) {
    let first = open(&backend).start().await;
    let named = register(&first, &with(&json!({ "client_name": "Named NAME", "scope": "openid" }))).await;
    let nameless = register(&first, &with(&json!({ "client_name": "NAME", "scope": "openid" }))).await;
    backend
        .execute("UPDATE registered_clients SET metadata = REPLACE(metadata, 'NAME', '\u{202e}\u{feff}')")
        .await;
    let second = open(&backend).another_node_of(&first).start().await;
    for (client, name) in [(&named, "Named"), (&nameless, nameless["client_id"].as_str().unwrap())] {
        let browser = second.signed_in(ALICE).await;
        let page = second.registered(client).authorize(&browser, &[("scope", "openid")]).await;
        assert_eq!(page.status, 200, "{}", page.page_summary());
        assert!(
            page.body.contains(name) && !page.body.contains(['\u{202e}', '\u{feff}']),
            "{}",
            page.page_summary()
        );
    }
}

/// Each has seen all that was there when it asked, and a stranger who asks adds no look before the node's own.
async fn requests_that_name_unknown_clients_share_a_look(backend: Backend) {
    let provider = open(&backend).start().await;
    let asked = tokio::time::Instant::now();
    let look = || {
        anteroom_flows::context::registered_clients::refresh_registered_clients_asked_at(
            &provider.provider,
            asked,
        )
    };
    let looks = join_all((0..50).map(|_| look())).await;
    let looks: std::collections::BTreeSet<_> = looks.into_iter().map(Result::unwrap).collect();
    assert_eq!(looks.len(), 1, "looks for 50 requests");
}
