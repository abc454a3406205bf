//! Introspection (RFC 7662): only an audience of the token, or the client that holds it, learns anything.

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, Tokens, claims, on_both_databases};
use serde_json::json;

on_both_databases!(
    rfc7662_2_2_the_holder_learns_what_the_token_says,
    only_an_audience_or_the_holder_learns_anything,
    rfc7662_2_2_whatever_is_dead_or_unknown_is_inactive,
    a_refresh_token_is_active_while_it_is_the_newest,
    an_opaque_access_token_is_understood_by_asking,
);

async fn rfc7662_2_2_the_holder_learns_what_the_token_says(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "signed"
first_party = true
redirect_uris = ["https://signed.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid email"
access_token_format = "jwt"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (web, browser) = (provider.client("signed"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid email").await;
    let said = web.introspect(&tokens.access_token).await.json();
    let token = claims(&tokens.access_token);
    assert_eq!(said["active"], true);
    assert_eq!(said["aud"], serde_json::json!([token["aud"]]));
    for name in ["iss", "sub", "client_id", "exp", "iat", "jti", "scope", "auth_time", "acr"] {
        assert_eq!(said[name], token[name], "{name}");
    }
    assert_eq!((&said["token_type"], &said["username"]), (&"Bearer".into(), &ALICE.into()));
    // The address is told to a client that may know it as a claim.
    let tokens = web.tokens(&browser, "openid").await;
    for token in [&tokens.access_token, tokens.refresh_token()] {
        let said = web.introspect(token).await.json();
        assert!(said["active"] == true && said.get("username").is_none(), "{said}");
    }
}

async fn only_an_audience_or_the_holder_learns_anything(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let service = provider.client("service");
    let grant = ("grant_type", "client_credentials");
    let for_api = [grant, ("resource", "https://api.example/")];
    let for_files = [grant, ("resource", "https://files.example/")];
    let (api_token, files_token) =
        (service.post("/token", &for_api).await, service.post("/token", &for_files).await);
    let (api_token, files_token) =
        (Tokens::of(&api_token).access_token, Tokens::of(&files_token).access_token);
    let persons = web.tokens(&browser, "openid").await;
    let inactive = json!({ "active": false });
    for (asker, token, learns) in [
        ("service", &api_token, true),
        ("service", &files_token, true),
        ("https://api.example/", &api_token, true),
        ("https://api.example/", &files_token, false),
        ("web", &api_token, false),
        ("https://api.example/", &persons.access_token, false),
        ("imaging", &persons.access_token, false),
        ("web", &persons.access_token, true),
        ("imaging", persons.refresh_token.as_ref().unwrap(), false),
        ("web", persons.refresh_token.as_ref().unwrap(), true),
    ] {
        let answer = provider.client(asker).introspect(token).await.json();
        assert_eq!(answer["active"], learns, "{asker}");
        assert!(learns || answer == inactive, "{asker}: {answer}");
    }
}

async fn rfc7662_2_2_whatever_is_dead_or_unknown_is_inactive(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid").await;
    let code = web.code(&browser, &[]).await;
    for token in ["x", tokens.id_token(), &code, &format!("{}x", tokens.access_token)] {
        let answer = web.introspect(token).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "active": false })), "{token}");
    }
    let missing = web.post("/introspect", &[]).await;
    assert_eq!((missing.status, missing.error().as_str()), (400, "invalid_request"));
}

async fn a_refresh_token_is_active_while_it_is_the_newest(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let first = web.tokens(&browser, "openid offline_access").await;
    let said = web.introspect(first.refresh_token()).await.json();
    assert_eq!((&said["active"], &said["client_id"]), (&true.into(), &"web".into()));
    let second = Tokens::of(&web.refresh(first.refresh_token()).await);
    assert_eq!(web.introspect(first.refresh_token()).await.json(), json!({ "active": false }));
    assert_eq!(web.introspect(second.refresh_token()).await.json()["active"], true);
}

async fn an_opaque_access_token_is_understood_by_asking(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "opaque"
first_party = true
redirect_uris = ["https://opaque.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid email"
access_token_format = "opaque"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (app, browser) = (provider.client("opaque"), provider.signed_in(ALICE).await);
    let tokens = app.tokens(&browser, "openid email").await;
    assert!(!tokens.access_token.contains('.'), "{}", tokens.access_token);
    assert_eq!(app.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    let said = app.introspect(&tokens.access_token).await.json();
    assert_eq!(
        (&said["active"], &said["scope"], &said["client_id"]),
        (&true.into(), &"openid email".into(), &"opaque".into())
    );
    assert_eq!(
        provider.client("web").introspect(&tokens.access_token).await.json(),
        json!({ "active": false })
    );
    app.revoke(&tokens.access_token).await;
    assert_eq!(app.userinfo(&tokens.access_token).await.status, 401);
    let again = Tokens::of(&app.refresh(tokens.refresh_token()).await);
    provider.advance(jiff::SignedDuration::from_mins(12));
    assert_eq!(app.introspect(&again.access_token).await.json(), json!({ "active": false }));
}
