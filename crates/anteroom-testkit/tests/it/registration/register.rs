//! `POST /clients`.

use super::{CALLBACK, CLIENTS, address, metadata, open, post, refused_for, register, with};
use crate::ALICE;
use anteroom_oidc::jwe::EncryptionKeyType;
use anteroom_testkit::{
    AppDecryptionKey, Backend, Documents, INITIAL_ACCESS_TOKEN, TestProvider, on_both_databases,
};
use futures_util::future::{join, join_all};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

on_both_databases!(
    rfc7591_3_2_1_everything_registered_is_told,
    rfc7591_3_2_2_every_value_is_checked,
    registration_2_tokens_go_to_no_address_on_the_persons_machine,
    rfc7591_3_1_the_body_is_json_and_bounded,
    rfc7591_3_2_2_each_list_is_bounded,
    registration_5_one_host_of_sectors_leaves_the_others_theirs,
    registration_5_silent_hosts_of_one_network_leave_the_other_networks_theirs,
    rfc7591_3_an_initial_access_token_is_asked_for,
    rfc7591_3_closed_is_the_default,
    rfc7591_5_registrations_are_limited,
    rfc7591_2_what_is_the_operators_to_say,
    registration_2_encryption_is_registered_with_a_key_that_fits,
    registration_2_a_logo_is_never_asked_for_by_the_server,
);

async fn rfc7591_3_2_1_everything_registered_is_told(backend: Backend) {
    let provider = open(&backend).start().await;
    let answer = post(&provider, &with(&json!({ "contacts": ["x"], "scope": "openid email" }))).await;
    assert_eq!(answer.status, 201, "{}", answer.page_summary());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        (answer.header("cache-control"), answer.header("pragma")),
        (Some("no-store"), Some("no-cache"))
    );
    let client = answer.json();
    for (member, expected) in [
        ("redirect_uris", json!([CALLBACK])),
        ("client_name", json!("A stranger")),
        ("response_types", json!(["code"])),
        ("grant_types", json!(["authorization_code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("scope", json!("openid email")),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(provider.now().as_second())),
        ("require_pkce", json!(false)),
        ("contacts", Value::Null),
    ] {
        assert_eq!(client[member], expected, "{member}");
    }
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    assert_eq!(secret.len(), 43, "256 bits");
    assert_eq!(client["registration_access_token"].as_str().unwrap().len(), 43);
    assert_eq!(client["registration_client_uri"], format!("{}{CLIENTS}/{id}", provider.issuer));
    let public = register(&provider, &with(&json!({ "token_endpoint_auth_method": "none" }))).await;
    assert_eq!((&public["client_secret"], &public["client_secret_expires_at"]), (&Value::Null, &Value::Null));
    assert_eq!(public["require_pkce"], true);
    let discovery = provider.browser().get("/.well-known/openid-configuration").await.json();
    assert_eq!(discovery["registration_endpoint"], format!("{}{CLIENTS}", provider.issuer));
    let entries = provider.audited("client_registered").await;
    let of_client = entries.iter().filter(|entry| entry.client.as_ref().is_some_and(|of| of.as_str() == id));
    assert_eq!((entries.len(), of_client.count()), (2, 1));
    assert!(provider.audit().await.iter().all(|entry| !entry.detail.contains(secret)));
}

async fn rfc7591_3_2_2_every_value_is_checked(backend: Backend) {
    let provider = open(&backend).start().await;
    let many: Vec<_> = (0..33).map(|number| format!("{CALLBACK}/{number}")).collect();
    for (changes, error, parameter) in [
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri", "redirect_uris"),
        (json!({ "redirect_uris": [format!("{CALLBACK}#here")] }), "invalid_redirect_uri", "redirect_uris"),
        (json!({ "redirect_uris": ["http://stranger.example/"] }), "invalid_redirect_uri", "redirect_uris"),
        (json!({ "redirect_uris": "x" }), "invalid_redirect_uri", "redirect_uris"),
        (json!({ "redirect_uris": many }), "invalid_redirect_uri", "redirect_uris"),
        (json!({ "response_types": ["magic"] }), "invalid_client_metadata", "response_types"),
        (json!({ "grant_types": ["refresh_token"] }), "invalid_client_metadata", "response_types"),
        (json!({ "token_endpoint_auth_method": "magic" }), "invalid_client_metadata", "token_endpoint_auth"),
        (json!({ "subject_type": "ephemeral" }), "invalid_client_metadata", "subject_type"),
        (json!({ "id_token_signed_response_alg": "none" }), "invalid_client_metadata", "id_token_signed"),
        (json!({ "logo_uri": "javascript:alert(1)" }), "invalid_client_metadata", "logo_uri"),
        (json!({ "client_name": "A \u{2066}stranger" }), "invalid_client_metadata", "client_name"),
        (json!({ "client_name": "\u{feff}" }), "invalid_client_metadata", "client_name"),
        (json!({ "client_name": "\u{3164}" }), "invalid_client_metadata", "client_name"),
        (json!({ "default_max_age": "60" }), "invalid_client_metadata", "default_max_age"),
        (json!({ "scope": "openid reports" }), "invalid_client_metadata", "scope"),
    ] {
        let grants = json!({ "grant_types": ["authorization_code"] });
        let mut asked = with(&grants);
        asked.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        if changes.get("grant_types").is_some() {
            asked["response_types"] = json!(["code"]);
        }
        let answer = post(&provider, &asked).await;
        assert_eq!(refused_for(&answer, parameter), (400, error.to_owned(), true), "{changes}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert!(provider.audited("client_registered").await.is_empty());
    assert_eq!(provider.audited("client_registration_refused").await.len(), 16);
}

async fn registration_2_tokens_go_to_no_address_on_the_persons_machine(backend: Backend) {
    let provider = open(&backend).issuer("https://id.practice.example").start().await;
    let asked = |uri: &str| {
        with(&json!({
            "redirect_uris": [CALLBACK, uri], "grant_types": ["authorization_code", "implicit"],
            "response_types": ["code", "code id_token"],
        }))
    };
    let refusal = (400, "invalid_redirect_uri".to_owned(), true);
    for uri in ["http://localhost/callback", "http://127.0.0.1:3000/callback", "https://localhost/callback"] {
        let refused = post(&provider, &asked(uri)).await;
        assert_eq!(refused_for(&refused, "redirect_uris"), refusal, "{uri}");
    }
    // Nor by an update.
    let client = register(&provider, &asked("https://stranger.example/other")).await;
    let (uri, token) = address(&client);
    let mut change = asked("http://localhost/callback");
    change["client_id"] = client["client_id"].clone();
    let refused = provider.call("PUT", uri, token, &change).await;
    assert_eq!(refused_for(&refused, "redirect_uris"), refusal);
    // A code alone is worth nothing: it takes the client's secret or its verifier.
    register(&provider, &with(&json!({ "redirect_uris": ["http://localhost/callback"] }))).await;
}

async fn rfc7591_3_1_the_body_is_json_and_bounded(backend: Backend) {
    let provider = open(&backend).start().await;
    let form = provider.browser().says_nothing().post(CLIENTS, &[("client_name", "x")]).await;
    assert_eq!(refused_for(&form, "application/json"), (400, "invalid_client_metadata".to_owned(), true));
    let not_an_object = post(&provider, &json!([metadata()])).await;
    assert_eq!(refused_for(&not_an_object, "JSON"), (400, "invalid_client_metadata".to_owned(), true));
    for length in [40_000, 100_000] {
        let long = post(&provider, &with(&json!({ "contacts": ["x".repeat(length)] }))).await;
        assert_eq!(refused_for(&long, "too long"), (400, "invalid_client_metadata".to_owned(), true));
    }
}

async fn rfc7591_3_2_2_each_list_is_bounded(backend: Backend) {
    let provider = open(&backend).start().await;
    let uris = |count: usize| -> Vec<String> {
        (0..count).map(|number| format!("https://stranger.example/{number}")).collect()
    };
    register(&provider, &with(&json!({ "post_logout_redirect_uris": uris(32) }))).await;
    for (parameter, error) in [
        ("redirect_uris", "invalid_redirect_uri"),
        ("post_logout_redirect_uris", "invalid_client_metadata"),
        ("request_uris", "invalid_client_metadata"),
        ("default_acr_values", "invalid_client_metadata"),
    ] {
        let refused = post(&provider, &with(&json!({ parameter: uris(33) }))).await;
        assert_eq!(refused_for(&refused, parameter), (400, error.to_owned(), true), "{parameter}");
    }
}

/// Two look-ups at one host, of which none is answered: a third one there is told to come again.
async fn registration_5_one_host_of_sectors_leaves_the_others_theirs(backend: Backend) {
    let provider = open(&backend).start().await;
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let sector = format!("http://{}/uris.json", silent.local_addr().unwrap());
    let asked = with(&json!({ "subject_type": "pairwise", "sector_identifier_uri": sector }));
    let answers = join_all((0..3).map(|_| post(&provider, &asked))).await;
    let busy: Vec<_> = answers.into_iter().filter(|answer| answer.status == 503).collect();
    assert_eq!(busy.len(), 1);
    assert_eq!(busy[0].error(), "temporarily_unavailable");
    assert!(busy[0].header("retry-after").is_some());
}

/// From one network, at several hosts that never answer: a client elsewhere registers all the while, and they are given up soon.
async fn registration_5_silent_hosts_of_one_network_leave_the_other_networks_theirs(backend: Backend) {
    let provider = open(&backend).start().await;
    let from = async |network: &str, sector: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", network.parse().unwrap());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let asked = with(&json!({ "subject_type": "pairwise", "sector_identifier_uri": sector }));
        provider.ask(Method::POST, CLIENTS, headers, asked.to_string().into_bytes()).await
    };
    let hosts: Vec<_> =
        (1..=9).map(|host| TcpListener::bind((Ipv4Addr::new(127, 0, 0, host), 0)).unwrap()).collect();
    let silent: Vec<_> =
        hosts.iter().map(|host| format!("http://{}/uris.json", host.local_addr().unwrap())).collect();
    let started = Instant::now();
    let waiting = join_all((0..18).map(|of| from("203.0.113.9", &silent[of % 9])));
    let documents = Documents::start(&json!([CALLBACK]).to_string()).await;
    let elsewhere = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        from("198.51.100.1", &documents.url).await
    };
    let (waiting, elsewhere) = join(waiting, elsewhere).await;
    assert_eq!(elsewhere.status, 201, "{}", elsewhere.page_summary());
    let statuses = |status: u16| waiting.iter().filter(|answer| answer.status == status).count();
    assert_eq!((statuses(503), statuses(400)), (16, 2));
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
}

async fn rfc7591_3_an_initial_access_token_is_asked_for(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("registration.mode", "\"initial_access_token\"")
        .set("registration.initial_access_token_env", "\"TEST_INITIAL_TOKEN\"")
        .start()
        .await;
    let none = post(&provider, &metadata()).await;
    let realm = format!("Bearer realm=\"{}\"", provider.issuer);
    assert_eq!((none.status, none.header("www-authenticate")), (401, Some(realm.as_str())));
    let wrong = provider.call("POST", CLIENTS, Some("wrong"), &metadata()).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    let right = provider.call("POST", CLIENTS, Some(INITIAL_ACCESS_TOKEN), &metadata()).await;
    assert_eq!(right.status, 201, "{}", right.page_summary());
    let client = right.json();
    let path = format!("{CLIENTS}/{}", client["client_id"].as_str().unwrap());
    let of_another_kind = provider.call("GET", &path, Some(INITIAL_ACCESS_TOKEN), &Value::Null).await;
    assert_eq!(of_another_kind.status, 401);
}

async fn rfc7591_3_closed_is_the_default(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    assert_eq!(post(&provider, &metadata()).await.status, 404);
    assert_eq!(provider.call("GET", "/clients/x", Some("x"), &Value::Null).await.status, 404);
    let discovery = provider.browser().get("/.well-known/openid-configuration").await.json();
    assert_eq!(discovery["registration_endpoint"], Value::Null);
}

async fn rfc7591_5_registrations_are_limited(backend: Backend) {
    let provider = open(&backend).set("registration.rate.max", "2").start().await;
    let client = register(&provider, &metadata()).await;
    assert_eq!(post(&provider, &json!({})).await.status, 400, "a mistake costs nothing");
    register(&provider, &metadata()).await;
    let limited = post(&provider, &metadata()).await;
    assert_eq!((limited.status, limited.error().as_str()), (429, "temporarily_unavailable"));
    assert!(limited.header("retry-after").is_some());
    let change = with(&json!({ "client_id": client["client_id"] }));
    let (uri, token) = address(&client);
    assert_eq!(provider.call("PUT", uri, token, &change).await.status, 429);
    let second = open(&backend).another_node_of(&provider).set("registration.max_clients", "2").start().await;
    let full = post(&second, &metadata()).await;
    assert_eq!((full.status, full.error().as_str()), (403, "access_denied"));
}

async fn rfc7591_2_what_is_the_operators_to_say(backend: Backend) {
    let provider = open(&backend).set("registration.require_pkce", "true").start().await;
    let asked = json!({ "audience": ["https://api.example/"], "require_pkce": false, "first_party": true });
    let client = register(&provider, &with(&asked)).await;
    assert_eq!((&client["audience"], &client["require_pkce"]), (&json!([]), &json!(true)));
    assert_eq!(client["scope"], "openid profile email");
    let services =
        json!({ "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [] });
    let service = post(&provider, &services).await;
    assert_eq!(refused_for(&service, "grant_types"), (400, "invalid_client_metadata".to_owned(), true));
}

async fn registration_2_encryption_is_registered_with_a_key_that_fits(backend: Backend) {
    let provider = open(&backend).start().await;
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    let asked = |alg: &str| {
        with(&json!({
            "jwks": { "keys": [key.jwk()] }, "token_endpoint_auth_method": "none",
            "id_token_encrypted_response_alg": alg, "request_object_encryption_alg": "RSA-OAEP-256",
        }))
    };
    let refused = post(&provider, &asked("RSA-OAEP")).await;
    let (status, error, named) = refused_for(&refused, "id_token_encrypted_response_alg");
    assert_eq!((status, error.as_str(), named), (400, "invalid_client_metadata", true));
    let alone = with(&json!({ "userinfo_encrypted_response_enc": "A128GCM" }));
    let refused = post(&provider, &alone).await;
    let (status, _, named) = refused_for(&refused, "userinfo_encrypted_response_enc");
    assert_eq!((status, named), (400, true));
    let client = register(&provider, &asked("ECDH-ES")).await;
    for (member, expected) in [
        ("id_token_encrypted_response_alg", json!("ECDH-ES")),
        ("id_token_encrypted_response_enc", json!("A128CBC-HS256")),
        ("userinfo_encrypted_response_alg", Value::Null),
        ("request_object_encryption_alg", json!("RSA-OAEP-256")),
        ("request_object_encryption_enc", json!("A128CBC-HS256")),
    ] {
        assert_eq!(client[member], expected, "{member}");
    }
}

async fn registration_2_a_logo_is_never_asked_for_by_the_server(backend: Backend) {
    let provider = open(&backend).start().await;
    let place = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    place.set_nonblocking(true).unwrap();
    let logo = format!("https://{}/logo.png", place.local_addr().unwrap());
    let redirect_uris = json!([CALLBACK, "https://127.0.0.1/callback"]);
    let asked = json!({ "logo_uri": logo, "redirect_uris": redirect_uris });
    let client = register(&provider, &with(&asked)).await;
    assert_eq!(client["logo_uri"], logo);
    let browser = provider.signed_in(ALICE).await;
    let page = provider.registered(&client).authorize(&browser, &[]).await;
    assert!(page.body.contains(&format!("src=\"{logo}\"")), "{}", page.body);
    let mut change = with(&json!({ "client_id": client["client_id"], "redirect_uris": redirect_uris }));
    change["logo_uri"] = json!(format!("{logo}?2"));
    let (uri, token) = address(&client);
    assert_eq!(provider.call("PUT", uri, token, &change).await.status, 200);
    // A connection that had come would stand in the queue, however little was said.
    assert_eq!(place.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
