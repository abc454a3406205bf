//! Who is asking: client authentication (RFC 6749 §2.3, OpenID Connect Core §9).

use crate::ALICE;
use anteroom_testkit::{
    Backend, CLIENT_SECRET, ClientAuthentication, RelyingParty, TestProvider, on_both_databases,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::json;

on_both_databases!(
    only_the_registered_method_is_accepted,
    a_client_without_a_named_method_may_send_its_secret_in_either_way,
    registration_2_a_client_that_registered_itself_is_held_to_client_secret_basic,
    rfc6749_5_2_a_wrong_secret_is_401_with_a_challenge,
    rfc6749_2_3_1_basic_with_an_empty_secret_is_a_public_client_and_no_other,
    rfc6749_2_3_two_methods_at_once_are_refused,
    rfc9110_5_3_two_authorization_headers_are_refused,
    rfc6749_2_3_1_basic_credentials_are_form_urlencoded,
    failures_are_in_the_trail_without_the_secret,
    rfc6749_5_2_invalid_client_carries_a_reference_and_on_a_loopback_issuer_the_cause,
    every_endpoint_for_clients_asks_who_they_are,
    rfc6749_5_2_a_body_that_is_too_long_is_refused_in_json,
    the_causes_of_invalid_client_look_alike_to_strangers,
    a_secret_is_replaced_without_an_interruption,
);

const WRONG: &str = "not-the-clients-secret";

fn proving(provider: &TestProvider, client: &str, proof: ClientAuthentication) -> RelyingParty {
    provider.client(client).proving(proof)
}

async fn only_the_registered_method_is_accepted(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "poster"
first_party = true
redirect_uris = ["https://poster.example/callback"]
token_endpoint_auth_method = "client_secret_post"
secret_env = "TEST_CLIENT_SECRET"
[[clients]]
client_id = "basic"
first_party = true
redirect_uris = ["https://basic.example/callback"]
token_endpoint_auth_method = "client_secret_basic"
secret_env = "TEST_CLIENT_SECRET"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let proofs = [
        ClientAuthentication::Basic(CLIENT_SECRET),
        ClientAuthentication::Post(CLIENT_SECRET),
        ClientAuthentication::None,
    ];
    for (client, accepted) in [("basic", proofs[0]), ("poster", proofs[1]), ("native", proofs[2])] {
        for proof in proofs {
            let app = proving(&provider, client, proof);
            let code = app.code(&browser, &[]).await;
            let answer = app.redeem(&code).await;
            let expected = if proof == accepted { (200, "") } else { (401, "invalid_client") };
            assert_eq!((answer.status, answer.error().as_str()), expected, "{client} {proof:?}");
        }
    }
}

async fn a_client_without_a_named_method_may_send_its_secret_in_either_way(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let (basic, post) =
        (ClientAuthentication::Basic(CLIENT_SECRET), ClientAuthentication::Post(CLIENT_SECRET));
    // Also from one request to the next.
    for (first, then) in [(basic, post), (post, basic)] {
        let tokens = proving(&provider, "web", first).tokens(&browser, "openid").await;
        let refreshed = proving(&provider, "web", then).refresh(tokens.refresh_token()).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.page_summary());
    }
    for proof in
        [ClientAuthentication::None, ClientAuthentication::Basic(WRONG), ClientAuthentication::Post(WRONG)]
    {
        let answer = proving(&provider, "web", proof).redeem("x").await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{proof:?}");
    }
}

async fn registration_2_a_client_that_registered_itself_is_held_to_client_secret_basic(backend: Backend) {
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let metadata = json!({ "redirect_uris": ["https://stranger.example/callback"] });
    let registered = provider.call("POST", "/clients", None, &metadata).await.json();
    let secret: &'static str = registered["client_secret"].as_str().unwrap().to_owned().leak();
    let self_registered = provider.registered(&registered);
    for (proof, status) in
        [(ClientAuthentication::Basic(secret), 400), (ClientAuthentication::Post(secret), 401)]
    {
        assert_eq!(self_registered.clone().proving(proof).redeem("x").await.status, status, "{proof:?}");
    }
}

async fn rfc6749_5_2_a_wrong_secret_is_401_with_a_challenge(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for app in [
        proving(&provider, "web", ClientAuthentication::Basic(WRONG)),
        proving(&provider, "web", ClientAuthentication::Basic("")),
        proving(&provider, "partner", ClientAuthentication::Post(WRONG)),
        provider.client("web").named("nobody"),
        provider.client("native").named(""),
    ] {
        let answer = app.redeem("x").await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{app:?}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "), "{app:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

async fn rfc6749_2_3_1_basic_with_an_empty_secret_is_a_public_client_and_no_other(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let native = provider.client("native");
    let code = native.code(&browser, &[]).await;
    let basic = native.proving(ClientAuthentication::Basic(""));
    assert_eq!(basic.redeem(&code).await.status, 200);
    for app in ["web", "partner", "service"] {
        let answer = proving(&provider, app, ClientAuthentication::Basic("")).redeem("x").await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{app}");
    }
}

async fn rfc6749_2_3_two_methods_at_once_are_refused(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    for extra in [("client_secret", CLIENT_SECRET), ("client_id", "native")] {
        let answer = web.redeem_with("x", &[extra]).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{extra:?}");
    }
    // Naming oneself again does no harm.
    assert_eq!(web.redeem_with("x", &[("client_id", "web")]).await.error(), "invalid_grant");
}

async fn rfc6749_2_3_1_basic_credentials_are_form_urlencoded(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "with space:and%"
first_party = true
redirect_uris = []
response_types = []
grant_types = ["client_credentials"]
secret_env = "TEST_CLIENT_SECRET"
scope = "reports"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    for (sent, status) in
        [("with+space%3Aand%25", 200), ("with%20space%3Aand%25", 200), ("with space:and%", 401)]
    {
        let pair = STANDARD.encode(format!("{sent}:{CLIENT_SECRET}"));
        let client = provider.browser().with("authorization", &format!("Basic {pair}"));
        let answer = client.post("/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, status, "{sent}");
    }
}

async fn failures_are_in_the_trail_without_the_secret(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    proving(&provider, "partner", ClientAuthentication::Post(WRONG)).redeem("x").await;
    proving(&provider, "partner", ClientAuthentication::Basic(CLIENT_SECRET)).redeem("x").await;
    let entries = provider.audited("client_authentication_failed").await;
    assert_eq!(entries.len(), 2);
    let said = format!("{entries:?}");
    assert!(entries.iter().all(|entry| entry.client.as_deref() == Some("partner")), "{said}");
    assert!(!said.contains(WRONG) && !said.contains(CLIENT_SECRET), "{said}");
    // The operator reads which method was registered and which was used.
    assert!(said.contains("client_secret_basic") && said.contains("client_secret_post"), "{said}");
}

async fn rfc6749_5_2_invalid_client_carries_a_reference_and_on_a_loopback_issuer_the_cause(backend: Backend) {
    let description_of = async |provider: &TestProvider, app: RelyingParty| {
        let answer = app.redeem("x").await;
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        let reference = description.rsplit_once("; reference ").unwrap().1.to_owned();
        let entries = provider.provider.store.entries_by_reference(&reference).await.unwrap();
        assert!(entries.iter().any(|entry| entry.kind == "client_authentication_failed"), "{description}");
        assert!(!description.contains(['"', '\\']), "{description}");
        description
    };
    let local = TestProvider::start(&backend).await;
    for (app, cause) in [
        (proving(&local, "web", ClientAuthentication::Basic(WRONG)), "client 'web' sent a wrong secret"),
        (
            proving(&local, "partner", ClientAuthentication::Basic(CLIENT_SECRET)),
            "registered for client_secret_post and used client_secret_basic",
        ),
        (local.client("web").named("nobody"), "client 'nobody' is not registered"),
    ] {
        let description = description_of(&local, app).await;
        assert!(description.contains(cause), "{description}");
    }
}

async fn the_causes_of_invalid_client_look_alike_to_strangers(backend: Backend) {
    let provider = TestProvider::on(&backend).issuer("https://id.practice.example").start().await;
    for app in [
        proving(&provider, "web", ClientAuthentication::Basic(WRONG)),
        proving(&provider, "partner", ClientAuthentication::Basic(CLIENT_SECRET)),
        provider.client("web").named("nobody"),
    ] {
        let answer = app.redeem("x").await;
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        let (said, _) = description.split_once("; reference ").unwrap();
        assert_eq!(said, "client authentication failed", "{app:?}");
    }
}

async fn every_endpoint_for_clients_asks_who_they_are(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let token = provider.client("web").tokens(&browser, "openid").await.access_token;
    for path in ["/token", "/introspect", "/revoke", "/par"] {
        let self_registered = proving(&provider, "web", ClientAuthentication::Basic(WRONG));
        assert_eq!(self_registered.post(path, &[("token", &token)]).await.status, 401, "{path}");
    }
    // Introspection is for those who can prove it (RFC 7662 §2.1).
    assert_eq!(provider.client("native").introspect(&token).await.status, 401);
    assert_eq!(provider.client("web").introspect(&token).await.json()["active"], true);
}

async fn rfc6749_5_2_a_body_that_is_too_long_is_refused_in_json(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let long = "x".repeat(100_000);
    for path in ["/token", "/introspect", "/revoke", "/par"] {
        let answer = provider.client("web").post(path, &[("token", &long)]).await;
        assert_eq!((answer.status, answer.error().as_str()), (413, "invalid_request"), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    // RFC 6750 §3.1 has a status for it.
    let answer = provider.browser().post("/userinfo", &[("access_token", &long)]).await;
    let challenge = answer.header("www-authenticate").unwrap();
    assert_eq!(answer.status, 400);
    assert!(challenge.contains("error=\"invalid_request\""), "{challenge}");
}

async fn a_secret_is_replaced_without_an_interruption(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new-secret");
    std::fs::write(&file, "the-new-client-secret").unwrap();
    let toml = format!(
        "[[clients]]\nclient_id = \"renewing\"\nfirst_party = true\nredirect_uris = []\nresponse_types = []\n\
         grant_types = [\"client_credentials\"]\nscope = \"reports\"\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
         secret_files = [\"{}\"]\n",
        file.display()
    );
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    for (secret, status) in [(CLIENT_SECRET, 200), ("the-new-client-secret", 200), (WRONG, 401)] {
        let app = proving(&provider, "renewing", ClientAuthentication::Basic(secret));
        let answer = app.post("/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, status, "{secret}");
    }
}

async fn rfc9110_5_3_two_authorization_headers_are_refused(backend: Backend) {
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid").await;
    let basic = format!("Basic {}", STANDARD.encode(format!("web:{CLIENT_SECRET}")));
    let bearer = format!("Bearer {}", tokens.access_token);
    let form = "token=x&grant_type=client_credentials&client_id=web";
    for (method, path, value) in [
        (Method::POST, "/token", &basic),
        (Method::POST, "/introspect", &basic),
        (Method::POST, "/revoke", &basic),
        (Method::POST, "/par", &basic),
        (Method::GET, "/userinfo", &bearer),
        (Method::POST, "/userinfo", &bearer),
        (Method::GET, "/clients/web", &bearer),
        (Method::PUT, "/clients/web", &bearer),
        (Method::DELETE, "/clients/web", &bearer),
    ] {
        let kind = if path.starts_with("/clients") {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        for second in [value.as_str(), "Basic x", "Bearer x"] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            headers.append(AUTHORIZATION, HeaderValue::from_str(second).unwrap());
            let answer = provider.ask(method.clone(), path, headers, form.into()).await;
            assert_eq!(answer.status, 400, "{method} {path}: {}", answer.page_summary());
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            let said = answer.body.contains("invalid_request") || challenge.contains("invalid_request");
            assert!(said, "{method} {path}: {challenge} {}", answer.body);
        }
    }
}
