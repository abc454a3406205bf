//! Access tokens for APIs, which are JWTs, and those for the issuer alone, which are opaque; and APIs that ask about them.

use crate::ALICE;
use crate::registration::register;
use anteroom_testkit::{
    Backend, CLIENT_SECRET, ClientAuthentication, TestProvider, Tokens, claims, header, on_both_databases,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::json;

on_both_databases!(
    an_access_token_is_opaque_where_no_api_is_its_audience,
    an_opaque_access_token_works_on_every_node,
    a_jwt_that_was_given_out_before_is_good_to_its_end,
    rfc7591_3_2_1_a_client_that_registers_itself_is_told_the_format,
    rfc8725_3_11_an_access_token_with_the_typ_of_an_id_token_does_not_pass_for_one,
    an_api_that_only_introspects_has_no_grants,
    rfc6749_2_3_1_a_client_id_that_is_a_url_is_encoded_in_the_header,
);

const CALLER: &str = r#"
[[clients]]
client_id = "caller"
first_party = true
redirect_uris = ["https://caller.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid email reports"
audience = ["https://records.example/"]
"#;

async fn an_access_token_is_opaque_where_no_api_is_its_audience(backend: Backend) {
    let issuer = "https://id.practice.example";
    let ours = CALLER.replace("caller", "ours").replace("https://records.example/", issuer);
    let provider = TestProvider::on(&backend).issuer(issuer).clients(&(CALLER.to_owned() + &ours));
    let provider = provider.start().await;
    let browser = provider.signed_in(ALICE).await;
    for id in ["web", "ours"] {
        let app = provider.client(id);
        let first = app.tokens(&browser, "openid email").await;
        let second = Tokens::of(&app.refresh(first.refresh_token()).await);
        for token in [&first.access_token, &second.access_token] {
            assert!(!token.contains('.'), "{id}: {token}");
            assert_eq!(app.userinfo(token).await.json()["email"], ALICE);
            let said = app.introspect(token).await.json();
            assert_eq!((&said["active"], &said["aud"]), (&true.into(), &json!([issuer])));
        }
        app.revoke(&second.access_token).await;
        assert_eq!(app.userinfo(&second.access_token).await.status, 401);
        assert_eq!(app.introspect(&second.access_token).await.json(), json!({ "active": false }));
        assert_eq!(app.userinfo(&first.access_token).await.status, 200, "one ends alone");
    }
    let tokens = provider.client("caller").tokens(&browser, "openid reports").await;
    let head = header(&tokens.access_token);
    assert_eq!((&head["typ"], &head["alg"]), (&"at+jwt".into(), &"RS256".into()));
    assert_eq!(claims(&tokens.access_token)["aud"], json!(["https://records.example/", issuer]));
    let own = provider.client("service").post("/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(header(&Tokens::of(&own).access_token)["alg"], "RS256");
}

async fn an_opaque_access_token_works_on_every_node(backend: Backend) {
    let first = TestProvider::start(&backend).await;
    let second = TestProvider::on(&backend).another_node_of(&first).start().await;
    let (web, browser) = (first.client("web"), first.signed_in(ALICE).await);
    let token = web.tokens(&browser, "openid email").await.access_token;
    let elsewhere = second.client("web");
    assert_eq!(elsewhere.userinfo(&token).await.json()["email"], ALICE);
    assert_eq!(elsewhere.introspect(&token).await.json()["active"], true);
    let altered = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
    let upper = token.to_uppercase();
    for unknown in [altered.as_str(), upper.as_str(), &token[1..]] {
        assert_eq!(elsewhere.userinfo(unknown).await.status, 401, "{unknown}");
    }
    elsewhere.revoke(&token).await;
    assert_eq!(web.userinfo(&token).await.status, 401);
    // What signing out ends is decided by the grant, as for a JWT.
    let token = web.tokens(&browser, "openid email").await.access_token;
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    assert_eq!(elsewhere.userinfo(&token).await.status, 401);
}

/// As release 0.1.0 gave them to every client, and a node of it goes on to, beside one of this release.
async fn a_jwt_that_was_given_out_before_is_good_to_its_end(backend: Backend) {
    let before = CALLER.replace("audience", "access_token_format = \"jwt\"\n# audience");
    let before = TestProvider::on(&backend).clients(&before).start().await;
    let now = CALLER.replace("audience", "# audience");
    let now = TestProvider::on(&backend).clients(&now).another_node_of(&before).start().await;
    let browser = before.signed_in(ALICE).await;
    let tokens = before.client("caller").tokens(&browser, "openid email").await;
    let app = now.client("caller");
    assert_eq!(header(&tokens.access_token)["typ"], "at+jwt");
    assert_eq!(app.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    assert_eq!(app.introspect(&tokens.access_token).await.json()["active"], true);
    let refreshed = Tokens::of(&app.refresh(tokens.refresh_token()).await);
    assert!(!refreshed.access_token.contains('.'));
    // And the other way round.
    assert_eq!(before.client("caller").userinfo(&refreshed.access_token).await.json()["email"], ALICE);
    now.advance(SignedDuration::from_secs(599));
    assert_eq!(app.userinfo(&tokens.access_token).await.status, 200);
    now.advance(SignedDuration::from_secs(1));
    assert_eq!(app.userinfo(&tokens.access_token).await.status, 401);
}

async fn rfc7591_3_2_1_a_client_that_registers_itself_is_told_the_format(backend: Backend) {
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    for (given, format) in [(None, "opaque"), (Some("jwt"), "jwt")] {
        let metadata = json!({
            "redirect_uris": ["https://stranger.example/callback"], "access_token_format": given,
        });
        let registered = register(&provider, &metadata).await;
        assert_eq!(registered["access_token_format"], format);
        let (app, browser) = (provider.registered(&registered), provider.signed_in(ALICE).await);
        let page = app.authorize(&browser, &[("scope", "openid email")]).await;
        let answer = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        let tokens = Tokens::of(&app.redeem(&app.code_in(&answer)).await);
        assert_eq!(tokens.access_token.contains('.'), format == "jwt");
        assert_eq!(app.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    }
}

async fn rfc8725_3_11_an_access_token_with_the_typ_of_an_id_token_does_not_pass_for_one(backend: Backend) {
    let toml = format!("{CALLER}access_token_typ = \"JWT\"\naccess_token_signed_response_alg = \"ES256\"\n");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("caller"), provider.signed_in(ALICE).await);
    let resource = [("scope", "openid reports"), ("resource", "https://records.example/")];
    let tokens = Tokens::of(&app.redeem(&app.code(&browser, &resource).await).await);
    let head = header(&tokens.access_token);
    assert_eq!((&head["typ"], &head["alg"]), (&"JWT".into(), &"ES256".into()));
    assert_eq!(app.introspect(&tokens.access_token).await.json()["active"], true);
    assert_eq!(app.userinfo(&tokens.access_token).await.status, 401, "for the API alone");
    let for_us = app.tokens(&browser, "openid email").await;
    assert_eq!(app.userinfo(&for_us.access_token).await.json()["email"], ALICE);
    // As a hint it says nothing, and as an access token an ID token says nothing.
    let unknown = provider.browser();
    let silent = |hint| [("prompt", "none"), ("id_token_hint", hint)];
    for hint in [tokens.access_token.as_str(), &for_us.access_token] {
        assert_eq!(app.authorize(&unknown, &silent(hint)).await.error(), "login_required");
        let query = [("id_token_hint", hint), ("client_id", "caller")];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let page = browser.get(&format!("/end-session?{query}")).await;
        assert_eq!(page.status, 200, "asks");
        assert!(browser.is_signed_in().await);
    }
    assert_eq!(app.userinfo(tokens.id_token()).await.status, 401);
    assert_eq!(app.introspect(tokens.id_token()).await.json(), json!({ "active": false }));
}

const ASKING: &str = r#"
[[clients]]
client_id = "https://records.example/"
redirect_uris = []
response_types = []
grant_types = []
secret_env = "TEST_CLIENT_SECRET"
"#;

async fn an_api_that_only_introspects_has_no_grants(backend: Backend) {
    let opaque = CALLER.replace("caller", "opaque") + "access_token_format = \"opaque\"\n";
    let toml = CALLER.to_owned() + &opaque + ASKING;
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let api = provider.client("https://records.example/");
    let browser = provider.signed_in(ALICE).await;
    for id in ["caller", "opaque"] {
        let app = provider.client(id);
        let tokens = app.tokens(&browser, "openid reports").await;
        assert_eq!(tokens.access_token.contains('.'), id == "caller");
        let said = api.introspect(&tokens.access_token).await.json();
        assert_eq!((&said["active"], &said["client_id"]), (&true.into(), &id.into()));
        assert_eq!(said["scope"], "openid reports");
        app.revoke(&tokens.access_token).await;
        assert_eq!(api.introspect(&tokens.access_token).await.json(), json!({ "active": false }));
    }
    let own = api.post("/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!((own.status, own.error().as_str()), (400, "unauthorized_client"));
    let request = [("response_type", "code"), ("redirect_uri", "https://records.example/")];
    assert_eq!(api.authorize(&browser, &request).await.status, 400);
}

async fn rfc6749_2_3_1_a_client_id_that_is_a_url_is_encoded_in_the_header(backend: Backend) {
    let provider = TestProvider::on(&backend).clients(&(CALLER.to_owned() + ASKING)).start().await;
    let browser = provider.signed_in(ALICE).await;
    let token = provider.client("caller").tokens(&browser, "openid reports").await.access_token;
    let ask = async |pair: &str| {
        let basic = format!("Basic {}", STANDARD.encode(pair));
        let asking = provider.browser().with("authorization", &basic);
        asking.post("/introspect", &[("token", &token)]).await
    };
    let encoded = ask(&format!("https%3A%2F%2Frecords.example%2F:{CLIENT_SECRET}")).await;
    assert_eq!(encoded.json()["active"], true, "{}", encoded.page_summary());
    // As it is, it ends at its first colon.
    let plain = ask(&format!("https://records.example/:{CLIENT_SECRET}")).await;
    assert_eq!((plain.status, plain.error().as_str()), (401, "invalid_client"));
    let in_form =
        provider.client("https://records.example/").proving(ClientAuthentication::Post(CLIENT_SECRET));
    assert_eq!(in_form.introspect(&token).await.json()["active"], true);
}
