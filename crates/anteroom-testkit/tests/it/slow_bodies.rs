//! Requests whose body comes late, and those that wait for something of their client's: what changed meanwhile holds for them.

use crate::ALICE;
use anteroom_domain::client::Client;
use anteroom_domain::client_registration::RegistrationMode;
use anteroom_flows::context::provider::{Clients, Snapshot};
use anteroom_flows::keys::signing_keys::RotationReason;
use anteroom_oidc::jwe::EncryptionKeyType;
use anteroom_testkit::{
    AppDecryptionKey, AppKey, Backend, PASSWORD, TestProvider, TestResponse, Tokens, header,
    on_both_databases,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join;
use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

on_both_databases!(
    a_client_that_is_taken_out_while_its_request_comes_in_is_refused,
    a_page_leads_to_no_client_that_is_taken_out_while_its_form_comes_in,
    a_registration_that_comes_in_while_it_is_closed_registers_nobody,
    a_key_that_is_withdrawn_while_a_request_comes_in_signs_and_proves_nothing,
    a_limit_counts_a_request_when_its_body_is_there,
    a_client_that_is_taken_out_while_its_keys_are_fetched_is_refused,
    a_client_that_is_taken_out_while_keys_to_encrypt_to_are_fetched_gets_nothing,
    a_client_that_is_taken_out_while_its_request_is_fetched_is_not_known,
    a_registration_that_is_closed_while_its_sector_is_fetched_registers_nobody,
    rfc7592_2_2_an_update_of_a_client_that_is_deleted_while_its_sector_is_fetched_is_refused,
);

const REPORTS: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", "reports")];

/// What the node does where the operator has taken the client out of the configuration.
fn take_out(provider: &TestProvider, id: &str) {
    let running = provider.provider.snapshot();
    let others = running.clients.configured().filter(|client| client.id().as_str() != id);
    let clients = Clients::new(others.map(|client| Client::clone(client)).collect());
    provider.provider.replace_snapshot(Snapshot { clients, ..Snapshot::clone(&running) });
}

async fn a_client_that_is_taken_out_while_its_request_comes_in_is_refused(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, service) = (provider.client("web"), provider.client("service"));
    let tokens = web.tokens(&provider.signed_in(ALICE).await, "openid offline_access").await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
    let named = [("token", tokens.access_token.as_str())];
    let coming = [
        provider.begin_of_client(&service, "/token", &REPORTS).await,
        provider.begin_of_client(&web, "/token", &refresh).await,
        provider.begin_of_client(&web, "/introspect", &named).await,
        provider.begin_of_client(&web, "/revoke", &named).await,
        provider.begin_of_client(&web, "/par", &[("response_type", "code")]).await,
    ];
    let bearer = HeaderValue::from_str(&format!("Bearer {}", tokens.access_token)).unwrap();
    let bearer = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
    let userinfo = provider.begin("/userinfo", &bearer, "x".to_owned()).await;
    for client in ["web", "service"] {
        take_out(&provider, client);
    }
    for request in coming {
        let answer = request.finish().await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{}", answer.asked);
    }
    assert_eq!(userinfo.finish().await.status, 401);
}

async fn a_page_leads_to_no_client_that_is_taken_out_while_its_form_comes_in(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = web.authorize(&browser, &[]).await;
    let entered = [("email", ALICE), ("password", PASSWORD)];
    let coming = provider.begin_submit(&browser, &page, "/sign-in", &entered).await;
    take_out(&provider, "web");
    let answer = coming.finish().await;
    assert!(answer.text_of("error-application-gone").is_some(), "{}", answer.page_summary());
}

async fn a_registration_that_comes_in_while_it_is_closed_registers_nobody(backend: Backend) {
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let coming = provider.begin_json("/clients", &self_registered()).await;
    close_registration(&provider);
    assert_eq!(coming.finish().await.status, 404);
    assert_eq!(backend.rows().await.get("registered_clients").copied().unwrap_or_default(), 0);
}

fn close_registration(provider: &TestProvider) {
    let mut closed = Snapshot::clone(&provider.provider.snapshot());
    closed.registration.policy.mode = RegistrationMode::Closed;
    provider.provider.replace_snapshot(closed);
}

fn self_registered() -> Value {
    json!({ "redirect_uris": ["https://stranger.example/callback"], "client_name": "A stranger" })
}

async fn a_key_that_is_withdrawn_while_a_request_comes_in_signs_and_proves_nothing(backend: Backend) {
    let signed = "[[clients]]\nclient_id = \"signed\"\nfirst_party = true\nscope = \"openid\"\n\
                  redirect_uris = [\"https://signed.example/callback\"]\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
                  access_token_format = \"jwt\"\n";
    let provider = TestProvider::on(&backend).clients(signed).start().await;
    let signed = provider.client("signed");
    let token = signed.tokens(&provider.signed_in(ALICE).await, "openid").await.access_token;
    let code = signed.code(&provider.signed_in(ALICE).await, &[]).await;
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://signed.example/callback"),
        ("code_verifier", anteroom_testkit::VERIFIER),
    ];
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    let bearer = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
    let userinfo = provider.begin("/userinfo", &bearer, "x".to_owned()).await;
    let introspect = provider.begin_of_client(&signed, "/introspect", &[("token", &token)]).await;
    let redeem = provider.begin_of_client(&signed, "/token", &redeem).await;
    provider.advance(SignedDuration::from_secs(1));
    provider.rotate_keys(RotationReason::Compromised).await;
    provider.refresh_keys().await;
    let jwks = provider.browser().get("/jwks").await.body;
    let withdrawn = header(&token)["kid"].as_str().unwrap().to_owned();
    assert!(!jwks.contains(&withdrawn));
    assert_eq!(userinfo.finish().await.status, 401);
    assert_eq!(introspect.finish().await.json(), json!({ "active": false }));
    let fresh = Tokens::of(&redeem.finish().await);
    for token in [fresh.access_token.as_str(), fresh.id_token()] {
        assert!(jwks.contains(header(token)["kid"].as_str().unwrap()));
    }
}

async fn a_limit_counts_a_request_when_its_body_is_there(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("registration.mode", "\"open\"")
        .set("registration.rate", "{ max = 2, window = \"1m\" }")
        .start()
        .await;
    let coming = provider.begin_json("/clients", &self_registered()).await;
    provider.advance(SignedDuration::from_mins(1));
    for expected in [201, 201, 429] {
        assert_eq!(provider.call("POST", "/clients", None, &self_registered()).await.status, expected);
    }
    assert_eq!(coming.finish().await.status, 429);
}

/// A place that is asked and answers once `meanwhile` has happened.
async fn answering(place: &TcpListener, document: &str, meanwhile: impl Future<Output = ()>) {
    let mut asked = place.accept().await.unwrap().0;
    asked.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
    meanwhile.await;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{document}", document.len());
    asked.write_all(answer.as_bytes()).await.unwrap();
}

async fn slow_place() -> (TcpListener, String) {
    let place = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/jwks", place.local_addr().unwrap());
    (place, url)
}

async fn prove(provider: &TestProvider, key: &AppKey) -> TestResponse {
    let now = provider.now().as_second();
    let assertion = key.sign(&json!({
        "iss": "signer", "sub": "signer", "aud": provider.issuer, "exp": now + 60, "iat": now, "jti": "a",
    }));
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    provider.browser().post("/token", &fields).await
}

async fn a_client_that_is_taken_out_while_its_keys_are_fetched_is_refused(backend: Backend) {
    let (place, url) = slow_place().await;
    let key = AppKey::new("ES256", "a");
    let signer = format!(
        "[[clients]]\nclient_id = \"signer\"\nfirst_party = true\nredirect_uris = []\nresponse_types = []\n\
         grant_types = [\"client_credentials\"]\nscope = \"reports\"\n\
         token_endpoint_auth_method = \"private_key_jwt\"\njwks_uri = \"{url}\"\n"
    );
    let provider = TestProvider::on(&backend).clients(&signer).start().await;
    let document = AppKey::set(&[&key]).to_string();
    let fetched = answering(&place, &document, async { take_out(&provider, "signer") });
    let (answer, ()) = join(prove(&provider, &key), fetched).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (401, "invalid_client"),
        "{}",
        answer.page_summary()
    );
    let [entry] = &provider.audited("client_authentication_failed").await[..] else { panic!("no entry") };
    assert!(entry.detail.contains("taken away"), "{}", entry.detail);
}

async fn a_client_that_is_taken_out_while_keys_to_encrypt_to_are_fetched_gets_nothing(backend: Backend) {
    for endpoint in ["/token", "/userinfo"] {
        let (place, url) = slow_place().await;
        let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
        let kind = if endpoint == "/token" { "id_token" } else { "userinfo" };
        let sealed = format!(
            "[[clients]]\nclient_id = \"sealed\"\nfirst_party = true\nscope = \"openid\"\njwks_uri = \"{url}\"\n\
             redirect_uris = [\"https://sealed.example/callback\"]\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
             {kind}_encrypted_response_alg = \"ECDH-ES\"\n"
        );
        let provider = TestProvider::on(&backend).clients(&sealed).start().await;
        let app = provider.client("sealed");
        let code = app.code(&provider.signed_in(ALICE).await, &[]).await;
        let document = json!({ "keys": [key.jwk()] }).to_string();
        let fetched = answering(&place, &document, async { take_out(&provider, "sealed") });
        let asking = async {
            let answer = app.redeem(&code).await;
            if endpoint == "/token" { answer } else { app.userinfo(&Tokens::of(&answer).access_token).await }
        };
        let (answer, ()) = join(asking, fetched).await;
        // It is told to come again, and is told then that it is not known.
        assert_eq!((answer.status, answer.error().as_str()), (503, "server_error"), "{endpoint}");
        assert_eq!(app.redeem(&code).await.status, 401);
    }
}

async fn a_client_that_is_taken_out_while_its_request_is_fetched_is_not_known(backend: Backend) {
    let (place, url) = slow_place().await;
    let client = format!(
        "[[clients]]\nclient_id = \"slow\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://slow.example/callback\"]\nrequest_object_signing_alg = \"none\"\n\
         request_uris = [\"{url}\"]\n"
    );
    let provider = TestProvider::on(&backend).clients(&client).start().await;
    let (app, browser) = (provider.client("slow"), provider.signed_in(ALICE).await);
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let object = format!("{}.{}.", part(json!({ "alg": "none" })), part(json!({ "client_id": "slow" })));
    let fetched = answering(&place, &object, async { take_out(&provider, "slow") });
    let (answer, ()) = join(app.authorize(&browser, &[("request_uri", &url)]), fetched).await;
    assert_eq!(answer.heading(), "This application is not known here", "{}", answer.page_summary());
}

async fn a_registration_that_is_closed_while_its_sector_is_fetched_registers_nobody(backend: Backend) {
    let (place, url) = slow_place().await;
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let mut asked = self_registered();
    asked["subject_type"] = json!("pairwise");
    asked["sector_identifier_uri"] = json!(url);
    let document = asked["redirect_uris"].to_string();
    let fetched = answering(&place, &document, async { close_registration(&provider) });
    let (answer, ()) = join(provider.call("POST", "/clients", None, &asked), fetched).await;
    assert_eq!(answer.status, 404, "{}", answer.page_summary());
}

async fn rfc7592_2_2_an_update_of_a_client_that_is_deleted_while_its_sector_is_fetched_is_refused(
    backend: Backend,
) {
    let (place, url) = slow_place().await;
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let mut asked = self_registered();
    asked["subject_type"] = json!("pairwise");
    asked["sector_identifier_uri"] = json!(url);
    let document = asked["redirect_uris"].to_string();
    let registered = answering(&place, &document, async {});
    let (registered, ()) = join(provider.call("POST", "/clients", None, &asked), registered).await;
    let registered = registered.json();
    let uri = registered["registration_client_uri"].as_str().unwrap();
    let token = registered["registration_access_token"].as_str();
    // An update that changes nothing, because that one writes nothing.
    asked["client_id"] = registered["client_id"].clone();
    let deleted = answering(&place, &document, async {
        assert_eq!(provider.call("DELETE", uri, token, &json!(null)).await.status, 204);
    });
    let (answer, ()) = join(provider.call("PUT", uri, token, &asked), deleted).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_client_metadata"));
}
