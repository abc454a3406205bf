//! Userinfo (OpenID Connect Core §5.3).

use crate::{ALICE, BOB};
use anteroom_oidc::jwe::EncryptionKeyType;
use anteroom_testkit::{AppDecryptionKey, Backend, TestProvider, Tokens, claims, header, on_both_databases};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

on_both_databases!(
    core_5_4_each_scope_gives_its_claims,
    core_5_3_2_nothing_is_null_or_empty,
    core_5_3_1_get_and_post_header_and_form,
    rfc6750_3_errors_are_in_the_challenge,
    rfc9700_4_3_2_a_token_in_the_address_is_refused_with_what_to_do,
    core_5_3_2_signed_where_registered,
    core_5_3_2_encrypted_where_registered_signed_or_not,
    an_access_token_ends_after_ten_minutes,
    rfc9068_4_userinfo_takes_only_tokens_that_name_the_issuer,
);

fn names(json: &Value) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn core_5_4_each_scope_gives_its_claims(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("phone@practice.example").groups(&["staff"]).phone("+12025550143").create().await;
    let (web, browser) = (provider.client("web"), provider.signed_in("phone@practice.example").await);
    for (scope, expected) in [
        ("openid", &["sub"][..]),
        ("openid email", &["email", "email_verified", "sub"]),
        ("openid phone", &["phone_number", "phone_number_verified", "sub"]),
        ("openid address", &["address", "sub"]),
        ("openid groups", &["groups", "sub"]),
        ("openid profile", &["family_name", "given_name", "name", "sub", "updated_at"]),
    ] {
        let tokens = web.tokens(&browser, scope).await;
        let said = web.userinfo(&tokens.access_token).await.json();
        assert_eq!(names(&said), expected, "{scope}");
        assert_eq!(said["sub"], claims(tokens.id_token())["sub"]);
    }
    let everything = web.tokens(&browser, "openid profile email address phone groups").await;
    let said = web.userinfo(&everything.access_token).await.json();
    assert_eq!(said["email_verified"], true);
    assert_eq!(said["phone_number"], "+12025550143");
    assert_eq!(said["groups"], json!(["staff"]));
    assert_eq!(said["address"], json!({ "country": "US", "locality": "Springfield" }));
    assert_eq!(said["updated_at"], provider.now().as_second());
}

async fn core_5_3_2_nothing_is_null_or_empty(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.person("bare@practice.example").create().await;
    let (web, browser) = (provider.client("web"), provider.signed_in("bare@practice.example").await);
    let tokens = web.tokens(&browser, "openid profile email address phone groups").await;
    let said = web.userinfo(&tokens.access_token).await.json();
    for (name, value) in said.as_object().unwrap() {
        assert!(!value.is_null() && *value != "" && *value != json!([]), "{name}: {value}");
    }
    assert!(said.get("phone_number").is_none() && said.get("groups").is_none(), "{said}");
}

async fn core_5_3_1_get_and_post_header_and_form(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(BOB).await);
    let token = web.tokens(&browser, "openid email").await.access_token;
    let header = provider.browser().with("authorization", &format!("Bearer {token}"));
    let lower = provider.browser().with("authorization", &format!("bearer {token}"));
    let bare = provider.browser();
    for answer in [
        header.get("/userinfo").await,
        lower.get("/userinfo").await,
        header.post("/userinfo", &[]).await,
        bare.post("/userinfo", &[("access_token", &token)]).await,
    ] {
        assert_eq!((answer.status, &answer.json()["email"]), (200, &BOB.into()));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    // RFC 6750 §2: never two ways at once, and never in the address, which ends up in logs.
    assert_eq!(header.post("/userinfo", &[("access_token", &token)]).await.status, 400);
    assert_eq!(bare.get(&format!("/userinfo?access_token={token}")).await.status, 400);
    // RFC 6750 §2.2: a form is for methods that have a body.
    let mut headers = HeaderMap::new();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form);
    let body = format!("access_token={token}").into_bytes();
    let posted = provider.ask(Method::POST, "/userinfo", headers.clone(), body.clone()).await;
    let got = provider.ask(Method::GET, "/userinfo", headers, body).await;
    assert_eq!((posted.status, got.status), (200, 401));
    // A session is no access token.
    assert_eq!(browser.get("/userinfo").await.status, 401);
}

async fn rfc6750_3_errors_are_in_the_challenge(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let none = provider.browser().get("/userinfo").await;
    let challenge = none.header("www-authenticate").unwrap();
    assert_eq!(none.status, 401);
    assert!(challenge.starts_with("Bearer ") && !challenge.contains("error"), "{challenge}");
    for token in ["x", "a.b.c", "%00"] {
        let answer = web.userinfo(token).await;
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(answer.status, 401, "{token}");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    let basic = provider.browser().with("authorization", "Basic d2ViOng=").get("/userinfo").await;
    assert_eq!(basic.status, 401);
}

async fn rfc9700_4_3_2_a_token_in_the_address_is_refused_with_what_to_do(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let token = web.tokens(&browser, "openid").await.access_token;
    let target = format!("/userinfo?access_token={token}");
    for answer in [provider.browser().get(&target).await, provider.browser().post(&target, &[]).await] {
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(answer.status, 400, "{challenge}");
        assert!(challenge.contains("error=\"invalid_request\""), "{challenge}");
        assert!(challenge.contains("send it in the Authorization header"), "{challenge}");
        assert!(!challenge.contains(&token), "{challenge}");
    }
    // What stands in the address beside a token in the header does not count.
    let bearer = format!("Bearer {token}");
    let good = provider.browser().with("authorization", &bearer).get("/userinfo?access_token=x").await;
    assert_eq!(good.status, 200);
}

async fn core_5_3_2_signed_where_registered(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "signed"
first_party = true
redirect_uris = ["https://signed.example/callback"]
token_endpoint_auth_method = "none"
scope = "openid email"
userinfo_signed_response_alg = "ES256"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (app, browser) = (provider.client("signed"), provider.signed_in(ALICE).await);
    let tokens = app.tokens(&browser, "openid email").await;
    let answer = app.userinfo(&tokens.access_token).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jwt")));
    let said = claims(&answer.body);
    assert_eq!((&said["iss"], &said["aud"]), (&provider.issuer.clone().into(), &"signed".into()));
    assert_eq!((&said["email"], &said["sub"]), (&ALICE.into(), &claims(tokens.id_token())["sub"]));
    assert_eq!(header(&answer.body)["alg"], "ES256");
}

async fn core_5_3_2_encrypted_where_registered_signed_or_not(backend: Backend) {
    let key = AppDecryptionKey::new(EncryptionKeyType::Rsa);
    for signed in [true, false] {
        let more = if signed { "userinfo_signed_response_alg = \"EdDSA\"" } else { "" };
        let toml = format!(
            "[[clients]]\nclient_id = \"sealed\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://sealed.example/callback\"]\njwks = '{}'\n\
             userinfo_encrypted_response_alg = \"RSA-OAEP-256\"\n{more}\n",
            json!({ "keys": [key.jwk()] })
        );
        let provider = TestProvider::on(&backend).clients(&toml).start().await;
        let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
        let tokens = app.tokens(&browser, "openid email").await;
        // Only what was asked for is encrypted.
        app.verified(tokens.id_token()).await;
        let answer = app.userinfo(&tokens.access_token).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jwt")));
        let outside = header(&answer.body);
        assert_eq!((&outside["alg"], &outside["enc"]), (&json!("RSA-OAEP-256"), &json!("A128CBC-HS256")));
        let inside = key.open(&answer.body);
        let said: Value = if signed {
            assert_eq!((&outside["cty"], &header(&inside)["alg"]), (&json!("JWT"), &json!("EdDSA")));
            claims(&inside)
        } else {
            assert_eq!(outside.get("cty"), None);
            serde_json::from_str(&inside).unwrap()
        };
        assert_eq!((&said["email"], &said["sub"]), (&ALICE.into(), &claims(tokens.id_token())["sub"]));
        assert_eq!(said["aud"].is_string(), signed);
    }
}

async fn an_access_token_ends_after_ten_minutes(backend: Backend) {
    let provider = TestProvider::on(&backend).start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let token = web.tokens(&browser, "openid").await.access_token;
    provider.advance(jiff::SignedDuration::from_secs(599));
    assert_eq!(web.userinfo(&token).await.status, 200);
    assert_eq!(web.introspect(&token).await.json()["active"], true);
    provider.advance(jiff::SignedDuration::from_secs(1));
    assert_eq!(web.userinfo(&token).await.status, 401);
    assert_eq!(web.introspect(&token).await.json(), json!({ "active": false }));
}

async fn rfc9068_4_userinfo_takes_only_tokens_that_name_the_issuer(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "calls"
first_party = true
redirect_uris = ["https://calls.example/callback"]
response_types = ["code", "code id_token token"]
grant_types = ["authorization_code", "refresh_token", "implicit"]
token_endpoint_auth_method = "none"
scope = "openid email reports"
audience = ["https://a.example/", "https://b.example/"]
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (app, browser) = (provider.client("calls"), provider.signed_in(ALICE).await);
    // Named where it is to be used: there and nowhere else.
    let one = [("scope", "openid email"), ("resource", "https://a.example/")];
    let tokens = Tokens::of(&app.redeem(&app.code(&browser, &one).await).await);
    assert_eq!(claims(&tokens.access_token)["aud"], json!("https://a.example/"));
    let refused = app.userinfo(&tokens.access_token).await;
    let challenge = refused.header("www-authenticate").unwrap();
    assert_eq!((refused.status, refused.body.contains(ALICE)), (401, false));
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    let refreshed = Tokens::of(&app.refresh(tokens.refresh_token()).await);
    assert_eq!(app.userinfo(&refreshed.access_token).await.status, 401);
    // Named nowhere: for all of them, and with `openid` for userinfo.
    let tokens = app.tokens(&browser, "openid email reports").await;
    let all = json!(["https://a.example/", "https://b.example/", provider.issuer]);
    assert_eq!(claims(&tokens.access_token)["aud"], all);
    assert_eq!(app.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    let narrowed = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token()),
        ("resource", "https://b.example/"),
    ];
    let narrowed = Tokens::of(&app.post("/token", &narrowed).await);
    assert_eq!(app.userinfo(&narrowed.access_token).await.status, 401);
    let hybrid = [("response_type", "code id_token token"), ("scope", "openid email")];
    let answer = app.authorize(&browser, &hybrid).await;
    let fragment = answer.location().fragment().unwrap_or_default().to_owned();
    let (_, front) =
        url::form_urlencoded::parse(fragment.as_bytes()).find(|(name, _)| name == "access_token").unwrap();
    assert_eq!(app.userinfo(&front).await.json()["email"], ALICE);
    // Without `openid` there is nothing to ask for there.
    let plain = app.tokens(&browser, "reports").await;
    assert_eq!(claims(&plain.access_token)["aud"], json!(["https://a.example/", "https://b.example/"]));
}
