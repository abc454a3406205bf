//! `sector_identifier_uri` of clients that register themselves (OpenID Connect Registration §5).

use crate::ALICE;
use anteroom_testkit::{Backend, Builder, Documents, TestProvider, TestResponse, claims, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(
    registration_5_the_redirect_uris_are_listed_or_nothing_is_registered,
    core_8_1_a_pairwise_client_has_one_host_or_names_its_sector,
    registration_5_an_update_is_held_to_it_as_well,
    registration_5_who_asks_for_another_look_is_counted,
);

const ONE: &str = "https://one.example/cb";
const TWO: &str = "https://two.example/cb";

fn open(backend: &Backend) -> Builder {
    TestProvider::on(backend).set("registration.mode", "\"open\"")
}

fn pairwise(redirect_uris: &[&str], sector: &str) -> Value {
    json!({ "redirect_uris": redirect_uris, "subject_type": "pairwise", "sector_identifier_uri": sector,
        "token_endpoint_auth_method": "client_secret_post" })
}

async fn post(provider: &TestProvider, metadata: &Value) -> TestResponse {
    provider.call("POST", "/clients", None, metadata).await
}

fn refused_for(answer: &TestResponse, word: &str) -> bool {
    let description = answer.json()["error_description"].as_str().unwrap_or_default().to_owned();
    answer.status == 400 && answer.error() == "invalid_client_metadata" && description.contains(word)
}

async fn registration_5_the_redirect_uris_are_listed_or_nothing_is_registered(backend: Backend) {
    let provider = open(&backend).start().await;
    let listed = json!([TWO, ONE]).to_string();
    let documents = Documents::start(&listed).await;
    let (mut subs, browser) = (Vec::new(), provider.signed_in(ALICE).await);
    for uri in [ONE, TWO] {
        let answer = post(&provider, &pairwise(&[uri], &documents.url)).await;
        assert_eq!(answer.status, 201, "{}", answer.page_summary());
        let client = answer.json();
        assert_eq!(
            (&client["subject_type"], &client["sector_identifier_uri"]),
            (&json!("pairwise"), &json!(documents.url))
        );
        let app = provider.registered(&client);
        let page = app.authorize(&browser, &[]).await;
        let code = app.code_in(&browser.submit(&page, "/consent", &[("decision", "allow")]).await);
        let tokens = anteroom_testkit::Tokens::of(&app.redeem(&code).await);
        subs.push(claims(tokens.id_token())["sub"].clone());
    }
    assert_eq!(subs[0], subs[1], "two hosts, one sector");
    assert_eq!(documents.asked(), 2);
    // What was there a moment ago does not count.
    documents.put(Some(&json!([ONE]).to_string()));
    assert!(refused_for(&post(&provider, &pairwise(&[TWO], &documents.url)).await, TWO));
    for (text, word) in [
        (Some(json!([ONE]).to_string()), TWO),
        (Some(json!([ONE, format!("{TWO}/")]).to_string()), TWO),
        (Some(json!({ "redirect_uris": [ONE, TWO] }).to_string()), "JSON array"),
        (Some("x".repeat(70_000)), "bytes"),
        (None, "404"),
    ] {
        let elsewhere = Documents::start("").await;
        elsewhere.put(text.as_deref());
        for subject_type in ["pairwise", "public"] {
            let mut metadata = pairwise(&[ONE, TWO], &elsewhere.url);
            metadata["subject_type"] = json!(subject_type);
            let answer = post(&provider, &metadata).await;
            assert!(refused_for(&answer, word), "{word}: {}", answer.body);
        }
    }
    assert_eq!(provider.audited("client_registered").await.len(), 2);
}

async fn core_8_1_a_pairwise_client_has_one_host_or_names_its_sector(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .issuer("https://id.example")
        .set("registration.mode", "\"open\"")
        .start()
        .await;
    let mut metadata = json!({ "redirect_uris": [ONE, TWO], "subject_type": "pairwise" });
    assert!(refused_for(&post(&provider, &metadata).await, "several hosts"));
    metadata["redirect_uris"] = json!([ONE, "https://one.example:8443/other"]);
    assert_eq!(post(&provider, &metadata).await.status, 201);
    // Nothing but public addresses is asked, and that in safety.
    for address in ["https://127.0.0.1/", "https://10.0.0.1/", "http://one.example/", "https://localhost/"] {
        let answer = post(&provider, &pairwise(&[ONE, TWO], address)).await;
        assert!(refused_for(&answer, "sector_identifier_uri"), "{address}: {}", answer.body);
        for internal in ["127.0.0.1", "10.0.0.1", "localhost", "outgoing"] {
            assert!(!answer.body.contains(internal), "a stranger is told of the network: {}", answer.body);
        }
    }
}

async fn registration_5_an_update_is_held_to_it_as_well(backend: Backend) {
    let provider = open(&backend).start().await;
    let documents = Documents::start(&json!([ONE]).to_string()).await;
    let client = post(&provider, &pairwise(&[ONE], &documents.url)).await.json();
    let uri = client["registration_client_uri"].as_str().unwrap();
    let token = client["registration_access_token"].as_str();
    let mut update = pairwise(&[ONE, TWO], &documents.url);
    update["client_id"] = client["client_id"].clone();
    let refused = provider.call("PUT", uri, token, &update).await;
    assert!(refused_for(&refused, TWO), "{}", refused.body);
    assert_eq!(provider.call("GET", uri, token, &Value::Null).await.json()["redirect_uris"], json!([ONE]));
    documents.put(Some(&json!([ONE, TWO]).to_string()));
    let updated = provider.call("PUT", uri, token, &update).await;
    assert_eq!(
        (updated.status, &updated.json()["redirect_uris"]),
        (200, &json!([ONE, TWO])),
        "{}",
        updated.body
    );
}

async fn registration_5_who_asks_for_another_look_is_counted(backend: Backend) {
    let provider = open(&backend).set("registration.rate.max", "3").start().await;
    let documents = Documents::start(&json!([ONE]).to_string()).await;
    for _ in 0..3 {
        assert!(refused_for(&post(&provider, &pairwise(&[TWO], &documents.url)).await, TWO));
    }
    assert_eq!(documents.asked(), 3);
    assert_eq!(post(&provider, &pairwise(&[TWO], &documents.url)).await.status, 429);
    assert_eq!(documents.asked(), 3);
}
