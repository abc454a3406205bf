//! Tokens that a client has for itself (RFC 6749 §4.4).

use anteroom_testkit::{Backend, RelyingParty, TestProvider, Tokens, claims, on_both_databases};
use serde_json::json;

on_both_databases!(
    rfc6749_4_4_a_client_gets_a_token_for_itself,
    rfc6749_4_4_2_scope_and_resource_can_be_narrowed,
    rfc6749_4_4_only_clients_registered_for_it,
    a_clients_own_token_says_nothing_of_people,
    the_trail_counts_them_by_the_minute,
    a_revoked_one_is_over,
);

async fn token(client: &RelyingParty, extra: &[(&str, &str)]) -> anteroom_testkit::TestResponse {
    let mut fields = vec![("grant_type", "client_credentials")];
    fields.extend(extra);
    client.post("/token", &fields).await
}

async fn rfc6749_4_4_a_client_gets_a_token_for_itself(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let service = provider.client("service");
    let tokens = Tokens::of(&token(&service, &[]).await);
    assert_eq!((&tokens.refresh_token, &tokens.id_token), (&None, &None));
    assert_eq!(tokens.json["scope"], "archive reports");
    let said = claims(&tokens.access_token);
    assert_eq!((&said["sub"], &said["client_id"]), (&"service".into(), &"service".into()));
    assert_eq!(said["aud"], json!(["https://api.example/", "https://files.example/"]));
    assert_eq!(service.introspect(&tokens.access_token).await.json()["active"], true);
}

async fn rfc6749_4_4_2_scope_and_resource_can_be_narrowed(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let service = provider.client("service");
    let narrow = [("scope", "reports"), ("resource", "https://api.example/")];
    let tokens = Tokens::of(&token(&service, &narrow).await);
    let said = claims(&tokens.access_token);
    assert_eq!((&said["scope"], &said["aud"]), (&"reports".into(), &"https://api.example/".into()));
    // RFC 8707 §2: named twice it is named.
    let twice = [("resource", "https://api.example/"), ("resource", "https://api.example/")];
    let tokens = Tokens::of(&token(&service, &twice).await);
    assert_eq!(claims(&tokens.access_token)["aud"], "https://api.example/");
    assert_eq!(token(&service, &[("scope", "reports payroll")]).await.error(), "invalid_scope");
    assert_eq!(token(&service, &[("scope", "openid")]).await.error(), "invalid_scope");
    let elsewhere = token(&service, &[("resource", "https://other.example/")]).await;
    assert_eq!((elsewhere.status, elsewhere.error().as_str()), (400, "invalid_target"));
}

async fn rfc6749_4_4_only_clients_registered_for_it(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for client in ["web", "native", "partner"] {
        let answer = token(&provider.client(client), &[]).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "unauthorized_client"), "{client}");
    }
}

async fn a_clients_own_token_says_nothing_of_people(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let service = provider.client("service");
    let tokens = Tokens::of(&token(&service, &[]).await);
    assert_eq!(service.userinfo(&tokens.access_token).await.status, 401);
    let said = claims(&tokens.access_token);
    for name in ["auth_time", "acr", "amr", "sid"] {
        assert!(said.get(name).is_none(), "{name}");
    }
}

async fn the_trail_counts_them_by_the_minute(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let service = provider.client("service");
    for _ in 0..7 {
        token(&service, &[]).await;
    }
    token(&provider.client("https://api.example/"), &[]).await;
    assert!(provider.audited("client_tokens_granted").await.is_empty());
    provider.write_tallies().await;
    let mut counts: Vec<_> = provider.audited("client_tokens_granted").await;
    counts.sort_by_key(|entry| entry.client.clone());
    let counts: Vec<_> =
        counts.iter().map(|entry| (entry.client.as_deref().unwrap(), entry.detail.as_str())).collect();
    assert_eq!(counts, [("https://api.example/", r#"{"count":1}"#), ("service", r#"{"count":7}"#)]);
}

async fn a_revoked_one_is_over(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let service = provider.client("service");
    let [first, second] = [(); 2].map(|()| token(&service, &[]));
    let (first, second) = (Tokens::of(&first.await), Tokens::of(&second.await));
    assert_eq!(service.revoke(&first.access_token).await.status, 200);
    assert_eq!(service.introspect(&first.access_token).await.json(), json!({ "active": false }));
    assert_eq!(service.introspect(&second.access_token).await.json()["active"], true);
}
