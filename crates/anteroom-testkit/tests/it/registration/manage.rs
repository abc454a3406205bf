//! `/clients/{client_id}`: RFC 7592.

use super::{CALLBACK, CLIENTS, address, metadata, open, refused_for, register, with};
use crate::ALICE;
use anteroom_flows::protocol::registration::remove;
use anteroom_testkit::{Backend, TestProvider, Tokens, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(
    rfc7592_2_the_registration_access_token_is_the_key,
    rfc7592_2_1_a_client_reads_what_is_registered,
    rfc7592_2_2_an_update_replaces_everything,
    rfc7592_2_2_an_update_names_its_client,
    rfc7592_2_2_an_update_that_changes_nothing_writes_nothing,
    rfc7592_2_2_a_secret_comes_and_goes_with_the_method,
    rfc7592_2_3_deletion_ends_what_was_granted,
    core_8_1_who_moves_to_another_sector_knows_nobody_there,
    consent_is_for_the_hosts_that_were_named,
    consent_is_for_every_host_that_a_person_is_led_to,
    rfc8252_8_6_a_native_application_asks_each_time,
    an_operator_is_rid_of_a_client_without_its_token,
);

async fn rfc7592_2_the_registration_access_token_is_the_key(backend: Backend) {
    let provider = open(&backend).start().await;
    let (one, two) = (register(&provider, &metadata()).await, register(&provider, &metadata()).await);
    let (uri, _) = address(&one);
    let unknown = format!("{CLIENTS}/nobody");
    for (target, token) in
        [(uri, None), (uri, Some("x")), (uri, address(&two).1), (unknown.as_str(), address(&one).1)]
    {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = provider.call(method, target, token, &metadata()).await;
            assert_eq!(answer.status, 401, "{method} {target}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer "), "{method} {target}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    assert_eq!(provider.call("GET", uri, address(&one).1, &Value::Null).await.status, 200);
}

async fn rfc7592_2_1_a_client_reads_what_is_registered(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &with(&json!({ "default_max_age": 60 }))).await;
    let (uri, token) = address(&registered);
    let mut read = provider.call("GET", uri, token, &Value::Null).await.json();
    assert_eq!(read["client_secret"], Value::Null, "what is kept cannot be read back");
    read["client_secret"] = registered["client_secret"].clone();
    assert_eq!(read, registered);
}

async fn put(provider: &TestProvider, client: &Value, metadata: &Value) -> anteroom_testkit::TestResponse {
    let (uri, token) = address(client);
    provider.call("PUT", uri, token, metadata).await
}

async fn rfc7592_2_2_an_update_replaces_everything(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &with(&json!({ "default_max_age": 60, "scope": "openid" }))).await;
    let elsewhere = "https://elsewhere.example/callback";
    let changed = json!({ "client_id": registered["client_id"], "redirect_uris": [elsewhere],
        "client_secret": registered["client_secret"] });
    let answer = put(&provider, &registered, &changed).await;
    assert_eq!(answer.status, 200, "{}", answer.page_summary());
    let now = answer.json();
    assert_eq!(now["redirect_uris"], json!([elsewhere]));
    for member in ["client_name", "default_max_age", "client_secret"] {
        assert_eq!(now[member], Value::Null, "{member}");
    }
    assert_eq!(now["scope"], "openid profile email");
    for kept in ["client_id", "client_id_issued_at", "registration_access_token", "registration_client_uri"] {
        assert_eq!(now[kept], registered[kept], "{kept}");
    }
    let (before, after) = (provider.registered(&registered), provider.registered(&now));
    let browser = provider.signed_in(ALICE).await;
    assert_eq!(before.authorize(&browser, &[]).await.status, 400, "where it led before");
    assert!(after.authorize(&browser, &[]).await.has_form("/consent"));
    assert_eq!(provider.audited("client_updated").await.len(), 1);
}

async fn rfc7592_2_2_an_update_that_changes_nothing_writes_nothing(backend: Backend) {
    let provider = open(&backend).start().await;
    let told = register(&provider, &metadata()).await;
    let update = |changes: Value| {
        let mut update = with(&changes);
        update["client_id"] = told["client_id"].clone();
        update
    };
    let renamed = update(json!({ "client_name": "Renamed" }));
    let revision = async || provider.local().store().clients_revision().await.unwrap();
    let first = put(&provider, &told, &renamed).await.json();
    let after_first = revision().await;
    provider.advance(jiff::SignedDuration::from_secs(1));
    assert_eq!(put(&provider, &told, &renamed).await.json(), first);
    assert_eq!(revision().await, after_first);
    assert_eq!(provider.audited("client_updated").await.len(), 1);
    // A change of the secret alone is a change.
    let public = update(json!({ "client_name": "Renamed", "token_endpoint_auth_method": "none" }));
    assert_eq!(put(&provider, &told, &public).await.status, 200);
    assert_eq!(provider.audited("client_updated").await.len(), 2);
}

async fn rfc7592_2_2_an_update_names_its_client(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let id = &registered["client_id"];
    for (changes, parameter) in [
        (json!({}), "client_id"),
        (json!({ "client_id": "another" }), "client_id"),
        (json!({ "client_id": id, "client_secret": "wrong" }), "client_secret"),
        (json!({ "client_id": id, "scope": "reports" }), "scope"),
    ] {
        let answer = put(&provider, &registered, &with(&changes)).await;
        let expected = (400, "invalid_client_metadata".to_owned(), true);
        assert_eq!(refused_for(&answer, parameter), expected, "{changes}");
    }
    assert!(provider.audited("client_updated").await.is_empty());
}

async fn rfc7592_2_2_a_secret_comes_and_goes_with_the_method(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let with_method = |method: &str| {
        with(&json!({ "client_id": registered["client_id"], "token_endpoint_auth_method": method }))
    };
    let stays = put(&provider, &registered, &with_method("client_secret_post")).await.json();
    assert_eq!((&stays["client_secret"], &stays["client_secret_expires_at"]), (&Value::Null, &json!(0)));
    let public = put(&provider, &registered, &with_method("none")).await.json();
    assert_eq!((&public["client_secret_expires_at"], &public["require_pkce"]), (&Value::Null, &json!(true)));
    let anew = put(&provider, &registered, &with_method("client_secret_basic")).await.json();
    assert_eq!(anew["client_secret"].as_str().unwrap().len(), 43);
    assert_ne!(anew["client_secret"], registered["client_secret"]);
    assert_eq!(provider.registered(&registered).introspect("x").await.status, 401);
    assert_eq!(provider.registered(&anew).introspect("x").await.status, 200);
}

async fn rfc7592_2_3_deletion_ends_what_was_granted(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered =
        register(&provider, &with(&json!({ "grant_types": ["authorization_code", "refresh_token"] }))).await;
    let (self_registered, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
    let page = self_registered.authorize(&browser, &[]).await;
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = Tokens::of(&self_registered.redeem(&self_registered.code_in(&agreed)).await);
    let unspent = self_registered.code(&browser, &[]).await;
    let (uri, token) = address(&registered);
    let deleted = provider.call("DELETE", uri, token, &Value::Null).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    assert_eq!(self_registered.userinfo(&tokens.access_token).await.status, 401);
    for answer in
        [self_registered.refresh(tokens.refresh_token()).await, self_registered.redeem(&unspent).await]
    {
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
    }
    assert_eq!(self_registered.authorize(&browser, &[]).await.status, 400);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(provider.call(method, uri, token, &metadata()).await.status, 401, "{method}");
    }
    let entries = provider.audited("client_deleted").await;
    assert_eq!((entries.len(), entries[0].detail.contains("\"grants\":1")), (1, true), "{entries:?}");
    assert!(provider.browser().get("/sign-in").await.status == 200);
}

async fn core_8_1_who_moves_to_another_sector_knows_nobody_there(backend: Backend) {
    let provider = open(&backend).start().await;
    let pairwise =
        json!({ "subject_type": "pairwise", "grant_types": ["authorization_code", "refresh_token"] });
    let registered = register(&provider, &with(&pairwise)).await;
    let (self_registered, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
    let page = self_registered.authorize(&browser, &[]).await;
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = Tokens::of(&self_registered.redeem(&self_registered.code_in(&agreed)).await);
    assert_eq!(self_registered.userinfo(&tokens.access_token).await.status, 200);
    let mut moved = with(&pairwise);
    moved["client_id"] = registered["client_id"].clone();
    moved["redirect_uris"] = json!(["https://victim.example/callback"]);
    assert_eq!(put(&provider, &registered, &moved).await.status, 200);
    assert_eq!(self_registered.userinfo(&tokens.access_token).await.status, 401);
    assert_eq!(self_registered.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    let entries = provider.audited("client_updated").await;
    assert!(entries.len() == 1 && entries[0].detail.contains("\"grants\":1"), "{entries:?}");
}

async fn consent_is_for_the_hosts_that_were_named(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let (self_registered, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
    let page = self_registered.authorize(&browser, &[]).await;
    assert_eq!(page.text_of("host").unwrap(), "It belongs to stranger.example.");
    browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let changed = async |redirect_uris: Value| {
        let id = registered["client_id"].clone();
        let answer =
            put(&provider, &registered, &with(&json!({ "client_id": id, "redirect_uris": redirect_uris })))
                .await;
        assert_eq!(answer.status, 200, "{}", answer.page_summary());
    };
    changed(json!([CALLBACK, "https://stranger.example/another"])).await;
    self_registered.code(&browser, &[]).await;
    changed(json!([CALLBACK, "https://another.example/callback"])).await;
    let page = self_registered.authorize(&browser, &[]).await;
    assert_eq!(page.text_of("host").unwrap(), "It belongs to stranger.example, another.example.");
}

async fn consent_is_for_every_host_that_a_person_is_led_to(backend: Backend) {
    let provider = open(&backend).start().await;
    for member in ["post_logout_redirect_uris", "initiate_login_uri"] {
        let host = |host: &str, path: &str| match format!("https://{host}/{path}") {
            uri if member.ends_with("uris") => json!([uri]),
            uri => json!(uri),
        };
        let before = with(&json!({ member: host("stranger.example", "a") }));
        let registered = register(&provider, &before).await;
        let (self_registered, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
        let page = self_registered.authorize(&browser, &[]).await;
        browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        let changed = async |value: Value| {
            let metadata = with(&json!({ "client_id": registered["client_id"], member: value }));
            let answer = put(&provider, &registered, &metadata).await;
            assert_eq!(answer.status, 200, "{member}: {}", answer.page_summary());
        };
        changed(host("stranger.example", "b")).await;
        self_registered.code(&browser, &[]).await;
        changed(host("another.example", "b")).await;
        let page = self_registered.authorize(&browser, &[]).await;
        assert!(page.has_form("/consent"), "{member}: {}", page.page_summary());
    }
}

async fn rfc8252_8_6_a_native_application_asks_each_time(backend: Backend) {
    let provider = open(&backend).start().await;
    let native = json!({ "application_type": "native", "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://127.0.0.1/callback"] });
    let registered = register(&provider, &with(&native)).await;
    let (native, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
    for _ in 0..2 {
        let page = native.authorize(&browser, &[]).await;
        let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        assert!(!native.code_in(&agreed).is_empty());
    }
    assert_eq!(native.authorize(&browser, &[("prompt", "none")]).await.error(), "consent_required");
}

async fn an_operator_is_rid_of_a_client_without_its_token(backend: Backend) {
    let provider = open(&backend).start().await;
    let registered = register(&provider, &metadata()).await;
    let id = registered["client_id"].as_str().unwrap().parse().unwrap();
    assert!(remove(&provider.local(), &id).await.unwrap());
    assert!(!remove(&provider.local(), &id).await.unwrap());
    provider.follow_clients().await;
    assert_eq!(provider.registered(&registered).introspect("x").await.status, 401);
    let (uri, token) = address(&registered);
    assert_eq!(provider.call("GET", uri, token, &Value::Null).await.status, 401);
    assert_eq!(provider.audited("client_deleted").await.len(), 1);
}
